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
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&seed.to_le_bytes());
    SketchKey::derive(1, &nonce, &[7; 16])
}

fn indices(tag: u64, end: usize) -> Vec<usize> {
    Indices::of(tag, end).collect()
}

fn symbols(key: &SketchKey, ids: &[ElementId], count: u32) -> Vec<Symbol> {
    Sketch::encode(key, ids.iter().copied(), 0, count).unwrap()
}

fn zeros(count: u32) -> Vec<Symbol> {
    symbols(&vector_key(), &[], count)
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
    let key = SketchKey::derive(1, &[0xaa; 16], &[0xbb; 16]);
    assert_eq!(format!("{:?}", key.short(&id(0))), "389da00f455e");
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
    let (mut joined, mut received) = (Vec::new(), 0);
    for block in [16, 1, 47, 936] {
        joined.extend(Sketch::encode(&key, set.iter().copied(), received, block).unwrap());
        received += block;
    }
    assert_eq!(joined, symbols(&key, &set, 1000));
}

#[test]
fn blocks_double_up_to_the_bound() {
    let (mut received, mut totals) = (0, Vec::new());
    while next_block(received) > 0 {
        received += next_block(received);
        totals.push(received);
    }
    assert_eq!(totals, [16, 32, 64, 128, 256, 512, 1024, 2048, 4096]);
    assert_eq!(next_block(4000), 96);
    assert_eq!(next_block(u32::MAX), 0);
}

#[test]
fn requests_for_no_symbols_or_beyond_the_bound_are_refused() {
    for (from, count) in
        [(0, 0), (0, 4097), (4096, 1), (4095, 2), (1, u32::MAX), (u32::MAX, 1), (u32::MAX, 0)]
    {
        let refused = Malformed::Range { from, count };
        assert_eq!(Sketch::encode(&key(1), ids(0..3), from, count), Err(refused));
        assert_eq!(Symbol::unpack(&[], from, count), Err(refused));
    }
    assert!(Sketch::new(key(1), 4095, 1).is_ok());
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
    assert_eq!(peel(&own, &[], &key), Err(Unfinished { ask: 16 }));
    assert_eq!(peel(&[], &[], &key), Err(Unfinished { ask: 16 }));
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
    assert_eq!(Difference::of(&key(1), ids(0..3), &listed), Err(NoDifference::List(4097)));
    assert_eq!(Difference::of_page(&key(1), ids(0..3), &listed), Err(NoDifference::List(4097)));
}

#[test]
fn a_collision_among_own_elements_is_reported() {
    let twice = ids(0..50).into_iter().chain([id(7)]);
    assert_eq!(Difference::of(&key(1), twice, &[]), Err(NoDifference::Collision));
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
    symbols: u32,
    rounds: u32,
}

impl Exchange {
    /// Two roots or, of about the same size, two nonces; symbols; requests.
    fn bytes(&self) -> usize {
        64 + SYMBOL_LEN * usize::try_from(self.symbols).unwrap() + SHORT_LEN * self.difference.want.len()
    }
}

/// A whole exchange as the module's head describes it, every message through its bytes.
fn exchange(own: &[ElementId], other: &[ElementId], seed: u64) -> Exchange {
    let key = key(seed);
    let (mut ours, mut theirs, mut rounds) = (Vec::new(), Vec::new(), 0);
    let mut ask = FIRST_BLOCK;
    let peeled = loop {
        let received = u32::try_from(theirs.len()).unwrap();
        let answer = Symbol::pack(&Sketch::encode(&key, other.iter().copied(), received, ask).unwrap());
        theirs.extend(Symbol::unpack(&answer, received, ask).unwrap());
        ours.extend(Sketch::encode(&key, own.iter().copied(), received, ask).unwrap());
        rounds += 1;
        match peel(&ours, &theirs, &key) {
            Ok(peeled) => break peeled,
            Err(unfinished) => ask = unfinished.ask,
        }
    };
    let difference = Difference::of(&key, own.iter().copied(), &peeled).unwrap();
    let arrived = Difference::of(&key, other.iter().copied(), &difference.want).unwrap().have;
    let root = Fingerprint::of(1, other).root();
    let sealed = sealed(Fingerprint::of(1, own), &difference.have, &arrived, &root);
    Exchange { difference, arrived, sealed, symbols: u32::try_from(theirs.len()).unwrap(), rounds }
}

/// The exchange of two sets of 20,000 that differ in `different`, half on either side.
fn exchange_of_large_sets(different: u64) -> Exchange {
    let (all, half) = (20_000, different / 2);
    let theirs = [ids(0..all - half), ids(all..all + different - half)].concat();
    let exchange = exchange(&ids(0..all), &theirs, 0);
    assert!(exchange.sealed);
    let differing = exchange.difference.have.len() + exchange.difference.want.len();
    assert_eq!(differing, usize::try_from(different).unwrap());
    exchange
}

#[test]
fn one_difference_among_twenty_thousand_takes_one_round() {
    let exchange = exchange_of_large_sets(1);
    assert_eq!((exchange.symbols, exchange.rounds), (FIRST_BLOCK, 1));
}

#[test]
fn ten_differences_among_twenty_thousand_take_few_rounds() {
    assert!(exchange_of_large_sets(10).rounds <= 3);
}

#[test]
fn a_thousand_differences_among_twenty_thousand_fit_eighteen_thousand_bytes() {
    let exchange = exchange_of_large_sets(1000);
    assert!(exchange.bytes() <= 18_000, "{} bytes", exchange.bytes());
    assert!(exchange.rounds <= 10, "{} rounds", exchange.rounds);
}

/// The first block reveals ten differences in about 52 of 100 exchanges; the others take a second one.
#[test]
fn ten_differences_fit_three_hundred_bytes_as_often_as_not() {
    let trials = 1000;
    let bytes: Vec<usize> = (0..trials).map(|seed| exchange(&ids(0..5), &ids(5..10), seed).bytes()).collect();
    let fitting = bytes.iter().filter(|&&bytes| bytes <= 300).count();
    let mean = bytes.iter().sum::<usize>() / bytes.len();
    assert!((450..=600).contains(&fitting), "{fitting} of {trials}");
    assert!(mean <= 330, "{mean} bytes in the mean");
}

/// Symbols depend on the difference alone, so the sets' common part is left out here.
#[test]
fn overhead_stays_near_what_was_measured() {
    let bounds = [(1, 200, 10, 10), (10, 200, 13, 21), (100, 50, 13, 16), (1000, 3, 12, 15)];
    for (different, trials, least, most) in bounds {
        let needed: u32 = (0..trials).map(|trial| symbols_needed(different, trial)).sum();
        let tenths = u64::from(needed) * 10 / (trials * different);
        assert!((least..=most).contains(&tenths), "{different} differences: {tenths}/10 symbols each");
    }
}

/// The fewest symbols that reveal `different` elements.
fn symbols_needed(different: u64, trial: u64) -> u32 {
    let (key, start) = (key(trial), trial * different);
    let most = u32::try_from(different * 4 + 16).unwrap();
    let own = symbols(&key, &ids(start..start + different), most);
    let enough = |count: &u32| {
        let count = usize::try_from(*count).unwrap();
        peel(&own[..count], &zeros(most), &key).is_ok()
    };
    let step = usize::try_from(different.div_ceil(100)).unwrap();
    (1..=most).step_by(step).find(enough).unwrap()
}
