//! Sticks that people carry: the directory with files of the post on one, and the index that a person can read.
//!
//! A file is there whole or not at all. What lies beside ours is left alone; what is damaged or foreign is told by name.

mod readme;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use hallmesh_protocol::limits::PARCEL_MAX;
use hallmesh_protocol::parcels::{Carries, Cover, Parcel};
use hallmesh_protocol::post::Unfit;
use hallmesh_protocol::record::Space;

use crate::ops::Problem;
use crate::store::free_bytes;

/// The directory of the post on a stick.
pub(crate) const ROOM: &str = "hallmesh-post";
/// How our files end.
const ENDING: &str = ".hallpost";
/// How a file ends that was never finished.
const UNFINISHED: &str = ".new";
/// The index.
const README: &str = "README.txt";
/// Files in the directory that are looked at; a stick with more of them is not ours.
const FILES_MAX: usize = 20_000;
/// Bytes that a stick must have left beside a file.
const FREE_MIN: u64 = 1 << 20;

/// The directory of the post on one stick.
#[derive(Debug)]
pub(crate) struct Stick {
    room: PathBuf,
}

/// A file of the post, as its name and cover say. Nothing of it is checked.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its name in the directory.
    pub(crate) name: String,
    /// What stands on it, or why it is none.
    pub(crate) cover: Result<Cover, Unfit>,
}

impl Stick {
    /// Makes the directory, if it is not there, and clears away what was never finished.
    pub(crate) fn to_write(mount: &Path) -> Result<Self, Problem> {
        let room = room_of(mount);
        if !mount.is_dir() {
            return Err(Problem::new("post.no_stick").with("dir", mount.display()));
        }
        fs::create_dir_all(&room).map_err(|cause| not_written(&room, &cause))?;
        let stick = Self { room };
        for name in stick.names()?.into_iter().filter(|name| is_unfinished(name)) {
            stick.remove(&name)?;
        }
        Ok(stick)
    }

    /// Finds the directory.
    pub(crate) fn to_read(mount: &Path) -> Result<Self, Problem> {
        let room = room_of(mount);
        if room.is_dir() {
            Ok(Self { room })
        } else {
            Err(Problem::new("post.nothing_here").with("dir", mount.display()))
        }
    }

    /// Where it is.
    pub(crate) fn room(&self) -> &Path {
        &self.room
    }

    /// The files of the post, in the order in which they are to be read: directories, lists, letters.
    pub(crate) fn files(&self) -> Result<Vec<Found>, Problem> {
        let mut found = Vec::new();
        for name in self.names()?.into_iter().filter(|name| name.ends_with(ENDING) && !is_unfinished(name)) {
            let cover = self.read(&name)?.and_then(|bytes| Parcel::decode(&bytes)?.cover());
            found.push(Found { name, cover });
        }
        found.sort_by_key(Found::place);
        Ok(found)
    }

    /// The bytes of a file, if it has no more of them than ours have.
    pub(crate) fn read(&self, name: &str) -> Result<Result<Vec<u8>, Unfit>, Problem> {
        let path = self.room.join(name);
        let unreadable = |cause: io::Error| {
            Problem::new("file.unreadable").with("file", path.display()).with("reason", cause)
        };
        // Nothing on a stick leads elsewhere, and nothing on it is a device.
        if !path.symlink_metadata().map_err(unreadable)?.is_file() {
            return Ok(Err(Unfit::NotAParcel));
        }
        let (mut bytes, most) = (Vec::new(), u64::try_from(PARCEL_MAX).unwrap_or(u64::MAX));
        let file = File::open(&path).map_err(unreadable)?;
        file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
        Ok(if bytes.len() > PARCEL_MAX { Err(Unfit::TooLarge) } else { Ok(bytes) })
    }

    /// Writes a file in place of one of the same name.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Problem> {
        let needed = u64::try_from(bytes.len()).unwrap_or(u64::MAX).saturating_add(FREE_MIN);
        let free = free_bytes(&self.room).unwrap_or(0);
        if free < needed {
            let full = Problem::new("post.stick_full").with("dir", self.room.display());
            return Err(full.with("free", free).with("needed", needed));
        }
        let (path, unfinished) = (self.room.join(name), self.room.join(format!(".{name}{UNFINISHED}")));
        let written = File::create(&unfinished)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&unfinished, &path))
            .and_then(|()| File::open(&self.room)?.sync_all());
        written.map_err(|cause| {
            // What is left of it is cleared away by the next writing.
            fs::remove_file(&unfinished).ok();
            not_written(&path, &cause)
        })
    }

    /// Removes a file that nobody needs any more.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Problem> {
        let path = self.room.join(name);
        fs::remove_file(&path).map_err(|cause| not_written(&path, &cause))
    }

    /// Writes the index that a person reads. Nobody's name but those of halls is in it.
    pub(crate) fn write_index(&self) -> Result<(), Problem> {
        let text = readme::text(&self.files()?);
        self.write(README, text.as_bytes())
    }

    fn names(&self) -> Result<Vec<String>, Problem> {
        let unreadable = |cause: io::Error| {
            Problem::new("file.unreadable").with("file", self.room.display()).with("reason", cause)
        };
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.room).map_err(unreadable)?.take(FILES_MAX) {
            names.extend(entry.map_err(unreadable)?.file_name().into_string());
        }
        Ok(names)
    }
}

impl Found {
    fn place(&self) -> (u8, u64, u64, String) {
        let (rank, edition, number) = match &self.cover {
            Ok(Cover { edition, carries: Carries::Records { space, part, .. }, .. }) => {
                let rank = u8::from(*space != Space::Directory);
                (rank, *edition, u64::from(*part))
            }
            Ok(Cover { edition, carries: Carries::Letters { number, .. }, .. }) => (2, *edition, *number),
            Err(_) => (3, 0, 0),
        };
        (rank, edition, number, self.name.clone())
    }
}

/// What a file is called: from whom, to whom or what of, which one.
pub(crate) fn name_of(cover: &Cover) -> String {
    let from = cover.from.hall;
    match &cover.carries {
        Carries::Records { space, part, .. } => {
            format!("{from}_{}_{:03}{ENDING}", space_word(*space), part.saturating_add(1))
        }
        Carries::Letters { to, number, .. } => {
            format!("{from}_to_{to}_{:05x}_{number:06}{ENDING}", cover.boot)
        }
    }
}

/// A stable word for a space.
pub(crate) fn space_word(space: Space) -> &'static str {
    match space {
        Space::Directory => "directory",
        Space::Lists => "lists",
    }
}

/// People name the stick, or the directory on it.
fn room_of(mount: &Path) -> PathBuf {
    let named = mount.file_name().is_some_and(|name| name == ROOM);
    if named { mount.to_owned() } else { mount.join(ROOM) }
}

fn is_unfinished(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(UNFINISHED)
}

fn not_written(path: &Path, cause: &io::Error) -> Problem {
    Problem::new("file.not_written").with("file", path.display()).with("reason", cause)
}
