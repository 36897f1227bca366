//! Backups of a hall at work, of one on its first morning, and of everything that can happen to a file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use hallmesh_protocol::cases::Deed;
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::genesis;
use hallmesh_protocol::ids::{HallAt, HallId};
use hallmesh_protocol::query;
use hallmesh_protocol::step::{Bytes, View, Writes};
use tempfile::TempDir;

use super::*;
use crate::common::{CITY, City, Rows, TOWN};
use crate::enrol::{self, EnrolError, JoinError};
use crate::home::{Home, HomeError, Outside, Passphrase, Sealing, Secret};
use crate::ops::Problem;
use crate::store::{Snapshot, Store, StoreError};

const WALL: u64 = 1_795_000_000_000;
const DAYS: u16 = 400;
const NAME: &str = "Zhangye";

/// The township of a city at work.
fn at_work() -> (Rows, HallAt) {
    let mut city = City::new();
    let case = city.received(TOWN, "CITY-1", 620_702_203_000);
    city.run();
    city.deed(CITY, case, Deed::Accept);
    city.received(TOWN, "COUNTY-1", 620_702_203_000);
    city.run();
    (Rows(city.halls[TOWN].rows.0.clone()), city.halls[TOWN].at)
}

/// A file with so many rows in each piece.
fn written(rows: &[(&[u8], &[u8])], head: &Head, at_once: usize) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writing = Writing::begin(&mut file, head).unwrap();
    for some in rows.chunks(at_once) {
        let view = Rows(some.iter().map(|(key, value)| (key.to_vec(), Bytes::from(*value))).collect());
        let piece = piece(&view, &[]);
        assert!(!piece.more);
        writing.add(&piece).unwrap();
    }
    let told = writing.end().unwrap();
    assert_eq!((told.bytes, told.rows), (file.len() as u64, rows.len() as u64));
    file
}

fn all(rows: &Rows) -> Vec<(&[u8], &[u8])> {
    rows.0.iter().map(|(key, value)| (key.as_slice(), &**value)).collect()
}

fn opened(dir: &TempDir, file: &[u8]) -> Result<Archive, BackupError> {
    let path = dir.path().join("a.hallbak");
    fs::write(&path, file).map_err(BackupError::NotWritten)?;
    Archive::open(&path, &mut |_| ())
}

fn refused(dir: &TempDir, file: &[u8]) -> String {
    match opened(dir, file) {
        Ok(archive) => panic!("taken: {:?}", archive.contents()),
        Err(why) => why.code().to_owned(),
    }
}

fn seen(view: &dyn View, prefix: &[u8], after: &[u8], count: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut seen = Vec::new();
    view.scan(prefix, after, &mut |key, value| {
        seen.push((key.to_vec(), value.to_vec()));
        seen.len() < count
    });
    seen
}

/// A city of one hall on a disk: the smallest backup there is.
struct Morning {
    dir: TempDir,
    root: PathBuf,
    founded: enrol::Founded,
    home: Home,
}

impl Morning {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let root = dir.path().join("root");
        let code = "620700000000".parse().unwrap();
        let founded = enrol::found(code, NAME, (1, 1), &[], &root).unwrap();
        let home = Home::create(&dir.path().join("home"), HallId::main(code), NAME).unwrap();
        let morning = Self { dir, root, founded, home };
        let papers = morning.papers(&morning.home, 1).unwrap();
        morning.join(&morning.home, &papers).unwrap();
        morning
    }

    fn papers(&self, home: &Home, life: u32) -> Result<String, EnrolError> {
        enrol::issue_by_root(&self.root, &enrol::request(home, &[])?, None, life, WALL, DAYS)
    }

    /// What the root gives to a hall that asks for a replacement.
    fn next_papers(&self, home: &Home) -> String {
        let next = enrol::next_life_by_root(&self.root, &enrol::request(home, &[]).unwrap()).unwrap();
        self.papers(home, next).unwrap()
    }

    fn join(&self, home: &Home, papers: &str) -> Result<enrol::Joined, JoinError> {
        enrol::join(home, papers, &self.founded.anchor, WALL)
    }

    fn backup(&self) -> Vec<u8> {
        let view = rows(&self.home);
        let mut file = Vec::new();
        let at = owner(&view).unwrap();
        let mut writing = Writing::begin(&mut file, &Head::new(at, WALL)).unwrap();
        writing.add(&piece(&view, &[])).unwrap();
        writing.end().unwrap();
        file
    }

    fn restored(&self, name: &str) -> PathBuf {
        let archive = opened(&self.dir, &self.backup()).unwrap();
        let dir = self.dir.path().join(name);
        restore(&archive, &dir, &mut |_| ()).unwrap();
        dir
    }
}

