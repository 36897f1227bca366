//! Answers: plain data with stable names, printed for people by the command line and as they are by `--json`.
//! Nothing in them is a citizen's data, but for [`Contents`], which needs a clerk.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::{Reason, State};
use hallmesh_protocol::parcels::Next;
use hallmesh_protocol::recording::Held;
use hallmesh_protocol::step::{Happening, TakenIn};
use serde::{Deserialize, Serialize};

use super::{
    Application, Audit, AuditChecked, BundleReceived, BundleShown, Content, Copy, DueComputed, DueCounts,
    DueExplained, DueList, Forgotten, ForkSeen, Overdue, Problem, RoleWords, Single, Standing,
    StatementShown, TaskOf, TimeLimit,
};
use crate::export::ProofFile;

/// An answer, or why there is none.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// See [`Status`].
    Status(Box<Status>),
    /// Neighbours.
    Peers {
        /// Of this hall.
        peers: Vec<Peer>,
    },
    /// Halls of the directory.
    Halls {
        /// In the order of their codes.
        halls: Vec<Hall>,
    },
    /// The text of a card file.
    Card {
        /// To be written to a file.
        text: String,
    },
    /// Matters.
    Matters {
        /// In the order of their codes; those of a search, the best first.
        matters: Vec<Matter>,
        /// More follow.
        more: bool,
    },
    /// Entries of the lists.
    Lists {
        /// Record bodies, encoded in hex; `matter export` writes the file.
        bodies: Vec<String>,
        /// Ask for the next page with this key; none if there was nothing more.
        after: Option<String>,
    },
    /// One matter.
    Matter(Box<Matter>),
    /// Bundles of the list.
    Bundles {
        /// In the order of their codes.
        bundles: Vec<BundleShown>,
        /// More follow.
        more: bool,
    },
    /// One bundle.
    Bundle(Box<BundleShown>),
    /// Applications for bundles.
    Applications {
        /// In the order of their numbers.
        applications: Vec<Application>,
        /// Ask for the next page with this number; none if this is the last one.
        after: Option<String>,
    },
    /// One application for a bundle.
    Application(Box<Application>),
    /// An application for a bundle was taken in.
    BundleReceived(Box<BundleReceived>),
    /// An act stands in the logs of all tasks for which it was to be done.
    BundleRecorded {
        /// The application's number.
        bundle: String,
        /// The ids of the cases.
        cases: Vec<String>,
    },
    /// A route.
    Route(Box<Route>),
    /// Cases.
    Cases {
        /// Newest last.
        cases: Vec<Case>,
    },
    /// One case.
    Case(Box<Case>),
    /// One case with its log.
    Trace(Box<Trace>),
    /// What presses.
    DueList(Box<DueList>),
    /// By when what has to be done in a case, and why then.
    DueExplained(Box<DueExplained>),
    /// The last day of a limit.
    DueComputed(Box<DueComputed>),
    /// What can be exported of a case.
    Export {
        /// Encoded in hex; `case export` writes the files.
        package: String,
    },
    /// The sealed parts of a case.
    Contents(Contents),
    /// Letters that wait.
    Post {
        /// By destination, oldest first.
        letters: Vec<Letter>,
        /// Halls that letters do not reach in time.
        overdue: Vec<Overdue>,
    },
    /// Cases on this disk only.
    Singles {
        /// Longest first.
        singles: Vec<Single>,
        /// How many there are in all.
        count: u64,
        /// Ask for the next page with this mark; none if this is the last one.
        after: Option<String>,
    },
    /// A file for a stick.
    StickFile(Box<StickFile>),
    /// A parcel was taken in.
    TakenIn(TakenIn),
    /// A parcel of this hall's own.
    OwnFile {
        /// Nobody said yet that it was taken in.
        needed: bool,
    },
    /// Clerks.
    Clerks {
        /// By number.
        clerks: Vec<Clerk>,
    },
    /// A case was taken in.
    Received(Box<Received>),
    /// Statements.
    Statements {
        /// In the order in which they were stated; those of all cases by number.
        statements: Vec<StatementShown>,
    },
    /// What this hall states is signed, and on its way.
    Stated {
        /// The case's number.
        case: String,
        /// The statement's digest, in hex.
        statement: String,
    },
    /// An act stands in the log.
    Recorded {
        /// The case's id.
        case: String,
        /// The event's place in the log.
        sequence: u32,
        /// How the decision stands, once there is one.
        decision: Option<Standing>,
    },
    /// So many records were taken up.
    Published {
        /// How many.
        records: u32,
    },
    /// The join file of a new hall.
    Issued {
        /// To be written to a file and carried to the hall.
        text: String,
        /// The hall.
        hall: String,
    },
    /// A clerk's card was written.
    ClerkKept {
        /// The clerk's number.
        number: u16,
    },
    /// What follows from the end of a life of a hall.
    RevocationPlan(Box<RevocationPlan>),
    /// What would follow from a declaration of two persons.
    DeclarationPlan(Box<DeclarationPlan>),
    /// Which keys a hall lacks.
    KeysPlan(KeysPlan),
    /// Keys were given to another hall.
    KeysGiven {
        /// How many.
        keys: usize,
    },
    /// What happened.
    Happened {
        /// Ask again with this mark.
        mark: u64,
        /// In order; each with its wall time in ms since 1970.
        events: Vec<(u64, Happening)>,
    },
    /// What the flight recorder holds.
    Recorder(RecorderState),
    /// A piece of a recording.
    Recording {
        /// Ask for the next piece with this mark.
        mark: u64,
        /// Bytes in hex; `record save` writes the file.
        piece: String,
        /// More follow.
        more: bool,
    },
    /// A piece of a backup.
    Backup(Box<BackupPiece>),
    /// What is known of Merkle logs.
    Audit(Box<Audit>),
    /// How far a check has come.
    AuditChecked(AuditChecked),
    /// A proof; `audit prove` writes it to a file.
    AuditProof {
        /// The file.
        file: Box<ProofFile>,
    },
    /// Done.
    Done,
    /// Not done; nothing was changed.
    Refused(Problem),
}

