//! The records that lead from a city's root to one hall: what a superior's card and a new hall's bundle
//! consist of.
//!
//! The root policy first, then charters downwards, contacts, revocations. The last charter is the subject.

use std::collections::BTreeMap;

use hallmesh_protocol::directory::{Charter, Directory, RootPolicy};
use hallmesh_protocol::genesis::{self, NotInstalled};
use hallmesh_protocol::ids::{Digest, HallAt};
use hallmesh_protocol::limits::RECORDS_MAX;
use hallmesh_protocol::record::{Body, Issuer, Record, Space, decode_records, encode_records};
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::{Bytes, Now, View, Writes};
use thiserror::Error;

use super::armour::{self, ArmourError, Header, Kind};
use super::fingerprint;

/// Records besides charters that are taken along: contacts and the first revocations. One file holds no more.
const OTHERS_MAX: usize = RECORDS_MAX / 2;

/// Why records are no papers. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PapersError {
    /// The text they come in.
    #[error(transparent)]
    File(#[from] ArmourError),
    /// They do not begin with a root policy, or hold no charter.
    #[error("no root policy or no charter")]
    Incomplete,
    /// They are not signed by the root they name.
    #[error("not signed by the root they name")]
    Root,
    /// The charters do not lead from the root to `at`.
    #[error("no unbroken chain of charters from the root to {at}")]
    NoChain {
        /// The hall that is not reached.
        at: HallAt,
    },
    /// So many records do not hold.
    #[error("{count} records do not hold")]
    Refused {
        /// How many.
        count: u64,
    },
    /// The rows that are here are not of this hall under this root.
    #[error("the rows here are not those of {at} under this root")]
    OtherRows {
        /// The hall and the life that the papers are for.
        at: HallAt,
    },
    /// The rows that are here are of the life that the papers are for, or of a later one.
    #[error("the rows here are of {at} or a later life")]
    NotNewer {
        /// The hall and the life that the papers are for.
        at: HallAt,
    },
    /// The subject is no longer one of the city's halls.
    #[error("{at} was revoked")]
    Revoked {
        /// The hall.
        at: HallAt,
    },
}

impl PapersError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(cause) => cause.code(),
            Self::Incomplete => "enrol.papers.incomplete",
            Self::Root => "enrol.papers.root",
            Self::NoChain { .. } => "enrol.papers.no_chain",
            Self::Refused { .. } => "enrol.papers.refused",
            Self::OtherRows { .. } => "enrol.papers.other_rows",
            Self::NotNewer { .. } => "enrol.papers.not_newer",
            Self::Revoked { .. } => "enrol.papers.revoked",
        }
    }

    /// Parameters of the sentence under [`PapersError::code`].
    pub fn params(&self) -> BTreeMap<String, String> {
        match self {
            Self::File(cause) => cause.params(),
            Self::Incomplete | Self::Root => BTreeMap::new(),
            Self::NoChain { at } | Self::OtherRows { at } | Self::NotNewer { at } | Self::Revoked { at } => {
                BTreeMap::from([("hall".to_owned(), at.to_string())])
            }
            Self::Refused { count } => BTreeMap::from([("count".to_owned(), count.to_string())]),
        }
    }
}

/// The records that lead from a city's root to one hall. Their order and links were looked at; their
/// signatures are checked by [`Papers::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Papers {
    policy: Signed<Record>,
    rest: Vec<Signed<Record>>,
    city: RootPolicy,
    charter: Charter,
}

impl Papers {
    /// Papers of records in the order of [`hallmesh_protocol::query::enrolment_records`]; the subject is the
    /// hall of the last charter.
    ///
    /// What one file cannot hold is left out: it comes with the first exchange of the directory, which is
    /// before any case.
    pub fn new(records: Vec<Signed<Record>>) -> Result<Self, PapersError> {
        let papers = Self::of(records)?;
        papers.reach_root()?;
        Ok(papers)
    }

    /// These papers and the charter of a hall further down, which becomes the subject.
    pub fn with_charter(&self, charter: Signed<Record>) -> Result<Self, PapersError> {
        Self::new(self.records().cloned().chain([charter]).collect())
    }

    /// The SHA-256 of the root policy's record: what people confirm by its [`fingerprint`].
    pub fn anchor(&self) -> Digest {
        self.policy.digest()
    }

    /// What the root policy says.
    pub fn city(&self) -> &RootPolicy {
        &self.city
    }

    /// The subject's charter, unverified.
    pub fn charter(&self) -> &Charter {
        &self.charter
    }

    /// The version of the subject's charter, and the digest its successor names.
    pub(super) fn version(&self) -> (u32, Digest) {
        let own = |record: &&Signed<Record>| charter_in(record).is_some_and(|it| it == self.charter);
        let record = self.rest.iter().rfind(own);
        let version = record.and_then(|record| record.peek().ok()).map_or(0, |record| record.version);
        (version, record.map_or(Digest([0; 32]), Signed::digest))
    }

    /// The record of the root policy, then all others.
    pub fn records(&self) -> impl Iterator<Item = &Signed<Record>> {
        std::iter::once(&self.policy).chain(&self.rest)
    }

    /// The text of a superior's card: given to whoever issues charters in its area.
    pub fn card(&self) -> Result<String, ArmourError> {
        self.write(Kind::Card)
    }

    /// The text that the subject joins with.
    pub fn bundle(&self) -> Result<String, ArmourError> {
        self.write(Kind::Join)
    }

    /// Reads a superior's card.
    pub fn read_card(text: &str) -> Result<Self, PapersError> {
        Self::read(text, Kind::Card)
    }

