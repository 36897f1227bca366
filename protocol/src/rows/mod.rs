//! The whole key space of a node's store: one line a table, and the typed way in and out.
//!
//! Keys are ordered bytes: a table byte, then big-endian numbers and text, so that a prefix scan meets
//! rows in their natural order. Values are versioned encodings (see [`crate::wire`]).
//!
//! | table | key | value | owner |
//! |---|---|---|---|
//! | `01` meta | name | format version, identity, time that has passed | node |
//! | `10` record | space, key text | `Signed<Record>` in force or withdrawn | shelf |
//! | `11` element | space, BLAKE3 id | key text | shelf |
//! | `12` fingerprint | space | root, `LtHash` state | shelf |
//! | `13` version | SHA-256 of the record | `Kept`: where to find what a case may have pinned | shelf |
//! | `14` life | hall, incarnation | `Signed<Record>` of that life's charter | shelf |
//! | `15` card | hall, incarnation | `HallCard`: what is asked for often, without the long keys | shelf |
//! | `16` read so far | space | key text: up to where the sets of others were read, until they are read to the end | exchange |
//! | `20` case | case id | `Case`, the fold so far | cases |
//! | `21` event | case id, sequence | `SignedEvent` | cases |
//! | `22` wrap | case id, hall, incarnation, recovery, digest | `Wrap`: one key of the case for one holder | cases |
//! | `23` custody | case id | `Custody`: the high-water mark, never dropped | cases |
//! | `24` number | case number | case id | cases |
//! | `25` receipt | case id, term, epoch | `Signed<Receipt>` this hall gave | cases |
//! | `26` copied | case id, hall, incarnation | `Signed<Receipt>` of a mirror | cases |
//! | `27` desk | stage, case id | nothing: what this hall has in hand | cases |
//! | `28` numbering | boot, civil day | last sequence | cases |
//! | `29` tally | name | count | cases |
//! | `2a` reading | case id, wall, clerk | `ClerkId`: who read what is sealed | cases |
//! | `2b` stuck | case id | nothing: a case that has nobody to go to yet | cases |
//! | `2c` bond | hall, incarnation, case id | nothing: a case that has to do with this other life | cases |
//! | `2d` fence | case id, hall, incarnation | `Fence`: what this hall has said of that life, and to whom | cases |
//! | `2e` fenced | case id, hall and incarnation twice | `Signed<Receipt>`: the first has fenced off the second | cases |
//! | `2f` orphan | case id, digest | `SignedEvent`: late or contradicted, kept and shown | cases |
//! | `30` post | destination, sequence | `Queued` letter | post |
//! | `31` letter | own or relayed, name | destination, sequence, since | post |
//! | `32` posted | destination | last sequence and how many wait | post |
//! | `33` single | 0, since, case id; 1, case id | nothing; since when: in hand here, and no mirror keeps its head | cases |
//! | `34` age | destination, own or relayed, since, sequence | nothing: how long letters wait, longest first | post |
//! | `35` parcel | out, destination, boot, number | what a parcel on a stick holds |
//! | `35` parcel | in, writer, boot, destination | which parcels of a series were taken in |
//! | `35` parcel | number of a destination; heard of a writer; edition | counts of the same |
//! | `36` burden | neighbour | letters and bytes that came from it and wait |
//! | `36` burden | neighbour, destination | those of them that are for one hall |
//! | `37` open | case id | nothing: a case in this hall's hand for which something is still owed | cases |
//! | `38` task | bundle's number, 0, task, case id | nothing: a task of a bundle | cases |
//! | `39` watched | bundle number, 0 | `u32`: which tasks cannot go on, of an application that came in here and is not over | cases |
//! | `3a` statement | open or answered, case number, 0, SHA-256 | `Kept`: what halls state about a case | cases |
//! | `40` clerk | number | `Clerk` | clerks |
//! | `50` leaf | incarnation, place | `Leaf` of this hall's Merkle log | audit |
//! | `51` subtree | incarnation, level, index | hash of a complete subtree | audit |
//! | `52` audited | incarnation, digest of what was signed | its place in the log | audit |
//! | `53` size | incarnation | leaves of the log | audit |
//! | `54` checkpoint | incarnation | the newest `Signed<Checkpoint>` of this hall | audit |
//! | `55` cosigned | incarnation, witness | `Cosigned`: its newest, with the checkpoint | audit |
//! | `56` witness | hall, incarnation | `Witness`: the newest checkpoint shown by that life | audit |
//! | `57` rolled back | incarnation | `RolledBack`: this life has forgotten what it signed | audit |
//! | `58` twin | hall, incarnation | when two machines were last seen to live as this life | node |

