//! What it came to.

use std::fmt;

use serde::Serialize;

/// Resident memory of a hall that stands idle, in KiB: what the design allows.
const IDLE_KIB_MAX: u64 = 40 * 1024;
/// Of one that is loading.
const LOAD_KIB_MAX: u64 = 256 * 1024;
/// Of a search, in microseconds, of 99 in 100.
const SEARCH_US_MAX: u64 = 20_000;

/// What the lists of a city take. Bytes, milliseconds, microseconds or KiB, as the names say.
#[derive(Clone, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "the names are the rows of the table")]
pub struct Report {
    pub entries: usize,
    pub publish_ms: u64,
    pub publish_peak_kib: u64,
    pub store_bytes: u64,
    pub load_ms: u64,
    pub load_peak_kib: u64,
    pub give_peak_kib: u64,
    pub line_bytes_to: u64,
    pub line_bytes_from: u64,
    pub loaded_store_bytes: u64,
    pub search_first_us: u64,
    pub searches: usize,
    pub search_p50_us: u64,
    pub search_p99_us: u64,
    pub search_most_us: u64,
    pub idle_kib: u64,
    pub idle_searched_kib: u64,
    pub plain_bytes: usize,
    pub zstd_bytes: Option<usize>,
    pub zstd_ms: u64,
}

impl Report {
    /// Whether memory and search are within what the design allows.
    pub fn holds(&self) -> bool {
        let idle = self.idle_kib.max(self.idle_searched_kib) <= IDLE_KIB_MAX;
        let loading = self.load_peak_kib.max(self.publish_peak_kib).max(self.give_peak_kib) <= LOAD_KIB_MAX;
        idle && loading && self.search_p99_us <= SEARCH_US_MAX
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |kib: u64| format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024);
        let mb = |bytes: u64| format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000);
        let seconds = |ms: u64| format!("{}.{} s", ms / 1_000, ms % 1_000 / 100);
        let length = |bytes: usize| mb(u64::try_from(bytes).unwrap_or(u64::MAX));
        let zstd = self.zstd_bytes.map_or_else(|| "no zstd here".to_owned(), length);
        writeln!(
            f,
            "{} entries; the same in one file {}, zstd -9 {zstd} in {}",
            self.entries,
            length(self.plain_bytes),
            seconds(self.zstd_ms)
        )?;
        writeln!(
            f,
            "published     {}, at most {}, store {}",
            seconds(self.publish_ms),
            mib(self.publish_peak_kib),
            mb(self.store_bytes)
        )?;
        writeln!(
            f,
            "read by line  {}, {} there and {} back, at most {} (of the giver {}), store {}",
            seconds(self.load_ms),
            mb(self.line_bytes_to),
            mb(self.line_bytes_from),
            mib(self.load_peak_kib),
            mib(self.give_peak_kib),
            mb(self.loaded_store_bytes)
        )?;
        writeln!(
            f,
            "idle          {}, {} once somebody has searched",
            mib(self.idle_kib),
            mib(self.idle_searched_kib)
        )?;
        writeln!(
            f,
            "search        p50 {} us, p99 {} us, at most {} us of {}; the first, which makes the index, {} us",
            self.search_p50_us, self.search_p99_us, self.search_most_us, self.searches, self.search_first_us
        )
    }
}