/// How a node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The software's version.
    pub version: String,
    /// The hall's code.
    pub hall: String,
    /// Its name.
    pub name: String,
    /// Its tier.
    pub tier: String,
    /// Which life of the hall.
    pub incarnation: u32,
    /// This start of the node; clerks' acts name it.
    pub boot: u32,
    /// The hall above, none for the city.
    pub parent: Option<String>,
    /// Milliseconds since 1970 until which the charter is valid.
    pub charter_valid_to: u64,
    /// The city root's fingerprint.
    pub root: String,
    /// The peer identity of its line.
    pub peer_id: String,
    /// Addresses it listens on.
    pub listening: Vec<String>,
    /// Neighbours with a line.
    pub peers: usize,
    /// Neighbours it wants a line to.
    pub wanted_peers: usize,
    /// Directory records.
    pub directory_records: u64,
    /// List records.
    pub list_records: u64,
    /// The directory's root, in hex: equal in every hall that is up to date.
    pub directory_root: String,
    /// The lists' root.
    pub lists_root: String,
    /// Cases of which this hall has rows.
    pub cases: u64,
    /// Of these, delivered.
    pub closed: u64,
    /// Cases by this hall's part in them.
    pub stages: BTreeMap<String, u64>,
    /// In this hall's hand and on its disk only.
    pub single: u64,
    /// Milliseconds since 1970 since when the oldest of them is.
    pub single_since: Option<u64>,
    /// Letters that wait.
    pub post: u64,
    /// Halls that letters have not reached within the time that is set.
    pub undeliverable: usize,
    /// Those of them that wait longest.
    pub overdue: Vec<Overdue>,
    /// Letters taken along for others.
    pub relayed: u64,
    /// Case logs offered that contradicted what is held.
    pub forks: u64,
    /// Forks of any hall that are proved.
    #[serde(default)]
    pub known_forks: usize,
    /// Present lives of halls that two machines live: a copy of a data directory was started somewhere.
    #[serde(default)]
    pub twins: Vec<String>,
    /// What this hall has forgotten, if it has: it signs nothing any more.
    #[serde(default)]
    pub rolled_back: Option<Forgotten>,
    /// Messages that were refused since the start, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Free bytes on the disk of the data directory.
    pub disk_free: u64,
    /// Statements that wait for a clerk of this hall.
    #[serde(default)]
    pub statements: usize,
    /// How many cases in hand press, as last looked at; none just after the start.
    #[serde(default)]
    pub due: Option<DueCounts>,
    /// This hall doubts its clock.
    #[serde(default)]
    pub clock_doubted: bool,
    /// Milliseconds since the start.
    pub up_ms: u64,
    /// The time that the node works by, ms since 1970.
    pub wall: u64,
    /// What this machine's clock shows, ms since 1970; the same unless it is doubted.
    #[serde(default)]
    pub clock: u64,
    /// How the secret keys lie on its disk: sealed under a `passphrase` or a `credential`, or `none`.
    #[serde(default)]
    pub sealed: String,
}

