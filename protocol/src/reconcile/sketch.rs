//! A keyed rateless IBLT: a set as an endless row of symbols of which any prefix, about 1.4 times as long as
//! the difference of two sets, is enough to find that difference.
//!
//! Integers only, little-endian, wrapping: the same symbols on every machine. A short id has six bytes and a
//! checksum three, which suits sets of some ten thousand elements.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::ElementId;

/// Most symbols in one exchange; enough for a difference of about 2,900 elements.
pub const SYMBOLS_MAX: u32 = 4096;
/// Symbols in a responder's first answer.
pub const FIRST_BLOCK: u32 = 16;
/// Bytes of a short id.
pub const SHORT_LEN: usize = 6;
/// Bytes of a symbol on the wire: the sum of short ids and a checksum.
pub const SYMBOL_LEN: usize = SHORT_LEN + 3;

const KEY_CONTEXT: &str = "hallmesh/v1/reconcile/sketch-key";
const CHECK_MASK: u64 = 0xff_ffff;
// The step of the index sequence cannot overflow below this.
const _: () = assert!(SYMBOLS_MAX <= 1 << 20, "indices must stay far below 2^31");
const _: () = assert!(FIRST_BLOCK > 0 && FIRST_BLOCK <= SYMBOLS_MAX, "a first block within the bound");

/// Why a request for symbols, or a block of them, is refused. Nothing was allocated or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// No symbols at all, or symbols beyond [`SYMBOLS_MAX`].
    #[error("{count} symbols from number {from} are none, or reach beyond {SYMBOLS_MAX}")]
    Range {
        /// First symbol asked for.
        from: u32,
        /// How many.
        count: u32,
    },
    /// Not as long as the symbols asked for.
    #[error("{length} bytes are not the {count} symbols asked for")]
    BlockLength {
        /// Bytes received.
        length: usize,
        /// Symbols asked for.
        count: u32,
    },
}

/// The symbols at hand do not reveal the difference yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the difference needs more symbols, next {ask}")]
pub struct Unfinished {
    /// How many more symbols to ask for; 0 when [`SYMBOLS_MAX`] did not suffice.
    pub ask: u32,
}

/// How many symbols to ask for after `received`: as many again, within the bounds. 0 at [`SYMBOLS_MAX`].
pub fn next_block(received: u32) -> u32 {
    received.max(FIRST_BLOCK).min(SYMBOLS_MAX.saturating_sub(received))
}

/// The key of one exchange. Both sides put a fresh nonce in, so neither can prepare elements for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SketchKey {
    bytes: [u8; 32],
    seed: u64,
}

