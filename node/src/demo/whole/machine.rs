//! What the machine has to give for a whole city, and what the city takes of it.

use std::path::Path;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::ops::Problem;
use crate::store::free_bytes;

const MIB: u64 = 1024 * 1024;
/// Files of a hall: its rows, its lock, its port, its socket, and its lines, of which each has two ends.
const FILES_A_HALL: u64 = 18;
/// Files of the process, and of calls under way.
const FILES_BESIDE: u64 = 256;
/// Resident memory of a hall.
const MEMORY_A_HALL: u64 = 2 * MIB;
/// Resident memory of the process without halls.
const MEMORY_BESIDE: u64 = 64 * MIB;
/// Bytes on the disk for each pair of halls: each holds the charters of all.
const DISK_A_PAIR: u64 = 10 * 1024;
/// Bytes on the disk of a hall besides.
const DISK_A_HALL: u64 = 4 * MIB;
/// Bytes of the disk that stay free.
const DISK_BESIDE: u64 = 256 * MIB;
/// The kernel counts processor time for programs in hundredths of a second.
const TICKS_A_SECOND: u64 = 100;

/// Refuses a city for which the machine has no room, before anything is begun. Takes as many files as the process may.
pub(super) fn refuse_if_too_small(halls: usize, dir: &Path) -> Result<(), Problem> {
    let halls = u64::try_from(halls).unwrap_or(u64::MAX);
    let files = raise_files();
    check("demo.too_few_files", halls, (FILES_A_HALL, FILES_BESIDE), files)?;
    // Where the system does not say, trying it will tell.
    if let Some(memory) = available_memory() {
        let (each, beside) = (MEMORY_A_HALL / MIB, MEMORY_BESIDE / MIB);
        check("demo.too_little_memory", halls, (each, beside), memory / MIB)?;
    }
    if let Ok(free) = free_bytes(dir) {
        let each = DISK_A_HALL.saturating_add(DISK_A_PAIR.saturating_mul(halls)).div_ceil(MIB);
        check("demo.too_little_disk", halls, (each, DISK_BESIDE / MIB), free / MIB)
            .map_err(|problem| problem.with("path", dir.display()))?;
    }
    Ok(())
}

fn check(code: &str, halls: u64, (each, beside): (u64, u64), have: u64) -> Result<(), Problem> {
    let needed = halls.saturating_mul(each).saturating_add(beside);
    if have >= needed {
        return Ok(());
    }
    let fit = have.saturating_sub(beside).checked_div(each).unwrap_or(0);
    let problem = Problem::new(code).with("needed", needed).with("have", have);
    Err(problem.with("halls", halls).with("fit", fit))
}

/// The files that the process may open, after asking for as many as it may ask for.
fn raise_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(why) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%why, "the number of files stays as it is");
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

fn available_memory() -> Option<u64> {
    kib_in(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")
}

/// What the process has taken so far; zero where the system does not say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taken {
    /// Resident memory, in bytes.
    pub(super) resident: u64,
    /// The most that was resident.
    pub(super) peak: u64,
    /// Time of processors.
    pub(super) cpu: Duration,
}

/// Looks at the process.
pub(super) fn taken() -> Taken {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let bytes = |name| kib_in(&status, name).unwrap_or(0);
    Taken { resident: bytes("VmRSS:"), peak: bytes("VmHWM:"), cpu: cpu_in(&stat).unwrap_or_default() }
}

fn kib_in(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()?.saturating_mul(1024))
}

/// Fields 14 and 15, counted behind the name of the program, which may have blanks and brackets in it.
fn cpu_in(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system) = (fields.next()?.parse::<u64>().ok()?, fields.next()?.parse::<u64>().ok()?);
    let ticks = user.saturating_add(system);
    Some(Duration::from_millis(ticks.saturating_mul(1_000 / TICKS_A_SECOND)))
}

/// Bytes that a directory takes on the disk, with all below it.
pub(super) fn on_disk(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => on_disk(&entry.path()),
        Ok(found) => found.blocks().saturating_mul(512),
        Err(_gone) => 0,
    });
    sizes.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_how_many_halls_would() {
        assert!(check("demo.too_few_files", 10, (18, 256), 436).is_ok());
        let problem = check("demo.too_few_files", 11, (18, 256), 436).expect_err("one hall too many");
        let said: Vec<_> = ["needed", "have", "halls", "fit"].map(|name| problem.params[name].clone()).into();
        assert_eq!(said, ["454", "436", "11", "10"]);
        assert_eq!(check("demo.too_few_files", 1, (18, 256), 100).expect_err("none").params["fit"], "0");
    }

    #[test]
    fn processor_time_is_read_behind_the_name() {
        let stat = "12 (a )b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20";
        assert_eq!(cpu_in(stat), Some(Duration::from_secs(2)));
        assert_eq!(cpu_in("nothing"), None);
    }

    #[test]
    fn this_process_has_taken_something() {
        let taken = taken();
        assert!(taken.resident > MIB && taken.peak >= taken.resident);
    }
}