/// A piece of all rows as they were at one moment; `backup create` writes the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupPiece {
    /// Ask for the next piece with this mark.
    pub mark: u64,
    /// The hall's code.
    pub hall: String,
    /// Which life of the hall.
    pub incarnation: u32,
    /// Milliseconds since 1970 when the snapshot was taken.
    pub made: u64,
    /// Rows as they stand in the file, in hex.
    pub rows: String,
    /// The last key in it, in hex: the next piece begins after it.
    pub last: String,
    /// How many rows.
    pub count: u64,
    /// More follow.
    pub more: bool,
}

/// How much the flight recorder holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecorderState {
    /// Whether the settings want it.
    pub on: bool,
    /// Inputs it holds.
    pub inputs: u64,
    /// Bytes that the file would have, about.
    pub bytes: u64,
    /// Milliseconds since 1970 since when.
    pub since: u64,
}

impl From<Held> for RecorderState {
    fn from(held: Held) -> Self {
        Self { on: true, inputs: held.inputs, bytes: held.bytes, since: held.since }
    }
}

/// A neighbour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its code.
    pub hall: String,
    /// Its name.
    pub name: String,
    /// Whether a line stands.
    pub connected: bool,
    /// Its addresses by the directory.
    pub addresses: Vec<String>,
}

/// A hall of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hall {
    /// Its code.
    pub hall: String,
    /// Its name.
    pub name: String,
    /// Its tier.
    pub tier: String,
    /// The hall above.
    pub parent: Option<String>,
    /// Which life.
    pub incarnation: u32,
    /// Milliseconds since 1970.
    pub valid_to: u64,
}

/// A matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matter {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// National type code.
    pub kind: u8,
    /// The tier that decides.
    pub level: String,
    /// The deciding authority.
    pub body: String,
    /// Its code.
    pub body_code: String,
    /// Decided at once, or within the promised time.
    pub promised: bool,
    /// Statutory limit in working days.
    pub legal_days: u16,
    /// Promised limit in working days.
    pub promised_days: u16,
    /// Materials the applicant brings.
    pub materials: Vec<Material>,
    /// What the applicant gets.
    pub result: String,
    /// Whether a cut-off hall may decide provisionally.
    pub offline_decision: bool,
    /// The law.
    pub basis: String,
    /// Where the entry came from.
    pub source: String,
    /// Whether the authority confirmed it; if not, it is shown as not official.
    pub official: bool,
    /// The owner's version counter.
    pub version: u32,
    /// SHA-256 of the version, in hex.
    pub digest: String,
    /// This hall's rights over it: `receive`, `accept`, `transfer`, `issue`.
    pub rights: Vec<String>,
}

/// A material of a matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    /// Its name.
    pub name: String,
    /// `required`, `optional`, `supplementable` or `promisable`.
    pub necessity: String,
    /// Government holds it: never asked of the applicant.
    pub shared: bool,
}

/// Where a case goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The matter's code.
    pub matter: String,
    /// Its name.
    pub matter_name: String,
    /// The receiving hall's code.
    pub from: String,
    /// Its name.
    pub from_name: String,
    /// The deciding hall's code.
    pub to: String,
    /// Its name.
    pub to_name: String,
    /// The authority.
    pub body: String,
    /// Why, step by step.
    pub reasons: Vec<Reason>,
    /// Whether the entry was confirmed by the authority.
    pub official: bool,
}

