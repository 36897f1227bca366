//! What a hall's own people and shell ask of its node: who may, and what comes of it.

use std::collections::BTreeSet;

use super::Node;
use crate::cases::{self, Refusal, Wrap};
use crate::clerks::{self, Act, ClerkCard, NotEntitled, Roles};
use crate::directory::{Contact, Declaration, Directory, Inadmissible};
use crate::ids::{CaseId, ClerkId, Digest, HallAt};
use crate::limits::KEYS_GIVEN_MAX;
use crate::parcels;
use crate::post::Post;
use crate::record::{Body, Issuer, Record, Space};
use crate::shelf;
use crate::signed::Verified;
use crate::step::{Command, Cx, Now, Output, Reply, Ticket, View};

impl Node {
    pub(super) fn command(&mut self, cx: &mut Cx<'_>, ticket: Ticket, command: Command) {
        let reply = self.all_or_nothing(cx, |node, cx| node.carry_out(cx, command));
        cx.output(Output::Reply { ticket, reply: reply.unwrap_or_else(Reply::Refused) });
    }

    /// Does something wholly, or changes nothing: whatever was written when it is refused is taken back. That a command is
    /// checked before its first write is how it should be; that a refusal changes nothing does not rest on it.
    fn all_or_nothing<T>(
        &mut self,
        cx: &mut Cx<'_>,
        act: impl FnOnce(&mut Self, &mut Cx<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        cx.begin();
        let done = act(self, cx);
        if done.is_ok() {
            cx.keep();
        } else if cx.take_back() {
            // The one field that may know of rows that were not written after all. Lines stay as they are.
            self.post = Post::open(self.me.at.hall, cx.now.ticks, cx);
            let ready: Vec<HallAt> = self.ready_peers().collect();
            for peer in ready {
                self.post.way_opened(peer.hall, cx.now.ticks);
            }
        }
        done
    }

    fn carry_out(&mut self, cx: &mut Cx<'_>, command: Command) -> Result<Reply, Refusal> {
        if signs(&command) && self.is_rolled_back(cx) {
            return Err(Refusal::RolledBack);
        }
        match command {
            Command::Receive(act, wanted) => {
                let clerk = self.entitled(cx, &act, |roles| roles.window)?;
                cases::receive(&mut self.office(cx), clerk, &wanted)
            }
            Command::Record(act, deed) => {
                let clerk = self.entitled(cx, &act, |roles| deed.deed.is_for(*roles))?;
                cases::record(&mut self.office(cx), clerk, *deed)
            }
            Command::ReceiveBundle(act, wanted) => {
                let clerk = self.entitled(cx, &act, |roles| roles.window)?;
                cases::receive_bundle(&mut self.office(cx), clerk, &wanted)
            }
            Command::RecordBundle(act, wanted) => {
                // Handing out is the window's, and so is closing what cannot begin: nothing is decided by it.
                let clerk = self.entitled(cx, &act, |roles| roles.window)?;
                cases::record_bundle(&mut self.office(cx), clerk, *wanted)
            }
            Command::Publish(act, bodies) => {
                self.entitled(cx, &act, |roles| bodies.iter().all(|body| may_publish(*roles, body)))?;
                self.publish_validly(cx, bodies)
            }
            Command::Declare(acts, declaration) => self.declare(cx, &acts, declaration),
            Command::Admit(records) => Ok(self.admit(cx, &records)),
            Command::Advertise(addresses) => self.advertise(cx, addresses),
            Command::AddClerk(card) => self.add_clerk(cx, &card),
            Command::DisableClerk(number) => Self::disable_clerk(cx, number),
            Command::GiveKeys(acts, keys) => self.give_keys(cx, &acts, &keys),
            Command::KeepKeys(case, wraps) => {
                cases::keep_keys(&mut self.office(cx), case, &wraps);
                Ok(Reply::Done)
            }
            Command::RenewKey(case, new) => cases::renew(&mut self.office(cx), case, &new),
            Command::NotOpened(case, of) => cases::not_opened(&mut self.office(cx), case, of),
            Command::State(act, wanted) => {
                let clerk = self.entitled(cx, &act, |roles| roles.window || roles.decide)?;
                cases::state(&mut self.office(cx), clerk, *wanted)
            }
            Command::Read(act, case) => {
                let clerk = self.entitled(cx, &act, |roles| roles.window || roles.decide)?;
                cases::note_reading(cx, case, clerk)
            }
            Command::Consign(wanted) => {
                Ok(parcels::consign(cx, (self.me.at, self.me.boot), &self.me.key, wanted)
                    .map(Reply::Consigned)?)
            }
            Command::TakeIn(parcel) => self.take_in(cx, *parcel).map(Reply::TakenIn),
        }
    }

    fn entitled(
        &mut self,
        cx: &Cx<'_>,
        act: &Verified<Act>,
        role: impl Fn(&Roles) -> bool,
    ) -> Result<ClerkId, Refusal> {
        let directory = Directory::new(cx);
        if directory.card(self.me.at).is_none() || directory.has_ended(self.me.at) {
            return Err(Refusal::NotChartered);
        }
        self.admitted(cx, act, role)
    }

    fn admitted(
        &mut self,
        cx: &Cx<'_>,
        act: &Verified<Act>,
        role: impl Fn(&Roles) -> bool,
    ) -> Result<ClerkId, Refusal> {
        Ok(self.acts.admit(cx, (self.me.boot, Now { wall: cx.clock, ..cx.now }), act.value(), role)?)
    }

    /// What nobody may decide alone: each of two clerks has signed for it.
    fn declare(
        &mut self,
        cx: &mut Cx<'_>,
        acts: &[Verified<Act>; 2],
        declaration: Declaration,
    ) -> Result<Reply, Refusal> {
        // A county that the city's machine has revoked says so all the same.
        let directory = Directory::new(cx);
        let accuses = directory.is_voice(self.me.at.hall, declaration.of().hall);
        let may = !directory.has_ended(self.me.at) || accuses && directory.is_silenced(self.me.at);
        let by = if may { self.two_persons(cx, acts)? } else { return Err(Refusal::NotChartered) };
        let (directory, wall) = (Directory::new(cx), cx.now.wall);
        let body = if accuses {
            declaration.check_voice(&directory, self.me.at.hall, wall)?;
            declaration.voice(by, wall)
        } else {
            declaration.check(&directory)?;
            declaration.body(Some(by), wall)
        };
        self.publish_validly(cx, vec![body])
    }

    /// Who may open a case with a recovery key could read it: both persons are noted at each.
    fn give_keys(
        &mut self,
        cx: &mut Cx<'_>,
        acts: &[Verified<Act>; 2],
        keys: &[(CaseId, Wrap)],
    ) -> Result<Reply, Refusal> {
        if Directory::new(cx).has_ended(self.me.at) {
            return Err(Refusal::NotChartered);
        }
        let by = self.two_persons(cx, acts)?;
        if keys.len() > KEYS_GIVEN_MAX {
            return Err(Refusal::TooLarge);
        }
        for (case, wrap) in keys {
            for clerk in by {
                cases::note_reading(cx, *case, clerk)?;
            }
            cases::keep_keys(&mut self.office(cx), *case, std::slice::from_ref(wrap));
        }
        Ok(Reply::Done)
    }

    fn two_persons(
        &mut self,
        cx: &Cx<'_>,
        [one, other]: &[Verified<Act>; 2],
    ) -> Result<[ClerkId; 2], Refusal> {
        let one = self.admitted(cx, one, |roles| roles.admit)?;
        let other = self.admitted(cx, other, |roles| roles.admit)?;
        let key = |clerk: ClerkId| clerks::card(cx, clerk.number).map(|card| card.key);
        // A second card for the same key is no second person.
        let same = one == other || key(one) == key(other);
        if same { Err(NotEntitled::OnePerson.into()) } else { Ok([one, other]) }
    }

    fn publish_validly(&mut self, cx: &mut Cx<'_>, bodies: Vec<Body>) -> Result<Reply, Refusal> {
        let card = Directory::new(cx).card(self.me.at);
        if card.is_none_or(|card| card.valid_to < cx.now.wall) {
            return Err(Refusal::CharterExpired);
        }
        self.publish(cx, bodies)
    }

    /// Signs the next version of each body that is not in force already, as this hall. All or nothing.
    fn publish(&mut self, cx: &mut Cx<'_>, bodies: Vec<Body>) -> Result<Reply, Refusal> {
        let (mut signed, mut keys) = (Vec::new(), BTreeSet::new());
        for body in bodies.into_iter().filter(|body| !in_force(cx, self.me.at, body)) {
            let record = next_version(cx, Issuer::Hall(self.me.at), body);
            let (key, record) = (record.body.key(), Verified::own(record, &self.me.key));
            let twice = !keys.insert(key.clone());
            let fits = if twice { Err(Inadmissible::Fork) } else { shelf::check(cx, &record) };
            fits.map_err(|why| Refusal::record(key, why))?;
            signed.push(record);
        }
        let mut taken = 0_u32;
        for space in Space::ALL {
            let fresh = self.take_up(cx, space, &signed);
            taken = taken.saturating_add(u32::try_from(fresh.len()).unwrap_or(u32::MAX));
            self.tell(cx, space, &fresh, None);
        }
        Ok(Reply::Published { records: taken })
    }

    fn admit(&mut self, cx: &mut Cx<'_>, records: &[Verified<Record>]) -> Reply {
        let mut taken = 0_usize;
        for space in Space::ALL {
            let fresh = self.take_up(cx, space, records);
            taken = taken.saturating_add(fresh.len());
            self.tell(cx, space, &fresh, None);
        }
        let refused = records.len().saturating_sub(taken);
        Reply::Admitted {
            records: u32::try_from(taken).unwrap_or(u32::MAX),
            refused: u32::try_from(refused).unwrap_or(u32::MAX),
        }
    }

    fn advertise(&mut self, cx: &mut Cx<'_>, addresses: Vec<String>) -> Result<Reply, Refusal> {
        let contact = Contact { at: self.me.at, addresses };
        if Directory::new(cx).contact(self.me.at.hall).as_ref() == Some(&contact) {
            return Ok(Reply::Done);
        }
        self.publish(cx, vec![Body::Contact(contact)])
    }

    fn add_clerk(&self, cx: &mut Cx<'_>, card: &ClerkCard) -> Result<Reply, Refusal> {
        if !card.fits(self.me.at.hall) {
            return Err(Refusal::BadCard);
        }
        if clerks::card(cx, card.id.number).is_some() {
            return Err(Refusal::ClerkExists(card.id.number));
        }
        clerks::write(cx, card);
        Ok(Reply::Done)
    }

    fn disable_clerk(cx: &mut Cx<'_>, number: u16) -> Result<Reply, Refusal> {
        let card = clerks::card(cx, number).ok_or(NotEntitled::Clerk)?;
        clerks::write(cx, &ClerkCard { active: false, ..card });
        Ok(Reply::Done)
    }
}

/// Whether this hall would sign something.
const fn signs(command: &Command) -> bool {
    match command {
        Command::Receive(..)
        | Command::Record(..)
        | Command::ReceiveBundle(..)
        | Command::RecordBundle(..)
        | Command::Publish(..)
        | Command::Declare(..)
        | Command::Advertise(_)
        | Command::RenewKey(..)
        | Command::State(..)
        | Command::Consign(_) => true,
        // Of a parcel it takes up the records; letters for a hall that was rolled back are left on the stick.
        Command::TakeIn(_)
        | Command::Admit(_)
        | Command::AddClerk(_)
        | Command::DisableClerk(_)
        | Command::Read(..)
        | Command::GiveKeys(..)
        | Command::KeepKeys(..)
        | Command::NotOpened(..) => false,
    }
}

/// Whether `by` has published just this already.
fn in_force(view: &dyn View, by: HallAt, body: &Body) -> bool {
    let held = shelf::held(view, body.space(), &body.key());
    held.is_some_and(|held| {
        let held = held.value();
        held.body == *body && held.issuer == Issuer::Hall(by) && !held.withdrawn
    })
}

/// The version after the one that is held under the same key.
pub fn next_version(view: &dyn View, issuer: Issuer, body: Body) -> Record {
    let held = shelf::held(view, body.space(), &body.key());
    let (version, previous) = match held {
        Some(held) => (held.value().version.saturating_add(1), held.signed().digest()),
        None => (1, Digest([0; 32])),
    };
    Record { issuer, version, previous, withdrawn: false, effective_from: 0, body }
}

fn may_publish(roles: Roles, body: &Body) -> bool {
    match body {
        Body::Charter(_) | Body::Revocation(_) => roles.admit,
        Body::Calendar(_) | Body::Matter(_) | Body::Bundle(_) | Body::Delegation(_) => roles.publish,
        // For rulings one clerk is not enough.
        Body::Policy(_)
        | Body::Contact(_)
        | Body::Fork(_)
        | Body::Ruling(_)
        | Body::Destruction(_)
        | Body::Voice(_)
        | Body::Heard(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::node::Me;
    use crate::post::What;
    use crate::rows;
    use crate::seal::{SecretKey, Suite};
    use crate::step::{Bytes, Effects, Happening};

    struct Held(BTreeMap<Vec<u8>, Bytes>);

    impl View for Held {
        fn get(&self, key: &[u8]) -> Option<Bytes> {
            self.0.get(key).cloned()
        }

        fn scan(&self, prefix: &[u8], after: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
            let rows = self.0.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
            let mut rows = rows.filter(|(key, _)| after.is_empty() || key.as_slice() > after);
            rows.all(|(key, value)| visit(key, value));
        }
    }

    fn work(node: &mut Node, cx: &mut Cx<'_>) {
        for key in [1, 2, 3] {
            cx.put(vec![key], vec![9]);
            cx.remove(vec![key]);
        }
        cx.put(vec![3], vec![8]);
        let case = CaseId([7; 16]);
        node.post.enqueue(cx, "620700000000-00".parse().unwrap(), What::Copy { case });
        cx.happened(Happening::Taken(case));
    }

    #[test]
    fn what_is_refused_after_its_first_write_changes_nothing_and_leaves_the_rest_of_the_batch() {
        let hall: crate::ids::HallId = "620702000000-00".parse().unwrap();
        let at = HallAt { hall, incarnation: 1 };
        let me = Me { at, boot: 1, key: SecretKey::from_seed(Suite::One, [1; 32]) };
        let held = Held(BTreeMap::from([(vec![1], Bytes::from([1]))]));
        let now = Now { ticks: 1, wall: 1 };
        let mut node = Node::open(me, [0; 32], now, &held);
        let mut effects = Effects::default();
        let peer = HallAt { hall: "620700000000-00".parse().unwrap(), incarnation: 1 };
        node.peers.insert(
            peer.hall,
            crate::node::Peer {
                ready: true,
                ..crate::node::Peer::new(peer, crate::node::LineOf::Tree, None)
            },
        );
        node.post.way_opened(peer.hall, 1);
        effects.begin_journal();
        let cx = &mut Cx::new(now, &held, &mut effects);
        cx.put(vec![2], vec![2]);
        cx.happened(Happening::PeerUp(at));
        let attempt = |node: &mut Node, cx: &mut Cx<'_>, refused: Option<Refusal>| {
            node.all_or_nothing(cx, |node, cx| {
                work(node, cx);
                refused.map_or(Ok(()), Err)
            })
        };
        assert_eq!(attempt(&mut node, cx, Some(Refusal::TooLarge)), Err(Refusal::TooLarge));
        assert_eq!(
            [1, 2, 3].map(|key| cx.get(&[key]).map(|value| value.to_vec())),
            [Some(vec![1]), Some(vec![2]), None]
        );
        assert_eq!(rows::counted(cx, "post"), 0);
        assert_eq!(node.post.hop(peer.hall, None), Some(peer.hall), "lines stay open");
        assert_eq!(attempt(&mut node, cx, None), Ok(()));
        assert_eq!((cx.get(&[2]), cx.get(&[3]).map(|value| value.to_vec())), (None, Some(vec![8])));
        assert_eq!(rows::counted(cx, "post"), 1);
        // What is asked for with nothing written is asked for in any case: a key that a refused act needs.
        let asks = |_: &mut Node, cx: &mut Cx<'_>| {
            cx.happened(Happening::PeerUp(at));
            Err::<(), _>(Refusal::TooLarge)
        };
        assert_eq!(node.all_or_nothing(cx, asks), Err(Refusal::TooLarge));
        let outputs = effects.outputs().len();
        assert_eq!(
            (outputs, effects.rows()),
            (3, effects.end_journal().iter().collect::<BTreeSet<_>>().len())
        );
        assert!(node.post.next_due().is_some(), "the letter that stands is sent");
    }
}
