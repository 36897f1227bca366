//! How the city of a setting begins: its halls, their clerks, and the case at the window.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use hallmesh_protocol::cases::{FIRST_KEY, Receive, Wrap};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::clerks::{self, Act, ClerkCard, Roles};
use hallmesh_protocol::ids::{ClerkId, DivisionCode, HallAt};
use hallmesh_protocol::signed::{Signed, Verified};
use hallmesh_protocol::step::{Command, Reply};

use super::super::letters::{Archive, Letters};
use super::super::logs::Logs;
use super::super::setting::{Seat, Setting};
use super::product::{NOW, boot, command, feed};
use super::{CASE, Halls, Step};
use crate::city::{City, Division};
use crate::disk::Disk;

/// The clerk of each hall.
pub(super) const CLERK: u16 = 1;

impl Halls {
    /// Founds the city of a setting.
    pub(in super::super) fn found(setting: &Setting) -> anyhow::Result<Self> {
        let division = |(code, name): &(u64, &str)| {
            let code = DivisionCode::from_u64(*code)?;
            Ok(Division { code, name: (*name).to_owned() })
        };
        let divisions: Vec<Division> = setting.halls.iter().map(division).collect::<anyhow::Result<_>>()?;
        let (city, founded) = City::found(&divisions, &mut Chance::from_seed([1; 32]))?;
        let mut halls = Self {
            at: city.halls.clone(),
            archive: Archive::default(),
            logs: Logs::default(),
            kept: Vec::new(),
            known: BTreeMap::new(),
            asked: 0,
            setting: *setting,
            knowing: founded.first().context("a city has halls")?.clone(),
            news: Vec::new(),
            city,
            founded,
        };
        halls.prepare_news()?;
        Ok(halls)
    }

    /// What each hall has kept on its first morning: its clerk, and at the window the case.
    pub(in super::super) fn first_morning(&mut self) -> anyhow::Result<Vec<Step>> {
        let mut steps = Vec::new();
        for seat in 0..self.at.len() {
            let disk = self.founded.get(seat).context("a hall has a disk")?.clone();
            let mut disk = self.with_clerk((seat, CLERK), disk)?;
            let mut sent = Letters::default();
            if seat == self.setting.window {
                let (mut node, opened, _) = self.open(seat, 0, disk, true)?;
                disk = opened;
                let receive = self.receive(seat, &disk)?;
                let (done, outputs) = feed(&mut node, &mut disk, command(receive), self.forgets(seat));
                ensure!(matches!(done, Some(Reply::Received { .. })), "not received: {done:?}");
                sent = self.letters(outputs)?;
            }
            steps.push(self.settled(seat, 0, disk, sent)?);
        }
        Ok(steps)
    }

    /// The disk of a hall that has registered a clerk.
    pub(super) fn with_clerk(&self, (seat, number): (Seat, u16), disk: Disk) -> anyhow::Result<Disk> {
        let (mut node, mut disk, _) = self.open(seat, 0, disk, true)?;
        let hall = self.hall(seat)?.hall;
        let roles = Roles { window: true, decide: true, admit: true, ..Roles::default() };
        let key = self.city.clerk_key(hall, number).public();
        let id = ClerkId { hall, number };
        let card = ClerkCard { id, name: "Clerk".to_owned(), key, roles, active: true };
        let (done, _) = feed(&mut node, &mut disk, command(Command::AddClerk(card)), self.forgets(seat));
        ensure!(done == Some(Reply::Done), "no clerk: {done:?}");
        Ok(disk)
    }

    /// What a clerk of a hall signs.
    pub(super) fn act(
        &self,
        (seat, number): (Seat, u16),
        boots: u32,
        disk: &Disk,
    ) -> anyhow::Result<Verified<Act>> {
        let hall = self.hall(seat)?.hall;
        let act = Act {
            clerk: ClerkId { hall, number },
            boot: boot(boots),
            wall: NOW.wall,
            nonce: u128::from(number).to_le_bytes(),
            request: Act::request_digest(&[]),
        };
        let signed = Signed::sign(&act, &[(0, &self.city.clerk_key(hall, number))]);
        Ok(clerks::verify(disk, &signed)?)
    }

    /// The case's key, wrapped to a life.
    pub(super) fn wrap(&self, to: HallAt) -> Wrap {
        Wrap { to, recovery: false, of: FIRST_KEY, key: self.city.wrapped.clone() }
    }

    fn receive(&self, seat: Seat, disk: &Disk) -> anyhow::Result<Command> {
        let wanted = Receive {
            case: CASE,
            matter: self.setting.matter.parse()?,
            place: self.hall(seat)?.hall.division(),
            body: vec![1, 2, 3].into(),
            wraps: self.at.iter().map(|at| self.wrap(*at)).collect(),
        };
        Ok(Command::Receive(self.act((seat, CLERK), 0, disk)?, Box::new(wanted)))
    }
}
