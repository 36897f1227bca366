//! Whether rows that come from elsewhere, as out of a backup, are what a node's own store would hold.
//!
//! Two looks. [`row`] takes one row and never panics: does it decode, and does its key say the same as its value?
//! [`whole`] takes rows that have all passed the first look and asks what no single row can say: sums against
//! elements, logs against folds, indexes against what they index. Signatures are not checked again: they were
//! when the rows were written, and every later hall checks those of what it is shown.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::audit;
use crate::cases::{self, Case, Custody, Grade, Receipt, ReceiptKind, SignedEvent, Stage, Wrap};
use crate::clerks::ClerkCard;
use crate::directory::{Directory, HallCard};
use crate::genesis;
use crate::ids::{CaseId, ClerkId, Digest, HallAt};
use crate::limits::{FRAME_MAX, PAGE_MAX};
use crate::parcels;
use crate::post;
use crate::reconcile::Fingerprint;
use crate::record::{Body, Record, Space};
use crate::rows::{self, FORMAT_VERSION, Table};
use crate::shelf::{self, Kept};
use crate::signed::{Signable, Signed};
use crate::step::View;
use crate::wire;

/// Why rows are not a node's. The words are stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// A row of a table that this build does not know, or one that does not decode.
    #[error("the row {} is not one of the table {}", key.escape_ascii(), rows::table_word(key.first().copied().unwrap_or_default()))]
    Row {
        /// Which row.
        key: Vec<u8>,
    },
    /// The rows do not say whose they are, or lack that hall's charter.
    #[error("the rows are no hall's")]
    Nobodys,
    /// Rows that should say the same do not.
    #[error("the rows of {what} do not agree")]
    Differ {
        /// What does not agree: `directory`, `lists`, `lives`, `cases`, `desk`, `single`, `open`,
        /// `orphans`, `statements`, `post`, `audit`.
        what: &'static str,
    },
}

/// Looks at one row by itself.
pub fn row(key: &[u8], value: &[u8]) -> Result<(), Unsound> {
    let table = key.first().copied().and_then(Table::of);
    let sound = table.is_some_and(|table| fits(table, key, value));
    if sound { Ok(()) } else { Err(Unsound::Row { key: key.to_vec() }) }
}

/// Looks at all rows together; each of them has passed [`row`].
pub fn whole(view: &dyn View) -> Result<(), Unsound> {
    whose(view)?;
    for (space, what) in [(Space::Directory, "directory"), (Space::Lists, "lists")] {
        agree(what, set_agrees(view, space))?;
    }
    agree("versions", versions_agree(view))?;
    agree("lives", lives_agree(view))?;
    agree("cases", cases_agree(view))?;
    agree("desk", desk_agrees(view))?;
    agree("single", singles_agree(view))?;
    agree("open", open_agree(view))?;
    agree("watched", watched_agree(view))?;
    agree("orphans", rows::counted(view, "orphans") == count(view, Table::Orphan))?;
    agree("statements", statements_agree(view))?;
    agree("post", post_agrees(view))?;
    agree("audit", audits_agree(view))
}

fn agree(what: &'static str, agreed: bool) -> Result<(), Unsound> {
    if agreed { Ok(()) } else { Err(Unsound::Differ { what }) }
}

