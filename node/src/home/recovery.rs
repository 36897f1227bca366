//! Homes that do not live: restored from a backup, or about to begin a new life after a roll-back.
//!
//! A file `recovery.json` marks them. While it is there the node does not start and nothing is done in the hall's
//! name, because the other halls may know more of this hall than it does itself. It goes when the hall has joined with
//! papers of a new life. The keys of the life before are put aside, into `former-keys/` under the number of that life:
//! they sign nothing any more, and open what was sealed for it.

use std::fs;
use std::io;
use std::path::Path;

use hallmesh_protocol::ids::HallAt;
use serde::{Deserialize, Serialize};

use super::files::{self, Lock};
use super::{
    CLERKS, DATABASE, DRAFTS, EVENT, FILE_SYSTEM, Home, HomeError, KEYS, LABEL, Outside, SEALED, Sealed,
    Secret, Seeds, TRANSPORT, WRAP, chance, check_name, read_seed,
};

pub(super) const RECOVERY: &str = "recovery.json";
const FORMER: &str = "former-keys";
/// Two short words and a number.
const RECOVERY_BYTES_MAX: u64 = 1024;
/// What an interrupted restoration leaves; the next attempt replaces it.
const LEFT: [&str; 7] = [RECOVERY, CLERKS, DRAFTS, DATABASE, "node.redb.new", "node.lock", "hall.json.new"];

/// Why a home does not live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// The life that the rows here are of.
    pub life: u32,
    keys: Whose,
}

/// Whose keys are in `keys/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Whose {
    /// Those of the life before, if there are any.
    Former,
    /// Those of the life to come, if there are any.
    Next,
}

/// A home that is being restored; the directory is held until it is finished.
#[derive(Debug)]
pub(crate) struct Restoring {
    home: Home,
    _lock: Lock,
}

impl Restoring {
    /// Makes it a home: rows and everything else are there.
    pub(crate) fn finish(self) -> Result<Home, HomeError> {
        self.home.write_label()?;
        Ok(self.home)
    }
}

impl Home {
    /// Begins to restore a hall's home in a directory that is missing or empty, on a disk with `needed` bytes left. An
    /// attempt that was interrupted can be repeated.
    pub(crate) fn begin_restored(
        dir: &Path,
        at: HallAt,
        name: &str,
        needed: u64,
    ) -> Result<Restoring, HomeError> {
        check_name(name)?;
        refuse_not_empty(dir)?;
        files::refuse_if_low(dir, needed)?;
        files::make_dir(dir)?;
        let lock = files::lock(dir)?;
        refuse_not_empty(dir)?;
        write(dir, &Recovery { life: at.incarnation, keys: Whose::Next })?;
        remove(&dir.join(DATABASE))?;
        [CLERKS, DRAFTS].into_iter().try_for_each(|below| files::make_dir(&dir.join(below)))?;
        let outside = Outside::default();
        let home = Home { dir: dir.to_owned(), hall: at.hall, name: name.to_owned(), outside };
        Ok(Restoring { home, _lock: lock })
    }

    /// The home in `dir`, living or not, as long as it has the keys to join with.
    pub fn open_to_join(dir: &Path) -> Result<Home, HomeError> {
        let home = Self::labelled(dir)?.ok_or_else(|| HomeError::Missing { dir: dir.to_owned() })?;
        if home.recovery()?.is_some() && !home.has_keys_to_join()? {
            return Err(HomeError::InRecovery { dir: dir.to_owned() });
        }
        home.refuse_open_keys()?;
        Ok(home)
    }

    /// Whether the keys of a life that has not begun are here, all of them: those to ask with, and to join with.
    pub(crate) fn has_keys_to_join(&self) -> Result<bool, HomeError> {
        match self.recovery()? {
            None => Ok(!self.is_joined()?),
            Some(Recovery { keys: Whose::Former, .. }) => Ok(false),
            Some(Recovery { keys: Whose::Next, .. }) => self.has_keys(),
        }
    }

    /// The home in `dir`, living or not.
    pub(crate) fn of_any_life(dir: &Path) -> Result<Home, HomeError> {
        Self::labelled(dir)?.ok_or_else(|| HomeError::Missing { dir: dir.to_owned() })
    }

    /// Why this home does not live; none if it does, or never did.
    pub fn recovery(&self) -> Result<Option<Recovery>, HomeError> {
        read(&self.dir)
    }

    /// Ends a life: puts its keys aside and draws new ones, sealed under `secret`, or in clear without one. An attempt
    /// that was interrupted can be repeated; keys that were drawn for the life to come stay. The caller holds the
    /// directory and knows that no node runs in it.
    pub(crate) fn begin_new_life(&self, life: u32, secret: Option<&Secret>) -> Result<(), HomeError> {
        let begun = self.recovery()?.unwrap_or(Recovery { life, keys: Whose::Former });
        let life = begun.life;
        if begun.keys == Whose::Former {
            write(&self.dir, &begun)?;
            self.put_keys_aside(life)?;
            write(&self.dir, &Recovery { keys: Whose::Next, ..begun })?;
        }
        files::make_dir(&self.dir.join(KEYS))?;
        match secret {
            _ if self.has_keys()? => Ok(()),
            Some(secret) => {
                self.seal_former(life, secret)?;
                self.draw_sealed_next(secret)
            }
            None => {
                let mut chance = chance();
                [TRANSPORT, EVENT, WRAP].into_iter().try_for_each(|key| self.draw_key(key, &mut chance))
            }
        }
    }