mod values;

use crate::ids::{CaseId, CaseNumber, Digest, HallAt, HallId};
use crate::record::Space;

pub(crate) use values::{count, counted, decodes, parse, parse_head, read, read_doubted, write};

/// The version of this key space; another one is not opened.
pub const FORMAT_VERSION: u32 = 6;

/// A table's first byte.
#[derive(Clone, Copy)]
pub(crate) enum Table {
    Meta = 0x01,
    Record = 0x10,
    Element = 0x11,
    Fingerprint = 0x12,
    Version = 0x13,
    Life = 0x14,
    Card = 0x15,
    ReadSoFar = 0x16,
    Case = 0x20,
    Event = 0x21,
    Wrap = 0x22,
    Custody = 0x23,
    Number = 0x24,
    Receipt = 0x25,
    Copied = 0x26,
    Desk = 0x27,
    Numbering = 0x28,
    Tally = 0x29,
    Reading = 0x2a,
    Stuck = 0x2b,
    Bond = 0x2c,
    Fence = 0x2d,
    Fenced = 0x2e,
    Orphan = 0x2f,
    Post = 0x30,
    Letter = 0x31,
    Posted = 0x32,
    Single = 0x33,
    Age = 0x34,
    Parcel = 0x35,
    Burden = 0x36,
    Open = 0x37,
    Task = 0x38,
    Watched = 0x39,
    Statement = 0x3a,
    Clerk = 0x40,
    Leaf = 0x50,
    Subtree = 0x51,
    Audited = 0x52,
    AuditSize = 0x53,
    Checkpoint = 0x54,
    Cosigned = 0x55,
    Witness = 0x56,
    RolledBack = 0x57,
    Twin = 0x58,
}

/// Every table and its name.
const TABLES: [(Table, &str); 45] = [
    (Table::Meta, "meta"),
    (Table::Record, "record"),
    (Table::Element, "element"),
    (Table::Fingerprint, "fingerprint"),
    (Table::Version, "version"),
    (Table::Life, "life"),
    (Table::Card, "card"),
    (Table::ReadSoFar, "read-so-far"),
    (Table::Case, "case"),
    (Table::Event, "event"),
    (Table::Wrap, "wrap"),
    (Table::Custody, "custody"),
    (Table::Number, "number"),
    (Table::Receipt, "receipt"),
    (Table::Copied, "copied"),
    (Table::Desk, "desk"),
    (Table::Numbering, "numbering"),
    (Table::Tally, "tally"),
    (Table::Reading, "reading"),
    (Table::Stuck, "stuck"),
    (Table::Bond, "bond"),
    (Table::Fence, "fence"),
    (Table::Fenced, "fenced"),
    (Table::Orphan, "orphan"),
    (Table::Single, "single"),
    (Table::Post, "post"),
    (Table::Letter, "letter"),
    (Table::Posted, "posted"),
    (Table::Age, "age"),
    (Table::Parcel, "parcel"),
    (Table::Burden, "burden"),
    (Table::Open, "open"),
    (Table::Task, "task"),
    (Table::Watched, "watched"),
    (Table::Statement, "statement"),
    (Table::Clerk, "clerk"),
    (Table::Leaf, "leaf"),
    (Table::Subtree, "subtree"),
    (Table::Audited, "audited"),
    (Table::AuditSize, "audit-size"),
    (Table::Checkpoint, "checkpoint"),
    (Table::Cosigned, "cosigned"),
    (Table::Witness, "witness"),
    (Table::RolledBack, "rolled-back"),
    (Table::Twin, "twin"),
];