fn rows(home: &Home) -> Snapshot {
    Store::open(home.dir()).unwrap().snapshot().unwrap()
}

/// All rows of a home; its store is free again.
fn held(home: &Home) -> Vec<(Vec<u8>, Vec<u8>)> {
    seen(&rows(home), &[], &[], usize::MAX)
}

fn life_of(dir: &Path) -> u32 {
    let view = Store::open(dir).unwrap().snapshot().unwrap();
    genesis::identity(&view).unwrap().at.incarnation
}

#[test]
fn a_backup_reads_like_the_store_it_was_made_of() {
    let (rows, at) = at_work();
    let (dir, head) = (TempDir::new().unwrap(), Head::new(at, WALL));
    for at_once in [1, 7, 100_000] {
        let file = written(&all(&rows), &head, at_once);
        let archive = opened(&dir, &file).unwrap();
        let contents = archive.contents();
        assert_eq!((contents.at, contents.made, contents.rows), (at, WALL, rows.0.len() as u64));
        assert_eq!(contents.name, "Hall 3");
        assert_eq!(contents.counts, query::counts(&rows));
        assert_eq!(contents.tables["case"], query::counts(&rows).cases);
        assert_eq!(contents.tables.values().sum::<u64>(), contents.rows);
        assert_eq!(contents.bytes, file.len() as u64);
        let mut given = BTreeMap::new();
        let each = archive.each(|some| {
            given.extend(some.iter().cloned());
            Ok(())
        });
        each.unwrap();
        assert_eq!(given, rows.0);
        let mut chance = Chance::from_seed([3; 32]);
        let keys: Vec<&Vec<u8>> = rows.0.keys().collect();
        for _ in 0..500 {
            let drawn = |chance: &mut Chance| {
                let key = keys[usize::try_from(chance.next_u64() % keys.len() as u64).unwrap()];
                key[..usize::try_from(chance.next_u64() % (key.len() as u64 + 1)).unwrap()].to_vec()
            };
            let (prefix, after) = (drawn(&mut chance), drawn(&mut chance));
            assert_eq!(archive.get(&prefix), rows.get(&prefix));
            for after in [after, Vec::new()] {
                assert_eq!(seen(&archive, &prefix, &after, 9), seen(&rows, &prefix, &after, 9));
            }
        }
    }
}

#[test]
fn pieces_of_a_snapshot_are_all_of_it_and_none_is_large() {
    let (mut rows, _) = at_work();
    for number in 0..40_u8 {
        rows.0.insert(vec![0x7e, number], vec![number; 100_000].into());
    }
    rows.0.insert(vec![0x7f], vec![1; PIECE_BYTES + 1].into());
    let (mut after, mut given, mut count) = (Vec::new(), BTreeMap::new(), 0);
    loop {
        let piece = piece(&rows, &after);
        count += 1;
        let some = pieces::rows_in(&piece.rows).unwrap();
        assert_eq!(some.len() as u64, piece.count);
        assert!(piece.rows.len() <= PIECE_BYTES || piece.count == 1);
        given.extend(some.into_iter().map(|(key, value)| (key.to_vec(), Bytes::from(value))));
        after = piece.last;
        if !piece.more {
            break;
        }
    }
    assert_eq!(given, rows.0);
    assert!(count > 8, "{count} pieces");
}

