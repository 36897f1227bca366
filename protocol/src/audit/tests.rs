#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests fail loudly"
)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::tree;
use crate::ids::Digest;

/// The leaves of the reference tests of Certificate Transparency.
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

/// Its roots, by size from 0.
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

const TO_FIRST_OF_EIGHT: [&str; 3] = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
];

const SIX_TO_EIGHT: [&str; 3] = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
];

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn digests<const N: usize>(texts: [&str; N]) -> Vec<Digest> {
    texts.into_iter().map(|text| Digest(unhex(text).try_into().unwrap())).collect()
}

/// Complete subtrees, grown one leaf at a time as the rows are.
#[derive(Default)]
struct Grown {
    subtrees: BTreeMap<(u8, u64), Digest>,
    size: u64,
}

impl Grown {
    fn of(leaves: &[Vec<u8>]) -> Self {
        let mut grown = Self::default();
        for leaf in leaves {
            grown.add(leaf);
        }
        grown
    }

    fn add(&mut self, leaf: &[u8]) {
        let (mut hash, mut index, mut level) = (tree::leaf(leaf), self.size, 0);
        self.subtrees.insert((level, index), hash);
        while index % 2 == 1 {
            hash = tree::node(&self.subtrees[&(level, index - 1)], &hash);
            (index, level) = (index / 2, level + 1);
            self.subtrees.insert((level, index), hash);
        }
        self.size += 1;
    }

    fn read(&self) -> impl Fn(u8, u64) -> Option<Digest> + '_ {
        |level, index| self.subtrees.get(&(level, index)).copied()
    }

    fn root(&self, size: u64) -> Digest {
        tree::root(&self.read(), size).unwrap()
    }
}

/// The words of RFC 6962, section 2.1, with no thought of cost.
fn naive(leaves: &[Vec<u8>]) -> [u8; 32] {
    let hash = |first: &[u8], parts: &[&[u8]]| -> [u8; 32] {
        let hasher =
            parts.iter().fold(Sha256::new().chain_update(first), |hasher, part| hasher.chain_update(part));
        hasher.finalize().into()
    };
    match leaves {
        [] => hash(&[], &[]),
        [one] => hash(&[0], &[one]),
        more => {
            let k = (0..usize::BITS)
                .map(|power| 1_usize << power)
                .take_while(|k| *k < more.len())
                .last()
                .unwrap();
            hash(&[1], &[&naive(&more[..k]), &naive(&more[k..])])
        }
    }
}

fn reference() -> Vec<Vec<u8>> {
    LEAVES.into_iter().map(unhex).collect()
}

#[test]
fn roots_are_those_of_the_reference() {
    let grown = Grown::of(&reference());
    for (size, root) in (0..).zip(digests(ROOTS)) {
        assert_eq!(grown.root(size), root, "{size}");
    }
}

#[test]
fn proofs_are_those_of_the_reference() {
    let grown = Grown::of(&reference());
    assert_eq!(tree::inclusion(&grown.read(), 0, 8).unwrap(), digests(TO_FIRST_OF_EIGHT));
    assert_eq!(tree::consistency(&grown.read(), 6, 8).unwrap(), digests(SIX_TO_EIGHT));
    assert_eq!(tree::inclusion(&grown.read(), 8, 8), None);
    assert_eq!(tree::consistency(&grown.read(), 8, 6), None);
}

#[test]
fn every_proof_of_every_small_tree_holds_and_for_nothing_else() {
    let leaves: Vec<Vec<u8>> = (0..33_u8).map(|it| vec![it]).collect();
    let grown = Grown::of(&leaves);
    for size in 1..=33 {
        let root = grown.root(size);
        assert_eq!(root.0, naive(&leaves[..usize::try_from(size).unwrap()]));
        for place in 0..size {
            let path = tree::inclusion(&grown.read(), place, size).unwrap();
            let hash = tree::leaf(&leaves[usize::try_from(place).unwrap()]);
            assert!(tree::includes(&hash, place, size, &path, &root), "{place} of {size}");
            assert!(!tree::includes(&tree::leaf(b"other"), place, size, &path, &root));
            assert!(!tree::includes(&hash, place, size, &path, &grown.root(size - 1)));
            assert!(!tree::includes(&hash, size, size, &path, &root));
            let longer = [path.as_slice(), &[root]].concat();
            assert!(!tree::includes(&hash, place, size, &longer, &root));
        }
        for old in 0..=size {
            let path = tree::consistency(&grown.read(), old, size).unwrap();
            let before = grown.root(old);
            assert!(tree::continues((old, &before), (size, &root), &path), "{old} to {size}");
            let longer = [path.as_slice(), &[root]].concat();
            assert!(!tree::continues((old, &before), (size, &root), &longer));
            if old > 0 {
                let other = tree::leaf(b"other");
                assert!(!tree::continues((old, &other), (size, &root), &path), "{old} to {size}");
                assert!(!tree::continues((old, &before), (size, &other), &path), "{old} to {size}");
            }
        }
    }
}

proptest! {
    #[test]
    fn a_grown_tree_is_the_naive_one(leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..8), 0..200)) {
        let grown = Grown::of(&leaves);
        prop_assert_eq!(grown.root(grown.size).0, naive(&leaves));
    }

    #[test]
    fn a_changed_leaf_is_in_no_later_tree(
        leaves in prop::collection::vec(any::<[u8; 4]>(), 2..100),
        changed in any::<prop::sample::Index>(),
        later in any::<prop::sample::Index>(),
    ) {
        let leaves: Vec<Vec<u8>> = leaves.into_iter().map(|leaf| leaf.to_vec()).collect();
        let (changed, mut other) = (changed.index(leaves.len()), leaves.clone());
        other[changed][0] ^= 1;
        let (old, new) = (Grown::of(&leaves), Grown::of(&other));
        let size = changed + 1 + later.index(leaves.len() - changed);
        let (size, all) = (u64::try_from(size).unwrap(), u64::try_from(leaves.len()).unwrap());
        let path = tree::consistency(&new.read(), size, all).unwrap();
        let before = old.root(size);
        prop_assert!(!tree::continues((size, &before), (all, &new.root(all)), &path));
        let path = tree::inclusion(&new.read(), u64::try_from(changed).unwrap(), all).unwrap();
        let hash = tree::leaf(&leaves[changed]);
        prop_assert!(!tree::includes(&hash, u64::try_from(changed).unwrap(), all, &path, &new.root(all)));
    }

    #[test]
    fn no_path_makes_a_check_panic(
        place in any::<u64>(),
        sizes in any::<(u64, u64)>(),
        path in prop::collection::vec(any::<[u8; 32]>(), 0..130),
    ) {
        let path: Vec<Digest> = path.into_iter().map(Digest).collect();
        let root = tree::leaf(b"root");
        prop_assert!(!tree::includes(&tree::leaf(b"leaf"), place, sizes.0, &path, &root));
        let (old, new) = (sizes.0.min(sizes.1), sizes.0.max(sizes.1));
        if old > 0 && old < new {
            prop_assert!(!tree::continues((old, &tree::leaf(b"old")), (new, &root), &path));
        }
    }
}