impl Table {
    /// The table whose keys begin with a byte.
    pub(crate) fn of(byte: u8) -> Option<Self> {
        let found = TABLES.into_iter().find(|(table, _)| Key::new(*table).done().first() == Some(&byte));
        found.map(|(table, _)| table)
    }
}

/// The name of a table, by its first byte.
pub fn table_word(byte: u8) -> &'static str {
    let found = TABLES.into_iter().find(|(table, _)| Key::new(*table).done().first() == Some(&byte));
    found.map_or("other", |(_, word)| word)
}

/// A key under construction.
pub(crate) struct Key(Vec<u8>);

impl Key {
    pub(crate) fn new(table: Table) -> Self {
        #[expect(clippy::as_conversions, reason = "the discriminant of a fieldless enum")]
        Self(vec![table as u8])
    }

    pub(crate) fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    pub(crate) fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    pub(crate) fn short(mut self, number: u32) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn hall(self, hall: HallId) -> Self {
        self.number(hall.to_u64())
    }

    pub(crate) fn at(self, at: HallAt) -> Self {
        self.hall(at.hall).short(at.incarnation)
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0
    }
}

/// The row that says that a stolen machine may be able to open cases in hand.
pub(crate) const RENEW: &str = "renew";

pub(crate) fn meta(name: &str) -> Vec<u8> {
    Key::new(Table::Meta).bytes(name.as_bytes()).done()
}

pub(crate) fn record(space: Space, key: &str) -> Vec<u8> {
    Key::new(Table::Record).byte(space.byte()).bytes(key.as_bytes()).done()
}

pub(crate) fn element(space: Space, id: &[u8; 32]) -> Vec<u8> {
    Key::new(Table::Element).byte(space.byte()).bytes(id).done()
}

pub(crate) fn elements(space: Space) -> Vec<u8> {
    Key::new(Table::Element).byte(space.byte()).done()
}

pub(crate) fn read_so_far(space: Space) -> Vec<u8> {
    Key::new(Table::ReadSoFar).byte(space.byte()).done()
}

pub(crate) fn fingerprint(space: Space) -> Vec<u8> {
    Key::new(Table::Fingerprint).byte(space.byte()).done()
}

pub(crate) fn version(digest: &Digest) -> Vec<u8> {
    Key::new(Table::Version).bytes(&digest.0).done()
}

pub(crate) fn life(at: HallAt) -> Vec<u8> {
    Key::new(Table::Life).at(at).done()
}

pub(crate) fn card(at: HallAt) -> Vec<u8> {
    Key::new(Table::Card).at(at).done()
}

/// The cards of all lives of one hall.
pub(crate) fn lives_of(hall: HallId) -> Vec<u8> {
    Key::new(Table::Card).hall(hall).done()
}

/// The incarnation in the key of a card.
pub(crate) fn incarnation(key: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(key.get(9..13)?.try_into().ok()?))
}

pub(crate) fn cards() -> Vec<u8> {
    Key::new(Table::Card).done()
}

pub(crate) fn case(id: CaseId) -> Vec<u8> {
    Key::new(Table::Case).bytes(&id.0).done()
}

pub(crate) fn events(id: CaseId) -> Vec<u8> {
    Key::new(Table::Event).bytes(&id.0).done()
}

pub(crate) fn event(id: CaseId, sequence: u32) -> Vec<u8> {
    Key::new(Table::Event).bytes(&id.0).short(sequence).done()
}

pub(crate) fn wraps(id: CaseId) -> Vec<u8> {
    Key::new(Table::Wrap).bytes(&id.0).done()
}

pub(crate) fn wrap(id: CaseId, (at, recovery): (HallAt, bool), of: &Digest) -> Vec<u8> {
    Key::new(Table::Wrap).bytes(&id.0).at(at).byte(u8::from(recovery)).bytes(&of.0).done()
}

