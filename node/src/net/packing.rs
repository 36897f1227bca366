//! Frames of a line with text that repeats, packed for the way: each by itself, so that nothing is kept between two
//! and any of them can be lost with its line.
//!
//! The pages of the lists that a new hall reads are what this is for. A page is half a mebibyte, and what its matters
//! have in common is in it many times.

use super::limits::{FRAME_MAX, PACK_MIN};

/// The level of zstd: higher ones cost several times the time for a few parts in a hundred.
const LEVEL: i32 = 3;

/// Packs a frame; none if it is too small, or would not become smaller.
pub(super) fn pack(frame: &[u8]) -> Option<Vec<u8>> {
    if frame.len() < PACK_MIN {
        return None;
    }
    let packed = zstd::bulk::compress(frame, LEVEL).ok()?;
    (packed.len() < frame.len()).then_some(packed)
}

/// Unpacks to exactly `length` bytes, at most those of the largest frame: whatever else it would come to is refused
/// before the memory for it is taken.
pub(super) fn unpack(packed: &[u8], length: u32) -> Option<Vec<u8>> {
    let length = usize::try_from(length).ok().filter(|length| (1..=FRAME_MAX).contains(length))?;
    zstd::bulk::decompress(packed, length).ok().filter(|frame| frame.len() == length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(frame: &[u8]) -> u32 {
        u32::try_from(frame.len()).unwrap()
    }

    #[test]
    fn text_becomes_small_and_comes_back_whole() {
        let frame = "办理依据《中华人民共和国行政许可法》第三十二条".repeat(1_000).into_bytes();
        let packed = pack(&frame).unwrap();
        assert!(packed.len() * 50 < frame.len());
        assert_eq!(unpack(&packed, length(&frame)), Some(frame));
    }

    #[test]
    fn what_is_small_or_does_not_become_smaller_stays_as_it_is() {
        assert_eq!(pack(&[0; PACK_MIN - 1]), None);
        let mut sealed = vec![0; 100_000];
        blake3::Hasher::new().finalize_xof().fill(&mut sealed);
        assert_eq!(pack(&sealed), None);
    }

    #[test]
    fn what_unpacks_to_anything_but_its_length_is_refused() {
        let frame = vec![7; 100_000];
        let packed = pack(&frame).unwrap();
        for wrong in [0, 1, length(&frame) - 1, length(&frame) + 1, length(&vec![0; FRAME_MAX]) + 1, u32::MAX]
        {
            assert_eq!(unpack(&packed, wrong), None, "{wrong}");
        }
        assert_eq!(unpack(b"no packing at all", 100), None);
        assert_eq!(unpack(&packed[..packed.len() - 1], length(&frame)), None);
        // Some kilobytes that would become a gigabyte.
        let bomb = zstd::bulk::compress(&vec![0; 1 << 30], 3).unwrap();
        assert!(bomb.len() < FRAME_MAX / 8);
        assert_eq!(unpack(&bomb, 1 << 20), None);
    }
}
