//! Homes on a real disk.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use hallmesh_protocol::seal::{Context, sign, verify};
use tempfile::TempDir;

use super::*;

const COUNTY: &str = "620702000000-00";

#[test]
fn a_new_home_has_its_own_keys_and_they_stay() {
    let dir = TempDir::new().unwrap();
    let home = create(&dir).unwrap();
    let again = Home::open(dir.path()).unwrap();
    assert_eq!(home, again);
    assert_eq!((again.hall().to_string().as_str(), again.name()), (COUNTY, "Ganzhou"));
    let (first, second) = (home.keys().unwrap(), again.keys().unwrap());
    assert_eq!(first.event.public(), second.event.public());
    assert_eq!(first.wrap.public(), second.wrap.public());
    assert_ne!(first.event.public(), first.transport_public);
    let other = TempDir::new().unwrap();
    assert_ne!(create(&other).unwrap().keys().unwrap().event.public(), first.event.public());
}

#[test]
fn the_transport_key_is_the_same_for_charter_and_line() {
    let dir = TempDir::new().unwrap();
    let keys = create(&dir).unwrap().keys().unwrap();
    let on_the_line = keys.transport.public();
    assert_eq!(on_the_line.clone().try_into_ed25519().unwrap().to_bytes(), *keys.transport_public.as_bytes());
    assert_eq!(peer_id_of(&keys.transport_public), on_the_line.to_peer_id());
}

#[test]
fn secrets_are_the_owners_alone() {
    let dir = TempDir::new().unwrap();
    let home = create(&dir).unwrap();
    home.new_clerk_key(7).unwrap();
    for (path, expected) in [
        ("keys", 0o700),
        ("clerks", 0o700),
        ("drafts", 0o700),
        ("keys/transport.key", 0o600),
        ("keys/event.key", 0o600),
        ("keys/wrap.key", 0o600),
        ("clerks/007.key", 0o600),
    ] {
        assert_eq!(mode(&dir.path().join(path)), expected, "{path}");
    }
}

#[test]
fn keys_that_others_could_have_read_are_refused() {
    for key in ["transport.key", "event.key", "wrap.key"] {
        for open in [0o640, 0o604, 0o620, 0o644] {
            let dir = TempDir::new().unwrap();
            let home = create(&dir).unwrap();
            let key = dir.path().join("keys").join(key);
            chmod(&key, open);
            for refused in [Home::open(dir.path()).map(drop), home.keys().map(drop)] {
                assert!(
                    matches!(&refused, Err(HomeError::OpenToOthers { path, mode }) if *path == key && *mode == open),
                    "{refused:?}"
                );
            }
        }
    }
}

#[test]
fn a_second_creation_changes_nothing() {
    let dir = TempDir::new().unwrap();
    create(&dir).unwrap();
    let before = everything(dir.path());
    let second = Home::create(dir.path(), hall(COUNTY), "Another name");
    assert!(matches!(&second, Err(HomeError::Exists { dir: found }) if found == dir.path()));
    let other = Home::create(dir.path(), hall("620723000000-00"), "Linze");
    assert!(matches!(other, Err(HomeError::OtherHall { found, wanted, .. })
        if found == hall(COUNTY) && wanted == hall("620723000000-00")));
    assert_eq!(everything(dir.path()), before);
}

#[test]
fn a_directory_with_something_else_in_it_is_refused() {
    for name in ["notes.txt", "node.redb", "hall.json.bak"] {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join(name), "x").unwrap();
        let refused = create(&dir);
        assert!(matches!(&refused, Err(HomeError::Foreign { path }) if path.ends_with(name)), "{refused:?}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
    let disk = TempDir::new().unwrap();
    fs::create_dir(disk.path().join("lost+found")).unwrap();
    create(&disk).unwrap();
}

#[test]
fn a_place_where_nothing_can_be_made_is_refused() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    for place in [file.clone(), file.join("below")] {
        let refused = Home::create(&place, hall(COUNTY), "Ganzhou");
        assert!(matches!(refused, Err(HomeError::NotADirectory { .. })), "{refused:?}");
    }
    let needed = u64::MAX;
    let full = Home::create_with(&dir.path().join("home"), hall(COUNTY), "Ganzhou", needed);
    assert!(matches!(full, Err(HomeError::DiskFull { needed: u64::MAX, .. })), "{full:?}");
    assert!(!dir.path().join("home").exists());
}

