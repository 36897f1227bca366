//! Bytes on a stream: lengths first, and checked before anything is allocated.
//!
//! A guest's frame is a 4-byte big-endian length and that many bytes. A line's frame has an 8-byte big-endian
//! number between the two. An empty frame on a line is an acknowledgement of all frames up to its number; repeated
//! every ping interval it also says that its sender lives. If the highest bit of a length is set, the frame is packed
//! (see [`super::packing`]) and a 4-byte big-endian length of the frame itself follows the number.

use std::{io, time::Duration};

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::limits::GUEST_FRAME_MAX;

/// Bytes before each frame of a line.
pub(super) const HEAD: usize = 12;
/// The bit of a length that says that the frame is packed.
const PACKED: u32 = 1 << 31;

/// What stands before a frame of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Bytes that follow; 0 for an acknowledgement.
    pub(super) length: u32,
    /// They are packed, and the length of what they unpack to comes first.
    pub(super) packed: bool,
    /// The number of the frame, or the last one acknowledged.
    pub(super) number: u64,
}

impl Head {
    /// Before a frame that goes as it is, or an acknowledgement.
    pub(super) const fn plain(length: u32, number: u64) -> Self {
        Self { length, packed: false, number }
    }

    pub(super) fn to_bytes(self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        let (length, number) = bytes.split_at_mut(4);
        let flag = if self.packed { PACKED } else { 0 };
        length.copy_from_slice(&(self.length | flag).to_be_bytes());
        number.copy_from_slice(&self.number.to_be_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: [u8; HEAD]) -> Self {
        let [a, b, c, d, number @ ..] = bytes;
        let word = u32::from_be_bytes([a, b, c, d]);
        let (length, packed) = (word & !PACKED, word & PACKED != 0);
        Self { length, packed, number: u64::from_be_bytes(number) }
    }
}

/// Fills `buffer`, and gives up (`TimedOut`) when nothing at all comes for `silence`. A slow line may take long for
/// one frame; every byte is a sign of life.
pub(super) async fn fill<R: AsyncRead + Unpin>(
    io: &mut R,
    buffer: &mut [u8],
    silence: Duration,
) -> io::Result<()> {
    let mut rest = buffer;
    while !rest.is_empty() {
        let read = timeout(silence, io.read(rest)).await??;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        rest = rest.get_mut(read..).unwrap_or_default();
    }
    Ok(())
}

/// Reads one guest frame. Empty and oversize ones are `InvalidData`.
pub(super) async fn read_guest<R: AsyncRead + Unpin>(io: &mut R) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    io.read_exact(&mut length).await?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length == 0 || length > GUEST_FRAME_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "an empty or oversize guest frame"));
    }
    let mut frame = vec![0; length];
    io.read_exact(&mut frame).await?;
    Ok(frame)
}

/// Writes one guest frame and sends it off.
pub(super) async fn write_guest<W: AsyncWrite + Unpin>(io: &mut W, frame: &[u8]) -> io::Result<()> {
    let length = match u32::try_from(frame.len()) {
        Ok(length) if length > 0 && frame.len() <= GUEST_FRAME_MAX => length,
        _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "an empty or oversize guest frame")),
    };
    io.write_all(&length.to_be_bytes()).await?;
    io.write_all(frame).await?;
    io.flush().await
}

#[cfg(test)]
mod tests {
    use futures::io::Cursor;

    use super::*;

    #[test]
    fn a_head_is_twelve_big_endian_bytes() {
        for (packed, first) in [(false, 1), (true, 0x81)] {
            let head = Head { length: 0x0102_0304, packed, number: 0x1112_1314_1516_1718 };
            assert_eq!(head.to_bytes(), [first, 2, 3, 4, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18]);
            assert_eq!(Head::from_bytes(head.to_bytes()), head);
        }
    }

    #[tokio::test]
    async fn guest_frames_are_bounded_both_ways() {
        let mut written = Vec::new();
        write_guest(&mut written, b"enrol me").await.unwrap();
        assert_eq!(read_guest(&mut Cursor::new(written)).await.unwrap(), b"enrol me");
        assert!(write_guest(&mut Vec::new(), &[]).await.is_err());
        assert!(write_guest(&mut Vec::new(), &vec![0; GUEST_FRAME_MAX + 1]).await.is_err());
        for claimed in [0, u32::try_from(GUEST_FRAME_MAX).unwrap() + 1, u32::MAX] {
            let refused = read_guest(&mut Cursor::new(claimed.to_be_bytes())).await.unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
        }
    }
}