/// A case as this hall knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its id.
    pub id: String,
    /// Its number.
    pub number: String,
    /// The matter's code.
    pub matter: String,
    /// Its name, if the version is held here.
    pub matter_name: Option<String>,
    /// Whether the matter's entry was confirmed by the authority.
    pub official: bool,
    /// How far it has come.
    pub state: State,
    /// Whether it was granted, once decided.
    pub granted: Option<bool>,
    /// The applicant's place.
    pub place: String,
    /// The hall where the citizen stands.
    pub receiving: String,
    /// Its name.
    pub receiving_name: String,
    /// The hall that decides.
    pub competent: String,
    /// Its name.
    pub competent_name: String,
    /// In whose hand it is.
    pub custodian: String,
    /// Its name.
    pub custodian_name: String,
    /// On its way to.
    pub in_transit_to: Option<String>,
    /// Term of its position.
    pub term: u32,
    /// Epoch of its position.
    pub epoch: u32,
    /// Events in its log.
    pub events: u32,
    /// The last event, in hex.
    pub head: String,
    /// This hall's part in it.
    pub stage: String,
    /// This hall keeps a copy for the custodian.
    pub mirror: bool,
    /// `D1` on one disk, `D2` a second hall can restore all of it.
    pub grade: String,
    /// The halls that keep a copy.
    pub mirrors: Vec<String>,
    /// The same halls, with how much of it each has signed for to this hall.
    pub copies: Vec<Copy>,
    /// How the decision stands, once there is one.
    pub decision: Option<Standing>,
    /// Milliseconds since 1970.
    pub received: u64,
    /// Milliseconds since 1970.
    pub accepted: Option<u64>,
    /// Milliseconds since 1970.
    pub decided: Option<u64>,
    /// Milliseconds since 1970.
    pub delivered: Option<u64>,
    /// How it ended, once it has: `certified`, `returned`, `void`, `removed`, `referred`, `not-supplemented`, `decided` or
    /// `on-paper`.
    pub ending: Option<String>,
    /// The national code of that, 0 to 7.
    pub ending_code: Option<u8>,
    /// Milliseconds since 1970 when it ended: was decided, not accepted or closed.
    pub ended: Option<u64>,
    /// How often something was found missing; more than once is an exception.
    pub corrections: u16,
    /// A certificate is still to be made before the result goes to the window.
    pub certificate_owed: bool,
    /// The day since which it counts as accepted, because nobody told the applicant anything in time.
    pub deemed_accepted: Option<String>,
    /// The legal limits, in the order in which they began.
    pub limits: Vec<TimeLimit>,
    /// The clerk who was asked first.
    pub first_asked: String,
    /// The number of the application for a bundle that it is a task of.
    #[serde(default)]
    pub bundle: Option<String>,
    /// What it is to that bundle; not told in lists.
    #[serde(default)]
    pub task: Option<TaskOf>,
    /// What halls have stated about it, as far as it is known here.
    #[serde(default)]
    pub statements: Vec<StatementShown>,
    /// Milliseconds since 1970 when what was decided lapsed.
    #[serde(default)]
    pub revoked: Option<u64>,
}

/// A case with its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The case.
    pub case: Case,
    /// Its log.
    pub events: Vec<Event>,
    /// What a machine that was given up, or a contradiction, has left beside the log.
    pub orphans: Vec<Event>,
    /// The halls whose word is missing before this one can go on with the case.
    pub waits_for: Vec<String>,
    /// Two different events in one place of it, each signed by the same hall.
    #[serde(default)]
    pub forks: Vec<ForkSeen>,
}

/// One event of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the log.
    pub sequence: u32,
    /// What happened: a stable word.
    pub what: String,
    /// Details, by name.
    pub details: BTreeMap<String, String>,
    /// The hall that wrote it.
    pub hall: String,
    /// Its name.
    pub hall_name: String,
    /// The clerk; none if the node acted by itself.
    pub clerk: Option<u16>,
    /// Term.
    pub term: u32,
    /// Epoch.
    pub epoch: u32,
    /// Milliseconds since 1970, by the hall's clock.
    pub wall: u64,
    /// The hall doubted its clock.
    #[serde(default)]
    pub suspect_time: bool,
    /// Its digest, in hex.
    pub digest: String,
    /// Whether the signature holds; none if the signer's charter is not known here.
    pub signature: Option<bool>,
    /// Bytes of the sealed body.
    pub body_bytes: usize,
}

/// The sealed parts of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// The case's number.
    pub number: String,
    /// Sequence, what happened, content.
    pub parts: Vec<(u32, String, Content)>,
    /// Sequence and what happened, of what no key opens that this hall has.
    #[serde(default)]
    pub closed: Vec<(u32, String)>,
    /// Statements that wait here: digest, kind, and the content if it can be opened.
    #[serde(default)]
    pub statements: Vec<(String, String, Option<Content>)>,
}

/// A letter that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// For which hall.
    pub to: String,
    /// Its name.
    pub to_name: String,
    /// `hand-over`, `copy`, `ask`, `relay` or `answer`.
    pub what: String,
    /// The case's number, if it is this hall's own letter.
    pub case: Option<String>,
    /// Milliseconds since 1970 since when; a letter that replaces an unanswered one counts from that.
    pub since: u64,
    /// It has waited longer than it may.
    pub late: bool,
    /// Milliseconds since 1970 since when it is on a stick that nobody said was taken in.
    pub on_stick: Option<u64>,
}

