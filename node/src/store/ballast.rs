//! A file that only takes up room, to be thrown overboard when somebody else has filled the disk.
//!
//! With what it gives back a node can start, show what it has, and finish what is under way.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::FallocateFlags;

use super::directory::{OPEN_FREE_MIN, free_bytes, private};
use super::fault::StoreError;

/// Thrown overboard, it leaves what a node needs to start and a little for the directory itself.
pub const BALLAST_BYTES: u64 = OPEN_FREE_MIN + 1024 * 1024;
/// With less room than this a running node throws it overboard.
const OVERBOARD_BELOW: u64 = OPEN_FREE_MIN / 2;
const FILE: &str = "node.ballast";

/// The ballast of a data directory.
#[derive(Clone, Debug)]
pub struct Ballast {
    dir: PathBuf,
}

impl Ballast {
    /// That of the node in a directory.
    pub fn of(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Takes it on board or throws it overboard, as the disk has room. `reserve` is what has to be free beside it.
    pub fn trim(&self, reserve: u64) -> Result<(), StoreError> {
        let free = free_bytes(&self.dir)?;
        let aboard = self.path().exists();
        if free < OVERBOARD_BELOW && aboard {
            self.throw_overboard(free);
        } else if free >= reserve.saturating_add(BALLAST_BYTES.saturating_mul(2)) && !aboard {
            self.take_aboard();
        }
        Ok(())
    }

    /// Gives its room back, if it is there.
    pub(super) fn throw_overboard(&self, free: u64) {
        match fs::remove_file(self.path()) {
            Ok(()) => tracing::warn!(free, given_back = BALLAST_BYTES, "the disk is full: make room soon"),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => tracing::warn!(%cause, "the ballast cannot be removed"),
        }
    }

    /// Without it a node works as well, only a full disk stops it sooner.
    fn take_aboard(&self) {
        let allocated = private().create(true).truncate(false).open(self.path()).and_then(|file: File| {
            Ok(rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, BALLAST_BYTES)?)
        });
        if let Err(cause) = allocated {
            tracing::info!(%cause, "this disk cannot set room aside");
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.join(FILE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ballast_is_taken_where_there_is_room_and_gives_it_back() {
        let dir = tempfile::tempdir().unwrap();
        let ballast = Ballast::of(dir.path());
        ballast.trim(u64::MAX).unwrap();
        assert!(!ballast.path().exists());
        ballast.trim(0).unwrap();
        let found = fs::metadata(ballast.path()).unwrap();
        assert_eq!(found.len(), BALLAST_BYTES);
        // What lies there only by name would give nothing back.
        assert!(std::os::unix::fs::MetadataExt::blocks(&found) * 512 >= BALLAST_BYTES);
        ballast.trim(0).unwrap();
        ballast.throw_overboard(0);
        assert!(!ballast.path().exists());
        ballast.throw_overboard(0);
    }
}
