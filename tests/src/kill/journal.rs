//! What halls have acknowledged, on the disk before it counts.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// What a client holds in its hand: a receipt, or the word that an act stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The hall that gave it.
    pub hall: String,
    /// The case's id.
    pub case: String,
    /// Its number.
    pub number: String,
    /// Where in the log the act stands; 0 for the receipt itself.
    pub sequence: u32,
    /// The act: `receive`, `accept`, `request-correction`, `supplement`, `decide`, `deliver`.
    pub what: String,
    /// The grade that was printed, on receipts.
    pub grade: Option<String>,
    /// The digest of what the client said, which is sealed in the act.
    pub content: String,
}

/// A file of receipts, one a line.
#[derive(Debug)]
pub struct Journal {
    file: Mutex<(File, u64)>,
}

impl Journal {
    /// A new one; another file of this name is an error.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: Mutex::new((File::create_new(path)?, 0)) })
    }

    /// Keeps a receipt. It is on the disk when this returns.
    pub fn keep(&self, receipt: &Receipt) -> io::Result<()> {
        let mut line = serde_json::to_vec(receipt)?;
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.0.write_all(&line)?;
        file.0.sync_data()?;
        file.1 += 1;
        Ok(())
    }

    /// How many it has.
    pub fn count(&self) -> u64 {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    /// All receipts of a file, in the order in which they were kept.
    pub fn read(path: &Path) -> io::Result<Vec<Receipt>> {
        let lines = BufReader::new(File::open(path)?).lines();
        lines.map(|line| Ok(serde_json::from_str(&line?)?)).collect()
    }
}
