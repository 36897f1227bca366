//! Rows that differ only in what cannot matter are made one: without this there is no end to the states.
//!
//! * **Tallies** (table `29`) are left out. They count for people; no rule reads them.
//! * **Ages of letters** (table `34`) follow from the letters; they are left out where no time passes.
//! * **The post's numbers** (tables `30`, `31`, `32`) start again at 1, in the order of the letters' own names. They
//!   say in which order the letters of one destination go out, at most 64 at a time; here there are at most three,
//!   which go out together. **Since when they wait** is the first morning: no moment is too early for days to have gone by.
//!   A destination for which nothing waits has no row, which reads the same as its zeros.
//!
//! * **Receipts of mirrors for less than the head** (table `26`) are left out. A mirror's receipt is looked at in two ways:
//!   whether it is for the head, and the log never goes back; and whether it countersigns a decision that is to be
//!   delivered. Then the decision is the head, or there is a TAKE after it, which countersigns by itself.
//!
//! * **Receipts of mirrors for the head** are left out, too, where no clerk decides anything and no time passes, of a hall that has the case
//!   in hand, hands it over, or was let go. What they do there they do when they come; they are read again by a hall that
//!   is about to take the case only, whose head is another one.
//! * **Words of halls that have fenced a life off** (table `2e`) are left out of a hall that has the case in hand: it has
//!   gone on, and nobody goes on for that life again.
//! * **Orphans** (table `2f`) are left out. They are kept for people.
//! * **The Merkle log** (tables `50` to `53`) is left out, but of a hall that may be put back to an old disk and then be
//!   shown how far its log had come. It holds the order in which things were signed; no other rule reads it.
//! * **What is known of such logs** (tables `54` to `56`) is left out: it is asked for apart, see `halls::lives`.
//!
//! What else could grow or differ stands still by the way the checker asks: one clock reading and one boot id for all
//! starts of a hall, until something happens after which an old life of it may have said what it does not remember.

use std::collections::BTreeMap;

use hallmesh_protocol::step::{Bytes, Writes};

use crate::clock::FOUNDED;

/// First bytes of the rows concerned: see the key space in `hallmesh_protocol::rows`.
mod table {
    pub(super) const EVENT: u8 = 0x21;
    pub(super) const CUSTODY: u8 = 0x23;
    pub(super) const COPIED: u8 = 0x26;
    pub(super) const TALLY: u8 = 0x29;
    pub(super) const FENCED: u8 = 0x2e;
    pub(super) const ORPHAN: u8 = 0x2f;
    pub(super) const POST: u8 = 0x30;
    pub(super) const LETTER: u8 = 0x31;
    pub(super) const POSTED: u8 = 0x32;
    pub(super) const AGE: u8 = 0x34;
    pub(super) const LEAF: u8 = 0x50;
    pub(super) const CHECKPOINT: u8 = 0x54;
    pub(super) const WITNESS: u8 = 0x56;
}

/// What a hall is to the case, as its row has it.
mod stage {
    pub(super) const CUSTODIAN: u32 = 1;
    pub(super) const HANDING: u32 = 2;
    pub(super) const RELEASED: u32 = 4;
}

/// What is looked at in a hall's rows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Looked {
    /// Its Merkle log.
    pub(super) log: bool,
    /// Who has countersigned a decision.
    pub(super) decisions: bool,
    /// How long letters wait.
    pub(super) ages: bool,
}

/// A destination and a letter's number there, as a letter's row has them.
type Address = (u64, u64);

/// The rows a hall has written, made one with all that cannot be told from them.
pub(super) fn canonical(rows: &Writes, looked: Looked) -> Writes {
    let events = rows.range(vec![table::EVENT]..vec![table::EVENT.saturating_add(1)]).count();
    let mut head = u32::try_from(events).unwrap_or(u32::MAX).saturating_sub(1);
    let part =
        rows.range(vec![table::CUSTODY]..).next().filter(|(key, _)| key.first() == Some(&table::CUSTODY));
    let part = part.and_then(|(_, value)| value.as_ref().and_then(stage_in));
    if !looked.decisions
        && !looked.ages
        && matches!(part, Some(stage::CUSTODIAN | stage::HANDING | stage::RELEASED))
    {
        head = head.saturating_add(1);
    }
    let matters = |(key, value): &(&Vec<u8>, &Option<Bytes>)| match key.first() {
        Some(
            &(table::TALLY
            | table::ORPHAN
            | table::POST
            | table::LETTER
            | table::POSTED
            | table::AGE
            | table::CHECKPOINT..=table::WITNESS),
        ) => false,
        Some(&(table::LEAF..table::CHECKPOINT)) => looked.log,
        Some(&table::FENCED) => part != Some(stage::CUSTODIAN),
        Some(&table::COPIED) => value.as_ref().and_then(copied_up_to).is_none_or(|upto| upto >= head),
        Some(_) | None => true,
    };
    let matters = rows.iter().filter(matters).map(|(key, value)| (key.clone(), value.clone()));
    let mut canonical: Writes = matters.collect();
    let mut last: BTreeMap<u64, u64> = BTreeMap::new();
    for (name, value) in rows.range(vec![table::LETTER]..vec![table::POSTED]) {
        let Some((to, number)) = value.as_ref().and_then(address) else { continue };
        let letter = rows.get(&post(to, number)).cloned().flatten().map(|letter| since_ever(&letter));
        let number = last.entry(to).or_default();
        *number = number.saturating_add(1);
        canonical.insert(post(to, *number), letter);
        if let Some(key) = value.as_ref().filter(|_| looked.ages).and_then(|value| age(name, value, *number))
        {
            canonical.insert(key, Some(Bytes::default()));
        }
        let filed = value.as_ref().map(|value| since_ever(&with_number(value, *number)));
        canonical.insert(name.clone(), filed);
    }
    for (to, last) in last {
        let posted = [&[1], last.to_le_bytes().as_slice(), &last.to_le_bytes()].concat();
        canonical.insert([&[table::POSTED], to.to_be_bytes().as_slice()].concat(), Some(posted.into()));
    }
    canonical
}