/// To whom a key is wrapped, whether to the recovery key in its charter, and which key of the case it is.
pub(crate) fn wrap_in(key: &[u8]) -> Option<((HallAt, bool), Digest)> {
    let hall = HallId::from_u64(u64::from_be_bytes(key.get(17..25)?.try_into().ok()?)).ok()?;
    let at = HallAt { hall, incarnation: u32::from_be_bytes(key.get(25..29)?.try_into().ok()?) };
    Some(((at, key.get(29)? == &1), Digest(key.get(30..)?.try_into().ok()?)))
}

pub(crate) fn custody(id: CaseId) -> Vec<u8> {
    Key::new(Table::Custody).bytes(&id.0).done()
}

pub(crate) fn number(number: &str) -> Vec<u8> {
    Key::new(Table::Number).bytes(number.as_bytes()).done()
}

pub(crate) fn receipt(id: CaseId, term: u32, epoch: u32) -> Vec<u8> {
    Key::new(Table::Receipt).bytes(&id.0).short(term).short(epoch).done()
}

pub(crate) fn copied(id: CaseId, at: HallAt) -> Vec<u8> {
    Key::new(Table::Copied).bytes(&id.0).at(at).done()
}

pub(crate) fn desk(stage: u8, id: CaseId) -> Vec<u8> {
    Key::new(Table::Desk).byte(stage).bytes(&id.0).done()
}

pub(crate) fn desk_of(stage: u8) -> Vec<u8> {
    Key::new(Table::Desk).byte(stage).done()
}

pub(crate) fn numbering(boot: u32, day: u32) -> Vec<u8> {
    Key::new(Table::Numbering).short(boot).short(day).done()
}

pub(crate) fn tally(name: &str) -> Vec<u8> {
    Key::new(Table::Tally).bytes(name.as_bytes()).done()
}

pub(crate) fn stuck(id: CaseId) -> Vec<u8> {
    Key::new(Table::Stuck).bytes(&id.0).done()
}

pub(crate) fn open(id: CaseId) -> Vec<u8> {
    Key::new(Table::Open).bytes(&id.0).done()
}

pub(crate) fn all_open() -> Vec<u8> {
    Key::new(Table::Open).done()
}

pub(crate) fn all_stuck() -> Vec<u8> {
    Key::new(Table::Stuck).done()
}

pub(crate) fn bonds() -> Vec<u8> {
    Key::new(Table::Bond).done()
}

pub(crate) fn bonds_of(at: HallAt) -> Vec<u8> {
    Key::new(Table::Bond).at(at).done()
}

pub(crate) fn bond(at: HallAt, id: CaseId) -> Vec<u8> {
    Key::new(Table::Bond).at(at).bytes(&id.0).done()
}

/// The life and the case of a bond's key.
pub(crate) fn bond_in(key: &[u8]) -> Option<(HallAt, CaseId)> {
    let hall = HallId::from_u64(u64::from_be_bytes(key.get(1..9)?.try_into().ok()?)).ok()?;
    let incarnation = u32::from_be_bytes(key.get(9..13)?.try_into().ok()?);
    Some((HallAt { hall, incarnation }, CaseId(key.get(13..29)?.try_into().ok()?)))
}

pub(crate) fn fences(id: CaseId) -> Vec<u8> {
    Key::new(Table::Fence).bytes(&id.0).done()
}

pub(crate) fn fence(id: CaseId, of: HallAt) -> Vec<u8> {
    Key::new(Table::Fence).bytes(&id.0).at(of).done()
}

/// The life that a fence's key fences off.
pub(crate) fn fenced_in(key: &[u8]) -> Option<HallAt> {
    let hall = HallId::from_u64(u64::from_be_bytes(key.get(17..25)?.try_into().ok()?)).ok()?;
    Some(HallAt { hall, incarnation: u32::from_be_bytes(key.get(25..29)?.try_into().ok()?) })
}

pub(crate) fn fenced(id: CaseId, by: HallAt, of: HallAt) -> Vec<u8> {
    Key::new(Table::Fenced).bytes(&id.0).at(by).at(of).done()
}

pub(crate) fn orphans(id: CaseId) -> Vec<u8> {
    Key::new(Table::Orphan).bytes(&id.0).done()
}

