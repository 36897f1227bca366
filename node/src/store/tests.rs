//! The store on a real file.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use redb::ReadableTable;
use tempfile::TempDir;

use super::*;

#[test]
fn a_new_database_holds_its_first_commit_and_is_private() {
    let dir = TempDir::new().unwrap();
    let store = Store::create(dir.path(), &put(&[("format", "1")])).unwrap();
    assert_eq!(get(&store, "format").as_deref(), Some("1"));
    assert_eq!(get(&store, "other"), None);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&file(&dir, "node.redb").metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn creation_makes_a_missing_directory_and_refuses_a_second_database() {
    let dir = TempDir::new().unwrap();
    let nested = dir.path().join("a/b");
    drop(Store::create(&nested, &put(&[("k", "1")])).unwrap());
    let second = Store::create(&nested, &put(&[("k", "2")]));
    assert!(matches!(second, Err(StoreError::Exists { path }) if path == nested.join("node.redb")));
    assert_eq!(get(&Store::open(&nested).unwrap(), "k").as_deref(), Some("1"));
}

#[test]
fn opening_what_was_never_made_says_so_and_leaves_nothing_behind() {
    let dir = TempDir::new().unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Missing { .. })));
    assert!(matches!(Store::open(&dir.path().join("none")), Err(StoreError::Missing { .. })));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn an_interrupted_creation_is_no_database_and_is_replaced() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("node.redb.new"), b"half of a database").unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Missing { .. })));
    let store = Store::create(dir.path(), &put(&[("k", "1")])).unwrap();
    assert_eq!(get(&store, "k").as_deref(), Some("1"));
    assert!(!dir.path().join("node.redb.new").exists());
}

#[test]
fn commits_survive_reopening() {
    let dir = TempDir::new().unwrap();
    let store = Store::create(dir.path(), &put(&[("a", "1"), ("b", "2")])).unwrap();
    let mut writes = put(&[("a", "3"), ("empty", "")]);
    writes.insert(b"b".to_vec(), None);
    store.commit(&writes).unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(keys(&store, "", ""), ["a", "empty"]);
    assert_eq!(get(&store, "a").as_deref(), Some("3"));
    assert_eq!(get(&store, "empty").as_deref(), Some(""));
}

#[test]
fn a_snapshot_does_not_see_later_commits_and_outlives_the_store() {
    let dir = TempDir::new().unwrap();
    let store = Store::create(dir.path(), &put(&[("a", "1")])).unwrap();
    let before = store.snapshot().unwrap();
    store.commit(&put(&[("a", "2")])).unwrap();
    assert_eq!(get(&store, "a").as_deref(), Some("2"));
    drop(store);
    assert_eq!(before.get(b"a").as_deref(), Some(b"1".as_slice()));
}

#[test]
fn scan_gives_the_rows_of_a_prefix_in_order_after_a_key_until_told_to_stop() {
    let dir = TempDir::new().unwrap();
    let rows = [("a", "0"), ("b", "1"), ("b1", "2"), ("b2", "3"), ("b3", "4"), ("c", "5")];
    let store = Store::create(dir.path(), &put(&rows)).unwrap();
    assert_eq!(keys(&store, "b", ""), ["b", "b1", "b2", "b3"]);
    assert_eq!(keys(&store, "b", "b"), ["b1", "b2", "b3"]);
    assert_eq!(keys(&store, "b", "b15"), ["b2", "b3"]);
    assert_eq!(keys(&store, "b", "a"), ["b", "b1", "b2", "b3"]);
    assert_eq!(keys(&store, "b", "c"), [""; 0]);
    assert_eq!(keys(&store, "", "b3"), ["c"]);
    let mut seen = Vec::new();
    store.snapshot().unwrap().scan(b"b", b"", &mut |key, value| {
        seen.push((key.to_vec(), value.to_vec()));
        seen.len() < 2
    });
    assert_eq!(seen, [(b"b".to_vec(), b"1".to_vec()), (b"b1".to_vec(), b"2".to_vec())]);
}

#[test]
fn a_second_opener_is_told_who_holds_the_directory() {
    let dir = TempDir::new().unwrap();
    let store = Store::create(dir.path(), &put(&[("a", "1")])).unwrap();
    let held = Some(std::process::id());
    assert!(matches!(Store::open(dir.path()), Err(StoreError::InUse { pid }) if pid == held));
    assert!(
        matches!(Store::create(dir.path(), &Writes::new()), Err(StoreError::InUse { pid }) if pid == held)
    );
    let clone = store.clone();
    drop(store);
    assert!(matches!(Store::open(dir.path()), Err(StoreError::InUse { .. })));
    drop(clone);
    drop(Store::open(dir.path()).unwrap());
}

#[test]
fn a_damaged_value_stops_the_reader_and_the_store() {
    let dir = TempDir::new().unwrap();
    drop(Store::create(dir.path(), &put(&[("a", "1"), ("b", "2")])).unwrap());
    flip_a_bit_of(&dir, b"b");
    let store = Store::open_with(dir.path(), observed).unwrap();
    assert_eq!(get(&store, "a").as_deref(), Some("1"));
    let snapshot = store.snapshot().unwrap();
    assert_eq!(fault_of(|| drop(snapshot.get(b"b"))), "the stored row b is damaged");
    assert_eq!(fault_of(|| snapshot.scan(b"", b"", &mut |_, _| true)), "the stored row b is damaged");
    assert!(matches!(store.snapshot(), Err(StoreError::Stopped)));
    assert!(matches!(store.commit(&put(&[("a", "9")])), Err(StoreError::Stopped)));
}

