//! What the directory says of lives, each a record that every hall learns by itself: that a life begins, that a hall is
//! closed, who goes on in its place, that a disk is destroyed.
//!
//! The records are made before anything happens, and nobody hears of one before it is stated in a scene. What halls below
//! the city lose is declared by the city's own node, on the word of two of its clerks; what the city loses, and who begins
//! anew, by the root.

use anyhow::{Context as _, ensure};
use hallmesh_protocol::directory::{
    Declaration, Destruction, Directory, Revocation, RevocationReason, Ruling,
};
use hallmesh_protocol::ids::{HallAt, HallId};
use hallmesh_protocol::message::{Message, Why};
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Body, Record, Space};
use hallmesh_protocol::signed::{Signed, Verified};
use hallmesh_protocol::step::{Command, Input, Output, Reply};
use hallmesh_protocol::verify;

use super::super::seen::{Closed, Scene};
use super::super::setting::{Closing, Seat};
use super::founding::CLERK;
use super::product::{NOW, Told, command, feed};
use super::{Halls, KeptId, Step};
use crate::disk::Disk;

/// The city's hall, which declares what halls below it have lost.
const CITY: Seat = 0;
/// The two clerks who do.
const TWO_PERSONS: [u16; 2] = [CLERK, CLERK + 1];

/// A number of what the directory can say.
pub(in super::super) type NewsId = u8;

/// What the directory can say of lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum News {
    /// A life begins.
    Begun(HallAt),
    /// A life is revoked: the hall is closed.
    Closed(HallAt),
    /// Another hall goes on in the place of one that is closed.
    Ruled(HallAt, HallId),
    /// The disk of a life is destroyed.
    Destroyed(HallAt),
}

/// The same with the record that says it.
#[derive(Debug)]
pub(super) struct Stated {
    pub(super) news: News,
    record: Verified<Record>,
}

impl Halls {
    /// What there is for a hall to learn in a scene, whether it has heard of it or not.
    pub(in super::super) fn stated(&self, scene: &Scene, seat: Seat) -> anyhow::Result<Vec<NewsId>> {
        let concerns = |news| match news {
            News::Destroyed(of) => {
                self.seat(of.hall).is_some_and(|of| self.setting.mishaps.destroyed.contains(&(of, seat)))
            }
            News::Begun(_) | News::Closed(_) | News::Ruled(..) => true,
        };
        let all = self.news.iter().enumerate();
        let all = all.filter(|(_, stated)| concerns(stated.news) && self.says(scene, stated.news));
        all.map(|(number, _)| Ok(NewsId::try_from(number)?)).collect()
    }

    fn says(&self, scene: &Scene, news: News) -> bool {
        let closed = |of: HallAt| self.seat(of.hall).map_or(Closed::No, |seat| scene.closed(seat));
        match news {
            News::Begun(life) => {
                let latest =
                    self.seat(life.hall).and_then(|seat| self.life(seat, scene.later_lives(seat)).ok());
                latest.is_some_and(|latest| life.incarnation <= latest.incarnation)
            }
            News::Closed(of) => closed(of) != Closed::No,
            News::Ruled(of, to) => closed(of) == Closed::to(self.seat(to)),
            News::Destroyed(of) => self.has_ended(scene, of),
        }
    }

    /// Whether the disk of a life is declared destroyed as soon as it has ended.
    pub(in super::super) fn is_destroyed(&self, life: HallAt) -> bool {
        self.news.iter().any(|stated| stated.news == News::Destroyed(life))
    }

    /// What a number stands for.
    pub(in super::super) fn news(&self, id: NewsId) -> anyhow::Result<News> {
        Ok(self.stated_as(id)?.news)
    }

    fn stated_as(&self, id: NewsId) -> anyhow::Result<&Stated> {
        self.news.get(usize::from(id)).context("a number of news")
    }

