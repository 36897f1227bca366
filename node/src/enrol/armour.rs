//! The one text format of everything that travels on paper, on a USB stick or in a chat window.
//!
//! ```text
//! -----BEGIN HALLMESH REQUEST-----
//! Hall: 620702000000-00
//! Name: ...
//!
//! aGFsbG1lc2gvdjEvZmlsZS9yZXF1ZXN0AAAAAAAAAAA...   64 characters a line
//! sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
//! -----END HALLMESH REQUEST-----
//! ```
//!
//! The base64 is 32 bytes that name the kind (a label padded with zeros), then the content; `base64 -d`
//! and `sha256sum` check it. The lines above it are for people and say nothing that the content does not
//! say: a reader compares them ([`Opened::check_headers`]), so that nobody is shown one hall and given
//! another. Line ends of any system, a byte order mark and blank lines around are no damage.

use std::collections::BTreeMap;
use std::fmt;

use hallmesh_protocol::ids::Digest;
use hallmesh_protocol::limits::{FRAME_MAX, RECORD_MAX};
use hallmesh_protocol::seal::{self, Context};
use thiserror::Error;
use zeroize::Zeroizing;

use super::base64;

/// No text of ours is longer.
pub const TEXT_MAX: usize = 2 << 20;
/// Lines above the content.
const HEADERS_MAX: usize = 8;
/// Characters of one line of base64.
const WIDTH: usize = 64;
/// Bytes of the label in front of the content.
const LABEL_BYTES: usize = 32;
/// A kind nobody knows is repeated to the reader, but not at any length.
const KIND_SHOWN_MAX: usize = 24;
const DASHES: &str = "-----";
const SUM: &str = "sha256: ";

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A city's root: public.
    Root,
    /// A hall's request for a charter.
    Request,
    /// Who a superior is, for those who issue in its area.
    Card,
    /// What a hall joins with.
    Join,
    /// The root's word about a life of a hall.
    Word,
    /// A secret key of the root.
    Key,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] = [Self::Root, Self::Request, Self::Card, Self::Join, Self::Word, Self::Key];

    /// The word in the first and last line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Root => "ROOT",
            Self::Request => "REQUEST",
            Self::Card => "CARD",
            Self::Join => "JOIN",
            Self::Word => "WORD",
            Self::Key => "KEY",
        }
    }

    const fn context(self) -> Context {
        match self {
            Self::Root => Context::new(b"hallmesh/v1/file/root"),
            Self::Request => Context::new(b"hallmesh/v1/file/request"),
            Self::Card => Context::new(b"hallmesh/v1/file/card"),
            Self::Join => Context::new(b"hallmesh/v1/file/join"),
            Self::Word => Context::new(b"hallmesh/v1/file/word"),
            Self::Key => Context::new(b"hallmesh/v1/file/key"),
        }
    }

    /// Bytes of content at the most.
    const fn content_max(self) -> usize {
        match self {
            Self::Root | Self::Request | Self::Word => 2 * RECORD_MAX,
            Self::Card | Self::Join => FRAME_MAX,
            Self::Key => 256,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Where a text is not as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Damage {
    /// A line between the first and the blank one is no `Name: value`, or there are too many.
    Header,
    /// A line for people says something else than the content.
    HeaderDiffers,
    /// A line of the content.
    Body,
    /// The line with the checksum.
    Sum,
    /// The content is not the one the checksum was made of.
    SumDiffers,
    /// The last line.
    End,
    /// Something stands after the last line.
    AfterEnd,
    /// The text stops too early.
    CutOff,
    /// The content is whole, but none that this build understands.
    Content,
}

impl Damage {
    const fn code(self) -> &'static str {
        match self {
            Self::Header => "enrol.file.header",
            Self::HeaderDiffers => "enrol.file.header_differs",
            Self::Body => "enrol.file.body",
            Self::Sum => "enrol.file.sum",
            Self::SumDiffers => "enrol.file.sum_differs",
            Self::End => "enrol.file.end",
            Self::AfterEnd => "enrol.file.after_end",
            Self::CutOff => "enrol.file.cut_off",
            Self::Content => "enrol.file.content",
        }
    }
}

/// Why a text was not read. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ArmourError {
    /// Larger than any text of ours.
    #[error("{bytes} bytes, at most {max} are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// It does not begin like a text of ours.
    #[error("not a hallmesh text")]
    NotOurs,
    /// It is a text of ours of another kind.
    #[error("a {found}, not a {expected}")]
    WrongKind {
        /// What it is.
        found: String,
        /// What was expected.
        expected: Kind,
    },
    /// It is not as it was written.
    #[error("damaged in line {line}: {damage:?}")]
    Damaged {
        /// Which line, counted from 1.
        line: usize,
        /// What of it.
        damage: Damage,
    },
}