#[test]
fn a_directory_that_may_not_be_written_is_refused() {
    if rustix::process::geteuid().is_root() {
        // Nothing is forbidden to this user.
        return;
    }
    let dir = TempDir::new().unwrap();
    chmod(dir.path(), 0o500);
    let refused = create(&dir);
    chmod(dir.path(), 0o700);
    assert!(matches!(refused, Err(HomeError::NotPermitted { .. })), "{refused:?}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn only_one_process_creates() {
    let dir = TempDir::new().unwrap();
    let lock = files::lock(dir.path()).unwrap();
    assert!(matches!(create(&dir), Err(HomeError::InUse { .. })));
    drop(lock);
    create(&dir).unwrap();
}

#[test]
fn an_interrupted_creation_is_no_home_and_can_be_repeated() {
    let dir = TempDir::new().unwrap();
    let keys = dir.path().join("keys");
    fs::create_dir(&keys).unwrap();
    chmod(&keys, 0o700);
    let kept = "11".repeat(32);
    files::write(&keys.join("transport.key"), kept.as_bytes()).unwrap();
    fs::write(keys.join("event.key.new"), "half a k").unwrap();
    fs::write(dir.path().join("hall.json.new"), "{\"divi").unwrap();
    assert!(matches!(Home::open(dir.path()), Err(HomeError::Missing { .. })));
    let home = create(&dir).unwrap();
    assert_eq!(fs::read_to_string(keys.join("transport.key")).unwrap(), kept);
    home.keys().unwrap();
    assert!(everything(dir.path()).keys().all(|name| !name.contains(".new")));
    assert_eq!(mode(&keys.join("event.key")), 0o600);
}

#[test]
fn a_write_that_fails_leaves_what_was_there() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("taken");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("x"), "x").unwrap();
    files::write(&path, b"new").unwrap_err();
    assert_eq!(everything(dir.path()).len(), 1);
}

#[test]
fn damaged_files_are_told_apart_from_missing_ones() {
    let dir = TempDir::new().unwrap();
    let home = create(&dir).unwrap();
    let key = dir.path().join("keys/event.key");
    for text in ["", "zz", &"g".repeat(64), &"1".repeat(63), &"+1".repeat(32)] {
        files::write(&key, text.as_bytes()).unwrap();
        assert!(matches!(home.keys(), Err(HomeError::Damaged { path }) if path == key), "{text}");
    }
    files::write(&key, "1".repeat(81).as_bytes()).unwrap();
    assert!(matches!(home.keys(), Err(HomeError::TooLarge { .. })));
    fs::remove_file(&key).unwrap();
    assert!(matches!(Home::open(dir.path()), Err(HomeError::NoFile { path }) if path == key));
    for text in [
        "",
        "{}",
        "{\"division\":1,\"serial\":0,\"name\":\"x\"}",
        "{\"division\":620702000000,\"serial\":100,\"name\":\"x\"}",
    ] {
        fs::write(dir.path().join("hall.json"), text).unwrap();
        assert!(matches!(Home::open(dir.path()), Err(HomeError::Damaged { .. })), "{text}");
    }
}

#[test]
fn a_hall_has_a_name() {
    let dir = TempDir::new().unwrap();
    for name in ["", " ", " Ganzhou", "Gan\nzhou", "\u{7}", &"x".repeat(NAME_MAX + 1)] {
        let refused = Home::create(dir.path(), hall(COUNTY), name);
        assert!(matches!(refused, Err(HomeError::BadName { max: NAME_MAX })), "{name:?}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    let name = "\u{7518}\u{5dde}\u{533a}".repeat(NAME_MAX / 3);
    Home::create(dir.path(), hall(COUNTY), &name).unwrap();
    assert_eq!(Home::open(dir.path()).unwrap().name(), name);
}

#[test]
fn a_clerk_has_one_key() {
    let dir = TempDir::new().unwrap();
    let home = create(&dir).unwrap();
    assert!(matches!(home.clerk_key(7), Err(HomeError::ClerkKeyMissing { number: 7 })));
    let public = home.new_clerk_key(7).unwrap();
    let signature = sign(&home.clerk_key(7).unwrap(), Context::ACT, b"act");
    verify(&public, Context::ACT, b"act", &signature).unwrap();
    assert!(matches!(home.new_clerk_key(7), Err(HomeError::ClerkKeyExists { number: 7 })));
    assert_eq!(home.clerk_key(7).unwrap().public(), public);
    for number in [0, CLERKS_MAX + 1] {
        assert!(matches!(home.new_clerk_key(number), Err(HomeError::ClerkNumber { .. })));
        assert!(matches!(home.clerk_key(number), Err(HomeError::ClerkNumber { .. })));
    }
    chmod(&dir.path().join("clerks/007.key"), 0o644);
    assert!(matches!(home.clerk_key(7), Err(HomeError::OpenToOthers { .. })));
}

#[test]
fn every_error_has_a_code_and_the_parameters_of_its_sentence() {
    let path = PathBuf::from("/p");
    let error = HomeError::OpenToOthers { path, mode: 0o644 };
    assert_eq!(error.code(), "home.open_to_others");
    assert_eq!(error.params()["mode"], "0644");
    assert_eq!(error.params()["path"], "/p");
}

fn create(dir: &TempDir) -> Result<Home, HomeError> {
    Home::create(dir.path(), hall(COUNTY), "Ganzhou")
}

fn hall(text: &str) -> HallId {
    text.parse().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Every file under a directory, with what is in it.
fn everything(dir: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(everything(&path));
        } else {
            found.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
    found
}
