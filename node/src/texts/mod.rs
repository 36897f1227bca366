//! What people read: one catalogue per language, `key = text with {parameter}` a line.
//!
//! Codes and parameters are data everywhere else; only here do they become sentences. A key that no catalogue
//! has is printed as it is, so that nothing a person should see is ever lost.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Display;

pub use crate::config::Language as Lang;

const ZH: &str = include_str!("zh.txt");
const EN: &str = include_str!("en.txt");
/// Asia/Shanghai: one zone, no summer time.
const ZONE_MS: u64 = 8 * 3_600_000;

/// The language named by a flag, a setting or a locale such as `zh_CN.UTF-8`; none if it is neither.
pub fn named(text: &str) -> Option<Lang> {
    match text.get(..2)? {
        "zh" => Some(Lang::Zh),
        "en" => Some(Lang::En),
        _ => None,
    }
}

/// The language of an environment: the first of these variables that is set decides, and what is not
/// Chinese is English.
pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Lang {
    let set = ["HALLMESH_LANG", "LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(variable);
    set.into_iter().find(|value| !value.is_empty()).and_then(|value| named(&value)).unwrap_or(Lang::En)
}

/// The time of day in Shanghai, `09:10:44`, from milliseconds since 1970.
pub fn clock(wall: u64) -> String {
    let of_day = wall.saturating_add(ZONE_MS) / 1_000 % 86_400;
    format!("{:02}:{:02}:{:02}", of_day / 3_600, of_day / 60 % 60, of_day % 60)
}

/// The catalogue of one language.
#[derive(Clone, Debug)]
pub struct Texts {
    lang: Lang,
    entries: BTreeMap<&'static str, &'static str>,
}

impl Texts {
    /// The catalogue of `lang`.
    pub fn new(lang: Lang) -> Self {
        let source = match lang {
            Lang::Zh => ZH,
            Lang::En => EN,
        };
        Self { lang, entries: entries(source).collect() }
    }

    /// Its language.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// The text under `key` with its parameters filled in; the key itself if there is none.
    pub fn say(&self, key: &str, params: &[(&str, &str)]) -> String {
        let params: Vec<(&str, &dyn Display)> =
            params.iter().map(|(name, value)| (*name, value as &dyn Display)).collect();
        self.filled(key, &params)
    }

    /// Like [`Texts::say`], with parameters of any kind that can be shown.
    pub fn filled(&self, key: &str, params: &[(&str, &dyn Display)]) -> String {
        self.find(key, params).unwrap_or_else(|| key.to_owned())
    }

    /// The text under `key` with its parameters filled in, if there is one.
    pub fn find(&self, key: &str, params: &[(&str, &dyn Display)]) -> Option<String> {
        self.entries.get(key).map(|text| fill(text, params))
    }

    /// The text under `key` as it is in the catalogue: for places that take nothing shorter-lived.
    pub fn fixed(&self, key: &'static str) -> &'static str {
        self.entries.get(key).copied().unwrap_or(key)
    }

    /// A stable word of the protocol, such as `tier` `city`, in this language; the word itself if unknown.
    pub fn word(&self, kind: &str, word: &str) -> String {
        self.find(&format!("{kind}.{word}"), &[]).unwrap_or_else(|| word.to_owned())
    }

    /// Every key.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.entries.keys().copied()
    }
}

/// Keys and raw texts of a catalogue.
fn entries(source: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = source.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).map(|(key, text)| (key.trim(), text.trim()))
}

/// One pass, so that a value that looks like a parameter is not taken for one.
fn fill(text: &str, params: &[(&str, &dyn Display)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, name, after)) = next_place(rest) {
        filled.push_str(&before.replace("\\n", "\n"));
        match params.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => filled.push_str(&value.to_string()),
            None => filled.extend(["{", name, "}"]),
        }
        rest = after;
    }
    filled.push_str(&rest.replace("\\n", "\n"));
    filled
}

/// What stands before the first `{name}`, the name, and what follows.
fn next_place(text: &str) -> Option<(&str, &str, &str)> {
    let (before, opened) = text.split_once('{')?;
    let (name, after) = opened.split_once('}')?;
    Some((before, name, after))
}
