//! Seeds of tests that draw.

/// The seed in `SEED`, or a new one; printed, so that a failure can be repeated.
pub fn seed() -> u64 {
    let given = std::env::var("SEED").ok().map(|text| text.parse().expect("SEED is a number"));
    let seed = given.unwrap_or_else(|| hallmesh::home::chance().next_u64());
    eprintln!("SEED={seed}");
    seed
}
