//! Calls: a question or a deed, and the clerk's signature where one is needed.

use std::fmt;

use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::cases::Stage;
use hallmesh_protocol::clerks::{Act, Roles};
use hallmesh_protocol::directory::RevocationReason;
use hallmesh_protocol::ids::{ClerkId, DivisionCode, HallId, MatterCode};
use hallmesh_protocol::parcels::Next;
use hallmesh_protocol::seal::SecretKey;
use hallmesh_protocol::signed::Signed;
use serde::{Deserialize, Serialize};

use super::bundles::BundleAsk;
use super::content::Content;
use super::recovery::RecoverySecret;
use super::statements::StatementAsk;

/// One call over the local socket. It may carry an application, so it does not print.
#[derive(Clone, Serialize, Deserialize)]
pub struct Call {
    /// The encoded [`Ask`]; kept as text because these very bytes are what a clerk signs.
    pub ask: String,
    /// The clerk's signed act, for deeds that need one.
    pub act: Option<Signed<Act>>,
    /// The act of another clerk, for what nobody may decide alone.
    #[serde(default)]
    pub second: Option<Signed<Act>>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({} bytes)", self.ask.len())
    }
}

impl Call {
    /// A call without a clerk.
    pub fn plain(ask: &Ask) -> serde_json::Result<Self> {
        Ok(Self { ask: serde_json::to_string(ask)?, act: None, second: None })
    }

    /// A call signed by a clerk, good once and for this boot of the node.
    pub fn signed(
        ask: &Ask,
        clerk: ClerkId,
        boot: u32,
        (wall, nonce): (u64, [u8; 16]),
        key: &SecretKey,
    ) -> serde_json::Result<Self> {
        let ask = serde_json::to_string(ask)?;
        let act = Act { clerk, boot, wall, nonce, request: Act::request_digest(ask.as_bytes()) };
        Ok(Self { act: Some(Signed::sign(&act, &[(0, key)])), second: None, ask })
    }
}