impl ArmourError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "enrol.file.too_large",
            Self::NotOurs => "enrol.file.not_ours",
            Self::WrongKind { .. } => "enrol.file.wrong_kind",
            Self::Damaged { damage, .. } => damage.code(),
        }
    }

    /// Parameters of the sentence under [`ArmourError::code`].
    pub fn params(&self) -> BTreeMap<String, String> {
        let found = match self {
            Self::TooLarge { bytes, max } => vec![("bytes", bytes.to_string()), ("max", max.to_string())],
            Self::NotOurs => Vec::new(),
            Self::WrongKind { found, expected } => {
                vec![("found", found.clone()), ("expected", expected.to_string())]
            }
            Self::Damaged { line, damage: _ } => vec![("line", line.to_string())],
        };
        found.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// A line for people.
pub(super) type Header = (&'static str, String);

/// The text of a content.
pub(super) fn write(kind: Kind, headers: &[Header], content: &[u8]) -> Result<String, ArmourError> {
    let max = kind.content_max();
    if content.len() > max {
        return Err(ArmourError::TooLarge { bytes: content.len(), max });
    }
    let context = kind.context();
    let labelled = Zeroizing::new(seal::message(context, content));
    let sum = sum_of(kind, content);
    let mut text = String::with_capacity(labelled.len().saturating_mul(2).saturating_add(1_024));
    push_line(&mut text, &begin(kind.word()));
    for (name, value) in headers {
        push_line(&mut text, &format!("{name}: {value}"));
    }
    push_line(&mut text, "");
    // 48 bytes are 64 characters.
    for bytes in labelled.chunks(48) {
        push_line(&mut text, &Zeroizing::new(base64::encode(bytes)));
    }
    push_line(&mut text, &format!("{SUM}{sum}"));
    push_line(&mut text, &end(kind.word()));
    Ok(text)
}

/// The content of a text, and the lines for people that are still to be compared with it.
pub(super) fn read(text: &str, expected: Kind) -> Result<Opened, ArmourError> {
    if text.len() > TEXT_MAX {
        return Err(ArmourError::TooLarge { bytes: text.len(), max: TEXT_MAX });
    }
    let mut lines = Lines::new(text);
    refuse_other_kind(lines.next().unwrap_or_default(), expected)?;
    let headers_at = lines.at.saturating_add(1);
    let headers = read_headers(&mut lines)?;
    let body_at = lines.at.saturating_add(1);
    let (labelled, sum) = read_body(&mut lines)?;
    let sum_at = lines.at;
    match lines.next() {
        Some(line) if line == end(expected.word()) => {}
        Some(_) => return Err(lines.damaged(Damage::End)),
        None => return Err(lines.damaged(Damage::CutOff)),
    }
    if lines.next().is_some() {
        return Err(lines.damaged(Damage::AfterEnd));
    }
    match unlabelled(&labelled, expected) {
        Some(content) if sum == sum_of(expected, &content) => {
            Ok(Opened { headers, headers_at, body_at, content })
        }
        None if Kind::ALL.into_iter().any(|other| unlabelled(&labelled, other).is_some()) => {
            Err(ArmourError::Damaged { line: body_at, damage: Damage::Content })
        }
        Some(_) | None => Err(ArmourError::Damaged { line: sum_at, damage: Damage::SumDiffers }),
    }
}

/// What was in a text.
#[derive(Debug)]
pub(super) struct Opened {
    headers: Vec<String>,
    headers_at: usize,
    body_at: usize,
    /// The content.
    pub(super) content: Zeroizing<Vec<u8>>,
}

impl Opened {
    /// Refuses a text whose lines for people are not exactly `expected`, which was made of the content.
    pub(super) fn check_headers(&self, expected: &[Header]) -> Result<(), ArmourError> {
        let count = self.headers.len().max(expected.len());
        let written = self.headers.iter().map(Some).chain(std::iter::repeat(None)).take(count);
        let meant = expected.iter().map(|(name, value)| format!("{name}: {value}"));
        let meant = meant.map(Some).chain(std::iter::repeat(None));
        let differs = written.zip(meant).position(|(written, meant)| written != meant.as_ref());
        let Some(place) = differs else { return Ok(()) };
        let line = self.headers_at.saturating_add(place);
        Err(ArmourError::Damaged { line, damage: Damage::HeaderDiffers })
    }

    /// The content is whole, and not understood.
    pub(super) fn not_understood(&self) -> ArmourError {
        ArmourError::Damaged { line: self.body_at, damage: Damage::Content }
    }
}

/// Lines with their numbers; blank ones before the first and after the last do not count.
struct Lines<'a> {
    rest: std::str::Lines<'a>,
    at: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_end();
        let first = text.len().saturating_sub(text.trim_start().len());
        let (blank, text) = text.split_at_checked(first).unwrap_or(("", text));
        Self { rest: text.lines(), at: blank.matches('\n').count() }
    }

    fn next(&mut self) -> Option<&'a str> {
        self.at = self.at.saturating_add(1);
        self.rest.next()
    }

    fn damaged(&self, damage: Damage) -> ArmourError {
        ArmourError::Damaged { line: self.at, damage }
    }
}

