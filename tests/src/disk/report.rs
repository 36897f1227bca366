//! What a whole examination came to, for people and for machines.

use std::fmt;

use serde_json::{Value, json};

use super::failures::Failures;
use super::rot::Rot;
use super::run::{TOLD_MAX, Tally};

/// Of so many files with one bit turned over, a plain start may overlook one.
const FILES_FOR_ONE: u64 = 2_000;

/// Images, rotten disks and failing disks.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The seed that it follows from.
    pub seed: u64,
    /// Images after crashes.
    pub images: Tally,
    /// Files with one bit turned over, after a plain start.
    pub plain: Rot,
    /// The same files after a start that checks every page.
    pub checked: Rot,
    /// Disks that failed.
    pub failures: Failures,
}

impl Report {
    /// Whether every promise held.
    pub fn holds(&self) -> bool {
        let rot = self.plain.wrong + self.checked.wrong + self.checked.overlooked;
        let overlooked = self.plain.overlooked <= 1 + self.plain.files() / FILES_FOR_ONE;
        self.images.wrong() == 0 && rot == 0 && overlooked && self.failures.broken.is_empty()
    }

    /// What did not hold, for the first few.
    pub fn told(&self) -> impl Iterator<Item = &String> {
        self.images.told.iter().chain(self.failures.broken.iter().take(TOLD_MAX))
    }

    /// The report as JSON.
    pub fn json(&self) -> Value {
        let images = &self.images;
        json!({
            "seed": self.seed,
            "holds": self.holds(),
            "images": images.images(),
            "by_kind": images.images,
            "thorough": images.thorough,
            "cities": images.cities,
            "commits": images.commits,
            "crash_points": images.points,
            "largest_file_bytes": images.bytes,
            "lost": images.lost,
            "mixed": images.mixed,
            "unopenable": images.unopenable,
            "unsound": images.unsound,
            "bit_flips": { "plain_start": rot(&self.plain), "checked_start": rot(&self.checked) },
            "failing_disks": {
                "met": self.failures.met,
                "unmet": self.failures.unmet,
                "broken": self.failures.broken.len(),
            },
            "seconds": images.took.as_secs(),
            "told": self.told().collect::<Vec<_>>(),
        })
    }
}

fn rot(rot: &Rot) -> Value {
    json!({
        "files": rot.files(),
        "refused": rot.refused,
        "stopped": rot.stopped,
        "harmless": rot.harmless,
        "overlooked": rot.overlooked,
        "wrong": rot.wrong,
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let images = &self.images;
        writeln!(f, "seed {}", self.seed)?;
        writeln!(f, "{:>9}  images after crashes, of them", images.images())?;
        for (kind, count) in &images.images {
            writeln!(f, "{count:>9}    {kind}")?;
        }
        writeln!(f, "{:>9}  of all: worked on further and checked page by page", images.thorough)?;
        writeln!(f, "{:>9}  commits acknowledged, by {} cities of 5 halls", images.commits, images.cities)?;
        writeln!(f, "{:>9}  points at which first lives could end", images.points)?;
        writeln!(f, "{:>9}  bytes in the largest file", images.bytes)?;
        writeln!(f, "{:>9}  images that lost an acknowledged commit", images.lost)?;
        writeln!(f, "{:>9}  images with rows of no state there ever was", images.mixed)?;
        writeln!(f, "{:>9}  images that do not open", images.unopenable)?;
        writeln!(f, "{:>9}  images in which redb's own check finds something", images.unsound)?;
        for (start, rot) in [("plain", &self.plain), ("checked", &self.checked)] {
            writeln!(
                f,
                "{:>9}  files with one bit turned over, {start} start: {} refused, {} stopped, {} harmless, \
                 {} overlooked, {} wrong",
                rot.files(),
                rot.refused,
                rot.stopped,
                rot.harmless,
                rot.overlooked,
                rot.wrong,
            )?;
        }
        write!(f, "{:>9}  disks that fail:", self.failures.disks())?;
        for (word, count) in &self.failures.met {
            write!(f, " {count} {word},")?;
        }
        writeln!(f, " {} not met, {} broken promises", self.failures.unmet, self.failures.broken.len())?;
        for told in self.told() {
            writeln!(f, "  {told}")?;
        }
        let verdict = if self.holds() { "every promise held" } else { "NOT EVERY PROMISE HELD" };
        writeln!(f, "{verdict}; {} s", images.took.as_secs())
    }
}
