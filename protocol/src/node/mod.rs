//! The state machine that is a hall's node: dispatch, and passing facts between its parts; nothing else. What its own
//! people ask of it is in `commands`.

mod clock;
mod commands;
mod contact;
mod memory;
mod news;
mod sticks;
mod twins;
mod upkeep;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cases::{self, EarlyReceipts, Mirrors, Office};
use crate::chance::Chance;
use crate::clerks::Acts;
use crate::directory::Directory;
use crate::exchange::{self, Exchange, News};
use crate::ids::{HallAt, HallId};
use crate::limits::{HEARTBEAT_MS, RESTATE_MS};
use crate::message::{Message, PROTOCOL, PROTOCOL_MIN, Roots, Why};
use crate::planted::{Bug, planted};
use crate::post::{Letter, LetterBody, LetterId, Post};
use crate::record::{self, Issuer, Record, Space};
use crate::rows;
use crate::seal::SecretKey;
use crate::shelf;
use crate::signed::{Signed, Verified};
use crate::step::{Cx, Effects, Happening, Input, Now, View};
use crate::timekeeper::{Timekeeper, Voice};
use crate::verify::{Checked, CheckedFile, Content};

pub use commands::next_version;
use contact::is_for;
use news::moves_roster;
use twins::Starts;

/// Who a node is in this run.
#[derive(Debug)]
pub struct Me {
    /// The hall and which life of it.
    pub at: HallAt,
    /// Drawn at every start; part of every event and case number.
    pub boot: u32,
    /// The key of its events and records.
    pub key: SecretKey,
}

/// What a line is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum LineOf {
    /// One of the two is the hall above the other: news goes whole along this line.
    Tree,
    /// It is beside the tree: news is named.
    Beside,
}

/// A neighbour with a line.
#[derive(Debug, Serialize, Deserialize)]
struct Peer {
    at: HallAt,
    roots: Option<Roots>,
    /// Directory and logs were compared on this line: cases may be spoken of.
    ready: bool,
    /// It asked for this hall's directory on this line.
    asked: bool,
    /// The directory was compared on this line.
    compared: bool,
    /// How far it knows this hall's log; none until it has said so on this line.
    known: Option<u64>,
    /// How far it was told.
    told: u64,
    /// What news is for it.
    line: LineOf,
    /// Whose word its clock is.
    voice: Voice,
}

impl Peer {
    const fn new(at: HallAt, line: LineOf, voice: Voice) -> Self {
        let (known, told) = (None, 0);
        Self { at, roots: None, ready: false, asked: false, compared: false, known, told, line, voice }
    }
}

/// A hall's node. Rows in the store are its memory; every field here may be lost at any moment.
#[derive(Debug)]
pub struct Node {
    me: Me,
    chance: Chance,
    peers: BTreeMap<HallId, Peer>,
    acts: Acts,
    exchange: Exchange,
    post: Post,
    early: EarlyReceipts,
    mirrors: Mirrors,
    time: Timekeeper,
    /// What people were told of the time while this hall doubts its clock: see [`Happening::Clock`].
    time_told: Option<u64>,
    next_heartbeat: u64,
    starts: Starts,
    /// What the rows, and what is written over them but not committed yet, come to; none if that was not looked up.
    roots: Option<Roots>,
    /// A record of the directory was taken up: the doorkeeper must look at it.
    directory_moved: bool,
    /// So was one that says who is a hall: neighbours and mirrors are computed anew.
    halls_moved: bool,
    /// Where to go on looking at cases that have to do with ended lives; none when all were looked at.
    looking: Option<Vec<u8>>,
    /// Where to go on trying to hand over what had nobody to go to; none when all was tried.
    sending: Option<Vec<u8>>,
    /// Where to go on trying to begin tasks that wait; none when all were tried.
    starting: Option<Vec<u8>>,
    /// Where to go on asking for new keys of cases, and whether one was asked for in this round; none between rounds.
    renewing: Option<upkeep::Renewing>,
}