fn refuse_other_kind(line: &str, expected: Kind) -> Result<(), ArmourError> {
    let word = line.strip_prefix(DASHES).and_then(|line| line.strip_suffix(DASHES));
    let word = word.and_then(|line| line.strip_prefix("BEGIN HALLMESH "));
    match word {
        None => Err(ArmourError::NotOurs),
        Some(word) if word == expected.word() => Ok(()),
        Some(word) => {
            let found = word.chars().filter(|c| c.is_ascii_graphic()).take(KIND_SHOWN_MAX).collect();
            Err(ArmourError::WrongKind { found, expected })
        }
    }
}

fn read_headers(lines: &mut Lines<'_>) -> Result<Vec<String>, ArmourError> {
    let mut headers = Vec::new();
    loop {
        match lines.next() {
            None => return Err(lines.damaged(Damage::CutOff)),
            Some("") => return Ok(headers),
            Some(line) if headers.len() < HEADERS_MAX && line.contains(": ") => headers.push(line.to_owned()),
            Some(_) => return Err(lines.damaged(Damage::Header)),
        }
    }
}

/// The decoded lines up to the checksum, and the checksum. Only the last line may be short.
fn read_body<'a>(lines: &mut Lines<'a>) -> Result<(Zeroizing<Vec<u8>>, &'a str), ArmourError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LABEL_BYTES.saturating_add(256)));
    let mut short = false;
    loop {
        let line = lines.next().ok_or_else(|| lines.damaged(Damage::CutOff))?;
        if let Some(sum) = line.strip_prefix(SUM) {
            let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            let sound = sum.len() == 64 && sum.bytes().all(is_digit);
            return if sound { Ok((bytes, sum)) } else { Err(lines.damaged(Damage::Sum)) };
        }
        // A line that is none of base64 where a short one has been can only be the checksum's.
        let damage = if short { Damage::Sum } else { Damage::Body };
        let fits = !short && (1..=WIDTH).contains(&line.len());
        let decoded = base64::decode(line).filter(|_| fits).ok_or_else(|| lines.damaged(damage))?;
        bytes.extend_from_slice(&Zeroizing::new(decoded));
        short = line.len() < WIDTH;
    }
}

fn unlabelled(labelled: &[u8], kind: Kind) -> Option<Zeroizing<Vec<u8>>> {
    let content = labelled.strip_prefix(kind.context().as_bytes().as_slice())?;
    (content.len() <= kind.content_max()).then(|| Zeroizing::new(content.to_vec()))
}

/// What `sha256sum` prints for label and content.
fn sum_of(kind: Kind, content: &[u8]) -> String {
    Digest(seal::digest(kind.context(), content)).to_string()
}

fn begin(word: &str) -> String {
    format!("{DASHES}BEGIN HALLMESH {word}{DASHES}")
}

fn end(word: &str) -> String {
    format!("{DASHES}END HALLMESH {word}{DASHES}")
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}