/// What follows from the end of a life of a hall, as far as the hall that was asked knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationPlan {
    /// The hall's code.
    pub hall: String,
    /// Its name.
    pub name: String,
    /// The life that would end, with all before it.
    pub incarnation: u32,
    /// The life that it would begin anew with.
    pub next: u32,
    /// The lives that would end; none if all were revoked already.
    pub ends: Vec<u32>,
    /// Whether the hall that was asked may revoke it.
    pub may: bool,
    /// Whether it has a line to the hall that was asked.
    pub connected: bool,
    /// The halls under it.
    pub below: Vec<HallBelow>,
    /// Open cases that have to do with it, the first of them.
    pub cases: Vec<CaseAt>,
    /// How many such cases there are.
    pub case_count: u64,
    /// Letters that wait for it.
    pub letters: usize,
}

/// Which keys of cases that it goes on with a hall lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysPlan {
    /// The hall's code.
    pub hall: String,
    /// Its name.
    pub name: String,
    /// Its present life.
    pub incarnation: u32,
    /// Cases that it cannot open, as far as the hall knows that was asked.
    pub lacking: u64,
    /// Those of them that the hall which was asked can open with its own key, as their recovery key.
    pub opened_here: u64,
}

/// What would follow from a declaration of two persons, as far as the hall knows that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclarationPlan {
    /// The code of the hall that is lost.
    pub hall: String,
    /// Its name.
    pub name: String,
    /// The life that the declaration would be about.
    pub incarnation: u32,
    /// The code of the hall that would go on; none where a disk is declared destroyed.
    pub to: Option<String>,
    /// Its name.
    pub to_name: Option<String>,
    /// Whether it would say that the machine was stolen, as counties can of the city's own.
    pub stolen: bool,
    /// Whether the hall that was asked may declare it.
    pub may: bool,
    /// Of the counties that the root policy names, if they may declare it by majority and this hall is one of them.
    pub counties: Option<Counties>,
    /// Why it cannot be declared now.
    pub obstacle: Option<Problem>,
    /// Open cases that have to do with the hall that is lost, the first of them.
    pub cases: Vec<CaseAt>,
    /// How many such cases there are.
    pub case_count: u64,
    /// Cases that the hall which was asked is recovering, and for which the word of this life is missing.
    pub waiting: u64,
}

/// How far the counties have come with a declaration about the city's own hall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counties {
    /// Codes of those whose declarations of it count together.
    pub spoken: Vec<String>,
    /// Codes of those that have named two halls, so that neither counts.
    pub divided: Vec<String>,
    /// Codes of those whose nodes have met a majority for it.
    pub heard: Vec<String>,
    /// How many are needed.
    pub needed: usize,
}

/// A hall under another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HallBelow {
    /// Its code.
    pub hall: String,
    /// Its name.
    pub name: String,
    /// Its case keys can be opened with the other hall's key: it needs new papers.
    pub new_papers: bool,
}

/// What a hall is to a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseAt {
    /// The case's number.
    pub number: String,
    /// How far it has come.
    pub state: State,
    /// `in-hand`, `sent` and not yet taken over, `on-the-way` to it, `to-decide` or `to-deliver`.
    pub part: String,
}

/// A file for a stick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StickFile {
    /// What it is to be called.
    pub name: String,
    /// `directory`, `lists` or `letters`.
    pub what: String,
    /// The hall that writes it.
    pub from: String,
    /// The hall that the letters in it are carried to.
    pub to: Option<String>,
    /// Records or letters in it.
    pub count: usize,
    /// Something was over the bound and stays here.
    pub cut: bool,
    /// The root of this hall's directory, in hex.
    pub directory: String,
    /// Where to go on.
    pub next: Option<Next>,
    /// Its bytes in hex.
    pub file: String,
}

/// A clerk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clerk {
    /// The number.
    pub number: u16,
    /// The name staff know them by.
    pub name: String,
    /// What they may do.
    pub roles: RoleWords,
    /// Whether they may act.
    pub active: bool,
}

/// A case that was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// The case's id.
    pub id: String,
    /// Its number.
    pub number: String,
    /// `D1`: it is on this disk. `D2`: a second hall can restore all of it, too.
    pub grade: String,
    /// The halls that are to keep a copy, with how much of it each has signed for so far.
    pub copies: Vec<Copy>,
    /// Where it goes.
    pub route: Route,
    /// What the applicant still has to bring, never what government holds.
    pub materials: Vec<Material>,
}