#[test]
fn every_byte_that_was_turned_over_is_found() {
    let morning = Morning::new();
    let file = morning.backup();
    opened(&morning.dir, &file).unwrap();
    for at in 0..file.len() {
        let mut damaged = file.clone();
        damaged[at] ^= 1 << (at % 8);
        let code = refused(&morning.dir, &damaged);
        let known = match at {
            0..16 => "backup.not_a_backup",
            16..20 => "backup.other_version",
            _ => "backup.damaged",
        };
        assert!(code == known || (at >= 20 && code == "backup.cut_short"), "byte {at}: {code}");
    }
}

#[test]
fn every_cut_and_everything_added_is_found() {
    let morning = Morning::new();
    let file = morning.backup();
    for length in 0..file.len() {
        let code = refused(&morning.dir, &file[..length]);
        let known = if length < 16 { "backup.not_a_backup" } else { "backup.cut_short" };
        assert_eq!(code, known, "{length} bytes");
    }
    assert_eq!(refused(&morning.dir, &[file.as_slice(), &[0]].concat()), "backup.damaged");
    assert_eq!(refused(&morning.dir, &[file.as_slice(), &file].concat()), "backup.damaged");
    assert_eq!(refused(&morning.dir, b"#!/bin/sh\necho something else\n"), "backup.not_a_backup");
    let missing = Archive::open(&morning.dir.path().join("none"), &mut |_| ());
    assert!(matches!(missing, Err(BackupError::Unreadable(_))));
}

#[test]
fn a_part_left_out_doubled_or_moved_is_found() {
    let (rows, at) = at_work();
    let (dir, head) = (TempDir::new().unwrap(), Head::new(at, WALL));
    let file = written(&all(&rows), &head, 8);
    let (mut parts, mut rest) = (vec![&file[..20]], &file[20..]);
    while !rest.is_empty() {
        let length = usize::try_from(u32::from_be_bytes(rest[1..5].try_into().unwrap())).unwrap() + 37;
        let (part, after) = rest.split_at(length);
        parts.push(part);
        rest = after;
    }
    assert!(parts.len() > 10);
    for at in 1..parts.len() {
        let (mut out, mut doubled, mut moved) = (parts.clone(), parts.clone(), parts.clone());
        out.remove(at);
        doubled.insert(at, parts[at]);
        moved.swap(at, if at == 1 { 2 } else { at - 1 });
        for changed in [out, doubled, moved] {
            let code = refused(&dir, &changed.concat());
            assert!(["backup.damaged", "backup.cut_short"].contains(&code.as_str()), "part {at}: {code}");
        }
    }
}

#[test]
fn whole_files_of_rows_that_are_no_halls_are_refused() {
    let (rows, at) = at_work();
    let (dir, head) = (TempDir::new().unwrap(), Head::new(at, WALL));
    let other = Head::new(HallAt { incarnation: 2, ..at }, WALL);
    assert_eq!(refused(&dir, &written(&all(&rows), &other, 50)), "backup.unsound");
    assert_eq!(refused(&dir, &written(&[], &head, 50)), "backup.unsound");
    let mut less = all(&rows);
    less.retain(|(key, _)| key[0] != 0x11);
    assert_eq!(refused(&dir, &written(&less, &head, 50)), "backup.unsound");
    let stranger = [all(&rows).as_slice(), &[(&[0x7f, 1], &[1])]].concat();
    assert_eq!(refused(&dir, &written(&stranger, &head, 50)), "backup.unsound");
    let mut turned = all(&rows);
    turned.reverse();
    assert_eq!(refused(&dir, &written(&turned, &head, 1)), "backup.damaged");
    let twice = [all(&rows)[0], all(&rows)[0]];
    assert_eq!(refused(&dir, &written(&twice, &head, 1)), "backup.damaged");
}

