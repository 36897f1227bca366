//! From a file to settings, with the place of whatever is wrong.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::finding::{ConfigError, Position};
use super::{CONFIG_FILE_MAX, CONFIG_PATH, Config};

/// A misspelt key differs from the one that was meant in at most this many letters.
const SUGGESTION_DISTANCE_MAX: usize = 3;
/// A longer key is not compared with the known ones.
const COMPARED_KEY_MAX: usize = 64;

pub(super) fn load(path: Option<&Path>) -> Result<Config, ConfigError> {
    let file = path.unwrap_or(Path::new(CONFIG_PATH));
    match read(file) {
        Err(ConfigError::Unreadable { source, .. })
            if path.is_none() && source.kind() == io::ErrorKind::NotFound =>
        {
            Ok(Config::default())
        }
        read => parse(file, &read?),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ConfigError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(CONFIG_FILE_MAX.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|source| ConfigError::Unreadable { file: path.to_owned(), source })?;
    if u64::try_from(bytes.len()).is_ok_and(|size| size <= CONFIG_FILE_MAX) {
        Ok(bytes)
    } else {
        Err(ConfigError::TooLarge { file: path.to_owned(), max: CONFIG_FILE_MAX })
    }
}

pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Config, ConfigError> {
    let text = utf8(path, bytes)?;
    let place = Place { file: path.to_owned(), text };
    let table = DeTable::parse(text).map_err(|cause| place.syntax(&cause))?;
    place.refuse_unknown(table.get_ref())?;
    toml::from_str(text).map_err(|cause| place.value(table.get_ref(), &cause))
}

fn utf8<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str, ConfigError> {
    std::str::from_utf8(bytes).map_err(|cause| {
        let (good, _) = bytes.split_at_checked(cause.valid_up_to()).unwrap_or((bytes, &[]));
        let at = position(&String::from_utf8_lossy(good), good.len());
        ConfigError::Encoding { file: path.to_owned(), at }
    })
}

/// A file and its text, to say where something is.
struct Place<'a> {
    file: PathBuf,
    text: &'a str,
}

impl Place<'_> {
    fn syntax(&self, cause: &toml::de::Error) -> ConfigError {
        let at = self.at(cause.span());
        ConfigError::Syntax { file: self.file.clone(), at, message: cause.message().to_owned() }
    }

    fn refuse_unknown(&self, table: &DeTable<'_>) -> Result<(), ConfigError> {
        let unknown = table.keys().filter(|key| !Config::KEYS.contains(&key.get_ref().as_ref()));
        let Some(key) = unknown.min_by_key(|key| key.span().start) else { return Ok(()) };
        Err(ConfigError::UnknownKey {
            file: self.file.clone(),
            at: self.at(Some(key.span())),
            key: key.get_ref().to_string(),
            suggestion: nearest(key.get_ref()),
        })
    }

    fn value(&self, table: &DeTable<'_>, cause: &toml::de::Error) -> ConfigError {
        let span = cause.span().unwrap_or_default();
        let around =
            |value: &Spanned<DeValue<'_>>| value.span().start <= span.start && span.end <= value.span().end;
        let key = table.iter().find(|(_, value)| around(value)).map(|(key, _)| key.get_ref().to_string());
        ConfigError::Value {
            file: self.file.clone(),
            at: self.at(Some(span)),
            key: key.unwrap_or_default(),
            message: cause.message().to_owned(),
        }
    }

    fn at(&self, span: Option<Range<usize>>) -> Position {
        position(self.text, span.unwrap_or_default().start)
    }
}

fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline.saturating_add(1));
    let line = before.matches('\n').count().saturating_add(1);
    let column = before.get(line_start..).unwrap_or_default().chars().count().saturating_add(1);
    Position { line, column }
}

/// The known key that `written` is probably a slip for.
fn nearest(written: &str) -> Option<&'static str> {
    if written.len() > COMPARED_KEY_MAX {
        return None;
    }
    let distances = Config::KEYS.iter().map(|known| (distance(written, known), *known));
    let (steps, known) = distances.min_by_key(|(steps, _)| *steps)?;
    // Within the bound, and more alike than not: otherwise `x` would be a slip for `log`.
    (steps <= SUGGESTION_DISTANCE_MAX && steps.saturating_mul(2) <= known.len()).then_some(known)
}

/// How many letters to add, drop or change to turn `from` into `to` (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut above: Vec<usize> = (1..=to.chars().count()).collect();
    let mut left = above.len();
    for (row, letter) in from.chars().enumerate() {
        let mut diagonal = row;
        left = row.saturating_add(1);
        for (other, cell) in to.chars().zip(above.iter_mut()) {
            let changed = diagonal.saturating_add(usize::from(letter != other));
            diagonal = *cell;
            left = changed.min(left.min(*cell).saturating_add(1));
            *cell = left;
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_letters() {
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("", "log"), 3);
        assert_eq!(distance("log", ""), 3);
        assert_eq!(distance("listen", "listen"), 0);
        assert_eq!(distance("lisen", "listen"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        assert_eq!(nearest("data-dir"), Some("data_dir"));
        assert_eq!(nearest("Listen"), Some("listen"));
        assert_eq!(nearest("ping_interval"), Some("ping_interval_ms"));
        assert_eq!(nearest("x"), None);
        assert_eq!(nearest("database_password"), None);
        assert_eq!(nearest(&"l".repeat(10_000)), None);
    }
}