pub(crate) fn orphan(id: CaseId, digest: &Digest) -> Vec<u8> {
    Key::new(Table::Orphan).bytes(&id.0).bytes(&digest.0).done()
}

/// Cases on one disk only, longest first.
pub(crate) fn singles() -> Vec<u8> {
    Key::new(Table::Single).byte(0).done()
}

pub(crate) fn single_since(since: u64, id: CaseId) -> Vec<u8> {
    Key::new(Table::Single).byte(0).number(since).bytes(&id.0).done()
}

pub(crate) fn single(id: CaseId) -> Vec<u8> {
    Key::new(Table::Single).byte(1).bytes(&id.0).done()
}

/// Since when, and which case, from a key of [`singles`].
pub(crate) fn parse_single(key: &[u8]) -> Option<(u64, CaseId)> {
    let since = u64::from_be_bytes(key.get(2..10)?.try_into().ok()?);
    Some((since, CaseId(key.get(10..)?.try_into().ok()?)))
}

pub(crate) fn readings(id: CaseId) -> Vec<u8> {
    Key::new(Table::Reading).bytes(&id.0).done()
}

pub(crate) fn reading(id: CaseId, wall: u64, clerk: u16) -> Vec<u8> {
    Key::new(Table::Reading).bytes(&id.0).number(wall).bytes(&clerk.to_be_bytes()).done()
}

pub(crate) fn post() -> Vec<u8> {
    Key::new(Table::Post).done()
}

pub(crate) fn post_for(hall: HallId) -> Vec<u8> {
    Key::new(Table::Post).hall(hall).done()
}

pub(crate) fn posted(hall: HallId, sequence: u64) -> Vec<u8> {
    Key::new(Table::Post).hall(hall).number(sequence).done()
}

pub(crate) fn letter(whose: u8, id: &[u8; 16]) -> Vec<u8> {
    Key::new(Table::Letter).byte(whose).bytes(id).done()
}

pub(crate) fn post_count(hall: HallId) -> Vec<u8> {
    Key::new(Table::Posted).hall(hall).done()
}

/// How long letters wait, by destination.
pub(crate) fn ages() -> Vec<u8> {
    Key::new(Table::Age).done()
}

/// How long letters to one hall wait, own ones or those of others.
pub(crate) fn ages_for(hall: HallId, whose: u8) -> Vec<u8> {
    Key::new(Table::Age).hall(hall).byte(whose).done()
}

pub(crate) fn age(hall: HallId, whose: u8, since: u64, sequence: u64) -> Vec<u8> {
    Key::new(Table::Age).hall(hall).byte(whose).number(since).number(sequence).done()
}

/// Since when the letter waits whose key of [`ages`] this is.
pub(crate) fn since(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(10..18)?.try_into().ok()?))
}

/// The number in the post of that letter.
pub(crate) fn age_place(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(18..26)?.try_into().ok()?))
}

pub(crate) fn parcels_out() -> Vec<u8> {
    Key::new(Table::Parcel).byte(b'o').done()
}

pub(crate) fn parcels_out_to(to: HallId) -> Vec<u8> {
    Key::new(Table::Parcel).byte(b'o').hall(to).done()
}

pub(crate) fn parcels_out_of(to: HallId, boot: u32) -> Vec<u8> {
    Key::new(Table::Parcel).byte(b'o').hall(to).short(boot).done()
}

pub(crate) fn parcel_out(to: HallId, boot: u32, number: u64) -> Vec<u8> {
    Key::new(Table::Parcel).byte(b'o').hall(to).short(boot).number(number).done()
}

/// The number in the key of a parcel that is out.
pub(crate) fn parcel_out_number(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(14..22)?.try_into().ok()?))
}

pub(crate) fn parcel_number(to: HallId) -> Vec<u8> {
    Key::new(Table::Parcel).byte(b'n').hall(to).done()
}

pub(crate) fn parcels_in() -> Vec<u8> {
    Key::new(Table::Parcel).byte(b'i').done()
}

pub(crate) fn parcels_in_from(hall: HallId) -> Vec<u8> {
    Key::new(Table::Parcel).byte(b'i').hall(hall).done()
}