impl Node {
    /// Rebuilds a node from what was committed, after a first start and after a crash alike.
    pub fn open(me: Me, seed: [u8; 32], now: Now, view: &dyn View) -> Self {
        let mut chance = Chance::from_seed(seed);
        let exchange = Exchange::new(chance.bytes32());
        let post = Post::open(me.at.hall, now.ticks, view);
        Self {
            chance,
            peers: BTreeMap::new(),
            acts: Acts::default(),
            exchange,
            post,
            early: EarlyReceipts::default(),
            mirrors: [None, None],
            time: Timekeeper::open(view, me.at),
            time_told: None,
            next_heartbeat: now.ticks.saturating_add(HEARTBEAT_MS),
            starts: Starts::default(),
            roots: None,
            directory_moved: true,
            halls_moved: true,
            looking: None,
            sending: None,
            starting: Some(Vec::new()),
            renewing: None,
            me,
        }
    }

    /// Takes one input. May be called many times on one `effects` before a commit.
    pub fn step(&mut self, now: Now, input: Input, view: &dyn View, effects: &mut Effects) {
        let time = self.time.settle(now);
        let cx = &mut Cx::new(time.now, view, effects);
        (cx.faith, cx.clock, cx.shows, cx.roots) = (time.faith, now.wall, time.shows, self.roots);
        self.tell_time(cx);
        self.keep_up_with_directory(cx);
        match input {
            Input::PeerUp(at) => self.peer_up(cx, at),
            Input::PeerDown(hall) => self.peer_down(cx, hall),
            Input::Received { from, message } => self.received(cx, from, message),
            Input::Command { ticket, command } => self.command(cx, ticket, command),
            Input::Wake => {}
        }
        self.keep_up_with_directory(cx);
        self.due(cx);
        self.go_on_renewing(cx);
        self.roots = cx.roots;
        let exchange = self.exchange.next_due().unwrap_or(u64::MAX);
        let post = self.post.next_due().unwrap_or(u64::MAX);
        let goes_on = self.looking.is_some() || self.sending.is_some() || self.starting.is_some();
        let looking = if goes_on { now.ticks } else { self.renewing.map_or(u64::MAX, |round| round.due) };
        effects.wake_at(self.next_heartbeat.min(exchange).min(post).min(looking));
    }

    /// Who it is.
    pub(crate) const fn me(&self) -> &Me {
        &self.me
    }

    /// This start of the node.
    pub fn boot(&self) -> u32 {
        self.me.boot
    }

    /// The neighbours with whom cases can be exchanged now.
    pub fn ready_peers(&self) -> impl Iterator<Item = HallAt> {
        self.peers.values().filter(|peer| peer.ready).map(|peer| peer.at)
    }

    fn due(&mut self, cx: &mut Cx<'_>) {
        for peer in self.exchange.expire(cx.now.ticks) {
            self.compare_again(cx, peer);
        }
        if cx.now.ticks >= self.next_heartbeat {
            let hours = |ticks: u64| ticks.checked_div(RESTATE_MS);
            let an_hour = hours(cx.now.ticks) != hours(self.next_heartbeat.saturating_sub(HEARTBEAT_MS));
            self.next_heartbeat = cx.now.ticks.saturating_add(HEARTBEAT_MS);
            self.time.keep(cx);
            self.heartbeat(cx);
            self.tell_growth(cx);
            if !self.is_rolled_back(cx) {
                cases::replace_silent_mirrors(&mut self.office(cx));
                cases::restate(&mut self.office(cx), an_hour);
                self.begin_renewing(cx);
            }
        }
        self.exchange.news.due(cx);
        for (to, hop, what) in self.post.due_now(cx) {
            // What was forgotten may contradict an own letter; those of others are taken along as ever.
            if what.relayed().is_none() && self.is_rolled_back(cx) {
                continue;
            }
            if cases::is_moot(cx, &what) {
                self.post.done(cx, to, &what);
                continue;
            }
            if cases::readdress(&mut self.office(cx), to, &what) {
                continue;
            }
            #[cfg(feature = "planted-bugs")]
            cases::recall(&mut self.office(cx), to, &what);
            let own = |body| Letter::write(self.me.at, to, body);
            let letter = what.relayed().cloned().or_else(|| cases::outgoing(cx, &self.me, &what).map(own));
            cases::want_key_of_target(cx, self.me.at, &what);
            if let Some(letter) = letter {
                cx.send(hop, Message::Letter(letter));
            }
            if planted(Bug::LetterForgottenWhenSent) && what.relayed().is_none() {
                self.post.done(cx, to, &what);
            }
        }
    }

    fn heartbeat(&self, cx: &mut Cx<'_>) {
        let beat = exchange::heartbeat(cx);
        for (hall, peer) in &self.peers {
            if peer.roots.is_some() {
                cx.send(*hall, beat.clone());
            } else {
                self.greet(cx, *hall, true);
            }
        }
    }

