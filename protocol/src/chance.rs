//! The only source of chance in the core: one seeded stream. The same seed gives the same city, byte for
//! byte.
//!
//! It is also where keys and nonces come from, so a real node must be handed 32 bytes of the operating
//! system's randomness at every start, and a `Chance` cannot be copied: two copies would draw one nonce twice.

use std::convert::Infallible;
use std::fmt;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng, TryCryptoRng, TryRng};
use zeroize::Zeroizing;

/// A seeded `ChaCha20` generator.
pub struct Chance(ChaCha20Rng);

impl Chance {
    /// The stream of `seed`.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, each equally likely; 0 when there is none below.
    pub fn below(&mut self, bound: u64) -> u64 {
        loop {
            let draw = self.next_u64();
            let Some(rest) = draw.checked_rem(bound) else { return 0 };
            // The last, incomplete run of `bound` numbers before 2^64 would favour the small ones.
            if draw.wrapping_sub(rest) <= bound.wrapping_neg() {
                return rest;
            }
        }
    }

    /// Fills `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    /// The next 16 bytes.
    pub fn bytes16(&mut self) -> [u8; 16] {
        self.array()
    }

    /// The next 32 bytes.
    pub fn bytes32(&mut self) -> [u8; 32] {
        self.array()
    }

    /// An independent stream for one purpose: what it draws later does not shift what this one draws.
    /// Two forks of one label differ, since each takes 32 bytes of this stream.
    #[must_use]
    pub fn fork(&mut self, label: &str) -> Self {
        let drawn = Zeroizing::new(self.bytes32());
        let seed = Zeroizing::new(*blake3::keyed_hash(&drawn, label.as_bytes()).as_bytes());
        Self::from_seed(*seed)
    }

    /// Where the stream stands: its seed and how many words were drawn.
    pub(crate) fn place(&self) -> ([u8; 32], u128) {
        (self.0.get_seed(), self.0.get_word_pos())
    }

    /// The stream that stands there.
    pub(crate) fn at_place((seed, words): ([u8; 32], u128)) -> Self {
        let mut stream = ChaCha20Rng::from_seed(seed);
        stream.set_word_pos(words);
        Self(stream)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

impl fmt::Debug for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chance(..)")
    }
}

impl TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(bytes)
    }
}

impl TryCryptoRng for Chance {}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn one_seed_gives_one_stream() {
        let draw = |seed: u8| {
            let mut chance = Chance::from_seed([seed; 32]);
            (chance.next_u64(), chance.bytes16(), chance.bytes32(), chance.below(900))
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn the_stream_of_a_seed_never_changes() {
        // ChaCha20, key of zeros, nonce of zeros, block 0 (RFC 8439, A.1, vector 1).
        let first = Chance::from_seed([0; 32]).bytes16();
        assert_eq!(
            first,
            [0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28]
        );
    }

    #[test]
    fn below_stays_below_and_reaches_every_number() {
        let mut chance = Chance::from_seed([3; 32]);
        let mut seen = [0_u32; 7];
        for _ in 0..7_000 {
            let drawn = usize::try_from(chance.below(7)).expect("below 7");
            seen[drawn] += 1;
        }
        assert!(seen.iter().all(|&times| (800..1_200).contains(&times)), "{seen:?}");
        assert_eq!(chance.below(0), 0);
        assert_eq!(chance.below(1), 0);
        assert!(chance.below(u64::MAX) < u64::MAX);
    }

    #[test]
    fn forks_differ_by_label_and_by_place_and_do_not_disturb_their_origin() {
        let mut chance = Chance::from_seed([4; 32]);
        let (mut links, mut disks, mut again) =
            (chance.fork("links"), chance.fork("disks"), chance.fork("links"));
        assert_ne!(links.bytes32(), disks.bytes32());
        assert_ne!(again.bytes32(), Chance::from_seed([4; 32]).fork("links").bytes32());

        let mut other = Chance::from_seed([4; 32]);
        let mut drawn_from = other.fork("links");
        drawn_from.fill(&mut [0; 1_000]);
        let mut untouched = Chance::from_seed([4; 32]);
        let _unused = untouched.fork("links");
        assert_eq!(other.bytes32(), untouched.bytes32());
    }

    #[test]
    fn a_stream_goes_on_from_the_place_it_was_at() {
        let mut chance = Chance::from_seed([6; 32]);
        for drawn in 0..70_usize {
            chance.fill(&mut vec![0; drawn]);
            let mut again = Chance::at_place(chance.place());
            assert_eq!((again.next_u64(), again.bytes16()), (chance.next_u64(), chance.bytes16()));
        }
    }

    #[test]
    fn debug_shows_nothing_of_the_state() {
        assert_eq!(format!("{:?}", Chance::from_seed([5; 32])), "Chance(..)");
    }
}