pub(crate) fn parcel_in(from: HallAt, boot: u32, to: HallId) -> Vec<u8> {
    Key::new(Table::Parcel).byte(b'i').at(from).short(boot).hall(to).done()
}

/// Writer, boot and destination in the key of a series that was taken in.
pub(crate) fn parcel_in_of(key: &[u8]) -> Option<(HallAt, u32, HallId)> {
    let hall = |from: usize| {
        let bytes = key.get(from..)?.first_chunk::<8>()?;
        HallId::from_u64(u64::from_be_bytes(*bytes)).ok()
    };
    let short = |from: usize| Some(u32::from_be_bytes(*key.get(from..)?.first_chunk::<4>()?));
    Some((HallAt { hall: hall(2)?, incarnation: short(10)? }, short(14)?, hall(18)?))
}

pub(crate) fn heard(from: HallAt) -> Vec<u8> {
    Key::new(Table::Parcel).byte(b'h').at(from).done()
}

pub(crate) fn edition() -> Vec<u8> {
    Key::new(Table::Parcel).byte(b'e').done()
}

pub(crate) fn burden(hall: HallId) -> Vec<u8> {
    Key::new(Table::Burden).hall(hall).done()
}

/// What a neighbour has brought for one destination.
pub(crate) fn burden_for(hall: HallId, to: HallId) -> Vec<u8> {
    Key::new(Table::Burden).hall(hall).hall(to).done()
}

/// The tasks of a bundle: no number is the beginning of another one.
pub(crate) fn tasks_of(bundle: &CaseNumber) -> Vec<u8> {
    Key::new(Table::Task).bytes(bundle.to_string().as_bytes()).byte(0).done()
}

/// The tasks of bundles whose number begins with a text.
pub(crate) fn tasks_beginning(text: &str) -> Vec<u8> {
    Key::new(Table::Task).bytes(text.as_bytes()).done()
}

/// After all tasks of a bundle.
pub(crate) fn after_tasks_of(bundle: &CaseNumber) -> Vec<u8> {
    Key::new(Table::Task).bytes(bundle.to_string().as_bytes()).byte(0).byte(u8::MAX).done()
}

pub(crate) fn task(bundle: &CaseNumber, ordinal: u8, id: CaseId) -> Vec<u8> {
    Key::new(Table::Task).bytes(bundle.to_string().as_bytes()).byte(0).byte(ordinal).bytes(&id.0).done()
}

/// An application for a bundle that came in here and is not over.
pub(crate) fn watched(bundle: &CaseNumber) -> Vec<u8> {
    Key::new(Table::Watched).bytes(bundle.to_string().as_bytes()).byte(0).done()
}

pub(crate) fn all_watched() -> Vec<u8> {
    Key::new(Table::Watched).done()
}

