use std::os::unix::fs::symlink;

use hallmesh_protocol::ids::{Digest, HallAt};
use hallmesh_protocol::parcels::Series;
use hallmesh_protocol::seal::{SecretKey, Suite};
use hallmesh_protocol::signed::Signed;

use super::*;

fn at(text: &str) -> HallAt {
    text.parse().unwrap()
}

fn parcel(carries: Carries) -> (String, Vec<u8>) {
    let cover = Cover {
        from: at("620702203200-00#1"),
        boot: 0xab,
        wall: 1_795_482_644_000,
        edition: 1,
        directory: [1; 32],
        carries,
        contents: Digest([2; 32]),
    };
    let key = SecretKey::from_seed(Suite::One, [1; 32]);
    let signed = Signed::sign(&cover, &[(0, &key)]);
    (name_of(&cover), Parcel { cover: signed, contents: vec![0; 10].into() }.encode())
}

fn letters(number: u64) -> (String, Vec<u8>) {
    let to = "620702203000".parse().unwrap();
    let taken = vec![Series { at: at("620702203000-00#1"), boot: 1, numbers: vec![(1, 3)] }];
    parcel(Carries::Letters { to, number, letters: 2, taken })
}

#[test]
fn files_are_read_directories_first_and_what_is_none_of_ours_last() {
    let dir = tempfile::tempdir().unwrap();
    let stick = Stick::to_write(dir.path()).unwrap();
    let lists = parcel(Carries::Records { space: Space::Lists, part: 0, last: true });
    let second = parcel(Carries::Records { space: Space::Directory, part: 1, last: true });
    let first = parcel(Carries::Records { space: Space::Directory, part: 0, last: false });
    for (name, bytes) in [letters(2), lists, letters(1), second, first] {
        stick.write(&name, &bytes).unwrap();
    }
    fs::write(stick.room().join("0.hallpost"), "holiday").unwrap();
    fs::write(stick.room().join("song.mp3"), "la la").unwrap();
    symlink("/dev/zero", stick.room().join("1.hallpost")).unwrap();
    fs::write(stick.room().join("2.hallpost"), vec![0; PARCEL_MAX + 1]).unwrap();
    let found = Stick::to_read(dir.path()).unwrap().files().unwrap();
    let names: Vec<&str> = found.iter().map(|found| found.name.as_str()).collect();
    let own = [
        "620702203200-00_directory_001.hallpost",
        "620702203200-00_directory_002.hallpost",
        "620702203200-00_lists_001.hallpost",
        "620702203200-00_to_620702203000-00_000ab_000001.hallpost",
        "620702203200-00_to_620702203000-00_000ab_000002.hallpost",
    ];
    assert_eq!(names, [own.as_slice(), &["0.hallpost", "1.hallpost", "2.hallpost"]].concat());
    let why: Vec<_> = found.into_iter().filter_map(|found| found.cover.err()).collect();
    assert_eq!(why, [Unfit::NotAParcel, Unfit::NotAParcel, Unfit::TooLarge]);
}

#[test]
fn the_index_is_for_people_of_both_languages() {
    let dir = tempfile::tempdir().unwrap();
    let stick = Stick::to_write(dir.path()).unwrap();
    let (name, bytes) = letters(7);
    stick.write(&name, &bytes).unwrap();
    stick.write_index().unwrap();
    let text = fs::read_to_string(stick.room().join(README)).unwrap();
    assert!(text.contains(&format!(
        "{name}: 2 letters, from 620702203200-00 to 620702203000-00, 2026-11-24 09:10:44"
    )));
    assert!(text.contains(&format!("{name}：620702203200-00 发往 620702203000-00 的信件 2 封")));
    assert!(text.lines().all(|line| !line.contains("stick.")), "{text}");
}

#[test]
fn what_was_never_finished_is_no_file_and_is_cleared_away() {
    let dir = tempfile::tempdir().unwrap();
    let stick = Stick::to_write(dir.path()).unwrap();
    let unfinished = stick.room().join(".620702203200-00_lists_001.hallpost.new");
    fs::write(&unfinished, "half").unwrap();
    assert!(stick.files().unwrap().is_empty());
    // People name the stick or the directory on it.
    Stick::to_write(stick.room()).unwrap();
    assert!(!unfinished.exists());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn no_stick_and_no_post_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Stick::to_read(dir.path()).unwrap_err().code, "post.nothing_here");
    assert_eq!(Stick::to_write(&dir.path().join("none")).unwrap_err().code, "post.no_stick");
    assert!(!dir.path().join("none").exists());
}
