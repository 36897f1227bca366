//! Finding a matter while somebody types: by Chinese words, by the first letters of their pinyin, by the beginning
//! of a code.
//!
//! The index is held in memory, about 150 bytes an entry, and made of the lists when somebody first looks for
//! something; nothing of it is on disk. As rows it would be read row by row, each with its check: 55,000 of them take
//! several times the 20 ms that a person typing does not notice, and every edit would be written twice.
//!
//! Every word must be found. A word without Chinese characters is the beginning of a code, or first letters; of a
//! character with several readings (行: xíng, háng) each counts. Better matches come first, then what holds for this
//! hall's own place, then for those above it, then shorter names.

mod keeper;
mod letters;
#[cfg(test)]
mod tests;

use std::collections::BinaryHeap;

use hallmesh_protocol::catalogue::Matter;
use hallmesh_protocol::ids::{DivisionCode, MatterCode};

pub use keeper::Search;
use letters::Letters;

/// Characters of what is looked for; more are not read.
pub const TEXT_MAX: usize = 100;
/// Words of it.
const WORDS_MAX: usize = 8;

/// First letters of a name, each character in its usual reading: what somebody might type for it.
pub fn initials(name: &str) -> String {
    letters::usual(name)
}

/// How well a word fits an entry; the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// The code begins with it.
    Code,
    /// The name begins with it.
    NameBegins,
    /// The first letters of the name begin with it.
    LettersBegin,
    /// It stands in the name.
    Name,
    /// It stands in the first letters.
    Letters,
    /// Its characters stand in the name in this order, with others between them.
    Scattered,
}

/// All matters that are listed.
#[derive(Debug, Default)]
pub struct Index {
    /// Ascending by code.
    entries: Vec<Entry>,
    letters: Letters,
}

#[derive(Debug)]
struct Entry {
    area: DivisionCode,
    /// Code, name and first letters, one after the other.
    text: Box<[u8]>,
    code: u8,
    name: u16,
}

impl Entry {
    fn code(&self) -> &[u8] {
        self.text.get(..usize::from(self.code)).unwrap_or_default()
    }

    fn name(&self) -> &[u8] {
        self.text.get(usize::from(self.code)..self.letters_from()).unwrap_or_default()
    }

    fn letters(&self) -> &[u8] {
        self.text.get(self.letters_from()..).unwrap_or_default()
    }

    fn letters_from(&self) -> usize {
        usize::from(self.code).saturating_add(usize::from(self.name))
    }
}

/// One word of a question.
enum Word {
    /// Only ASCII: as it is for codes, in small letters for first letters.
    Ascii {
        exact: Vec<u8>,
        small: Vec<u8>,
    },
    Han {
        text: Vec<u8>,
        characters: Vec<char>,
    },
}

/// The order of what was found: the worse of two words decides, then place, length and code.
type Rank = (Fit, u8, usize);

impl Index {
    /// Lists a matter, in place of what was listed under its code.
    pub fn put(&mut self, matter: &Matter) {
        let (code, name) = (matter.code.as_str().as_bytes(), matter.name.as_bytes());
        let mut text = [code, name].concat();
        self.letters.of(&matter.name, &mut text);
        let entry = Entry {
            area: matter.area,
            text: text.into_boxed_slice(),
            code: u8::try_from(code.len()).unwrap_or(u8::MAX),
            name: u16::try_from(name.len()).unwrap_or(u16::MAX),
        };
        match self.place(matter.code.as_str()) {
            Ok(at) => {
                self.entries.remove(at);
                self.entries.insert(at, entry);
            }
            Err(at) => self.entries.insert(at, entry),
        }
    }

    /// Takes a matter off the list.
    pub fn remove(&mut self, code: &str) {
        if let Ok(at) = self.place(code) {
            self.entries.remove(at);
        }
    }