/// The number of the bundle in the key of a task, or of an application.
pub(crate) fn bundle_in(key: &[u8]) -> Option<CaseNumber> {
    let number = key.get(1..)?.split(|byte| *byte == 0).next()?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

/// The case in a task's key.
pub(crate) fn task_in(key: &[u8]) -> Option<CaseId> {
    Some(CaseId(*key.last_chunk::<16>()?))
}

pub(crate) fn statements(class: u8) -> Vec<u8> {
    Key::new(Table::Statement).byte(class).done()
}

pub(crate) fn statements_of(class: u8, number: CaseNumber) -> Vec<u8> {
    Key::new(Table::Statement).byte(class).bytes(number.to_string().as_bytes()).byte(0).done()
}

pub(crate) fn statement(class: u8, number: CaseNumber, of: &Digest) -> Vec<u8> {
    [statements_of(class, number).as_slice(), &of.0].concat()
}

/// Whether it waits, the case's number and the statement's digest in a key.
pub(crate) fn statement_in(key: &[u8]) -> Option<(u8, CaseNumber, Digest)> {
    let (class, rest) = key.strip_prefix(Key::new(Table::Statement).done().as_slice())?.split_first()?;
    let (named, digest) = rest.split_last_chunk::<32>()?;
    let number = std::str::from_utf8(named.strip_suffix(&[0])?).ok()?.parse().ok()?;
    Some((*class, number, Digest(*digest)))
}

pub(crate) fn clerks() -> Vec<u8> {
    Key::new(Table::Clerk).done()
}

pub(crate) fn clerk(number: u16) -> Vec<u8> {
    Key::new(Table::Clerk).bytes(&number.to_be_bytes()).done()
}

/// A leaf of this hall's Merkle log. Logs are told apart by the life alone: a store is of one hall.
pub(crate) fn leaf(at: HallAt, place: u64) -> Vec<u8> {
    Key::new(Table::Leaf).short(at.incarnation).number(place).done()
}

pub(crate) fn subtree(at: HallAt, level: u8, index: u64) -> Vec<u8> {
    Key::new(Table::Subtree).short(at.incarnation).byte(level).number(index).done()
}

pub(crate) fn audited(at: HallAt, statement: &Digest) -> Vec<u8> {
    Key::new(Table::Audited).short(at.incarnation).bytes(&statement.0).done()
}

pub(crate) fn audit_size(at: HallAt) -> Vec<u8> {
    Key::new(Table::AuditSize).short(at.incarnation).done()
}

pub(crate) fn checkpoint(at: HallAt) -> Vec<u8> {
    Key::new(Table::Checkpoint).short(at.incarnation).done()
}

pub(crate) fn cosignatures(at: HallAt) -> Vec<u8> {
    Key::new(Table::Cosigned).short(at.incarnation).done()
}

pub(crate) fn cosignature(at: HallAt, witness: HallId) -> Vec<u8> {
    Key::new(Table::Cosigned).short(at.incarnation).hall(witness).done()
}

pub(crate) fn witnesses() -> Vec<u8> {
    Key::new(Table::Witness).done()
}

pub(crate) fn witness(at: HallAt) -> Vec<u8> {
    Key::new(Table::Witness).at(at).done()
}

pub(crate) fn rolled_back(at: HallAt) -> Vec<u8> {
    Key::new(Table::RolledBack).short(at.incarnation).done()
}

/// Whether a row is a clerk's card: the only rows in which a person is named in clear.
pub(crate) fn is_clerk(key: &[u8]) -> bool {
    key.starts_with(&clerks())
}

/// Whether a row holds an event.
pub(crate) fn is_event(key: &[u8]) -> bool {
    key.starts_with(&Key::new(Table::Event).done())
}

/// Whether a row holds a signed record.
pub(crate) fn is_record(key: &[u8]) -> bool {
    [Table::Record, Table::Life].into_iter().any(|it| key.starts_with(&Key::new(it).done()))
}

/// Whether a row holds a receipt that this hall gave.
pub(crate) fn is_own_receipt(key: &[u8]) -> bool {
    key.starts_with(&Key::new(Table::Receipt).done())
}

pub(crate) fn twin(at: HallAt) -> Vec<u8> {
    Key::new(Table::Twin).at(at).done()
}

pub(crate) fn twins() -> Vec<u8> {
    Key::new(Table::Twin).done()
}

/// The life of a twin's key.
pub(crate) fn twin_in(key: &[u8]) -> Option<HallAt> {
    let hall = HallId::from_u64(u64::from_be_bytes(key.get(1..9)?.try_into().ok()?)).ok()?;
    Some(HallAt { hall, incarnation: u32::from_be_bytes(key.get(9..)?.try_into().ok()?) })
}

/// Whether a row holds what this hall has said of an ended life.
pub(crate) fn is_fence(key: &[u8]) -> bool {
    key.starts_with(&Key::new(Table::Fence).done())
}

/// Whether a row holds a letter that waits.
pub(crate) fn is_post(key: &[u8]) -> bool {
    key.starts_with(&post())
}

/// Whether a row holds a checkpoint that this hall signed.
pub(crate) fn is_checkpoint(key: &[u8]) -> bool {
    key.starts_with(&Key::new(Table::Checkpoint).done())
}

/// Whether a row holds a cosignature of this hall.
pub(crate) fn is_witness(key: &[u8]) -> bool {
    key.starts_with(&witnesses())
}
