//! First letters of pinyin, one byte a character.

use std::collections::BTreeMap;

use pinyin::{ToPinyin, ToPinyinMulti};

/// Codes from here on stand for several letters.
const SEVERAL: u8 = 128;
/// Sets of letters that are told apart; of a character with another one, the usual reading counts alone.
const SETS_MAX: usize = 128;

/// The sets of letters that characters with several readings begin with.
#[derive(Debug, Default)]
pub(super) struct Letters {
    sets: Vec<u32>,
    places: BTreeMap<u32, u8>,
}

impl Letters {
    /// Appends the first letters of a name: of a Chinese character those of its readings, of an ASCII letter or
    /// digit itself, of anything else nothing.
    pub(super) fn of(&mut self, name: &str, letters: &mut Vec<u8>) {
        letters.extend(name.chars().filter_map(|character| self.letter(character)));
    }

    /// Where `wanted` begins in the letters of a name.
    pub(super) fn find(&self, letters: &[u8], wanted: &[u8]) -> Option<usize> {
        let last = letters.len().checked_sub(wanted.len())?;
        let fits = |at: &usize| {
            let here = letters.get(*at..).unwrap_or_default();
            here.iter().zip(wanted).all(|(letter, wanted)| self.is(*letter, *wanted))
        };
        (0..=last).find(fits)
    }

    fn is(&self, letter: u8, wanted: u8) -> bool {
        match letter.checked_sub(SEVERAL) {
            None => letter == wanted,
            Some(set) => self.sets.get(usize::from(set)).is_some_and(|set| set & bit(wanted) != 0),
        }
    }

    fn letter(&mut self, character: char) -> Option<u8> {
        if character.is_ascii_alphanumeric() {
            return u8::try_from(character.to_ascii_lowercase()).ok();
        }
        let usual = first(character.to_pinyin()?.first_letter())?;
        let readings = character.to_pinyin_multi();
        let set = readings
            .into_iter()
            .flatten()
            .fold(bit(usual), |set, reading| set | first(reading.first_letter()).map_or(0, bit));
        if set == bit(usual) { Some(usual) } else { Some(self.several(set).unwrap_or(usual)) }
    }

    fn several(&mut self, set: u32) -> Option<u8> {
        if let Some(place) = self.places.get(&set) {
            return Some(*place);
        }
        let place = u8::try_from(self.sets.len()).ok().filter(|place| usize::from(*place) < SETS_MAX)?;
        let place = place.saturating_add(SEVERAL);
        self.sets.push(set);
        self.places.insert(set, place);
        Some(place)
    }
}

/// The letters of a name, each character in its usual reading.
pub(super) fn usual(name: &str) -> String {
    let letter = |character: char| match character {
        ascii if ascii.is_ascii_alphanumeric() => Some(ascii.to_ascii_lowercase()),
        other => first(other.to_pinyin()?.first_letter()).map(char::from),
    };
    name.chars().filter_map(letter).collect()
}

/// A letter as one of 26 bits; anything else is none.
fn bit(letter: u8) -> u32 {
    match letter {
        b'a'..=b'z' => 1_u32.wrapping_shl(u32::from(letter.wrapping_sub(b'a'))),
        _ => 0,
    }
}

/// Readings such as ê begin with no letter that anybody types.
fn first(letter: &str) -> Option<u8> {
    letter.bytes().next().filter(u8::is_ascii_lowercase)
}
