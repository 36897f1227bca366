//! Clocks and memory of this process, as the kernel tells them.

use anyhow::Context;
use rustix::time::{ClockId, clock_gettime};

/// Microseconds of CPU that this thread has had.
pub(crate) fn cpu_micros() -> u64 {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    spent.tv_sec.unsigned_abs() * 1_000_000 + spent.tv_nsec.unsigned_abs() / 1_000
}

/// KiB resident now.
pub(crate) fn resident_kib() -> anyhow::Result<u64> {
    status("VmRSS:")
}

/// KiB resident at the most since [`reset_peak`].
pub(crate) fn peak_kib() -> anyhow::Result<u64> {
    status("VmHWM:")
}

/// Forgets the peak so far.
pub(crate) fn reset_peak() -> anyhow::Result<()> {
    std::fs::write("/proc/self/clear_refs", "5").context("resetting the peak of memory")
}

fn status(name: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// The middle one.
pub(crate) fn median(mut of: Vec<u64>) -> u64 {
    of.sort_unstable();
    of.get(of.len() / 2).copied().unwrap_or(0)
}

/// A length as a number.
pub(crate) fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