    /// Reads what a hall joins with.
    pub fn read_bundle(text: &str) -> Result<Self, PapersError> {
        Self::read(text, Kind::Join)
    }

    /// Checks every signature from `anchor` to the subject. Gives the first rows of the subject's node.
    pub fn verify(&self, anchor: Digest, wall: u64) -> Result<Writes, PapersError> {
        let (now, at) = (Now { ticks: 0, wall }, self.charter.at());
        let rows = genesis::install(now, anchor, &self.policy, self.rest.clone(), at);
        let rows = rows.map_err(|cause| explain(cause, at))?;
        match Directory::new(&Rows(&rows)).present(at.hall) {
            Some(present) if present == at => Ok(rows),
            Some(_) | None => Err(PapersError::Revoked { at }),
        }
    }

    /// Checks every signature from `anchor` to the subject, a new life of the hall whose rows are in `view`. Gives
    /// what changes of them.
    pub fn verify_over(&self, anchor: Digest, wall: u64, view: &dyn View) -> Result<Writes, PapersError> {
        let (now, at) = (Now { ticks: 0, wall }, self.charter.at());
        let rows = genesis::rejoin(now, view, anchor, &self.policy, self.rest.clone(), at);
        rows.map_err(|cause| explain(cause, at))
    }

    fn of(records: Vec<Signed<Record>>) -> Result<Self, PapersError> {
        let mut records = records.into_iter();
        let policy = records.next().ok_or(PapersError::Incomplete)?;
        let Ok(Record { body: Body::Policy(city), .. }) = policy.peek() else {
            return Err(PapersError::Incomplete);
        };
        let mut rest: Vec<_> = records.filter(|record| *record != policy).collect();
        let mut others = 0_usize;
        rest.retain(|record| {
            let is_charter = charter_in(record).is_some();
            others = others.saturating_add(usize::from(!is_charter));
            is_charter || others <= OTHERS_MAX
        });
        let charter = rest.iter().rev().find_map(charter_in).ok_or(PapersError::Incomplete)?;
        Ok(Self { policy, rest, city, charter })
    }

    fn reach_root(&self) -> Result<(), PapersError> {
        let issuers: BTreeMap<HallAt, Issuer> = self.rest.iter().filter_map(issuer_of_charter).collect();
        let mut at = self.charter.at();
        // A chain without a circle is no longer than there are charters.
        for _ in 0..issuers.len() {
            match issuers.get(&at) {
                Some(Issuer::Root) => return Ok(()),
                Some(Issuer::Hall(by)) => at = *by,
                None => break,
            }
        }
        Err(PapersError::NoChain { at: self.charter.at() })
    }

    fn write(&self, kind: Kind) -> Result<String, ArmourError> {
        armour::write(kind, &self.headers(), &encode_records(&self.records().cloned().collect::<Vec<_>>()))
    }

    fn read(text: &str, kind: Kind) -> Result<Self, PapersError> {
        let opened = armour::read(text, kind)?;
        let records = records_in(&opened.content).ok_or_else(|| opened.not_understood())?;
        let papers = Self::of(records)?;
        opened.check_headers(&papers.headers())?;
        papers.reach_root()?;
        Ok(papers)
    }

    fn headers(&self) -> Vec<Header> {
        vec![
            ("Hall", self.charter.at().to_string()),
            ("Name", self.charter.name.clone()),
            ("City", format!("{} {}", self.city.city, self.city.name)),
            ("Root", fingerprint(&self.anchor())),
        ]
    }
}

fn explain(cause: NotInstalled, at: HallAt) -> PapersError {
    match cause {
        NotInstalled::WrongRoot | NotInstalled::Unverified(_) => PapersError::Root,
        NotInstalled::NoChain => PapersError::NoChain { at },
        NotInstalled::Refused(count) => PapersError::Refused { count },
        NotInstalled::OtherHall => PapersError::OtherRows { at },
        NotInstalled::NotNewer => PapersError::NotNewer { at },
        NotInstalled::Ended => PapersError::Revoked { at },
    }
}

/// The records in a file, if all of them are of the directory.
pub(super) fn records_in(content: &[u8]) -> Option<Vec<Signed<Record>>> {
    let records = decode_records(content).ok()?;
    let of_directory =
        |record: &Signed<Record>| record.peek().is_ok_and(|record| record.body.space() == Space::Directory);
    records.iter().all(of_directory).then_some(records)
}

fn charter_in(record: &Signed<Record>) -> Option<Charter> {
    match record.peek().ok()?.body {
        Body::Charter(charter) => Some(*charter),
        Body::Policy(_)
        | Body::Contact(_)
        | Body::Revocation(_)
        | Body::Fork(_)
        | Body::Ruling(_)
        | Body::Destruction(_)
        | Body::Voice(_)
        | Body::Heard(_)
        | Body::Calendar(_)
        | Body::Matter(_)
        | Body::Delegation(_)
        | Body::Bundle(_) => None,
    }
}

fn issuer_of_charter(record: &Signed<Record>) -> Option<(HallAt, Issuer)> {
    Some((charter_in(record)?.at(), record.peek().ok()?.issuer))
}

/// Rows that are not on a disk yet.
struct Rows<'a>(&'a Writes);

impl View for Rows<'_> {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.0.get(key).cloned().flatten()
    }

    fn scan(&self, prefix: &[u8], after: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
        let under = self.0.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        let mut rows = under.filter(|(key, _)| after.is_empty() || key.as_slice() > after);
        // The visitor's refusal to go on ends the search.
        let _last = rows.find(|(key, row)| row.as_ref().is_some_and(|row| !visit(key, row)));
    }
}