#[test]
fn a_file_that_changes_while_it_is_restored_is_found() {
    let (rows, at) = at_work();
    let dir = TempDir::new().unwrap();
    let file = written(&all(&rows), &Head::new(at, WALL), 10);
    let archive = opened(&dir, &file).unwrap();
    let mut damaged = file.clone();
    let middle = file.len() / 2;
    damaged[middle] ^= 1;
    fs::write(dir.path().join("a.hallbak"), damaged).unwrap();
    let target = dir.path().join("home");
    assert_eq!(restore(&archive, &target, &mut |_| ()).unwrap_err().code(), "backup.damaged");
    assert!(matches!(Home::open(&target), Err(HomeError::Missing { .. })));
    assert!(matches!(Store::open(&target), Err(StoreError::Missing { .. })));
    // The next attempt, with the file as it should be, is not in its own way.
    let archive = opened(&dir, &file).unwrap();
    assert_eq!(restore(&archive, &target, &mut |_| ()).unwrap().rows, rows.0.len() as u64);
    let restored = Store::open(&target).unwrap().snapshot().unwrap();
    assert_eq!(seen(&restored, &[], &[], usize::MAX), seen(&rows, &[], &[], usize::MAX));
}

#[test]
fn nothing_is_restored_over_something() {
    let morning = Morning::new();
    let archive = opened(&morning.dir, &morning.backup()).unwrap();
    let refused = |dir: &Path| restore(&archive, dir, &mut |_| ()).unwrap_err().code();
    let before = held(&morning.home);
    assert_eq!(refused(morning.home.dir()), "home.not_empty");
    assert_eq!(held(&morning.home), before);
    let dir = morning.restored("restored");
    assert_eq!(refused(&dir), "home.not_empty", "a restored home");
    for (at, name) in ["node.redb", "hall.json", "notes.txt", "keys"].into_iter().enumerate() {
        let dir = morning.dir.path().join(format!("other-{at}"));
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join(name), "{}").unwrap();
        assert_eq!(refused(&dir), "home.not_empty", "{name}");
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    }
    let disk = morning.dir.path().join("disk");
    fs::create_dir_all(disk.join("lost+found")).unwrap();
    restore(&archive, &disk, &mut |_| ()).unwrap();
}

#[test]
fn a_restoration_that_was_cut_off_at_any_place_is_repeated() {
    let morning = Morning::new();
    let archive = opened(&morning.dir, &morning.backup()).unwrap();
    let whole = morning.restored("whole");
    // What may be there before the label is: the mark first, then more and more of the rest.
    let steps: [&[&str]; 4] =
        [&[], &["node.lock"], &["node.lock", "node.redb.new"], &["node.lock", "node.redb"]];
    for (at, names) in steps.iter().enumerate() {
        let dir = morning.dir.path().join(format!("cut-{at}"));
        fs::create_dir(&dir).unwrap();
        fs::copy(whole.join("recovery.json"), dir.join("recovery.json")).unwrap();
        for name in *names {
            fs::write(dir.join(name), "half").unwrap();
        }
        assert!(matches!(Home::open(&dir), Err(HomeError::Missing { .. })));
        restore(&archive, &dir, &mut |_| ()).unwrap();
        assert_eq!(life_of(&dir), 1);
    }
}

