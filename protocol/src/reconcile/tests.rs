#![expect(clippy::arithmetic_side_effects, reason = "the numbers of these tests are small")]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::fingerprint::Lattice;
use super::sketch::Indices;
use super::*;

fn id(x: u64) -> ElementId {
    *blake3::hash(&x.to_le_bytes()).as_bytes()
}

fn ids(numbers: std::ops::Range<u64>) -> Vec<ElementId> {
    numbers.map(id).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// The key of the published vectors: bytes 00 01 .. 1f.
fn vector_key() -> SketchKey {
    SketchKey::from_bytes(std::array::from_fn(|i| u8::try_from(i).unwrap()))
}

fn key(seed: u64) -> SketchKey {
    SketchKey::derive(1, &seed.to_le_bytes(), &[7; 8])
}

fn indices(tag: u64, end: usize) -> Vec<usize> {
    Indices::of(tag, end).collect()
}

fn sketch(key: &SketchKey, ids: &[ElementId]) -> Sketch {
    Sketch::of(*key, ids.iter().copied())
}

fn symbols(key: &SketchKey, ids: &[ElementId], count: u16) -> Vec<Symbol> {
    sketch(key, ids).block(0, count).unwrap().to_vec()
}

fn zeros(count: u16) -> Vec<Symbol> {
    vec![Symbol::default(); usize::from(count)]
}

fn shorts(key: &SketchKey, ids: &[ElementId]) -> BTreeSet<ShortId> {
    ids.iter().map(|id| key.short(id)).collect()
}

// Published vectors.

#[test]
fn short_ids_tags_and_indices_are_those_published() {
    let published: [(u64, &str, &str, u64, &[usize]); 3] = [
        (0, "71e0a99173564931", "c0319663158f", 0x1ddb_45cb_e329_872d, &[0, 1, 2, 7, 9, 15, 16, 18, 20, 55]),
        (
            1,
            "1a0d12016999e476",
            "cd88a51f3442",
            0xf5bb_66bb_ca16_5cf1,
            &[0, 1, 5, 6, 7, 9, 17, 27, 36, 40, 41],
        ),
        (2, "ea21c7b3c885cf2f", "7fef76e5849d", 0x0b6d_31e6_6e3b_50ed, &[0, 2, 3, 5, 20, 24, 36, 63]),
    ];
    for (x, id_starts, short, tag, places) in published {
        assert_eq!(hex(&id(x)[..8]), id_starts);
        assert_eq!(format!("{:?}", vector_key().short(&id(x))), short);
        assert_eq!(vector_key().tag(u64::from_str_radix(short, 16).unwrap()), tag);
        assert_eq!(indices(tag, 64), places);
    }
}

#[test]
fn long_index_sequences_are_those_published() {
    let of_one = [0, 1, 2, 3, 6, 11, 19, 44, 116, 122, 341, 972, 3263, 8777, 9660, 13568, 18043];
    let of_digits = [
        0, 1, 2, 4, 6, 8, 20, 24, 34, 36, 126, 153, 155, 1225, 2837, 3114, 3242, 7220, 8569, 13648, 14833,
        15115, 58349, 81321,
    ];
    assert_eq!(indices(1, 100_000), of_one);
    assert_eq!(indices(0x0123_4567_89ab_cdef, 100_000), of_digits);
}

#[test]
fn symbols_are_those_published() {
    let published = "50a599455672318b04cd217c33b90ddcdb3f129186e0debfc0d7129d84e576ef7fed503b\
                     000000000000000000dfb0fad367b21c0c2d42341fa588cdf15c16cd217c33b90ddcdb3f";
    assert_eq!(hex(&Symbol::pack(&symbols(&vector_key(), &ids(0..3), 8))), published);
}

#[test]
fn the_published_set_peels_from_four_symbols_on() {
    let (key, three) = (vector_key(), ids(0..3));
    for count in 1..=3 {
        assert!(peel(&symbols(&key, &three, count), &zeros(count), &key).is_err());
    }
    for count in 4..=64 {
        let peeled = peel(&symbols(&key, &three, count), &zeros(count), &key).unwrap();
        assert_eq!(BTreeSet::from_iter(peeled), shorts(&key, &three));
    }
}

#[test]
fn plain_lattice_roots_are_those_published() {
    let published = [
        (0, "be2a8de3dcf46c94ce85cdc8e07ac308f4d8a95490d956c38d780fd610db0813"),
        (1, "6ae9a626706b77e640f9104effadd9af00f70c2dfab37ca0be4134d3f1764ff2"),
        (3, "46cf5701b6debd16fa6dfac000518b1413c77815f14b4a240cf6889e32bf04e2"),
        (20_000, "07996ac7850f0e86244947080a3908aedbe2ad64733a080b70c166c944748345"),
    ];
    let (mut lattice, mut hashed) = (Lattice::empty(), 0);
    for (elements, root) in published {
        for x in hashed..elements {
            lattice.add(blake3::Hasher::new().update(&id(x)));
        }
        hashed = elements;
        assert_eq!(hex(&lattice.root()), root, "after {elements} elements");
    }
}

/// Frozen by us: changing one of them makes old and new halls disagree for ever.
#[test]
fn our_own_roots_and_keys_are_frozen() {
    assert_eq!(
        hex(&Fingerprint::of(1, &ids(0..3)).root()),
        "c380892c026cc964bcff2376c84c3d99c61654216a5fe1d7fdc31d1bd48d321b"
    );
    assert_eq!(
        hex(&Fingerprint::of(2, &ids(0..3)).root()),
        "c5bd5fa0e29a0dcac4e1aace2bd3b1b8a2f02f219cd28b99a01f7788e6121351"
    );
    let key = SketchKey::derive(1, &[0xaa; 8], &[0xbb; 8]);
    assert_eq!(format!("{:?}", key.short(&id(0))), "65d3b45eba5c");
}

// Fingerprint.

#[test]
fn order_and_detours_leave_no_trace_in_a_fingerprint() {
    let straight = Fingerprint::of(1, &ids(0..20));
    let mut winding = Fingerprint::new(1);
    winding.remove(&id(99));
    for x in (0..20).rev() {
        winding.add(&id(x));
    }
    winding.add(&id(99));
    assert_eq!(winding, straight);
    assert_eq!(winding.count(), 20);
}

#[test]
fn a_fingerprint_survives_its_row() {
    let fingerprint = Fingerprint::of(3, &ids(0..5));
    let row = fingerprint.to_bytes();
    assert_eq!(row.len(), FINGERPRINT_LEN);
    assert_eq!(Fingerprint::from_bytes(3, &row), Ok(fingerprint));
}

#[test]
fn a_fingerprint_row_of_another_length_or_space_is_refused() {
    let mut row = Fingerprint::new(3).to_bytes();
    assert_eq!(Fingerprint::from_bytes(4, &row), Err(MalformedRow::Space { wanted: 4, found: 3 }));
    for length in [0, 1, 8, 9, FINGERPRINT_LEN - 1] {
        assert_eq!(Fingerprint::from_bytes(3, &row[..length]), Err(MalformedRow::Length(length)));
    }
    row.push(0);
    assert_eq!(Fingerprint::from_bytes(3, &row), Err(MalformedRow::Length(FINGERPRINT_LEN + 1)));
}

// Blocks.

#[test]
fn blocks_join_into_the_sketch_encoded_at_once() {
    let (key, set) = (key(1), ids(0..500));
    let (mut joined, mut received, mut growing) = (Vec::new(), 0, sketch(&key, &set));
    for block in [16, 1, 47, 936] {
        joined.extend_from_slice(growing.block(received, block).unwrap());
        received += block;
    }
    assert_eq!(joined, symbols(&key, &set, 1000));
    assert_eq!(growing.block(20, 5).unwrap(), &joined[20..25]);
}

/// Nothing in common and far more than symbols can carry: every symbol hides many elements.
#[test]
fn blocks_grow_up_to_the_bound() {
    let (key, set) = (key(1), ids(0..50_000));
    let (mut own, mut received, mut totals) = (sketch(&key, &set), 0, Vec::new());
    while let Unfinished { ask: 1.. } = own.peel(&zeros(received)).unwrap_err() {
        received += own.peel(&zeros(received)).unwrap_err().ask;
        totals.push(received);
    }
    assert_eq!(totals, [21, 94, 423, 1903, 4096]);
}

#[test]
fn requests_for_no_symbols_or_beyond_the_bound_are_refused() {
    let mut own = sketch(&key(1), &ids(0..3));
    for (from, count) in
        [(0, 0), (0, 4097), (4096, 1), (4095, 2), (1, u16::MAX), (u16::MAX, 1), (u16::MAX, 0)]
    {
        let refused = Malformed::Range { from, count };
        assert_eq!(own.block(from, count), Err(refused));
        assert_eq!(Symbol::unpack(&[], from, count), Err(refused));
    }
    assert!(own.block(4095, 1).is_ok());
}

#[test]
fn a_block_is_read_only_at_the_length_asked_for() {
    let block = symbols(&key(1), &ids(0..30), 16);
    let packed = Symbol::pack(&block);
    assert_eq!(packed.len(), 16 * SYMBOL_LEN);
    assert_eq!(Symbol::unpack(&packed, 0, 16), Ok(block));
    for (bytes, count) in [(&packed[..], 15), (&packed[..], 17), (&packed[1..], 16), (&[][..], 16)] {
        let refused = Malformed::BlockLength { length: bytes.len(), count };
        assert_eq!(Symbol::unpack(bytes, 0, count), Err(refused));
    }
}

// Peeling.

#[test]
fn equal_sets_peel_to_nothing_and_no_symbols_to_no_answer() {
    let (key, set) = (key(1), ids(0..100));
    let own = symbols(&key, &set, 16);
    assert_eq!(peel(&own, &own, &key), Ok(Vec::new()));
    assert_eq!(peel(&own, &[], &key), Err(Unfinished { ask: FIRST_BLOCK }));
    assert_eq!(peel(&[], &[], &key), Err(Unfinished { ask: FIRST_BLOCK }));
}

#[test]
fn unequal_numbers_of_symbols_are_compared_as_far_as_both_go() {
    let (key, set) = (key(1), ids(0..3));
    let peeled = peel(&symbols(&key, &set, 64), &zeros(32), &key).unwrap();
    assert_eq!(BTreeSet::from_iter(peeled), shorts(&key, &set));
}

#[test]
fn a_peel_at_the_bound_asks_for_nothing_more() {
    let (key, set) = (key(1), ids(0..6000));
    let own = symbols(&key, &set, SYMBOLS_MAX);
    assert_eq!(peel(&own, &zeros(SYMBOLS_MAX), &key), Err(Unfinished { ask: 0 }));
}

#[test]
fn symbols_past_the_bound_are_ignored() {
    let (key, set) = (key(1), ids(0..10));
    let mut own = symbols(&key, &set, SYMBOLS_MAX);
    let mut theirs = zeros(SYMBOLS_MAX);
    own.extend(zeros(1000));
    theirs.extend(symbols(&key, &set, 1000));
    assert_eq!(peel(&own, &theirs, &key).map(|peeled| peeled.len()), Ok(10));
}

/// Each symbol looks like a single element of its own; below 300 its index sequence fits too.
#[test]
fn forged_pure_symbols_are_given_up() {
    let key = key(1);
    let forged: Vec<Symbol> =
        (0..4096).map(|place| symbols(&key, &[lone_element(&key, place)], 1)[0]).collect();
    let unfinished = peel(&forged, &zeros(SYMBOLS_MAX), &key);
    assert_eq!(unfinished, Err(Unfinished { ask: 0 }));
}

fn lone_element(key: &SketchKey, place: usize) -> ElementId {
    let fits =
        |id: &ElementId| place >= 300 || indices(key.tag(key.short(id).number()), 300).contains(&place);
    let start = 1_000_000 * u64::try_from(place).unwrap();
    (start..start + 1_000_000).map(id).find(fits).unwrap()
}

proptest! {
    #[test]
    fn random_symbols_never_panic(
        bytes in proptest::collection::vec(any::<[u8; SYMBOL_LEN]>(), 0..300),
        seed in any::<u64>(),
    ) {
        let theirs: Vec<Symbol> = bytes.into_iter().map(Symbol::from).collect();
        let own = symbols(&key(seed), &ids(0..20), 300);
        if let Ok(peeled) = peel(&own, &theirs, &key(seed)) {
            prop_assert!(peeled.len() <= theirs.len());
        }
    }

    #[test]
    fn any_nine_bytes_are_one_symbol(bytes in any::<[u8; SYMBOL_LEN]>()) {
        prop_assert_eq!(<[u8; SYMBOL_LEN]>::from(Symbol::from(bytes)), bytes);
    }

    #[test]
    fn indices_ascend_and_stay_below_the_end(tag in any::<u64>(), end in 1_usize..5000) {
        let places = indices(tag, end);
        prop_assert_eq!(places[0], 0);
        prop_assert!(places.is_sorted_by(|one, next| one < next));
        prop_assert!(places.iter().all(|&place| place < end));
    }

    #[test]
    fn any_two_sets_find_their_difference(
        ours in proptest::collection::btree_set(0_u64..60, 0..40),
        theirs in proptest::collection::btree_set(0_u64..60, 0..40),
        seed in any::<u64>(),
    ) {
        let set = |numbers: &BTreeSet<u64>| numbers.iter().map(|&x| id(x)).collect::<Vec<_>>();
        let (own, other) = (set(&ours), set(&theirs));
        let exchange = exchange(&own, &other, seed);
        prop_assert_eq!(exchange.difference.have, set(&(&ours - &theirs)));
        prop_assert_eq!(exchange.arrived, set(&(&theirs - &ours)));
        prop_assert!(exchange.sealed);
    }
}

// Difference.

#[test]
fn a_list_beyond_the_bound_is_refused() {
    let listed = vec![key(1).short(&id(0)); 4097];
    assert_eq!(sketch(&key(1), &ids(0..3)).difference(&listed), Err(NoDifference::List(4097)));
    assert_eq!(Difference::of_page(&key(1), ids(0..3), &listed), Err(NoDifference::List(4097)));
}

#[test]
fn a_collision_that_matters_is_reported() {
    let twice = sketch(&key(1), &[ids(0..50), ids(7..8)].concat());
    let listed = |x| [key(1).short(&id(x))];
    assert_eq!(twice.difference(&listed(7)), Err(NoDifference::Collision));
    assert_eq!(twice.difference(&listed(8)).map(|found| found.have), Ok(ids(8..9)));
}

#[test]
fn a_page_shows_what_either_side_lacks() {
    let key = key(1);
    let theirs: Vec<ShortId> = ids(2..6).iter().map(|id| key.short(id)).collect();
    let difference = Difference::of_page(&key, ids(0..4), &theirs).unwrap();
    assert_eq!(difference.have, ids(0..2));
    assert_eq!(BTreeSet::from_iter(difference.want), shorts(&key, &ids(4..6)));
}

#[test]
fn a_withheld_or_foreign_element_breaks_the_seal() {
    let (own, theirs) = (Fingerprint::of(1, &ids(0..10)), Fingerprint::of(1, &ids(5..15)));
    let (have, arrived) = (ids(0..5), ids(10..15));
    assert!(sealed(own.clone(), &have, &arrived, &theirs.root()));
    assert!(!sealed(own.clone(), &have, &arrived[1..], &theirs.root()));
    assert!(!sealed(own.clone(), &have[1..], &arrived, &theirs.root()));
    assert!(!sealed(own, &have, &ids(11..16), &theirs.root()));
}

// Cost.

struct Exchange {
    difference: Difference,
    arrived: Vec<ElementId>,
    sealed: bool,
    symbols: u16,
    rounds: u32,
}

/// A whole exchange as the module's head describes it, every block through its bytes.
fn exchange(own: &[ElementId], other: &[ElementId], seed: u64) -> Exchange {
    let (mut ours, mut theirs) = (sketch(&key(seed), own), sketch(&key(seed), other));
    let (mut symbols, mut received, mut rounds) = (Vec::new(), 0, 0);
    let mut ask = FIRST_BLOCK;
    let peeled = loop {
        let answer = Symbol::pack(theirs.block(received, ask).unwrap());
        symbols.extend(Symbol::unpack(&answer, received, ask).unwrap());
        received += ask;
        rounds += 1;
        match ours.peel(&symbols) {
            Ok(peeled) => break peeled,
            Err(unfinished) => ask = unfinished.ask,
        }
    };
    let difference = ours.difference(&peeled).unwrap();
    let arrived = theirs.difference(&difference.want).unwrap().have;
    let root = Fingerprint::of(1, other).root();
    let sealed = sealed(Fingerprint::of(1, own), &difference.have, &arrived, &root);
    Exchange { difference, arrived, sealed, symbols: received, rounds }
}

#[test]
fn one_difference_among_twenty_thousand_takes_one_round() {
    let theirs = [ids(0..19_999), ids(20_000..20_000)].concat();
    let exchange = exchange(&ids(0..20_000), &theirs, 0);
    assert!(exchange.sealed);
    assert_eq!((exchange.symbols, exchange.rounds), (FIRST_BLOCK, 1));
}

/// What `trials` exchanges cost: mean symbols to a hundred differences, ten times the mean of rounds, most rounds.
fn cost(different: u64, trials: u64) -> (u64, u64, u32) {
    let half = different / 2;
    let run = |seed| exchange(&ids(0..half), &ids(half..different), seed);
    let runs: Vec<Exchange> = (0..trials).map(run).collect();
    let symbols: u64 = runs.iter().map(|run| u64::from(run.symbols)).sum();
    let rounds: u64 = runs.iter().map(|run| u64::from(run.rounds)).sum();
    let most = runs.iter().map(|run| run.rounds).max().unwrap();
    (symbols * 100 / trials / different, rounds * 10 / trials, most)
}

/// The sets' common part changes neither. Bounds: symbols to a hundred differences, ten mean rounds, most rounds.
#[test]
fn the_blocks_asked_for_waste_little_and_take_few_rounds() {
    let bounds = [(10, (240, 12, 5)), (30, (210, 40, 9)), (100, (165, 46, 10)), (1000, (156, 56, 8))];
    for (different, most) in bounds {
        let (symbols, mean, rounds) = cost(different, 100);
        let fits = symbols <= most.0 && mean <= most.1 && rounds <= most.2;
        assert!(fits, "{different} differences: {symbols}, {mean}, {rounds}");
    }
}

/// Symbols depend on the difference alone, so the sets' common part is left out here.
#[test]
fn overhead_stays_near_what_was_measured() {
    let bounds = [(1, 200, 10, 10), (10, 200, 13, 21), (100, 50, 13, 16), (1000, 3, 12, 15)];
    for (different, trials, least, most) in bounds {
        let needed: u64 = (0..trials).map(|trial| u64::from(symbols_needed(different, trial))).sum();
        let tenths = needed * 10 / (trials * different);
        assert!((least..=most).contains(&tenths), "{different} differences: {tenths}/10 symbols each");
    }
}

/// The fewest symbols that reveal `different` elements.
fn symbols_needed(different: u64, trial: u64) -> u16 {
    let (key, start) = (key(trial), trial * different);
    let most = u16::try_from((different * 4 + 16).min(4096)).unwrap();
    let own = symbols(&key, &ids(start..start + different), most);
    let enough = |count: &u16| peel(&own[..usize::from(*count)], &zeros(most), &key).is_ok();
    let step = usize::try_from(different.div_ceil(100)).unwrap();
    (1..=most).step_by(step).find(enough).unwrap()
}
