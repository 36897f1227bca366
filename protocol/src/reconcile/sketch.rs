//! A keyed rateless IBLT: a set as an endless row of symbols of which any prefix, about 1.4 times as long as
//! the difference of two sets, is enough to find that difference.
//!
//! Integers only, little-endian, wrapping: the same symbols on every machine. A short id has six bytes and a
//! checksum three, which suits sets of some ten thousand elements.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Difference, ElementId, NoDifference, Unfinished, peel};

/// Most symbols in one exchange; enough for a difference of about 2,900 elements.
pub const SYMBOLS_MAX: u16 = 4096;
/// Bytes of each side's nonce: 128 fresh bits in a key, of which neither side chooses more than half.
pub const NONCE_LEN: usize = 8;
/// Bytes of a short id.
pub const SHORT_LEN: usize = 6;
/// Bytes of a symbol on the wire: the sum of short ids and a checksum.
pub const SYMBOL_LEN: usize = SHORT_LEN + 3;

const KEY_CONTEXT: &str = "hallmesh/v1/reconcile/sketch-key";
const CHECK_MASK: u64 = 0xff_ffff;

/// Why a request for symbols, or a block of them, is refused. Nothing was allocated or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// No symbols at all, or symbols beyond [`SYMBOLS_MAX`].
    #[error("{count} symbols from number {from} are none, or reach beyond {SYMBOLS_MAX}")]
    Range {
        /// First symbol asked for.
        from: u16,
        /// How many.
        count: u16,
    },
    /// Not as long as the symbols asked for.
    #[error("{length} bytes are not the {count} symbols asked for")]
    BlockLength {
        /// Bytes received.
        length: usize,
        /// Symbols asked for.
        count: u16,
    },
}

/// A fresh random number of one side, for one exchange.
pub type Nonce = [u8; NONCE_LEN];

/// The key of one exchange. Both sides put a fresh nonce in, so neither can prepare elements for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SketchKey {
    bytes: [u8; 32],
    seed: u64,
}

impl SketchKey {
    /// The key for `space` under the nonces of both sides.
    pub fn derive(space: u8, initiator_nonce: &Nonce, responder_nonce: &Nonce) -> SketchKey {
        let mut hasher = blake3::Hasher::new_derive_key(KEY_CONTEXT);
        hasher.update(&[space]).update(initiator_nonce).update(responder_nonce);
        SketchKey::from_bytes(*hasher.finalize().as_bytes())
    }

    pub(super) fn from_bytes(bytes: [u8; 32]) -> SketchKey {
        SketchKey { bytes, seed: first_number(&bytes) }
    }

    /// The short id of an element under this key.
    pub fn short(&self, id: &ElementId) -> ShortId {
        ShortId::of_number(first_number(blake3::keyed_hash(&self.bytes, id).as_bytes()))
    }

    /// The tag of a short id: its low bits are the checksum, the whole of it seeds the index sequence.
    /// It is odd, so that a symbol's checksum shows whether it holds an even or odd number of elements.
    pub(super) fn tag(&self, short: u64) -> u64 {
        let mut x = short ^ self.seed;
        x = (x ^ (x >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        x = (x ^ (x >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        (x ^ (x >> 33)) | 1
    }
}

/// Six bytes that stand for an element during one exchange.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ShortId([u8; SHORT_LEN]);

impl ShortId {
    pub(super) fn number(self) -> u64 {
        first_number(&self.0)
    }

    /// The low six bytes of `number`.
    pub(super) fn of_number(number: u64) -> ShortId {
        let mut bytes = [0; SHORT_LEN];
        for (byte, low) in bytes.iter_mut().zip(number.to_le_bytes()) {
            *byte = low;
        }
        ShortId(bytes)
    }
}

impl fmt::Debug for ShortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.number())
    }
}

/// The XOR of all elements that fell on one place of the row, and of their checksums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[u8; SYMBOL_LEN]", into = "[u8; SYMBOL_LEN]")]
pub struct Symbol {
    sum: u64,
    check: u64,
}

impl Symbol {
    /// A block as it travels: nine bytes a symbol.
    pub fn pack(symbols: &[Symbol]) -> Vec<u8> {
        symbols.iter().flat_map(|&symbol| <[u8; SYMBOL_LEN]>::from(symbol)).collect()
    }

    /// Reads a block of exactly the `count` symbols from number `from` that were asked for.
    pub fn unpack(bytes: &[u8], from: u16, count: u16) -> Result<Vec<Symbol>, Malformed> {
        let places = places(from, count)?;
        let (chunks, rest) = bytes.as_chunks();
        if chunks.len() != places.len() || !rest.is_empty() {
            return Err(Malformed::BlockLength { length: bytes.len(), count });
        }
        Ok(chunks.iter().copied().map(Symbol::from).collect())
    }

    /// The short id and the tag of the only element, if the checksum fits one.
    pub(super) fn lone(self, key: &SketchKey) -> Option<(u64, u64)> {
        let tag = key.tag(self.sum);
        (tag & CHECK_MASK == self.check).then_some((self.sum, tag))
    }

    /// Takes what another set has at the same place in or out.
    pub(super) fn toggle_all(&mut self, other: Symbol) {
        self.sum ^= other.sum;
        self.check ^= other.check;
    }

    pub(super) fn toggle(&mut self, short: u64, tag: u64) {
        self.sum ^= short;
        self.check ^= tag & CHECK_MASK;
    }