#[test]
fn a_restored_hall_does_nothing_before_it_has_a_new_life() {
    let morning = Morning::new();
    let dir = morning.restored("restored");
    let waits = |found: Result<Home, HomeError>| found.unwrap_err().code();
    assert_eq!(waits(Home::open(&dir)), "home.in_recovery");
    assert_eq!(waits(Home::open_to_join(&dir)), "home.in_recovery", "it has no keys to join with");
    let started = crate::config::Config { data_dir: dir.clone(), ..Default::default() };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let started = runtime.block_on(crate::driver::start(started)).map(drop);
    assert_eq!(started.unwrap_err().code, "home.in_recovery");

    let (home, before) = enrol::new_life(&dir, None).unwrap();
    assert_eq!(before, Some(HallAt { hall: morning.home.hall(), incarnation: 1 }));
    assert_eq!(waits(Home::open(&dir)), "home.in_recovery");
    let request = enrol::request(&home, &[]).unwrap();
    let again = enrol::new_life(&dir, None).unwrap().0;
    assert_eq!(enrol::request(&again, &[]).unwrap(), request, "keys are drawn once");
    assert_ne!(home.keys().unwrap().event.public(), morning.home.keys().unwrap().event.public());

    let papers = morning.next_papers(&home);
    let before = held(&home);
    let joined = morning.join(&Home::open_to_join(&dir).unwrap(), &papers).unwrap();
    assert_eq!(joined.at.incarnation, 2);
    Home::open(&dir).unwrap();
    assert_eq!(life_of(&dir), 2);
    let of_this_life = |key: &[u8]| [0x01, 0x10, 0x11, 0x12, 0x14, 0x15].contains(&key[0]);
    let others = |rows: Vec<(Vec<u8>, Vec<u8>)>| -> Vec<_> {
        rows.into_iter().filter(|(key, _)| !of_this_life(key)).collect()
    };
    assert_eq!(others(held(&home)), others(before));
    let twice = morning.join(&Home::open_to_join(&dir).unwrap(), &papers);
    assert!(matches!(twice, Err(JoinError::AlreadyJoined { .. })));
    assert!(hallmesh_protocol::sound::whole(&rows(&home)).is_ok());
}

#[test]
fn papers_that_do_not_fit_change_nothing_of_a_restored_hall() {
    let morning = Morning::new();
    let dir = morning.restored("restored");
    let (home, _) = enrol::new_life(&dir, None).unwrap();
    let before = held(&home);
    let first = morning.papers(&morning.home, 1).unwrap();
    let code = |papers: &str| Problem::from(morning.join(&home, papers).unwrap_err()).code;
    assert_eq!(code(&first), "enrol.join.other_keys");
    let stranger = Morning::new();
    assert_eq!(code(&stranger.next_papers(&home)), "enrol.join.wrong_root");
    let foreign = enrol::join(&home, &stranger.next_papers(&home), &stranger.founded.anchor, WALL);
    assert_eq!(Problem::from(foreign.unwrap_err()).code, "enrol.papers.other_rows");
    assert_eq!(held(&home), before);
    assert!(home.recovery().unwrap().is_some());
    morning.join(&home, &morning.next_papers(&home)).unwrap();
}

#[test]
fn a_hall_that_was_rolled_back_puts_its_keys_aside_and_keeps_its_rows() {
    let morning = Morning::new();
    let (home, old) = (&morning.home, morning.home.keys().unwrap());
    let running = Store::open(home.dir()).unwrap();
    let held = enrol::new_life(home.dir(), None);
    assert!(matches!(held, Err(JoinError::Store(StoreError::InUse { .. }))), "its node runs");
    drop(running);
    Home::open(home.dir()).unwrap();
    let (again, before) = enrol::new_life(home.dir(), None).unwrap();
    assert_eq!(before.map(|at| at.incarnation), Some(1));
    assert_ne!(again.keys().unwrap().event.public(), old.event.public());
    let aside = fs::read_dir(home.dir().join("former-keys/1")).unwrap().count();
    assert_eq!(aside, 3);
    morning.join(&again, &morning.next_papers(&again)).unwrap();
    assert_eq!(life_of(home.dir()), 2);
    // A third life follows on the second, and no keys are lost.
    let (again, _) = enrol::new_life(home.dir(), None).unwrap();
    morning.join(&again, &morning.next_papers(&again)).unwrap();
    assert_eq!(life_of(home.dir()), 3);
    assert!(home.dir().join("former-keys/1/wrap.key").exists());
    assert!(home.dir().join("former-keys/2/wrap.key").exists());
}

