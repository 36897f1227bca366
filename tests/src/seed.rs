//! Seeds of tests that draw.

/// The seed in `SEED`, or a new one; printed, so that a failure can be repeated.
pub fn seed() -> u64 {
    let given = std::env::var("SEED").ok().map(|text| text.parse().expect("SEED is a number"));
    let seed = given.unwrap_or_else(|| hallmesh::home::chance().next_u64());
    eprintln!("SEED={seed}");
    seed
}

/// Chance that follows from a seed.
pub(crate) fn chance(seed: u64) -> hallmesh_protocol::chance::Chance {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    hallmesh_protocol::chance::Chance::from_seed(key)
}