    /// How many matters are listed.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of memory it takes, without what the allocator adds.
    pub fn bytes(&self) -> usize {
        let texts: usize = self.entries.iter().map(|entry| entry.text.len()).sum();
        texts.saturating_add(self.entries.capacity().saturating_mul(size_of::<Entry>()))
    }

    /// The codes of the `count` matters that fit `text` best, for somebody at `here`.
    pub fn find(&self, text: &str, here: DivisionCode, count: usize) -> Vec<MatterCode> {
        let words = words(text);
        // The worst of those kept is on top, to give way to a better one.
        let mut best: BinaryHeap<(Rank, usize)> = BinaryHeap::new();
        for (place, entry) in self.entries.iter().enumerate() {
            let Some(fit) = self.fit(&words, entry) else { continue };
            let found = ((fit, distance(entry.area, here), length(entry.name())), place);
            if best.len() < count {
                best.push(found);
            } else if best.peek().is_some_and(|worst| found < *worst) {
                best.pop();
                best.push(found);
            }
        }
        let found = best.into_sorted_vec().into_iter().filter_map(|(_, place)| self.entries.get(place));
        found.filter_map(|entry| std::str::from_utf8(entry.code()).ok()?.parse().ok()).collect()
    }

    fn place(&self, code: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| entry.code().cmp(code.as_bytes()))
    }

    /// How well the worst of the words fits; none if one does not, or there are none.
    fn fit(&self, words: &[Word], entry: &Entry) -> Option<Fit> {
        let mut worst = None;
        for word in words {
            worst = worst.max(Some(self.word(word, entry)?));
        }
        worst
    }

    fn word(&self, word: &Word, entry: &Entry) -> Option<Fit> {
        match word {
            Word::Ascii { exact, .. } if entry.code().starts_with(exact) => Some(Fit::Code),
            Word::Ascii { small, .. } => match self.letters.find(entry.letters(), small)? {
                0 => Some(Fit::LettersBegin),
                _ => Some(Fit::Letters),
            },
            Word::Han { text, characters } => match position(entry.name(), text) {
                Some(0) => Some(Fit::NameBegins),
                Some(_) => Some(Fit::Name),
                None => scattered(entry.name(), characters).then_some(Fit::Scattered),
            },
        }
    }
}

fn words(text: &str) -> Vec<Word> {
    let text: String = text.chars().take(TEXT_MAX).collect();
    let word = |word: &str| {
        let bytes = word.as_bytes().to_vec();
        if word.is_ascii() {
            Word::Ascii { small: bytes.to_ascii_lowercase(), exact: bytes }
        } else {
            Word::Han { text: bytes, characters: word.chars().collect() }
        }
    };
    text.split_whitespace().take(WORDS_MAX).map(word).collect()
}

/// How long a name is for a reader, in characters.
fn length(name: &[u8]) -> usize {
    std::str::from_utf8(name).map_or(name.len(), |name| name.chars().count())
}

/// 0 for what holds where somebody is, then one for each step up, then what holds elsewhere.
fn distance(area: DivisionCode, here: DivisionCode) -> u8 {
    if !area.covers(here) {
        return u8::MAX;
    }
    let steps = here.ancestors().position(|above| above == area);
    steps.and_then(|steps| u8::try_from(steps).ok()).map_or(0, |steps| steps.saturating_add(1))
}

/// Where a word begins in a name; both are UTF-8, so it begins with a character.
fn position(name: &[u8], word: &[u8]) -> Option<usize> {
    let first = word.first()?;
    let last = name.len().checked_sub(word.len())?;
    (0..=last)
        .find(|&at| name.get(at) == Some(first) && name.get(at..).is_some_and(|rest| rest.starts_with(word)))
}

fn scattered(name: &[u8], characters: &[char]) -> bool {
    let mut left = std::str::from_utf8(name).unwrap_or_default().chars();
    characters.iter().all(|wanted| left.any(|character| character == *wanted))
}