#[test]
fn a_new_life_that_was_cut_off_at_any_place_is_repeated() {
    for cut in 0..4 {
        let morning = Morning::new();
        let (home, old) = (&morning.home, morning.home.keys().unwrap().event.public());
        let dir = home.dir();
        let mark = |keys: &str| {
            fs::write(dir.join("recovery.json"), format!("{{\"life\": 1, \"keys\": \"{keys}\"}}")).unwrap();
        };
        // The mark; the keys put aside; the mark that says so; the first new key.
        mark("former");
        if cut > 0 {
            fs::create_dir(dir.join("former-keys")).unwrap();
            fs::rename(dir.join("keys"), dir.join("former-keys/1")).unwrap();
        }
        if cut > 1 {
            mark("next");
        }
        if cut > 2 {
            fs::create_dir(dir.join("keys")).unwrap();
            fs::copy(dir.join("former-keys/1/event.key"), dir.join("keys/transport.key")).unwrap();
        }
        assert!(matches!(Home::open_to_join(dir), Err(HomeError::InRecovery { .. })));
        let (again, _) = enrol::new_life(dir, None).unwrap();
        let keys = again.keys().unwrap();
        assert_ne!(keys.event.public(), old, "cut {cut}");
        assert_eq!(keys.transport_public == old, cut > 2, "a key that was drawn stays");
        assert!(dir.join("former-keys/1/event.key").exists());
        morning.join(&again, &morning.next_papers(&again)).unwrap();
    }
}

