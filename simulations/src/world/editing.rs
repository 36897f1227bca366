//! One edit in a city in which nothing else happens.

use hallmesh_protocol::ids::Tier;
use hallmesh_protocol::message::{Message, Why};
use hallmesh_protocol::record::{Space, decode_records};
use hallmesh_protocol::step::{Command, Input};

use super::{Event, World};
use crate::edit::{BETWEEN, Dead, EDITS, FOLLOWED, Outcome, SETTLES, flood};
use crate::network::Network;
use crate::plan::{Plan, chance_of};
use crate::report::Traffic;
use crate::series::Series;
use crate::station::Seat;
use crate::story::Story;

/// Where a hall is that was somewhere else.
const ELSEWHERE: &str = "/ip4/10.0.0.1/tcp/";

/// Makes one edit in the city of a plan, with these halls dead. Gives how it spread, and how the same bytes spread in a flood.
pub fn edited(plan: &Plan, dead: Dead) -> anyhow::Result<(Outcome, Outcome)> {
    let mut world = World::new(plan, Story::silent())?;
    let (editor, living) = world.kill(dead);
    world.begin();
    world.until(SETTLES);
    let settled = world.traffic.clone();
    world.until(SETTLES.saturating_add(FOLLOWED));
    let idle = since(&world.traffic, &settled);
    let (mut ours, mut floods) = (Vec::new(), Vec::new());
    let mut chance = chance_of(plan.seed).fork("flood");
    for _ in 0..EDITS {
        ours.push(world.follow(editor, &living, idle)?);
        let network = Network::new(plan.lines.clone(), chance.fork("network"));
        let bytes = world.frame(editor).unwrap_or(0);
        floods.push(flood::run(&living, editor, bytes, network, chance.fork("mesh")));
        // The next one meets the heartbeats at another moment.
        world.until(world.now.saturating_add(BETWEEN));
    }
    Ok((Outcome::mean(&ours), Outcome::mean(&floods)))
}

/// Messages with records, and bytes of all messages, since then.
fn since(now: &Traffic, then: &Traffic) -> (u64, u64) {
    let records = |traffic: &Traffic| traffic.kinds.get("records").map_or(0, |(messages, _)| *messages);
    (records(now).saturating_sub(records(then)), now.bytes.saturating_sub(then.bytes))
}

impl World {
    /// Halls that are never started. The edit is made by the first of those that are left and may publish something.
    fn kill(&mut self, dead: Dead) -> (Seat, Vec<Option<Tier>>) {
        let mut chance = self.chance.fork("dead");
        let mut living: Vec<Option<Tier>> = Vec::new();
        let mut editor = None;
        for (seat, station) in self.stations.iter_mut().enumerate() {
            let tier = station.at.hall.tier();
            let drawn = chance.below(10);
            let edits = tier <= Tier::County && editor.is_none();
            let takes = dead.takes(tier, drawn) && !(dead == Dead::Thirty && edits);
            if !takes && edits {
                editor = Some(seat);
            }
            if takes {
                station.off_until = u64::MAX;
            }
            living.push((!takes).then_some(tier));
        }
        (editor.unwrap_or_else(|| living.iter().position(Option::is_some).unwrap_or(0)), living)
    }

    /// One edit; `idle` is what goes over the lines in the same time without one.
    fn follow(&mut self, editor: Seat, living: &[Option<Tier>], idle: (u64, u64)) -> anyhow::Result<Outcome> {
        let begun = self.traffic.clone();
        self.series = Series::of_edit(&self.stations, editor);
        self.edit(editor)?;
        self.until(self.now.saturating_add(FOLLOWED));
        let (copies, bytes) = since(&self.traffic, &begun);
        let times = self.series.spread().times_of_last(living);
        let alive = living.iter().flatten().count();
        Ok(Outcome::of(alive, times, copies.saturating_sub(idle.0), bytes.saturating_sub(idle.1)))
    }

    fn until(&mut self, age: u64) {
        self.later(age.saturating_sub(self.now), Event::Mend(0));
        while self.now < age && self.goes_on(u64::MAX) {}
    }

    fn edit(&mut self, seat: Seat) -> anyhow::Result<()> {
        self.people.now = self.now;
        let station = self.stations.get(seat).filter(|station| station.answers(self.now));
        let station = station.ok_or_else(|| anyhow::anyhow!("nobody is left who could edit"))?;
        let command = self.people.edit(&self.city, seat, station);
        // A township has no entries of its own here; where it is reached is as good an edit.
        let moved =
            || (self.people.other(seat), Command::Advertise(vec![format!("{ELSEWHERE}{}", self.now)]));
        let (ticket, command) = command.unwrap_or_else(moved);
        self.feed(seat, Input::Command { ticket, command });
        Ok(())
    }

    /// Bytes of the message that carries the edit.
    fn frame(&self, seat: Seat) -> Option<usize> {
        let row = self.stations.get(seat).and_then(|station| self.series.spread().last_row(&station.disk))?;
        let (version, signed) = row.split_first()?;
        let list = [&[*version], 1_u64.to_le_bytes().as_slice(), signed].concat();
        let records = decode_records(&list).ok()?;
        Some(Message::Records { space: Space::Lists, records, why: Why::Push }.encode().len())
    }
}