    /// What moved while the pause after an exchange kept both from comparing does not wait for the heartbeat.
    fn compare_again(&self, cx: &mut Cx<'_>, peer: HallId) {
        let ours = exchange::own_roots(cx);
        if self.peers.get(&peer).and_then(|peer| peer.roots).is_some_and(|theirs| theirs != ours) {
            let beat = exchange::heartbeat(cx);
            cx.send(peer, beat);
        }
    }

    // Neighbours.

    fn peer_up(&mut self, cx: &mut Cx<'_>, at: HallAt) {
        if Directory::new(cx).is_revoked(at) {
            return;
        }
        self.peers.insert(at.hall, Peer::new(at, self.line_of(cx, at), clock::voice_of(cx, at)));
        self.greet(cx, at.hall, false);
        cx.happened(Happening::PeerUp(at));
    }

    fn greet(&self, cx: &mut Cx<'_>, to: HallId, please: bool) {
        let roots = exchange::own_roots(cx);
        let hello = Message::Hello {
            protocol: PROTOCOL,
            protocol_min: PROTOCOL_MIN,
            at: self.me.at,
            boot: self.me.boot,
            roots,
            wall: cx.shows,
            please,
        };
        cx.send(to, hello);
    }

    fn peer_down(&mut self, cx: &mut Cx<'_>, hall: HallId) {
        if self.peers.remove(&hall).is_some() {
            self.post.way_closed(hall);
            self.exchange.forget(hall);
            self.time.forget(hall);
            cx.happened(Happening::PeerDown(hall));
        }
    }

    fn received(&mut self, cx: &mut Cx<'_>, from: HallId, message: Checked) {
        if !self.peers.contains_key(&from) {
            return;
        }
        let about_cases = matches!(
            message.0,
            Content::HandOver(..)
                | Content::Copy(..)
                | Content::Receipt(..)
                | Content::Fence(..)
                | Content::Statement(..)
                | Content::Plain(Message::Letter(_))
        );
        // Revocations come before cases: nothing is said of a case before directories were compared.
        if about_cases && self.peers.get(&from).is_none_or(|peer| !peer.ready) {
            return;
        }
        // It answers for nothing any more; its next life is asked again.
        if about_cases && is_for(&message.0, self.me.at.hall) && self.is_rolled_back(cx) {
            return;
        }
        self.take(cx, from, message);
    }

    /// Acts on what came, by line or by stick. False if there is no room for it now.
    fn take(&mut self, cx: &mut Cx<'_>, from: HallId, message: Checked) -> bool {
        match message.0 {
            Content::Unfit(id) => {
                rows::count(cx, "letters/unfit", 1);
                self.taken(cx, from, id);
            }
            Content::Plain(Message::Letter(letter)) if letter.to != self.me.at.hall => {
                return self.pass_on(cx, from, letter);
            }
            Content::Plain(message) => self.plain(cx, from, message),
            Content::Records { space, records, why } => self.records(cx, from, space, &records, &why),
            Content::HandOver(letter, file) => {
                self.letter(cx, from, (&letter, Some(&file)), |office| {
                    cases::handed_to_me(office, &letter, &file);
                });
            }
            Content::Copy(letter, file) => {
                self.letter(cx, from, (&letter, Some(&file)), |office| {
                    cases::copied_to_me(office, &letter, &file);
                });
            }
            Content::Fence(letter, file, receipt) => {
                self.letter(cx, from, (&letter, file.as_deref()), |office| {
                    cases::fenced(office, &letter, file.as_deref(), &receipt);
                });
            }
            Content::Receipt(letter, receipt) => {
                self.letter(cx, from, (&letter, None), |office| cases::receipt_came(office, &receipt));
            }
            Content::Statement(letter, statement) => {
                self.letter(cx, from, (&letter, None), |office| {
                    cases::statement_came(office, &letter, &statement);
                });
            }
            Content::Standing { mine, yours, please } => {
                self.heard_standing(cx, from, mine.as_deref(), yours.as_deref(), please);
            }
            Content::Continued(checkpoint, known, path) => {
                self.heard_more(cx, from, &checkpoint, (known, &path));
            }
            Content::Cosigned(cosignature) => self.heard_cosignature(cx, from, &cosignature),
        }
        true
    }