#[test]
fn a_value_moved_under_another_key_or_cut_short_is_damaged() {
    let stored = sealed(b"key", b"value");
    assert_eq!(opened(b"key", &stored), Some(b"value".as_slice()));
    assert_eq!(opened(b"kex", &stored), None);
    assert_eq!(opened(b"key", &stored[..stored.len() - 1]), None);
    assert_eq!(opened(b"key", &stored[..CHECK_BYTES - 1]), None);
}

#[test]
fn a_row_whose_key_is_damaged_is_not_taken_for_an_absent_one() {
    for bit in 0..24 {
        let dir = TempDir::new().unwrap();
        drop(Store::create(dir.path(), &put(&[("aaa", "1"), ("mmm", "2"), ("zzz", "3")])).unwrap());
        let mut bytes = fs::read(dir.path().join("node.redb")).unwrap();
        // Pages of earlier commits may hold the key as well.
        let found: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"mmm")).collect();
        assert!(!found.is_empty());
        for at in found {
            bytes[at + bit / 8] ^= 1 << (bit % 8);
        }
        fs::write(dir.path().join("node.redb"), bytes).unwrap();
        let store = Store::open_with(dir.path(), observed).unwrap();
        let snapshot = store.snapshot().unwrap();
        assert!(fault_of(|| drop(snapshot.get(b"mmm"))).ends_with("is damaged"), "bit {bit}");
        assert!(
            fault_of(|| snapshot.scan(b"mmm", b"", &mut |_, _| true)).ends_with("is damaged"),
            "bit {bit}"
        );
        assert!(fault_of(|| snapshot.scan(b"m", b"", &mut |_, _| true)).ends_with("is damaged"), "bit {bit}");
    }
}

#[test]
fn after_a_fault_the_next_start_checks_every_page_once() {
    let dir = TempDir::new().unwrap();
    drop(Store::create(dir.path(), &put(&[("a", "1")])).unwrap());
    flip_a_bit_of(&dir, b"a");
    let store = Store::open_with(dir.path(), observed).unwrap();
    let snapshot = store.snapshot().unwrap();
    fault_of(|| drop(snapshot.get(b"a")));
    drop((snapshot, store));
    assert!(dir.path().join("node.suspect").exists());
    drop(Store::open(dir.path()).unwrap());
    assert!(!dir.path().join("node.suspect").exists());
}

#[test]
fn a_page_altered_on_a_suspect_disk_is_found_before_serving() {
    let dir = TempDir::new().unwrap();
    drop(Store::create(dir.path(), &put(&[("a", "a value to look for")])).unwrap());
    let mut bytes = fs::read(dir.path().join("node.redb")).unwrap();
    let found = bytes.windows(19).position(|window| window == b"a value to look for").unwrap();
    bytes[found] ^= 1;
    fs::write(dir.path().join("node.redb"), bytes).unwrap();
    fs::write(dir.path().join("node.suspect"), b"").unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Damaged { .. })));
    assert!(dir.path().join("node.suspect").exists());
}

#[test]
fn a_file_that_is_no_database_is_damaged() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("node.redb"), vec![7; 100_000]).unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_disk_without_room_is_refused_before_anything_is_written() {
    let dir = TempDir::new().unwrap();
    let refused = directory::refuse_if_low(dir.path(), u64::MAX);
    assert!(matches!(refused, Err(StoreError::DiskFull { free, needed: u64::MAX }) if free > 0));
    assert!(free_bytes(dir.path()).is_ok());
    assert!(matches!(free_bytes(&dir.path().join("none")), Err(StoreError::Io { .. })));
}

#[test]
fn a_path_that_is_no_directory_is_an_error_of_the_system() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("file"), b"").unwrap();
    assert!(matches!(Store::create(&dir.path().join("file"), &Writes::new()), Err(StoreError::Io { .. })));
}

fn put(rows: &[(&str, &str)]) -> Writes {
    rows.iter().map(|(key, value)| (key.as_bytes().to_vec(), Some(Bytes::from(value.as_bytes())))).collect()
}

/// Stops the reader in a way that a test can look at.
fn observed(fault: &Fault) -> ! {
    std::panic::panic_any(fault.to_string())
}

fn fault_of(read: impl FnOnce()) -> String {
    let stopped = catch_unwind(AssertUnwindSafe(read)).expect_err("the read stops");
    *stopped.downcast::<String>().expect("stopped by the hook")
}

fn get(store: &Store, key: &str) -> Option<String> {
    let found = store.snapshot().unwrap().get(key.as_bytes());
    found.map(|value| String::from_utf8(value.to_vec()).unwrap())
}

fn keys(store: &Store, prefix: &str, after: &str) -> Vec<String> {
    let mut keys = Vec::new();
    store.snapshot().unwrap().scan(prefix.as_bytes(), after.as_bytes(), &mut |key, _| {
        keys.push(String::from_utf8(key.to_vec()).unwrap());
        true
    });
    keys
}

fn file(dir: &TempDir, name: &str) -> fs::File {
    fs::File::open(dir.path().join(name)).unwrap()
}

fn flip_a_bit_of(dir: &TempDir, key: &[u8]) {
    let database = Database::open(dir.path().join("node.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut table = transaction.open_table(ROWS).unwrap();
        let mut stored = table.get(key).unwrap().unwrap().value().to_vec();
        *stored.last_mut().unwrap() ^= 1;
        table.insert(key, stored.as_slice()).unwrap();
    }
    transaction.commit().unwrap();
}
