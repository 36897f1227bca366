//! A small disk under one data directory: a file system in memory, where this machine lets itself be asked for one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hallmesh::store::free_bytes;
use rustix::fs::FallocateFlags;

/// What takes the room that a test wants taken.
const FILLER: &str = "filler";

/// The disk; gone with the value, and what is on it as well.
#[derive(Debug)]
pub struct SmallDisk {
    dir: PathBuf,
}

impl SmallDisk {
    /// Puts a disk of so many mebibytes under a directory and what is in it. The error says why this machine does
    /// not allow it.
    pub fn under(dir: &Path, mib: u64) -> Result<Self, String> {
        let moved = moved_aside(dir);
        let size = format!("size={mib}m,mode=0700");
        let mounted = run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs"], dir);
        bring_back(&moved, dir);
        mounted.map(|()| Self { dir: dir.to_owned() })
    }

    /// Bytes that are free.
    pub fn free(&self) -> u64 {
        free_bytes(&self.dir).unwrap()
    }

    /// Fills the disk until so many bytes are free.
    pub fn fill(&self, leave: u64) {
        let taken = self.free().checked_sub(leave).expect("so much is not free");
        let file = fs::OpenOptions::new().append(true).create(true).open(self.dir.join(FILLER)).unwrap();
        let from = file.metadata().unwrap().len();
        rustix::fs::fallocate(&file, FallocateFlags::empty(), from, taken).unwrap();
    }

    /// Makes room again.
    pub fn clear(&self) {
        fs::remove_file(self.dir.join(FILLER)).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if let Err(why) = run("umount", &["-l"], &self.dir) {
            eprintln!("the small disk stays mounted: {why}");
        }
    }
}

/// An empty directory in the place of a full one; gives where that is now.
fn moved_aside(dir: &Path) -> PathBuf {
    let moved = dir.with_extension("moved");
    fs::rename(dir, &moved).unwrap();
    fs::create_dir(dir).unwrap();
    fs::set_permissions(dir, fs::metadata(&moved).unwrap().permissions()).unwrap();
    moved
}

fn bring_back(moved: &Path, dir: &Path) {
    let copied = run("cp", &["-a", &format!("{}/.", moved.display())], dir);
    copied.expect("the directory fits the disk");
    fs::remove_dir_all(moved).unwrap();
}

fn run(program: &str, arguments: &[&str], dir: &Path) -> Result<(), String> {
    let ended = Command::new(program).args(arguments).arg(dir).output().map_err(|why| why.to_string())?;
    let said = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
    if ended.status.success() { Ok(()) } else { Err(said) }
}