    fn plain(&mut self, cx: &mut Cx<'_>, from: HallId, message: Message) {
        match message {
            Message::Hello { at, boot, roots, protocol, protocol_min, please, wall } => {
                if please {
                    self.greet(cx, from, false);
                }
                let known = self.peers.get(&from).is_some_and(|peer| peer.at == at);
                if known {
                    self.starts.greeted(cx, at, boot);
                }
                if known && protocol >= PROTOCOL_MIN && protocol_min <= PROTOCOL {
                    self.heard_time(cx, from, wall);
                    self.heard_roots(cx, from, roots);
                }
            }
            // Only after a greeting that fits; what this build does not speak it does not answer.
            Message::Heartbeat { roots, wall }
                if self.peers.get(&from).is_some_and(|peer| peer.roots.is_some()) =>
            {
                self.heard_time(cx, from, wall);
                self.heard_roots(cx, from, roots);
            }
            Message::Far { space, count } => self.exchange.far(cx, from, space, count),
            Message::Ask { space, nonce, from: first, count } => {
                if self.exchange.answer(cx, from, space, nonce, (first, count)) {
                    self.mark_asked(from, space);
                }
            }
            Message::Symbols { space, nonce, answer, from: first, packed } => {
                self.exchange.symbols(cx, from, space, (nonce, answer), (first, &packed));
                self.exchanged(cx, from);
            }
            Message::Want { space, nonce, ids } => self.exchange.want(cx, from, space, nonce, &ids),
            Message::Page { space, after } => Exchange::pages(cx, from, space, &after),
            Message::Announce { space, ids } => self.exchange.news.heard(cx, from, space, &ids),
            Message::Pull { space, ids } => News::asked(cx, from, space, &ids),
            Message::Letter(letter) => self.question(cx, from, &letter),
            Message::Taken(ids) => self.post.hop_done(cx, from, &ids),
            // What is signed never comes unchecked: `verify::message` turns it into its own content.
            Message::Heartbeat { .. }
            | Message::Records { .. }
            | Message::Standing { .. }
            | Message::Continued { .. }
            | Message::Cosigned(_) => {}
        }
    }

