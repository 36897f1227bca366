//! What it came to.

use std::fmt;
use std::time::Duration;

/// In 99 of 100 edits the last hall has it by then.
const EDIT_P99_MAX: Duration = Duration::from_millis(300);

/// How times are spread.
#[derive(Clone, Copy, Debug, Default)]
#[expect(missing_docs, reason = "the names are the columns of the table")]
pub struct Spread {
    pub count: usize,
    pub p50: Duration,
    pub p99: Duration,
    pub most: Duration,
}

impl Spread {
    /// Of these times, at least one.
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |per_cent: usize| times[(times.len() - 1) * per_cent / 100];
        Self { count: times.len(), p50: at(50), p99: at(99), most: at(100) }
    }
}

/// How long edits take until the last hall has them, and the calls that ask for it alone.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names are the rows of the table")]
pub struct Report {
    pub halls: usize,
    pub edits: Spread,
    pub floor: Spread,
}

impl Report {
    /// Whether edits are seen as soon as they should be.
    pub fn holds(&self) -> bool {
        self.edits.p99 < EDIT_P99_MAX
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} halls, {} edits; microseconds until the last hall has one",
            self.halls, self.edits.count
        )?;
        for (name, spread) in [("edit", self.edits), ("call alone", self.floor)] {
            let us = |time: Duration| time.as_micros();
            let (p50, p99, most) = (us(spread.p50), us(spread.p99), us(spread.most));
            writeln!(f, "{name:<11} p50 {p50:>8}  p99 {p99:>8}  most {most:>8}")?;
        }
        Ok(())
    }
}