    /// What comes of a hall's learning of it.
    pub(in super::super) fn learn(&mut self, id: KeptId, news: NewsId) -> anyhow::Result<Step> {
        if let Some(step) = self.kept(id)?.learns.get(&news) {
            return Ok(*step);
        }
        let step = self.step(id, Told::News(news))?;
        self.kept_mut(id)?.learns.insert(news, step);
        Ok(step)
    }

    /// What a hall is told then: by a neighbour, or from a stick where it has none any more.
    pub(super) fn tidings(&self, disk: &Disk, me: HallAt, news: NewsId) -> anyhow::Result<Input> {
        let record = &self.stated_as(news)?.record;
        let Some(from) = self.line(disk, me, None) else {
            return Ok(command(Command::Admit(vec![record.clone()])));
        };
        let records = vec![record.signed().clone()];
        let message = Message::Records { space: Space::Directory, records, why: Why::Push };
        Ok(Input::Received { from, message: verify::message(disk, me.hall, message)? })
    }

    /// The neighbour by which something reaches a hall: who says it, or anybody else it has a line to.
    pub(super) fn line(&self, disk: &Disk, me: HallAt, says: Option<HallId>) -> Option<HallId> {
        let directory = Directory::new(disk);
        let others = self.at.iter().map(|at| at.hall).filter(|hall| *hall != me.hall);
        says.into_iter().chain(others).find(|hall| directory.present(*hall).is_some())
    }

    /// Whether what is another hall's to say may be said by a hall, one day: it is that hall, or may be ruled to go on.
    pub(super) fn may_speak_for(&self, writer: HallId, part: HallId) -> bool {
        let ruled = |stated: &Stated| match stated.news {
            News::Ruled(of, to) => of.hall == part && to == writer,
            News::Begun(_) | News::Closed(_) | News::Destroyed(_) => false,
        };
        writer == part || self.news.iter().any(ruled)
    }

    /// What a hall has heard of.
    pub(super) fn heard_of(&self, disk: &Disk) -> impl Iterator<Item = NewsId> {
        let heard = |stated: &Stated| query::holds(disk, std::slice::from_ref(&stated.record));
        (0..).zip(&self.news).filter(move |(_, stated)| heard(stated)).map(|(number, _)| number)
    }

    /// The charter of a later life.
    pub(super) fn charter(&self, at: HallAt) -> anyhow::Result<Signed<Record>> {
        let begun = self.news.iter().find(|stated| stated.news == News::Begun(at));
        Ok(begun.context("a charter")?.record.signed().clone())
    }

    /// Makes every record that may be needed, long before it is; only `knowing` hears of them.
    pub(super) fn prepare_news(&mut self) -> anyhow::Result<()> {
        let mishaps = self.setting.mishaps;
        for seat in mishaps.may_be_reborn {
            for later in 1..=mishaps.rebirths {
                let at = self.life(*seat, later)?;
                self.by_root(News::Begun(at), Body::Charter(Box::new(self.city.charter(at))))?;
            }
        }
        for closing in mishaps.may_be_closed {
            self.prepare_closing(*closing)?;
        }
        for (seat, _) in mishaps.destroyed {
            let followed = if mishaps.may_be_reborn.contains(seat) { mishaps.rebirths } else { 1 };
            for later in 0..followed {
                self.prepare_destruction(*seat, self.life(*seat, later)?)?;
            }
        }
        Ok(())
    }

    fn prepare_closing(&mut self, Closing { seat, heir }: Closing) -> anyhow::Result<()> {
        let of = self.hall(seat)?;
        let heir = heir.map(|heir| self.hall(heir)).transpose()?.map(|at| at.hall);
        let transport_key = self.city.transport_key(of);
        let (reason, since) = (RevocationReason::Closed, NOW.wall);
        let revoked = Body::Revocation(Revocation { at: of, transport_key, reason, since });
        if seat == CITY {
            self.by_root(News::Closed(of), revoked)?;
            let ruled = |to| Body::Ruling(Ruling { of, to, by: None, wall: NOW.wall });
            return heir.map_or(Ok(()), |to| self.by_root(News::Ruled(of, to), ruled(to)));
        }
        let mut city = self.city_of_two_clerks()?;
        let publish = Command::Publish(self.act((CITY, CLERK), 0, &city)?, vec![revoked]);
        self.by_city(&mut city, News::Closed(of), publish)?;
        let Some(to) = heir else { return Ok(()) };
        let declare = self.declare(&city, Declaration::TakeOver { of, to })?;
        self.by_city(&mut city, News::Ruled(of, to), declare)
    }

