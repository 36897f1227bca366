//! Putting the files of an export into a directory: all of them, or none.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::layout::{ROOMS, Tree};
use super::problem::ExportError;

/// Writes the files into `dir`, which is new or empty; after a power cut it is there whole, or not at all.
pub(super) fn put(tree: &Tree, dir: &Path) -> Result<(), ExportError> {
    let unfinished = unfinished(dir)?;
    refuse_if_used(dir)?;
    let made = fill(tree, &unfinished)
        .and_then(|()| fs::rename(&unfinished, dir).map_err(|cause| ExportError::of(dir, cause)));
    if made.is_err() {
        // The first failure is what matters; what is left over bears a name of its own.
        fs::remove_dir_all(&unfinished).ok();
    }
    made?;
    let above = above(dir);
    sync(above).map_err(|cause| ExportError::of(above, cause))
}

/// What the directory is called while it is being written, beside its place.
fn unfinished(dir: &Path) -> Result<PathBuf, ExportError> {
    let name = dir.file_name().ok_or(ExportError::InTheWay { path: dir.to_owned() })?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.new", std::process::id()));
    Ok(above(dir).join(hidden))
}

fn above(dir: &Path) -> &Path {
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

fn refuse_if_used(dir: &Path) -> Result<(), ExportError> {
    match fs::read_dir(dir).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(ExportError::InTheWay { path: dir.to_owned() }),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(ExportError::of(dir, cause)),
    }
}

fn fill(tree: &Tree, unfinished: &Path) -> Result<(), ExportError> {
    let make = |dir: &Path| fs::create_dir(dir).map_err(|cause| ExportError::of(dir, cause));
    let above = above(unfinished);
    fs::create_dir_all(above).map_err(|cause| ExportError::of(above, cause))?;
    make(unfinished)?;
    for room in ROOMS {
        make(&unfinished.join(room))?;
    }
    for (name, bytes) in tree {
        let path = unfinished.join(name);
        let written = File::create_new(&path).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(|cause| ExportError::of(&path, cause))?;
    }
    for dir in ROOMS.into_iter().map(|room| unfinished.join(room)).chain([unfinished.to_owned()]) {
        sync(&dir).map_err(|cause| ExportError::of(&dir, cause))?;
    }
    Ok(())
}

fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
