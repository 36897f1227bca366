//! From bytes to text: how a file is saved is checked before what is in it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::finding::{Fault, Findings};

/// Bytes of one list file. 20,000 matters have about 10 MiB.
pub const FILE_BYTES_MAX: usize = 32 << 20;

const UTF8_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];
const UTF16_MARKS: [&[u8]; 2] = [&[0xFF, 0xFE], &[0xFE, 0xFF]];
/// How workbooks begin: zipped ones and those of before 2007.
const WORKBOOKS: [&[u8]; 2] = [b"PK\x03\x04", &[0xD0, 0xCF, 0x11, 0xE0]];

/// A list file in memory.
#[derive(Debug)]
pub(super) struct Source {
    /// As it was named.
    pub(super) name: String,
    /// UTF-8 without byte order mark, lines ended by line feeds only.
    pub(super) text: String,
}

impl Source {
    /// Reads a file; none if it holds no usable text, which is then among the findings.
    pub(super) fn read(path: &Path, findings: &mut Findings) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        let most = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
        File::open(path)?.take(most).read_to_end(&mut bytes)?;
        Ok(Self::of_bytes(&path.display().to_string(), &bytes, findings))
    }

    /// Takes a file's bytes; none if they are no usable text, which is then among the findings.
    pub(super) fn of_bytes(name: &str, bytes: &[u8], findings: &mut Findings) -> Option<Self> {
        match text_of(bytes) {
            // One kind of line end, so that lines are counted as every editor counts them.
            Ok(text) => {
                let text = text.replace("\r\n", "\n").replace('\r', "\n");
                Some(Self { name: name.to_owned(), text })
            }
            Err((fault, line)) => {
                findings.add(fault.at(name, line, None));
                None
            }
        }
    }
}

/// The line in which the byte at `offset` stands, from 1.
pub(super) fn line_at(text: &[u8], offset: usize) -> u64 {
    let breaks = text.iter().take(offset).filter(|&&byte| byte == b'\n').count();
    u64::try_from(breaks).unwrap_or(u64::MAX).saturating_add(1)
}

fn text_of(bytes: &[u8]) -> Result<&str, (Fault, u64)> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err((Fault::error("lists.too_large").with("max", &FILE_BYTES_MAX), 1));
    }
    if WORKBOOKS.iter().any(|mark| bytes.starts_with(mark)) {
        return Err((Fault::error("lists.workbook").suggest(Some("CSV UTF-8")), 1));
    }
    if UTF16_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
        return Err((encoding("UTF-16"), 1));
    }
    let bytes = bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let fault = if is_gb18030(bytes) { encoding("GB18030") } else { Fault::error("lists.not_text") };
        (fault, line_at(bytes, error.valid_up_to()))
    })
}

fn encoding(found: &str) -> Fault {
    Fault::error("lists.encoding").with("found", found).suggest(Some("UTF-8"))
}

/// Whether bytes that are not UTF-8 have the form of GB18030, which includes GBK and GB2312.
fn is_gb18030(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => return true,
            [0..=0x7F, rest @ ..]
            | [0x81..=0xFE, 0x40..=0x7E | 0x80..=0xFE, rest @ ..]
            | [0x81..=0xFE, b'0'..=b'9', 0x81..=0xFE, b'0'..=b'9', rest @ ..] => rest,
            _ => return false,
        }
    }
}