    /// The new life has begun.
    pub(crate) fn end_recovery(&self) -> Result<(), HomeError> {
        remove(&self.dir.join(RECOVERY))
    }

    /// The last of them is there.
    fn has_keys(&self) -> Result<bool, HomeError> {
        Ok(files::exists(&self.key_path(SEALED))? || files::exists(&self.key_path(WRAP))?)
    }

    /// Clerks' keys that lie in clear go on, sealed with the new ones; nothing else in clear is anybody's.
    fn draw_sealed_next(&self, secret: &Secret) -> Result<(), HomeError> {
        for key in [TRANSPORT, EVENT, WRAP] {
            files::remove(&self.key_path(key))?;
        }
        let mut seeds = Seeds::drawn(&mut chance());
        for (number, path) in self.clerk_files()? {
            seeds.clerks.insert(number, read_seed(&path)?);
        }
        Sealed::write(&self.key_path(SEALED), self.hall, &seeds, secret)?;
        self.clear_files()?.iter().try_for_each(|path| files::erase(path))
    }

    /// Where the new keys are sealed, those of the life before do not lie in clear either.
    fn seal_former(&self, life: u32, secret: &Secret) -> Result<(), HomeError> {
        let aside = self.dir.join(FORMER).join(life.to_string());
        let [transport, event, wrap] = [TRANSPORT, EVENT, WRAP].map(|key| aside.join(key));
        let sealed = aside.join(SEALED);
        if !files::exists(&sealed)? && files::exists(&wrap)? {
            let (transport, event) = (read_seed(&transport)?, read_seed(&event)?);
            let seeds = Seeds { transport, event, wrap: read_seed(&wrap)?, ..Seeds::default() };
            Sealed::write(&sealed, self.hall, &seeds, secret)?;
        }
        for path in [transport, event, wrap] {
            if files::exists(&path)? {
                files::erase(&path)?;
            }
        }
        Ok(())
    }

    fn put_keys_aside(&self, life: u32) -> Result<(), HomeError> {
        let (keys, former) = (self.dir.join(KEYS), self.dir.join(FORMER));
        files::make_dir(&former)?;
        let aside = former.join(life.to_string());
        if !files::exists(&keys)? || files::exists(&aside)? {
            return Ok(());
        }
        let moved = fs::rename(&keys, &aside).and_then(|()| files::sync_dir_of(&keys));
        moved
            .and_then(|()| files::sync_dir_of(&aside))
            .map_err(|cause| files::explain("put aside", &keys, cause))
    }
}

/// Refuses a home that does not live.
pub(super) fn refuse(dir: &Path) -> Result<(), HomeError> {
    match read(dir)? {
        None => Ok(()),
        Some(_) => Err(HomeError::InRecovery { dir: dir.to_owned() }),
    }
}

fn read(dir: &Path) -> Result<Option<Recovery>, HomeError> {
    let path = dir.join(RECOVERY);
    let text = match files::read(&path, RECOVERY_BYTES_MAX) {
        Err(HomeError::NoFile { .. }) => return Ok(None),
        text => text?,
    };
    serde_json::from_slice(&text).map(Some).ok().ok_or(HomeError::Damaged { path })
}

fn write(dir: &Path, recovery: &Recovery) -> Result<(), HomeError> {
    let path = dir.join(RECOVERY);
    let text = serde_json::to_vec_pretty(recovery).ok();
    let text = text.ok_or_else(|| HomeError::Damaged { path: path.clone() })?;
    files::write(&path, &text)
}

fn remove(path: &Path) -> Result<(), HomeError> {
    let removed = match fs::remove_file(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        removed => removed.and_then(|()| files::sync_dir_of(path)),
    };
    removed.map_err(|cause| files::explain("remove", path, cause))
}

/// What stands in a directory is not restored over, unless an unfinished restoration has left it.
fn refuse_not_empty(dir: &Path) -> Result<(), HomeError> {
    let names = files::names(dir)?;
    let unfinished = names.iter().any(|name| name == RECOVERY) && !names.iter().any(|name| name == LABEL);
    let allowed =
        |name: &&String| name.as_str() == FILE_SYSTEM || (unfinished && LEFT.contains(&name.as_str()));
    match names.iter().find(|name| !allowed(name)) {
        None => Ok(()),
        Some(name) => Err(HomeError::NotEmpty { dir: dir.to_owned(), path: dir.join(name) }),
    }
}
