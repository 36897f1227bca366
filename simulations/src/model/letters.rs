//! Letters that were ever written, each under a number, and sets of them.

use std::collections::BTreeMap;

use anyhow::ensure;
use hallmesh_protocol::cases::ReceiptKind;
use hallmesh_protocol::message::Message;
use hallmesh_protocol::post::{self, Letter, LetterBody};

use super::logs::LogId;
use super::setting::Seat;

/// A letter's number.
pub(super) type LetterId = u32;

const WORDS: usize = 12;
/// Different letters that one check can tell apart.
const LETTERS_MAX: u32 = 64 * 12;

/// A set of letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Letters([u64; WORDS]);

impl Letters {
    pub(super) fn add(&mut self, letter: LetterId) {
        let (word, bit) = place(letter);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine |= theirs);
    }

    pub(super) fn both(&self, other: &Self) -> Self {
        self.with(other, |mine, theirs| mine & theirs)
    }

    pub(super) fn without(&self, other: &Self) -> Self {
        self.with(other, |mine, theirs| mine & !theirs)
    }

    pub(super) fn within(&self, other: &Self) -> bool {
        self.without(other).is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = LetterId> {
        (0..LETTERS_MAX).step_by(64).zip(self.0).flat_map(|(first, word)| {
            let rest = |word: &u64| Some(word & word.wrapping_sub(1)).filter(|rest| *rest != 0);
            let words = std::iter::successors(Some(word).filter(|word| *word != 0), rest);
            words.map(move |word| first.saturating_add(word.trailing_zeros()))
        })
    }

    fn with(&self, other: &Self, how: impl Fn(u64, u64) -> u64) -> Self {
        let mut result = *self;
        result.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine = how(*mine, theirs));
        result
    }
}

fn place(letter: LetterId) -> (usize, u64) {
    let word = usize::try_from(letter / 64).unwrap_or(usize::MAX);
    (word, 1_u64.checked_shl(letter % 64).unwrap_or(0))
}

/// A letter and what the promises want to know of it.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) to: Seat,
    pub(super) letter: Letter,
    /// The log it carries.
    pub(super) log: Option<LogId>,
    pub(super) receipt: Option<Said>,
    /// It asks after the hand-over at this place, which this hall made.
    pub(super) asked: Option<(u32, Seat)>,
    /// It carries a log that is not its writer's to send: every hall refuses it.
    pub(super) unfit: bool,
}

/// What a receipt is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub(super) kind: ReceiptKind,
    pub(super) sequence: u32,
    pub(super) by: Seat,
}

impl Written {
    /// The hand-over it says is through, if it says so: its place in the log, and to whom.
    pub(super) fn mirrored(&self) -> Option<(u32, Seat)> {
        let through = |said: &Said| said.kind == ReceiptKind::Mirrored;
        self.receipt.filter(through).map(|said| (said.sequence, said.by))
    }
}

/// Every letter that was ever written.
#[derive(Debug, Default)]
pub(super) struct Archive {
    letters: Vec<Written>,
    names: BTreeMap<post::LetterId, LetterId>,
    to: BTreeMap<Seat, Letters>,
    /// Those which say that a hand-over is through.
    pub(super) mirrored: Letters,
    /// Those which ask after one.
    pub(super) questions: Letters,
    with_log: BTreeMap<LogId, Letters>,
}

impl Archive {
    /// The number of a letter that was written before: its name follows from what it says.
    pub(super) fn number(&self, letter: &Letter) -> Option<LetterId> {
        self.names.get(&letter.id).copied()
    }

    pub(super) fn add(&mut self, written: Written) -> anyhow::Result<LetterId> {
        let id = u32::try_from(self.letters.len())?;
        ensure!(id < LETTERS_MAX, "more than {LETTERS_MAX} different letters");
        self.names.insert(written.letter.id, id);
        self.to.entry(written.to).or_default().add(id);
        if written.mirrored().is_some() {
            self.mirrored.add(id);
        }
        if written.asked.is_some() {
            self.questions.add(id);
        }
        if let Some(log) = written.log {
            self.with_log.entry(log).or_default().add(id);
        }
        self.letters.push(written);
        Ok(id)
    }

    pub(super) fn letter(&self, id: LetterId) -> Option<&Written> {
        self.letters.get(usize::try_from(id).unwrap_or(usize::MAX))
    }

    pub(super) fn to(&self, seat: Seat) -> Letters {
        self.to.get(&seat).copied().unwrap_or_default()
    }

    /// Those which carry a log.
    pub(super) fn with_log(&self, log: LogId) -> Letters {
        self.with_log.get(&log).copied().unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.letters.len()
    }
}

/// What a letter says, in a few words.
pub(super) fn words(letter: &Letter) -> String {
    let upto = |events: usize| events.saturating_sub(1);
    match &letter.body {
        LetterBody::HandOver(file) => format!("hand-over, log up to {}", upto(file.events.len())),
        LetterBody::Copy(file) => format!("copy, log up to {}", upto(file.events.len())),
        LetterBody::Ask(asked) => format!("question after the hand-over at {}", asked.sequence),
        LetterBody::Statement(_) => "statement".to_owned(),
        LetterBody::AskFence { of, .. } => format!("question for a fence of life {}", of.incarnation),
        LetterBody::Fence(file, signed) => {
            let binds = signed.peek().is_ok_and(|said| matches!(said.kind, ReceiptKind::Fenced { .. }));
            let word = if binds { "fence" } else { "word of what there is" };
            match file {
                Some(file) => format!("{word}, log up to {}", upto(file.events.len())),
                None => format!("{word}, without a log"),
            }
        }
        LetterBody::Receipt(signed) => match signed.peek() {
            Ok(receipt) => {
                let kind = match receipt.kind {
                    ReceiptKind::Copied => "copied",
                    ReceiptKind::Held => "held",
                    ReceiptKind::Mirrored => "mirrored",
                    ReceiptKind::Refused(_) => "refused",
                    ReceiptKind::Unknown => "unknown",
                    ReceiptKind::Fenced { .. } => "fenced",
                    ReceiptKind::Known { .. } => "known",
                    ReceiptKind::Told { .. } => "told",
                    ReceiptKind::Heard { .. } => "heard",
                };
                format!("receipt \"{kind}\" for {}", receipt.sequence)
            }
            Err(malformed) => malformed.to_string(),
        },
    }
}

/// The message that carries a letter.
pub(super) fn message(letter: &Letter) -> Message {
    Message::Letter(letter.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_added_in_order() {
        let mut set = Letters::default();
        for letter in [700, 3, 64, 63, 3] {
            set.add(letter);
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, 63, 64, 700]);
        let mut more = set;
        more.add(65);
        assert!(set.within(&more) && !more.within(&set));
        assert_eq!(more.without(&set).iter().collect::<Vec<_>>(), [65]);
        assert_eq!(more.both(&set), set);
    }
}