impl SketchKey {
    /// The key for `space` under the nonces of both sides.
    pub fn derive(space: u8, initiator_nonce: &[u8; 16], responder_nonce: &[u8; 16]) -> SketchKey {
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
    fn of_number(number: u64) -> ShortId {
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
    pub fn unpack(bytes: &[u8], from: u32, count: u32) -> Result<Vec<Symbol>, Malformed> {
        let places = places(from, count)?;
        let (chunks, rest) = bytes.as_chunks();
        if chunks.len() != places.len() || !rest.is_empty() {
            return Err(Malformed::BlockLength { length: bytes.len(), count });
        }
        Ok(chunks.iter().copied().map(Symbol::from).collect())
    }

    fn toggle(&mut self, short: u64, tag: u64) {
        self.sum ^= short;
        self.check ^= tag & CHECK_MASK;
    }

    fn is_zero(self) -> bool {
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

/// A block of a set's symbols in the making.
#[derive(Clone, Debug)]
pub struct Sketch {
    key: SketchKey,
    places: Range<usize>,
    symbols: Vec<Symbol>,
}

impl Sketch {
    /// The `count` symbols from number `from` of the empty set.
    pub fn new(key: SketchKey, from: u32, count: u32) -> Result<Sketch, Malformed> {
        let places = places(from, count)?;
        let symbols = vec![Symbol::default(); places.len()];
        Ok(Sketch { key, places, symbols })
    }

    /// The `count` symbols from number `from` of the set `ids`.
    pub fn encode(
        key: &SketchKey,
        ids: impl IntoIterator<Item = ElementId>,
        from: u32,
        count: u32,
    ) -> Result<Vec<Symbol>, Malformed> {
        let mut sketch = Sketch::new(*key, from, count)?;
        for id in ids {
            sketch.add(&id);
        }
        Ok(sketch.into_symbols())
    }

    /// Adds an element of the set. Adding it again takes it out.
    pub fn add(&mut self, id: &ElementId) {
        let short = self.key.short(id).number();
        let tag = self.key.tag(short);
        for index in Indices::of(tag, self.places.end) {
            let place = index.checked_sub(self.places.start);
            if let Some(symbol) = place.and_then(|place| self.symbols.get_mut(place)) {
                symbol.toggle(short, tag);
            }
        }
    }

    /// The finished block.
    pub fn into_symbols(self) -> Vec<Symbol> {
        self.symbols
    }
}

/// Finds the short ids that are in one set only, from symbols 0.. of both. Compares as many symbols as both
/// sides have, at most [`SYMBOLS_MAX`].
///
/// The answer is right unless somebody lied or two ids collide, which only the seal shows.
pub fn peel(own: &[Symbol], theirs: &[Symbol], key: &SketchKey) -> Result<Vec<ShortId>, Unfinished> {
    let most = usize::try_from(SYMBOLS_MAX).unwrap_or(usize::MAX);
    let mut symbols: Vec<Symbol> = own.iter().take(most).copied().collect();
    symbols.truncate(theirs.len());
    for (symbol, their) in symbols.iter_mut().zip(theirs) {
        symbol.toggle(their.sum, their.check);
    }
    let unfinished = Unfinished { ask: advice(&symbols) };
    Peeling::of(symbols, *key).run().ok_or(unfinished)
}

/// The usual next block, or a part of it: the more symbols of the newer half are zero, the closer the
/// difference is to what the symbols at hand could carry, and the more of a full block would be wasted.
/// The shares are those expected (mean of `exp(-2d/i)`) where 1.45 `d` symbols are just reached; above a
/// third, a last few elements hide each other and small steps would only cost rounds.
#[expect(clippy::arithmetic_side_effects, reason = "symbols are at most SYMBOLS_MAX")]
fn advice(symbols: &[Symbol]) -> u32 {
    let received = u32::try_from(symbols.len()).unwrap_or(SYMBOLS_MAX);
    let newer = symbols.len() / 2;
    let zero = symbols.iter().rev().take(newer).filter(|symbol| symbol.is_zero()).count();
    let part = match () {
        () if zero * 3 > newer => 2,
        () if zero * 8 > newer => 8,
        () if zero * 10 > newer => 4,
        () if zero * 20 > newer => 2,
        () => 1,
    };
    next_block(received).min((received / part).max(FIRST_BLOCK))
}

/// A difference being taken apart, one pure symbol after another.
struct Peeling {
    key: SketchKey,
    symbols: Vec<Symbol>,
    /// Places to look at again. Never longer than all places plus all indices of the elements found.
    queue: Vec<usize>,
    found: BTreeSet<u64>,
    /// The indices of the element at hand; kept to spare an allocation each.
    indices: Vec<usize>,
}

impl Peeling {
    fn of(symbols: Vec<Symbol>, key: SketchKey) -> Peeling {
        let queue = (0..symbols.len()).collect();
        Peeling { key, symbols, queue, found: BTreeSet::new(), indices: Vec::new() }
    }

    /// `None` when symbols are missing or contradict each other.
    fn run(mut self) -> Option<Vec<ShortId>> {
        while let Some(place) = self.queue.pop() {
            if let Some((short, tag)) = self.pure(place) {
                self.take_out(short, tag, place)?;
            }
        }
        let complete = !self.symbols.is_empty() && self.symbols.iter().all(|symbol| symbol.is_zero());
        complete.then(|| self.found.into_iter().map(ShortId::of_number).collect())
    }

    /// The only element at `place`, if its checksum fits and its own sequence comes by there.
    fn pure(&mut self, place: usize) -> Option<(u64, u64)> {
        let symbol = self.symbols.get(place)?;
        let tag = self.key.tag(symbol.sum);
        if tag & CHECK_MASK != symbol.check {
            return None;
        }
        let short = symbol.sum;
        self.indices.clear();
        self.indices.extend(Indices::of(tag, self.symbols.len()));
        self.indices.contains(&place).then_some((short, tag))
    }

    /// `None` if it came up before or there are more than symbols could hold: no honest set does that, and
    /// forged symbols end here.
    fn take_out(&mut self, short: u64, tag: u64, place: usize) -> Option<()> {
        if !self.found.insert(short) || self.found.len() > self.symbols.len() {
            return None;
        }
        for &index in &self.indices {
            self.symbols.get_mut(index)?.toggle(short, tag);
            if index != place {
                self.queue.push(index);
            }
        }
        Some(())
    }
}

/// The places below `end` on which an element falls, ascending from 0; place `i` with a probability of about
/// 1 / (1 + i/2).
pub(super) struct Indices {
    state: u64,
    next: u64,
    end: usize,
}

impl Indices {
    pub(super) fn of(tag: u64, end: usize) -> Indices {
        Indices { state: tag, next: 0, end }
    }
}

impl Iterator for Indices {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let index = usize::try_from(self.next).ok().filter(|&index| index < self.end)?;
        self.state = self.state.wrapping_mul(0xda94_2042_e4dd_58b5);
        self.next = after(self.next, self.state);
        Some(index)
    }
}

#[expect(clippy::arithmetic_side_effects, reason = "index < 2^20 and root <= 2^32 keep this below 2^64")]
fn after(index: u64, state: u64) -> u64 {
    let root = state.isqrt() + 1;
    let step = ((2 * index + 3) * ((1 << 32) - root)).div_ceil(2 * root);
    index + step.max(1)
}

/// The `count` places from number `from`, if they are any and within the bound.
fn places(from: u32, count: u32) -> Result<Range<usize>, Malformed> {
    let refused = Malformed::Range { from, count };
    let end = from.checked_add(count).filter(|&end| from < end && end <= SYMBOLS_MAX).ok_or(refused)?;
    let place = |number| usize::try_from(number).or(Err(refused));
    Ok(place(from)?..place(end)?)
}

/// The first eight bytes, or all if there are fewer, little-endian.
fn first_number(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    for (byte, first) in eight.iter_mut().zip(bytes) {
        *byte = *first;
    }
    u64::from_le_bytes(eight)
}
