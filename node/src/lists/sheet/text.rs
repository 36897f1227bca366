//! From bytes to text: how a file is saved is checked before what is in it.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use encoding_rs::GB18030;

use super::super::finding::{Fault, Findings};
use super::super::place::Place;
use super::bytes_of;

/// Bytes of one list file. 20,000 matters have about 10 MiB.
pub const FILE_BYTES_MAX: usize = 32 << 20;

const UTF8_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];
const UTF16_MARKS: [&[u8]; 2] = [&[0xFF, 0xFE], &[0xFE, 0xFF]];

/// A list file in memory.
#[derive(Debug)]
pub(in super::super) struct Source {
    /// As it was named.
    pub(in super::super) name: String,
    /// Without byte order mark, lines ended by line feeds only.
    pub(in super::super) text: String,
}

impl Source {
    /// Reads a file; none if it holds no usable text, which is then among the findings.
    pub(in super::super) fn read(path: &Path, findings: &mut Findings) -> io::Result<Option<Self>> {
        Ok(Self::of_bytes(&path.display().to_string(), &bytes_of(path)?, findings))
    }

    /// Takes a file's bytes; none if they are no usable text, which is then among the findings.
    pub(in super::super) fn of_bytes(name: &str, bytes: &[u8], findings: &mut Findings) -> Option<Self> {
        match text_of(bytes) {
            // One kind of line end, so that lines are counted as every editor counts them.
            Ok((text, remark)) => {
                findings.extend(remark.map(|fault| fault.at(&Place::line(name, 1), None)));
                let text = text.replace("\r\n", "\n").replace('\r', "\n");
                Some(Self { name: name.to_owned(), text })
            }
            Err((fault, line)) => {
                findings.add(fault.at(&Place::line(name, line), None));
                None
            }
        }
    }
}

/// The line in which the byte at `offset` stands, from 1.
pub(in super::super) fn line_at(text: &[u8], offset: usize) -> u64 {
    let breaks = text.iter().take(offset).filter(|&&byte| byte == b'\n').count();
    u64::try_from(breaks).unwrap_or(u64::MAX).saturating_add(1)
}

type Read<'a> = Result<(Cow<'a, str>, Option<Fault>), (Fault, u64)>;

/// UTF-8, or else GB18030, of which GBK and GB2312 are parts: that is said, since other bytes can look like it.
fn text_of(bytes: &[u8]) -> Read<'_> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err((Fault::error("lists.too_large").with("max", &FILE_BYTES_MAX), 1));
    }
    if UTF16_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
        let fault = Fault::error("lists.encoding").with("found", "UTF-16");
        return Err((fault.suggest(Some("UTF-8")), 1));
    }
    let marked = bytes.strip_prefix(UTF8_MARK);
    let error = match std::str::from_utf8(marked.unwrap_or(bytes)) {
        Ok(text) => return Ok((text.into(), None)),
        Err(error) => error,
    };
    let gb18030 = GB18030.decode_without_bom_handling_and_without_replacement(bytes);
    let not_text = || (Fault::error("lists.not_text"), line_at(bytes, error.valid_up_to()));
    let text = gb18030.filter(|_| marked.is_none()).ok_or_else(not_text)?;
    Ok((text, Some(Fault::warning("lists.read_as_gb18030"))))
}