    fn mark_asked(&mut self, from: HallId, space: Space) {
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.asked |= space == Space::Directory;
        }
    }

    /// Compares roots, directory first, and opens the way for cases once it was compared on this line.
    fn heard_roots(&mut self, cx: &mut Cx<'_>, from: HallId, theirs: Roots) {
        let ours = exchange::own_roots(cx);
        let Some(peer) = self.peers.get_mut(&from) else { return };
        let first = peer.roots.replace(theirs).is_none();
        let asked = peer.asked;
        if first {
            self.say_standing(cx, from, false);
        }
        if ours.directory == theirs.directory || asked {
            self.open_way(cx, from);
        }
        let begins = self.me.at.hall < from;
        let differ = ours.directory != theirs.directory;
        if begins && differ {
            let nonce = self.chance.array();
            self.exchange.begin(cx, from, Space::Directory, nonce);
        }
        // Directories may differ for good, where a hall above has chartered one life twice; lists still meet.
        if begins && (!differ || self.exchange.has_compared(from)) {
            self.compare_lists(cx, from);
        } else if !begins && ours != theirs {
            let beat = exchange::heartbeat(cx);
            cx.send(from, beat);
        }
    }

    /// An exchange that this hall began went on; once the directory is through, cases and lists follow.
    fn exchanged(&mut self, cx: &mut Cx<'_>, from: HallId) {
        let compared = self.exchange.has_compared(from);
        let waiting = self.peers.get(&from).is_some_and(|peer| peer.roots.is_some() && !peer.compared);
        if compared && waiting {
            self.open_way(cx, from);
            if self.me.at.hall < from {
                self.compare_lists(cx, from);
            }
        }
    }

    fn open_way(&mut self, cx: &Cx<'_>, peer: HallId) {
        if let Some(known) = self.peers.get_mut(&peer) {
            known.compared = true;
        }
        self.open_way_if_ready(cx, peer);
    }

    /// Both must be done: revocations are known before any case, and a hall that was rolled back knows that it was.
    fn open_way_if_ready(&mut self, cx: &Cx<'_>, peer: HallId) {
        let Some(known) = self.peers.get_mut(&peer) else { return };
        let may = known.compared && known.known.is_some();
        if may && !std::mem::replace(&mut known.ready, true) {
            self.post.way_opened(peer, cx.now.ticks);
        }
    }

    fn compare_lists(&mut self, cx: &mut Cx<'_>, peer: HallId) {
        let theirs = self.peers.get(&peer).and_then(|peer| peer.roots).map(|roots| roots.lists);
        if theirs.is_some_and(|root| root != exchange::own_roots(cx).lists) {
            let nonce = self.chance.array();
            self.exchange.begin(cx, peer, Space::Lists, nonce);
        }
    }

    fn records(
        &mut self,
        cx: &mut Cx<'_>,
        from: HallId,
        space: Space,
        records: &[Verified<Record>],
        why: &Why,
    ) {
        let fresh = self.take_up(cx, space, records);
        let ids: Vec<_> = fresh.iter().map(record::element).collect();
        self.exchange.news.has(from, space, &ids);
        // While a whole set is read the others would only hear of a root that does not last.
        match why {
            Why::Paged { .. } => {}
            Why::Push | Why::Wanted { .. } => self.tell(cx, space, &fresh, Some(from)),
        }
        if self.exchange.records(cx, from, space, why, !fresh.is_empty()) {
            self.heartbeat(cx);
        }
        self.exchanged(cx, from);
    }

    /// Takes records up; gives those that were new.
    fn take_up(
        &mut self,
        cx: &mut Cx<'_>,
        space: Space,
        records: &[Verified<Record>],
    ) -> Vec<Signed<Record>> {
        let mut fresh = Vec::new();
        for record in records.iter().filter(|record| record.value().body.space() == space) {
            if shelf::apply(cx, record).is_ok() {
                let body = &record.value().body;
                self.note_moved(body);
                cases::note_theft(cx, body);
                self.directory_moved |= moves_roster(cx, body);
                fresh.push(record.signed().clone());
            }
        }
        if !fresh.is_empty() {
            let records = u32::try_from(fresh.len()).unwrap_or(u32::MAX);
            cx.happened(Happening::Learned { space, records });
        }
        fresh
    }

    // Letters.

    fn letter(
        &mut self,
        cx: &mut Cx<'_>,
        from: HallId,
        (letter, told): (&Letter, Option<&CheckedFile>),
        act: impl FnOnce(&mut Office<'_, '_>),
    ) {
        let directory = Directory::new(cx);
        let revoked = directory.is_revoked(letter.from);
        // What a thief may have written is not even shown.
        let shown = directory.is_trusted(Issuer::Hall(letter.from));
        match told.filter(|_| shown) {
            _ if !revoked => act(&mut self.office(cx)),
            Some(told) => cases::came_late(&mut self.office(cx), told),
            None => {}
        }
        self.taken(cx, from, letter.id);
    }

    /// The hop is done. Who brought a letter by stick hears it on its line, if there is one, and else by the next stick.
    fn taken(&self, cx: &mut Cx<'_>, from: HallId, letter: LetterId) {
        if self.peers.contains_key(&from) {
            cx.send(from, Message::Taken(vec![letter]));
        }
    }

    fn question(&mut self, cx: &mut Cx<'_>, from: HallId, letter: &Letter) {
        match &letter.body {
            LetterBody::Ask(asked) => {
                self.letter(cx, from, (letter, None), |office| cases::ask(office, letter, asked));
            }
            LetterBody::AskFence { case, of } => {
                self.letter(cx, from, (letter, None), |office| {
                    cases::fence_asked(office, letter.from, *case, *of);
                });
            }
            // Cases and receipts never come unchecked: `verify::message` turns them into their own content.
            LetterBody::HandOver(_)
            | LetterBody::Copy(_)
            | LetterBody::Receipt(_)
            | LetterBody::Statement(_)
            | LetterBody::Fence(..) => {}
        }
    }

    fn pass_on(&mut self, cx: &mut Cx<'_>, from: HallId, letter: Letter) -> bool {
        let id = letter.id;
        // A letter to nobody is nobody's to carry.
        let nobody = Directory::new(cx).present(letter.to).is_none();
        let kept = nobody || self.post.relay(cx, from, letter);
        if kept {
            self.taken(cx, from, id);
        }
        kept
    }

    fn office<'r, 'c>(&'r mut self, cx: &'r mut Cx<'c>) -> Office<'r, 'c> {
        Office { cx, me: &self.me, post: &mut self.post, early: &mut self.early, mirrors: self.mirrors }
    }
}