fn fits(table: Table, key: &[u8], value: &[u8]) -> bool {
    let after = key.get(1..).unwrap_or_default();
    match table {
        Table::Meta => meta(after, value),
        Table::Record => signed::<Record>(value).is_some_and(|it| {
            let space = it.body.space();
            key == rows::record(space, &it.body.key())
        }),
        Table::Element => after.len() == 33 && decodes::<String>(value),
        Table::Fingerprint => fingerprint(after, value),
        Table::Version => match decode::<Kept>(value) {
            Some(Kept::Standing(key)) => after.len() == 32 && !key.is_empty(),
            Some(Kept::Replaced(it)) => after == it.digest().0,
            None => false,
        },
        Table::Life => charter(value).is_some_and(|at| key == rows::life(at)),
        Table::Card => decode::<HallCard>(value).is_some_and(|it| key == rows::card(it.at)),
        Table::ReadSoFar => after.len() == 1 && decodes::<String>(value),
        Table::Case => decode::<Case>(value).is_some_and(|it| after == it.id.0),
        Table::Event => event(value).is_some_and(|(case, sequence)| key == rows::event(case, sequence)),
        Table::Wrap => {
            decode::<Wrap>(value).is_some_and(|it| rows::wrap_in(key) == Some(((it.to, it.recovery), it.of)))
        }
        Table::Custody => after.len() == 16 && decodes::<Custody>(value),
        Table::Number => decodes::<CaseId>(value),
        Table::Receipt => after.len() == 24 && signed::<Receipt>(value).is_some(),
        Table::Copied => after.len() == 28 && signed::<Receipt>(value).is_some(),
        Table::Desk => after.len() == 17 && value.is_empty(),
        Table::Numbering => after.len() == 8 && decodes::<u32>(value),
        Table::Tally => decodes::<i64>(value),
        Table::Reading => after.len() == 26 && decodes::<ClerkId>(value),
        Table::Stuck => after.len() == 16 && decodes::<()>(value),
        Table::Open => after.len() == 16 && value.is_empty(),
        Table::Statement => cases::statement_holds(key, value),
        Table::Task => after.len() >= 18 && rows::bundle_in(key).is_some() && value.is_empty(),
        Table::Watched => {
            rows::bundle_in(key).is_some_and(|number| key == rows::watched(&number)) && decodes::<u32>(value)
        }
        Table::Post => after.len() == 16 && post::queued_holds(value),
        Table::Bond => after.len() == 28 && rows::bond_in(key).is_some() && value.is_empty(),
        Table::Fence => after.len() == 28 && rows::fenced_in(key).is_some() && cases::fence_holds(value),
        Table::Fenced => signed::<Receipt>(value).is_some_and(|it| is_fenced(key, &it)),
        Table::Orphan => orphan(value).is_some_and(|(case, digest)| key == rows::orphan(case, &digest)),
        Table::Single => single(after, value),
        Table::Letter => after.len() == 17 && post::place_holds(value),
        Table::Posted => after.len() == 8 && post::posted_holds(value),
        Table::Age => after.len() == 25 && value.is_empty(),
        Table::Parcel => parcels::row_holds(after, value),
        Table::Burden => matches!(after.len(), 8 | 16) && post::burden_holds(value),
        Table::Leaf => after.len() == 12 && decodes::<audit::Leaf>(value),
        Table::Subtree => after.len() == 13 && decodes::<Digest>(value),
        Table::Audited => after.len() == 36 && decodes::<u64>(value),
        Table::AuditSize => after.len() == 4 && decodes::<u64>(value),
        Table::Checkpoint => after.len() == 4 && decodes::<Signed<audit::Checkpoint>>(value),
        Table::Cosigned => decodes::<audit::Cosigned>(value),
        Table::Witness => after.len() == 12 && decodes::<audit::Witness>(value),
        Table::RolledBack => after.len() == 4 && decodes::<audit::RolledBack>(value),
        Table::Twin => rows::twin_in(key).is_some() && decodes::<u64>(value),
        Table::Clerk => decode::<ClerkCard>(value).is_some_and(|it| key == rows::clerk(it.id.number)),
    }
}

fn meta(name: &[u8], value: &[u8]) -> bool {
    match name {
        b"format" => decode::<u32>(value) == Some(FORMAT_VERSION),
        b"hall" => decodes::<HallAt>(value),
        b"time" | b"renew" => decodes::<u64>(value),
        b"anchor" => decodes::<Digest>(value),
        _ => false,
    }
}

fn fingerprint(space: &[u8], value: &[u8]) -> bool {
    let ([space], Some((root, sum))) = (space, value.split_first_chunk::<32>()) else { return false };
    Fingerprint::from_bytes(*space, sum).is_ok_and(|sum| sum.root() == *root)
}

