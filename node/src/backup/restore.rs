//! From a backup to a home that waits for a new life.

use std::path::Path;

use hallmesh_protocol::ids::HallAt;
use hallmesh_protocol::step::{Bytes, Writes};

use super::archive::Archive;
use super::error::BackupError;
use crate::home::Home;
use crate::store::{CREATE_FREE_MIN, Store};

/// A home that was restored and does not live yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The hall and the life that its rows are of.
    pub at: HallAt,
    /// Its name.
    pub name: String,
    /// Rows.
    pub rows: u64,
}

/// Puts the rows of a backup into an empty data directory. `progress` is told how many rows are there.
pub fn restore(
    archive: &Archive,
    dir: &Path,
    progress: &mut dyn FnMut(u64),
) -> Result<Restored, BackupError> {
    let contents = archive.contents();
    // The database of the same rows is larger than the file, by free pages and its tree.
    let needed = contents.bytes.saturating_mul(2).saturating_add(CREATE_FREE_MIN);
    let home = Home::begin_restored(dir, contents.at, &contents.name, needed)?;
    let mut done = 0_u64;
    let store = Store::build(dir, |filling| {
        archive.each(|rows| {
            let writes: Writes =
                rows.iter().map(|(key, value)| (key.clone(), Some(Bytes::clone(value)))).collect();
            filling.add(&writes)?;
            done = done.saturating_add(u64::try_from(writes.len()).unwrap_or(u64::MAX));
            progress(done);
            Ok::<_, BackupError>(())
        })
    })?;
    drop(store);
    home.finish()?;
    Ok(Restored { at: contents.at, name: contents.name.clone(), rows: contents.rows })
}