/// What can be asked of a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Ask {
    /// How is this node?
    Status,
    /// Which neighbours are connected?
    Peers,
    /// Which halls are in the directory? By code prefix or part of the name.
    Halls {
        /// What to look for; empty for all.
        text: String,
    },
    /// What does a hall below begin with? (For issuing by the root.)
    Card,
    /// Which matters are in force, after a code?
    Matters {
        /// After this code; empty from the first.
        after: String,
        /// At most so many.
        count: usize,
    },
    /// Matters by words of the name, first letters of their pinyin or the beginning of the code, the best first.
    SearchMatters {
        /// What to look for.
        text: String,
        /// At most so many.
        count: usize,
    },
    /// What do the lists hold, record by record, after one of them?
    Lists {
        /// After the record with this key; empty from the first.
        after: String,
    },
    /// One matter in full, and what this hall may do with it.
    Matter {
        /// Its code.
        code: MatterCode,
    },
    /// What is asked, or done, about bundles.
    Bundle {
        /// What.
        of: BundleAsk,
    },
    /// What is asked, or done, about statements.
    Statement {
        /// What.
        of: StatementAsk,
    },
    /// Where would a case go, and why?
    Route {
        /// The matter.
        matter: MatterCode,
        /// The applicant's place.
        place: DivisionCode,
        /// The receiving hall; this one if not said.
        from: Option<HallId>,
    },
    /// Which cases does this hall have in a stage?
    Cases {
        /// The stage; every stage if not said.
        stage: Option<Stage>,
        /// At most so many.
        count: usize,
    },
    /// One case.
    Case {
        /// Its number or id, or the beginning of one.
        case: String,
    },
    /// One case with its whole log.
    Trace {
        /// Its number or id, or the beginning of one.
        case: String,
    },
    /// One case with what can be exported of it: ciphertext, signatures, charters.
    Export {
        /// Its number or id, or the beginning of one.
        case: String,
    },
    /// What presses among the cases in this hall's hand?
    DueList {
        /// Only what is overdue, or due within so many working days.
        within: Option<u16>,
        /// At most so many.
        count: usize,
    },
    /// By when what has to be done in a case, and why then?
    DueExplain {
        /// Its number or id, or the beginning of one.
        case: String,
    },
    /// Which day is the last of a limit?
    DueCompute {
        /// The day of the event; not counted itself.
        from: CivilDay,
        /// Working days.
        working_days: u16,
    },
    /// What the applicant wrote and what was decided: needs a clerk, is logged.
    Read {
        /// Its number or id, or the beginning of one.
        case: String,
    },
    /// One case, once a second hall keeps all of it; as it is when that takes too long, or when no line is there.
    Kept {
        /// Its number or id, or the beginning of one.
        case: String,
        /// Milliseconds to wait at the most; never more than a minute.
        wait_ms: u64,
    },
    /// Which cases does no second hall keep up to their last event?
    Single {
        /// After this mark of an earlier answer; not said for the first page.
        after: Option<String>,
        /// At most so many.
        count: usize,
    },
    /// Which letters wait?
    Post {
        /// At most so many.
        count: usize,
    },
    /// The next file for a stick.
    StickWrite {
        /// For which hall; for all for which something waits if not said.
        to: Option<HallId>,
        /// Where to go on, as the file before says; from the beginning if not said.
        next: Option<Next>,
        /// The root of the directory that this stick began with, in hex.
        directory: Option<String>,
    },
    /// Take in a file that came by stick.
    StickRead {
        /// Its bytes in hex.
        file: String,
    },
    /// Which clerks does this hall have?
    Clerks,
    /// Register a clerk whose key was made by the caller.
    AddClerk {
        /// The name staff know them by.
        name: String,
        /// The number; the next free one if not said.
        number: Option<u16>,
        /// The public half of their key, 32 bytes in hex.
        key: String,
        /// What they may do.
        roles: RoleWords,
    },
    /// Take a clerk's rights away.
    DisableClerk {
        /// Which.
        number: u16,
    },
    /// Take in a case.
    Receive {
        /// The matter.
        matter: MatterCode,
        /// The applicant's place.
        place: DivisionCode,
        /// Who applies, with what.
        content: Content,
    },
    /// Add an act to a case in hand.
    Record {
        /// Its number or id, or the beginning of one.
        case: String,
        /// What is done.
        deed: hallmesh_protocol::cases::Deed,
        /// Reasons, documents, proofs.
        content: Content,
    },
    /// Publish list entries as this hall, each an encoded record body in hex.
    Publish {
        /// The bodies.
        bodies: Vec<String>,
    },
    /// Issue a charter to a hall below.
    Issue {
        /// The request file's text.
        request: String,
        /// Which life of the hall it will be.
        incarnation: u32,
        /// For how many days.
        days: u16,
    },
    /// Issue a charter for the next life of a hall below that had one: its machine was replaced or restored.
    Replace {
        /// The request file's text.
        request: String,
        /// For how many days.
        days: u16,
    },
    /// All rows as they are at one moment, in pieces.
    Backup {
        /// The mark of the first piece; not said for a new backup.
        mark: Option<u64>,
        /// The last key of the piece before, in hex; empty for the first.
        after: String,
    },
    /// What follows from the end of a life of a hall?
    RevocationPlan {
        /// The hall.
        hall: HallId,
        /// The life; the last one if not said.
        incarnation: Option<u32>,
    },
    /// End a life of a hall below, and all before it.
    Revoke {
        /// The hall.
        hall: HallId,
        /// The life.
        incarnation: u32,
        /// Why.
        reason: ReasonWord,
    },
    /// What would follow from a declaration of two persons?
    DeclarationPlan {
        /// What is declared.
        declared: Declared,
        /// About which life; the last one if not said.
        incarnation: Option<u32>,
    },
    /// Declare by two persons what nobody may decide alone.
    Declare {
        /// What is declared.
        declared: Declared,
        /// About which life.
        incarnation: u32,
    },
    /// Which keys of cases that it goes on with does a hall lack, and which can be opened here?
    KeysPlan {
        /// The hall.
        hall: HallId,
    },
    /// Open keys with a recovery key, by two persons, for the hall that goes on with the cases.
    GiveKeys {
        /// The hall.
        hall: HallId,
        /// The recovery key; this hall's own key if not said.
        recovery: Option<RecoverySecret>,
    },
    /// Take up what the root has signed on a machine that is on no network.
    Heed {
        /// The encoded records in hex.
        records: String,
    },
    /// What has happened since a mark? Only the last thousand things are kept, and none across a restart.
    Happened {
        /// The mark of the last answer; 0 for everything kept.
        since: u64,
    },
    /// How much does the flight recorder hold?
    Recorder,
    /// What the flight recorder holds, as a file in pieces.
    Recording {
        /// The mark of the first piece; not said for a new file.
        mark: Option<u64>,
        /// From this byte on.
        from: u64,
    },
    /// How far has this hall's Merkle log come, and what is known of those of others?
    Audit,
    /// Does this hall's log hold, from a leaf on?
    AuditCheck {
        /// The first leaf.
        from: u64,
        /// At most so many.
        count: usize,
    },
    /// The proof that an event stands in this hall's log.
    AuditProve {
        /// Its case: number or id, or the beginning of one.
        case: String,
        /// The event's place in it.
        sequence: u32,
    },
    /// End the node in good order.
    Stop,
}