fn charter(value: &[u8]) -> Option<HallAt> {
    match signed::<Record>(value)?.body {
        Body::Charter(charter) => Some(charter.at()),
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

fn event(value: &[u8]) -> Option<(CaseId, u32)> {
    let header = decode::<SignedEvent>(value)?.header().ok()?;
    Some((header.case, header.sequence))
}

fn orphan(value: &[u8]) -> Option<(CaseId, Digest)> {
    let event = decode::<SignedEvent>(value)?;
    Some((event.header().ok()?.case, event.digest()))
}

fn is_fenced(key: &[u8], receipt: &Receipt) -> bool {
    match receipt.kind {
        ReceiptKind::Fenced { of, .. } => key == rows::fenced(receipt.case, receipt.by, of),
        ReceiptKind::Copied
        | ReceiptKind::Held
        | ReceiptKind::Mirrored
        | ReceiptKind::Refused(_)
        | ReceiptKind::Unknown
        | ReceiptKind::Known { .. }
        | ReceiptKind::Heard { .. }
        | ReceiptKind::Told { .. } => false,
    }
}

/// The list by age has nothing in it; since when is said at the case.
fn single(after: &[u8], value: &[u8]) -> bool {
    match after.split_first() {
        Some((0, since_and_case)) => since_and_case.len() == 24 && value.is_empty(),
        Some((1, case)) => case.len() == 16 && decodes::<u64>(value),
        Some(_) | None => false,
    }
}

fn signed<T: Signable>(value: &[u8]) -> Option<T> {
    decode::<Signed<T>>(value)?.peek().ok()
}

fn decode<T: DeserializeOwned>(value: &[u8]) -> Option<T> {
    wire::decode_own(value, FRAME_MAX * 2).ok()
}

fn decodes<T: DeserializeOwned>(value: &[u8]) -> bool {
    rows::decodes::<T>(value)
}

/// The identity, the policy that its anchor names, and its own charter.
fn whose(view: &dyn View) -> Result<(), Unsound> {
    let identity = genesis::identity(view).ok_or(Unsound::Nobodys)?;
    let policy = shelf::held(view, Space::Directory, "policy").ok_or(Unsound::Nobodys)?;
    let anchored = policy.signed().digest() == identity.anchor;
    let chartered = Directory::new(view).card(identity.at).is_some();
    if anchored && chartered { Ok(()) } else { Err(Unsound::Nobodys) }
}

/// The sum of a space against its elements, and these against the records.
fn set_agrees(view: &dyn View, space: Space) -> bool {
    let elements = shelf::elements(view, space);
    let (mut records, mut known) = (0_usize, true);
    view.scan(&rows::record(space, ""), &[], &mut |_, value| {
        records = records.saturating_add(1);
        known = elements.binary_search(blake3::hash(value).as_bytes()).is_ok();
        known
    });
    let sum = Fingerprint::of(space.byte(), &elements);
    known && records == elements.len() && sum.root() == shelf::root(view, space)
}

/// Each version that cases may have pinned is where its row says.
fn versions_agree(view: &dyn View) -> bool {
    let mut agreed = true;
    view.scan(&rows::Key::new(Table::Version).done(), &[], &mut |key, _| {
        let digest = key.get(1..).and_then(|digest| <[u8; 32]>::try_from(digest).ok());
        agreed = digest.is_some_and(|digest| shelf::version(view, &Digest(digest)).is_some());
        agreed
    });
    agreed
}

/// A card for each life, made of its charter.
fn lives_agree(view: &dyn View) -> bool {
    let (directory, mut lives, mut agreed) = (Directory::new(view), 0_u64, true);
    view.scan(&rows::Key::new(Table::Life).done(), &[], &mut |_, value| {
        lives = lives.saturating_add(1);
        let charter = signed::<Record>(value).map(|record| record.body);
        agreed = match charter {
            Some(Body::Charter(charter)) => directory.card(charter.at()) == Some(HallCard::of(&charter)),
            Some(
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
                | Body::Bundle(_),
            )
            | None => false,
        };
        agreed
    });
    agreed && lives == count(view, Table::Card)
}

/// Each case is the fold of its log, is found by its number and by its bundle, and is counted; no event is without its case.
fn cases_agree(view: &dyn View) -> bool {
    let (mut found, mut events, mut tasks, mut agreed) = (0_u64, 0_u64, 0_u64, true);
    view.scan(&rows::Key::new(Table::Case).done(), &[], &mut |_, value| {
        let Some(case) = decode::<Case>(value) else { return false };
        found = found.saturating_add(1);
        events = events.saturating_add(u64::from(case.events));
        let number = view.get(&rows::number(&case.number.to_string()));
        let numbered = number.and_then(|id| decode::<CaseId>(&id)) == Some(case.id);
        let task = case.task.map(|task| rows::task(&task.bundle, task.ordinal, case.id));
        tasks = tasks.saturating_add(u64::from(task.is_some()));
        let joined = task.is_none_or(|key| view.get(&key).is_some());
        agreed = numbered && joined && folded(view, case.id).as_ref() == Some(&case);
        agreed
    });
    agreed
        && events == count(view, Table::Event)
        && found == count(view, Table::Number)
        && found == rows::counted(view, "cases")
        && tasks == count(view, Table::Task)
        && tasks == rows::counted(view, "tasks")
}

fn folded(view: &dyn View, id: CaseId) -> Option<Case> {
    let log = cases::stored_file(view, id, u32::MAX).events;
    let mut folded: Option<Case> = None;
    for event in &log {
        let (header, digest) = (event.header().ok()?, event.digest());
        let next = match &folded {
            None => Case::begin(&header, digest),
            Some(case) => case.next(&header, digest),
        };
        folded = Some(next.ok()?);
    }
    folded
}

/// The desk shows each case in the stage that this hall's part in it says.
fn desk_agrees(view: &dyn View) -> bool {
    let mut stages: BTreeMap<u8, u64> = BTreeMap::new();
    let (mut parts, mut agreed) = (0_u64, true);
    view.scan(&rows::Key::new(Table::Custody).done(), &[], &mut |key, value| {
        let id = key.get(1..).and_then(|id| id.try_into().ok()).map(CaseId);
        let (Some(id), Some(custody)) = (id, decode::<Custody>(value)) else { return false };
        let stage = custody.stage.byte();
        parts = parts.saturating_add(1);
        let counted = stages.entry(stage).or_insert(0);
        *counted = counted.saturating_add(1);
        agreed = view.get(&rows::desk(stage, id)).is_some();
        agreed
    });
    let counted = Stage::ALL.into_iter().all(|stage| {
        let found = stages.get(&stage.byte()).copied().unwrap_or_default();
        found == rows::counted(view, &format!("stage/{}", stage.word()))
    });
    agreed && counted && parts == count(view, Table::Desk)
}

/// Cases in hand that lie on one disk, and no others, are listed by case and by age.
fn singles_agree(view: &dyn View) -> bool {
    let (mut found, mut agreed) = (0_u64, true);
    view.scan(&rows::Key::new(Table::Custody).done(), &[], &mut |key, value| {
        let id = key.get(1..).and_then(|id| id.try_into().ok()).map(CaseId);
        let (Some(id), Some(custody)) = (id, decode::<Custody>(value)) else { return false };
        let in_hand = matches!(custody.stage, Stage::Custodian | Stage::Handing);
        let since = view.get(&rows::single(id)).and_then(|since| decode::<u64>(&since));
        let listed = since.is_none_or(|since| view.get(&rows::single_since(since, id)).is_some());
        found = found.saturating_add(u64::from(since.is_some()));
        agreed = listed && since.is_some() == (in_hand && custody.grade == Grade::D1);
        agreed
    });
    // Each is in the table twice.
    agreed && found == rows::counted(view, "single") && found.saturating_mul(2) == count(view, Table::Single)
}

/// Cases in hand for which something is still owed, and no others, are listed as open.
fn open_agree(view: &dyn View) -> bool {
    let (mut found, mut agreed) = (0_u64, true);
    view.scan(&rows::Key::new(Table::Custody).done(), &[], &mut |key, value| {
        let id = key.get(1..).and_then(|id| id.try_into().ok()).map(CaseId);
        let (Some(id), Some(custody)) = (id, decode::<Custody>(value)) else { return false };
        let owed = cases::stored_case(view, id).is_some_and(|case| !case.is_over());
        let listed = view.get(&rows::open(id)).is_some();
        found = found.saturating_add(u64::from(listed));
        agreed = listed == (custody.stage.is_in_hand() && owed);
        agreed
    });
    agreed && found == count(view, Table::Open)
}

/// Applications for bundles that came in here and are not over, and no others, are watched.
fn watched_agree(view: &dyn View) -> bool {
    let (mut found, mut after) = (0_u64, None);
    loop {
        let numbers = cases::numbers(view, "", after, PAGE_MAX);
        let Some(last) = numbers.last() else { return found == count(view, Table::Watched) };
        after = Some(*last);
        for number in numbers {
            let held = view.get(&rows::watched(&number)).and_then(|value| decode::<u32>(&value));
            if held != cases::watched(view, number) {
                return false;
            }
            found = found.saturating_add(u64::from(held.is_some()));
        }
    }
}

/// What waits is counted, in all and for each hall that stated it.
fn statements_agree(view: &dyn View) -> bool {
    let (mut found, mut by) = (0_u64, BTreeMap::new());
    for (_, _, kept) in cases::open_statements(view, usize::MAX) {
        let Ok(said) = kept.signed.peek() else { return false };
        let stated = by.entry(said.by.hall).or_insert(0_u64);
        *stated = stated.saturating_add(1);
        found = found.saturating_add(1);
    }
    let counted = by.into_iter().all(|(hall, stated)| rows::counted(view, &cases::stated_by(hall)) == stated);
    counted && found == rows::counted(view, "statements")
}

/// Each letter that waits is counted, is found by its name, and ages.
fn post_agrees(view: &dyn View) -> bool {
    let waiting = rows::counted(view, "post");
    let counted = [Table::Post, Table::Age].into_iter().all(|table| count(view, table) == waiting);
    counted && count(view, Table::Letter) == post::names(view)
}

/// The Merkle log of each life computes to what was signed of it, and no leaf is beside them.
fn audits_agree(view: &dyn View) -> bool {
    let Some(own) = genesis::identity(view) else { return false };
    let mut lives = Vec::new();
    view.scan(&rows::Key::new(Table::AuditSize).done(), &[], &mut |key, _| {
        let incarnation = key.get(1..5).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
        lives.extend(incarnation.map(|incarnation| HallAt { incarnation, ..own.at }));
        true
    });
    let leaves = lives.iter().fold(0_u64, |sum, at| sum.saturating_add(audit::size(view, *at)));
    let counted = [Table::Leaf, Table::Audited].into_iter().all(|table| count(view, table) == leaves);
    counted && lives.into_iter().all(|at| audit_holds(view, at))
}

fn audit_holds(view: &dyn View, at: HallAt) -> bool {
    let mut from = 0_u64;
    loop {
        let checked = audit::recheck(view, at, from, PAGE_MAX);
        if checked.wrong.is_some() || checked.checked >= checked.size {
            return checked.wrong.is_none();
        }
        from = checked.checked;
    }
}

fn count(view: &dyn View, table: Table) -> u64 {
    let mut count = 0_u64;
    view.scan(&rows::Key::new(table).done(), &[], &mut |_, _| {
        count = count.saturating_add(1);
        true
    });
    count
}