    fn prepare_destruction(&mut self, seat: Seat, of: HallAt) -> anyhow::Result<()> {
        if seat == CITY {
            let body = Destruction { of, by: None, wall: NOW.wall };
            return self.by_root(News::Destroyed(of), Body::Destruction(body));
        }
        let mut city = self.city_of_two_clerks()?;
        let ended = |stated: &&Stated| match stated.news {
            News::Begun(life) | News::Closed(life) => life.hall == of.hall,
            News::Ruled(..) | News::Destroyed(_) => false,
        };
        let known = self.news.iter().filter(ended).map(|stated| stated.record.clone()).collect();
        let (mut node, opened, _) = self.open(CITY, 0, city, true)?;
        city = opened;
        feed(&mut node, &mut city, command(Command::Admit(known)), &[]);
        let declare = self.declare(&city, Declaration::Destroyed { of })?;
        self.by_city(&mut city, News::Destroyed(of), declare)
    }

    fn city_of_two_clerks(&self) -> anyhow::Result<Disk> {
        let mut city = self.founded.get(CITY).context("a city")?.clone();
        for clerk in TWO_PERSONS {
            city = self.with_clerk((CITY, clerk), city)?;
        }
        Ok(city)
    }

    fn declare(&self, city: &Disk, what: Declaration) -> anyhow::Result<Command> {
        let [one, other] = TWO_PERSONS.map(|clerk| self.act((CITY, clerk), 0, city));
        Ok(Command::Declare([one?, other?], what))
    }

    /// Has the city's node do what its clerks ask for, and keeps the record that it signs.
    fn by_city(&mut self, city: &mut Disk, news: News, asked: Command) -> anyhow::Result<()> {
        let (mut node, opened, _) = self.open(CITY, 0, city.clone(), true)?;
        *city = opened;
        let (done, outputs) = feed(&mut node, city, command(asked), &[]);
        ensure!(matches!(done, Some(Reply::Published { records: 1 })), "{news:?}: {done:?}");
        let record = outputs.into_iter().find_map(pushed).context("the city tells its neighbours")?;
        self.keep_news(news, record)
    }

    fn by_root(&mut self, news: News, body: Body) -> anyhow::Result<()> {
        let record = self.city.by_root(body);
        self.keep_news(news, record)
    }

    fn keep_news(&mut self, news: News, record: Signed<Record>) -> anyhow::Result<()> {
        if self.news.iter().any(|stated| stated.news == news) {
            return Ok(());
        }
        let (mut checked, _) = verify::records(&self.knowing, vec![record]);
        let record = checked.pop().context("a record that holds")?;
        let (mut node, mut disk, _) = self.open(CITY, 0, self.knowing.clone(), true)?;
        feed(&mut node, &mut disk, command(Command::Admit(vec![record.clone()])), &[]);
        ensure!(query::holds(&disk, std::slice::from_ref(&record)), "{news:?} is not taken up");
        self.knowing = disk;
        self.news.push(Stated { news, record });
        Ok(())
    }
}

/// The record in a message to a neighbour.
fn pushed(output: Output) -> Option<Signed<Record>> {
    match output {
        Output::Send { message: Message::Records { mut records, .. }, .. } => records.pop(),
        Output::Send { .. }
        | Output::Reply { .. }
        | Output::Keep(_)
        | Output::RosterChanged
        | Output::Reached(_)
        | Output::WrapKey { .. }
        | Output::RenewKey { .. }
        | Output::Happened(_) => None,
    }
}