#[test]
fn a_new_life_is_sealed_and_so_are_the_keys_before_it() {
    let (secret, outside) = words("correct horse battery staple");
    let (other, others) = words("quite another long passphrase");
    let morning = Morning::new();
    let (dir, clerk) = (morning.home.dir(), morning.home.new_clerk_key(3).unwrap());
    let (home, _) = enrol::new_life(dir, Some(&secret)).unwrap();
    assert_eq!(home.keys().unwrap_err().code(), "home.passphrase_needed");
    let home = home.opened_by(outside.clone());
    let request = enrol::request(&home, &[]).unwrap();
    // Keys that were asked for stay, whatever is said now.
    let (again, _) = enrol::new_life(dir, Some(&other)).unwrap();
    assert_eq!(enrol::request(&again.opened_by(outside.clone()), &[]).unwrap(), request);
    assert_eq!(home.clerk_key(3).unwrap().public(), clerk, "a clerk's key goes on");
    let files = |below: &str| -> Vec<_> {
        let found = fs::read_dir(dir.join(below)).unwrap();
        found.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(files("keys"), ["keys.sealed"]);
    assert_eq!(files("former-keys/1"), ["keys.sealed"], "nor do the old keys lie in clear");
    assert_eq!(files("clerks"), Vec::<String>::new());

    assert_eq!(Home::open_with(dir, outside.clone()).unwrap_err().code(), "home.in_recovery");
    let waits = Home::open_to_join(dir).unwrap();
    let papers = morning.next_papers(&home);
    let locked = morning.join(&waits, &papers).unwrap_err();
    assert_eq!(locked.code(), "home.passphrase_needed");
    let wrong = morning.join(&waits.clone().opened_by(others.clone()), &papers).unwrap_err();
    assert_eq!(wrong.code(), "home.wrong_passphrase");
    assert_eq!(life_of(dir), 1);
    morning.join(&waits.opened_by(outside.clone()), &papers).unwrap();
    assert_eq!(life_of(dir), 2);

    // The next life may be sealed under something else: what was sealed before stays as it was.
    let sealed = fs::read(dir.join("keys/keys.sealed")).unwrap();
    let (third, _) = enrol::new_life(dir, Some(&other)).unwrap();
    assert_eq!(third.clone().opened_by(outside).keys().unwrap_err().code(), "home.wrong_passphrase");
    let third = third.opened_by(others);
    morning.join(&third, &morning.next_papers(&third)).unwrap();
    assert_eq!(fs::read(dir.join("former-keys/2/keys.sealed")).unwrap(), sealed);
    assert_eq!(third.clerk_key(3).unwrap_err().code(), "home.clerk_key_missing");
    Home::open(dir).unwrap();
}

fn words(text: &str) -> (Secret, Outside) {
    let passphrase = Passphrase::new(text.as_bytes());
    let outside = Outside { typed: Some(passphrase.clone()), ..Outside::default() };
    (Secret::new_passphrase(passphrase).unwrap(), outside)
}

#[test]
fn a_restored_hall_draws_sealed_keys() {
    let (secret, outside) = words("correct horse battery staple");
    let morning = Morning::new();
    let dir = morning.restored("restored");
    let (home, _) = enrol::new_life(&dir, Some(&secret)).unwrap();
    let home = home.opened_by(outside.clone());
    morning.join(&home, &morning.next_papers(&home)).unwrap();
    assert_eq!(Home::open(&dir).unwrap().sealing().unwrap(), Sealing::Passphrase);
    Home::open_with(&dir, outside).unwrap().keys().unwrap();
    assert!(!dir.join("keys/wrap.key").exists());
}

#[test]
fn a_join_that_was_cut_off_after_its_commit_is_ended() {
    let morning = Morning::new();
    let dir = morning.restored("restored");
    let (home, _) = enrol::new_life(&dir, None).unwrap();
    let mark = fs::read(dir.join("recovery.json")).unwrap();
    let papers = morning.next_papers(&home);
    morning.join(&home, &papers).unwrap();
    fs::write(dir.join("recovery.json"), &mark).unwrap();
    assert!(matches!(Home::open(&dir), Err(HomeError::InRecovery { .. })));
    assert_eq!(morning.join(&home, &papers).unwrap().at.incarnation, 2);
    Home::open(&dir).unwrap();
    fs::write(dir.join("recovery.json"), &mark).unwrap();
    let done = enrol::new_life(&dir, None);
    assert!(matches!(done, Err(JoinError::AlreadyJoined { .. })), "and it does not begin another one");
    Home::open(&dir).unwrap();
    assert_eq!(life_of(&dir), 2);
}

#[test]
fn a_replacement_needs_a_life_to_follow() {
    let morning = Morning::new();
    let code = "620702000000".parse().unwrap();
    let county = Home::create(&morning.dir.path().join("county"), HallId::main(code), NAME).unwrap();
    let request = enrol::request(&county, &[]).unwrap();
    let next = enrol::next_life_by_root(&morning.root, &request);
    assert_eq!(next.unwrap_err().code(), "enrol.issue.no_earlier_life");
    assert_eq!(
        enrol::next_life(&rows(&morning.home), &request).unwrap_err().code(),
        "enrol.issue.no_earlier_life"
    );
    let own = enrol::request(&morning.home, &[]).unwrap();
    assert_eq!(enrol::next_life(&rows(&morning.home), &own).unwrap(), 2);
}

#[test]
fn a_store_is_built_whole_or_not_at_all() {
    let dir = TempDir::new().unwrap();
    let some = |key: u8| -> Writes { [(vec![key], Some(Bytes::from([1].as_slice())))].into() };
    let failed = Store::build(dir.path(), |filling| {
        filling.add(&some(1))?;
        Err::<(), _>(StoreError::Stopped)
    });
    assert!(matches!(failed, Err(StoreError::Stopped)));
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Missing { .. })));
    let built =
        Store::build::<StoreError>(dir.path(), |filling| (1..4).try_for_each(|key| filling.add(&some(key))));
    assert_eq!(seen(&built.unwrap().snapshot().unwrap(), &[], &[], 9).len(), 3);
    let again = Store::build::<StoreError>(dir.path(), |_| Ok(()));
    assert!(matches!(again, Err(StoreError::Exists { .. })));
}