/// Reads a hall's part in the case: version byte, term, epoch, then the stage.
fn stage_in(value: &Bytes) -> Option<u32> {
    Some(u32::from_le_bytes(*value.get(1 + 8..)?.first_chunk()?))
}

/// Reads up to where a mirror's receipt is for: version byte, length of what is signed; in it the version byte, the
/// kind, the case, term and epoch, then the place in the log.
fn copied_up_to(value: &Bytes) -> Option<u32> {
    Some(u32::from_le_bytes(*value.get(1 + 8 + 1 + 4 + 16 + 8..)?.first_chunk()?))
}

/// Reads a letter's row: version byte, destination, number, since when.
fn address(value: &Bytes) -> Option<Address> {
    let to = u64::from_le_bytes(*value.get(1..)?.first_chunk()?);
    let number = u64::from_le_bytes(*value.get(9..)?.first_chunk()?);
    (value.len() == 25).then_some((to, number))
}

/// A row of a waiting letter, or of where it lies, as if it had waited since the first morning: both end with that.
fn since_ever(value: &Bytes) -> Bytes {
    let (before, _) = value.split_at_checked(value.len().saturating_sub(8)).unwrap_or((value, &[]));
    [before, &FOUNDED.to_le_bytes()].concat().into()
}

/// The key that says how long a letter waits: destination, whose it is, since when, number.
fn age(name: &[u8], value: &Bytes, number: u64) -> Option<Vec<u8>> {
    let (whose, (to, _)) = (*name.get(1)?, address(value)?);
    let to = to.to_be_bytes();
    Some([&[table::AGE], to.as_slice(), &[whose], &FOUNDED.to_be_bytes(), &number.to_be_bytes()].concat())
}

fn with_number(value: &Bytes, number: u64) -> Bytes {
    let (before, after) = (value.get(..9).unwrap_or_default(), value.get(17..).unwrap_or_default());
    [before, &number.to_le_bytes(), after].concat().into()
}

fn post(to: u64, number: u64) -> Vec<u8> {
    [&[table::POST], to.to_be_bytes().as_slice(), &number.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(rows: &Writes) -> Writes {
        super::canonical(rows, Looked::default())
    }

    fn letter(name: u8, to: u64, number: u64) -> (Vec<u8>, Option<Bytes>) {
        let since = 5_u64;
        let value = [&[1], to.to_le_bytes().as_slice(), &number.to_le_bytes(), &since.to_le_bytes()].concat();
        (vec![table::LETTER, name], Some(value.into()))
    }

    fn queue(numbers: [u64; 2], forks: u8) -> Writes {
        let [one, other] = numbers;
        let words = |word: &str| Some(word.as_bytes().into());
        let (last, waiting) = (one.max(other), 2_u64);
        let posted = [&[1], last.to_le_bytes().as_slice(), &waiting.to_le_bytes()].concat();
        let rows = [
            letter(1, 7, one),
            letter(2, 7, other),
            (post(7, one), words("one, since then")),
            (post(7, other), words("other, since then")),
            ([&[table::POSTED], 7_u64.to_be_bytes().as_slice()].concat(), Some(posted.into())),
            ([&[table::TALLY], b"forks".as_slice()].concat(), Some([forks].as_slice().into())),
            (vec![0x20], words("case")),
        ];
        rows.into_iter().collect()
    }

    #[test]
    fn queues_of_the_same_letters_are_one_and_stay_what_they_are() {
        let first = canonical(&queue([1, 2], 0));
        assert_eq!(first, canonical(&queue([8, 3], 9)));
        assert_eq!(first, canonical(&first));
        let mut without_tally = queue([1, 2], 0);
        without_tally.retain(|key, _| key.first() != Some(&table::TALLY));
        assert_eq!(first, canonical(&without_tally));
    }

    #[test]
    fn other_letters_and_other_cases_stay_different() {
        let mut other = queue([1, 2], 0);
        other.insert(vec![0x20], Some(b"another case".as_slice().into()));
        assert_ne!(canonical(&queue([1, 2], 0)), canonical(&other));
        let mut fewer = queue([1, 2], 0);
        fewer.remove(&vec![table::LETTER, 2]);
        assert_ne!(canonical(&queue([1, 2], 0)), canonical(&fewer));
    }
}