/// What two persons can declare about a hall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Declared {
    /// Another hall goes on with what it had in hand.
    TakeOver {
        /// The hall that is lost.
        hall: HallId,
        /// Who goes on.
        to: HallId,
    },
    /// The same of the city's own hall, whose machine was stolen: by the counties.
    Stolen {
        /// The city's hall.
        hall: HallId,
        /// Who goes on.
        to: HallId,
    },
    /// The disk of its machine is destroyed.
    Destroyed {
        /// The hall.
        hall: HallId,
    },
}

/// Roles as words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleWords(pub Vec<String>);

impl RoleWords {
    /// The words that are known.
    pub const KNOWN: [&'static str; 5] = ["window", "decide", "head", "publish", "admit"];

    /// The roles, or the first word that is none.
    pub fn roles(&self) -> Result<Roles, String> {
        let mut roles = Roles::default();
        for word in &self.0 {
            match word.as_str() {
                "window" => roles.window = true,
                "decide" => roles.decide = true,
                "head" => roles.head = true,
                "publish" => roles.publish = true,
                "admit" => roles.admit = true,
                other => return Err(other.to_owned()),
            }
        }
        Ok(roles)
    }

    /// The words of roles.
    pub fn of(roles: &Roles) -> Self {
        let all = [roles.window, roles.decide, roles.head, roles.publish, roles.admit];
        let held = Self::KNOWN.into_iter().zip(all).filter(|(_, held)| *held);
        Self(held.map(|(word, _)| word.to_owned()).collect())
    }
}

/// Why a life of a hall ends, as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonWord {
    /// The machine was stolen.
    Stolen,
    /// Nobody knows where the machine is: as bad as stolen.
    Lost,
    /// The machine was replaced, and nobody else has its keys.
    Replaced,
    /// The hall was closed or merged.
    Closed,
}

impl ReasonWord {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Stolen, Self::Lost, Self::Replaced, Self::Closed];

    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stolen => "stolen",
            Self::Lost => "lost",
            Self::Replaced => "replaced",
            Self::Closed => "closed",
        }
    }

    /// What the record says. Whoever has a lost machine may have its keys.
    pub const fn reason(self) -> RevocationReason {
        match self {
            Self::Stolen | Self::Lost => RevocationReason::Stolen,
            Self::Replaced => RevocationReason::Replaced,
            Self::Closed => RevocationReason::Closed,
        }
    }
}

/// A decision as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecisionWord {
    /// 准予.
    Granted,
    /// 不予.
    Denied,
}
