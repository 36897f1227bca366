//! From the symbols of two sets to their difference, and how many more symbols to ask for if they do not suffice.

use std::collections::BTreeSet;

use super::sketch::Indices;
use super::{SYMBOLS_MAX, ShortId, SketchKey, Symbol};

/// Symbols in a responder's first answer: what reveals ten differing elements in seven exchanges of eight,
/// in three messages of 300 bytes together.
pub const FIRST_BLOCK: u16 = 21;
/// Fewest symbols worth another round.
const BLOCK_MIN: usize = 8;
const _: () = assert!(FIRST_BLOCK > 0 && FIRST_BLOCK <= SYMBOLS_MAX, "a first block within the bound");

/// How many differing elements there are to a hundred symbols, by how many in ten thousand of the newer half
/// hold one element or none: the mean of `(1 + x) exp(-x)`, where `x` is twice the elements by the place.
const DENSITY: [(usize, usize); 20] = [
    (4909, 60),
    (4513, 65),
    (4141, 70),
    (3794, 75),
    (3472, 80),
    (3174, 85),
    (2898, 90),
    (2643, 95),
    (2299, 100),
    (1905, 110),
    (1574, 120),
    (1238, 130),
    (925, 145),
    (656, 160),
    (442, 180),
    (283, 200),
    (172, 225),
    (82, 250),
    (30, 300),
    (11, 350),
];

/// Up to this density so many symbols are light that the estimate is good to a few in a hundred.
const DENSITY_CLEAR: usize = 130;

/// The symbols at hand do not reveal the difference yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the difference needs more symbols, next {ask}")]
pub struct Unfinished {
    /// How many more symbols to ask for; 0 when [`SYMBOLS_MAX`] did not suffice.
    pub ask: u16,
}

/// Finds the short ids that are in one set only, from symbols 0.. of both. Compares as many symbols as both
/// sides have, at most [`SYMBOLS_MAX`].
///
/// The answer is right unless somebody lied or two ids collide, which only the seal shows.
pub fn peel(own: &[Symbol], theirs: &[Symbol], key: &SketchKey) -> Result<Vec<ShortId>, Unfinished> {
    let mut symbols: Vec<Symbol> = own.iter().take(usize::from(SYMBOLS_MAX)).copied().collect();
    symbols.truncate(theirs.len());
    for (symbol, their) in symbols.iter_mut().zip(theirs) {
        symbol.toggle_all(*their);
    }
    let unfinished = Unfinished { ask: advice(&symbols, key) };
    Peeling::of(symbols, *key).run().ok_or(unfinished)
}

/// How many more symbols to ask for. The fuller the newer half, the more elements there are: of those seen
/// clearly, 1.45 symbols each are asked for; of those seen dimly, one each, to look again from there; where
/// every symbol hides several, 3.5 times as many again.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "symbols are at most SYMBOLS_MAX, densities a few hundred"
)]
fn advice(symbols: &[Symbol], key: &SketchKey) -> u16 {
    let (received, newer) = (symbols.len(), symbols.len() / 2);
    let light = |symbol: &&Symbol| symbol.is_zero() || symbol.lone(key).is_some();
    let share = symbols.iter().rev().take(newer).filter(light).count() * 10_000 / newer.max(1);
    let density = DENSITY.iter().find(|(least, _)| share >= *least).map(|(_, density)| *density);
    let wanted = match density {
        Some(density) if density <= DENSITY_CLEAR => received * density * 145 / 10_000,
        Some(density) => received * density / 100,
        None => received * 9 / 2,
    };
    let step = wanted.saturating_sub(received).max(received / 16).max(BLOCK_MIN);
    let ask = if received == 0 { usize::from(FIRST_BLOCK) } else { step };
    u16::try_from(ask.min(usize::from(SYMBOLS_MAX).saturating_sub(received))).unwrap_or(SYMBOLS_MAX)
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
        let (short, tag) = self.symbols.get(place)?.lone(&self.key)?;
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