    pub(super) fn is_zero(self) -> bool {
        self == Symbol::default()
    }
}

impl From<[u8; SYMBOL_LEN]> for Symbol {
    fn from(bytes: [u8; SYMBOL_LEN]) -> Symbol {
        let (sum, check) = bytes.split_at(SHORT_LEN);
        Symbol { sum: first_number(sum), check: first_number(check) }
    }
}

impl From<Symbol> for [u8; SYMBOL_LEN] {
    fn from(symbol: Symbol) -> [u8; SYMBOL_LEN] {
        let mut bytes = [0; SYMBOL_LEN];
        let sum = symbol.sum.to_le_bytes().into_iter().take(SHORT_LEN);
        for (byte, value) in bytes.iter_mut().zip(sum.chain(symbol.check.to_le_bytes())) {
            *byte = value;
        }
        bytes
    }
}

/// A set's symbols in the making. Each element is hashed once, and each block goes on where the last one
/// ended, so that asking in many blocks costs what asking at once does. 56 bytes an element.
#[derive(Clone)]
pub struct Sketch {
    key: SketchKey,
    elements: Vec<Element>,
    symbols: Vec<Symbol>,
}

/// An element, and where it falls next.
#[derive(Clone)]
struct Element {
    id: ElementId,
    short: u64,
    walk: Walk,
}

impl Sketch {
    /// Of the set `ids`, in which none stands twice.
    pub fn of(key: SketchKey, ids: impl IntoIterator<Item = ElementId>) -> Sketch {
        let element = |id| {
            let short = key.short(&id).number();
            Element { id, short, walk: Walk::of(key.tag(short)) }
        };
        Sketch { key, elements: ids.into_iter().map(element).collect(), symbols: Vec::new() }
    }

    /// The key it was made under.
    pub fn key(&self) -> &SketchKey {
        &self.key
    }

    /// The `count` symbols from number `from`.
    pub fn block(&mut self, from: u16, count: u16) -> Result<&[Symbol], Malformed> {
        let places = places(from, count)?;
        self.reach(places.end);
        Ok(self.symbols.get(places).unwrap_or_default())
    }

    /// Finds the short ids that are in one set only, from the other set's symbols 0.. (see [`peel`]).
    pub fn peel(&mut self, theirs: &[Symbol]) -> Result<Vec<ShortId>, Unfinished> {
        self.reach(theirs.len().min(usize::from(SYMBOLS_MAX)));
        peel(&self.symbols, theirs, &self.key)
    }

    /// Sorts `differing` short ids by whether this set holds them. A responder resolves wanted ones with it,
    /// too: `have` are the elements to send.
    pub fn difference(&self, differing: &[ShortId]) -> Result<Difference, NoDifference> {
        let own = self.elements.iter().map(|element| (element.id, ShortId::of_number(element.short)));
        Difference::among(own, differing)
    }

    fn reach(&mut self, end: usize) {
        if end <= self.symbols.len() {
            return;
        }
        self.symbols.resize(end, Symbol::default());
        for element in &mut self.elements {
            let tag = self.key.tag(element.short);
            while let Some(symbol) = self.symbols.get_mut(element.walk.place()) {
                symbol.toggle(element.short, tag);
                element.walk.advance();
            }
        }
    }
}

impl fmt::Debug for Sketch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sketch({} elements, {} symbols)", self.elements.len(), self.symbols.len())
    }
}

/// The places on which an element falls, ascending from 0; place `i` with a probability of about
/// 1 / (1 + i/2).
#[derive(Clone)]
struct Walk {
    state: u64,
    next: u64,
}

impl Walk {
    fn of(tag: u64) -> Walk {
        Walk { state: tag, next: 0 }
    }

    fn place(&self) -> usize {
        usize::try_from(self.next).unwrap_or(usize::MAX)
    }

    fn advance(&mut self) {
        self.state = self.state.wrapping_mul(0xda94_2042_e4dd_58b5);
        self.next = after(self.next, self.state);
    }
}

/// The places of a walk below `end`.
pub(super) struct Indices {
    walk: Walk,
    end: usize,
}

impl Indices {
    pub(super) fn of(tag: u64, end: usize) -> Indices {
        Indices { walk: Walk::of(tag), end }
    }
}

impl Iterator for Indices {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let index = Some(self.walk.place()).filter(|&index| index < self.end)?;
        self.walk.advance();
        Some(index)
    }
}

#[expect(
    clippy::arithmetic_side_effects,
    reason = "index < 2^20, since places are u16, and root <= 2^32 keep this below 2^64"
)]
fn after(index: u64, state: u64) -> u64 {
    let root = state.isqrt() + 1;
    let step = ((2 * index + 3) * ((1 << 32) - root)).div_ceil(2 * root);
    index + step.max(1)
}

/// The `count` places from number `from`, if they are any and within the bound.
fn places(from: u16, count: u16) -> Result<Range<usize>, Malformed> {
    let refused = Malformed::Range { from, count };
    let end = from.checked_add(count).filter(|&end| from < end && end <= SYMBOLS_MAX).ok_or(refused)?;
    Ok(usize::from(from)..usize::from(end))
}

/// The first eight bytes, or all if there are fewer, little-endian.
fn first_number(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    for (byte, first) in eight.iter_mut().zip(bytes) {
        *byte = *first;
    }
    u64::from_le_bytes(eight)
}
