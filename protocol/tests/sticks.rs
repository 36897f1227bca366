//! Post by stick: a hall without any line works, in any mixture with lines, and nothing is trusted because it came so.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a failure here is a failed test"
)]

mod common;

use common::{CITY, COUNTY, City, OTHER_COUNTY, TOWN, VILLAGE, first, secret};
use hallmesh_protocol::cases::{Deed, Refusal, Stage, State};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::directory::{Directory, Revocation, RevocationReason};
use hallmesh_protocol::ids::CaseId;
use hallmesh_protocol::limits::{RELAY_FROM_LETTERS_MAX, RELAY_LETTERS_MAX};
use hallmesh_protocol::message::Message;
use hallmesh_protocol::parcels::{self, Bound, Carries, Next, Parcel};
use hallmesh_protocol::post::{Asked, Letter, LetterBody, Unfit, waiting};
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Body, Issuer};
use hallmesh_protocol::recording::{Recording, Replay};
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::{Command, Input, Reply, TakenIn};
use hallmesh_protocol::verify;

const HERE: u64 = 620_702_203_200;

/// Letters that a relay keeps from one neighbour for one destination, if none wait for another.
const FOR_ONE: u64 = RELAY_FROM_LETTERS_MAX / 2;

/// Writes a stick at a hall: its files in the order in which they are read.
fn write(city: &mut City, at: usize, bound: Bound) -> Vec<Vec<u8>> {
    let (mut files, mut next) = (Vec::new(), Some(Next::FIRST));
    while let Some(step) = next {
        let load = parcels::load(&city.halls[at].rows, bound, &step).unwrap();
        let reply = city.command(at, Command::Consign(load.consign));
        let Reply::Consigned(cover) = reply else { panic!("{reply:?}") };
        files.push(parcels::file(cover, load.contents));
        next = load.next;
    }
    files
}

fn write_to(city: &mut City, at: usize, to: usize) -> Vec<Vec<u8>> {
    let to = city.halls[to].at.hall;
    write(city, at, Bound::To(to))
}

/// Reads one file at a hall.
fn read(city: &mut City, at: usize, file: &[u8]) -> Result<TakenIn, Unfit> {
    let parcel = Parcel::decode(file)?;
    let hall = &city.halls[at];
    let opened = parcels::open(&hall.rows, hall.at.hall, parcel)?;
    match city.command(at, Command::TakeIn(Box::new(opened))) {
        Reply::TakenIn(taken) => Ok(taken),
        Reply::Refused(Refusal::Parcel(why)) => Err(why),
        other => panic!("{other:?}"),
    }
}

fn read_all(city: &mut City, at: usize, files: &[Vec<u8>]) -> Vec<TakenIn> {
    files.iter().map(|file| read(city, at, file).unwrap()).collect()
}

/// A stick is written at one hall and read at another; then the lines have time.
fn carry(city: &mut City, from: usize, to: usize) -> Vec<TakenIn> {
    let files = write_to(city, from, to);
    let taken = read_all(city, to, &files);
    city.run();
    taken
}

fn stage(city: &City, index: usize, case: CaseId) -> Stage {
    let view = query::case(&city.halls[index].rows, case).and_then(|view| view.custody);
    view.map_or(Stage::None, |custody| custody.stage)
}

fn state(city: &City, index: usize, case: CaseId) -> State {
    query::case(&city.halls[index].rows, case).unwrap().case.state
}

fn log(city: &City, index: usize, case: CaseId) -> Vec<String> {
    query::log(&city.halls[index].rows, case).iter().map(|entry| entry.digest.to_string()).collect()
}

fn rows(city: &City, index: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    city.halls[index].rows.0.iter().map(|(key, value)| (key.clone(), value.to_vec())).collect()
}

/// A letter that means nothing, from somebody to somebody.
fn letter(city: &City, from: usize, to: usize, number: u32) -> Letter {
    let asked = Asked {
        case: CaseId([9; 16]),
        position: hallmesh_protocol::cases::Position::default(),
        sequence: number,
        head: hallmesh_protocol::ids::Digest([0; 32]),
    };
    Letter::write(city.halls[from].at, city.halls[to].at.hall, LetterBody::Ask(asked))
}

fn by_line(city: &mut City, from: usize, to: usize, letter: Letter) {
    let (here, there) = (city.halls[from].at.hall, city.halls[to].at.hall);
    let message = verify::message(&city.halls[to].rows, there, Message::Letter(letter)).unwrap();
    city.step(to, Input::Received { from: here, message });
}

#[test]
fn a_village_without_a_line_receives_and_hands_out_what_the_city_decides() {
    let mut city = City::new();
    city.cut(VILLAGE);
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    assert!((0..VILLAGE).all(|hall| query::case(&city.halls[hall].rows, case).is_none()));
    carry(&mut city, VILLAGE, TOWN);
    assert_eq!(stage(&city, CITY, case), Stage::Custodian);
    assert!(matches!(city.deed(CITY, case, Deed::Accept), Reply::Recorded { .. }));
    assert!(matches!(city.deed(CITY, case, Deed::GRANT), Reply::Recorded { .. }));
    city.run();
    assert_eq!(stage(&city, VILLAGE, case), Stage::Handing, "nothing came by any other way");
    carry(&mut city, TOWN, VILLAGE);
    assert_eq!(
        (stage(&city, VILLAGE, case), state(&city, VILLAGE, case)),
        (Stage::Custodian, State::Decided)
    );
    assert!(matches!(city.deed(VILLAGE, case, Deed::Deliver), Reply::Recorded { .. }));
    // The word that it was taken, and the copies of what followed, go back; then nobody waits for anything.
    for _ in 0..2 {
        carry(&mut city, VILLAGE, TOWN);
        carry(&mut city, TOWN, VILLAGE);
    }
    assert_eq!(stage(&city, CITY, case), Stage::Released);
    assert_eq!(state(&city, TOWN, case), State::Delivered);
    assert_eq!(log(&city, TOWN, case), log(&city, VILLAGE, case));
    for hall in 0..city.halls.len() {
        let left: Vec<_> =
            waiting(&city.halls[hall].rows, 100).into_iter().map(|it| it.what.word()).collect();
        let answers = left.iter().filter(|word| **word != "answer" && **word != "relay").count();
        assert_eq!(answers, 0, "{hall}: {left:?}");
    }
}

#[test]
fn a_stick_that_is_read_twice_changes_nothing() {
    let mut city = City::new();
    city.cut(VILLAGE);
    city.received(VILLAGE, "CITY-1", HERE);
    let files = write_to(&mut city, VILLAGE, TOWN);
    let taken = read_all(&mut city, TOWN, &files);
    assert!(taken.iter().any(|it| it.relayed > 0 && it.letters > 0));
    // Not even while what was taken along still waits, and not after it has gone.
    for _ in 0..2 {
        let before = rows(&city, TOWN);
        let again = read_all(&mut city, TOWN, &files);
        assert!(again.iter().all(|it| it.records == 0 && it.relayed == 0));
        assert!(again.last().unwrap().known);
        assert_eq!(before, rows(&city, TOWN));
        city.run();
    }
}

#[test]
fn what_was_exported_stays_in_the_post_until_it_is_answered() {
    let mut city = City::new();
    city.cut(VILLAGE);
    city.received(VILLAGE, "CITY-1", HERE);
    let before = waiting(&city.halls[VILLAGE].rows, 100);
    assert!(parcels::on_sticks(&city.halls[VILLAGE].rows).is_empty() && before.len() == 3);
    // Two sticks are lost.
    for _ in 0..2 {
        write_to(&mut city, VILLAGE, TOWN);
    }
    let after = waiting(&city.halls[VILLAGE].rows, 100);
    assert_eq!(
        after.iter().map(|it| &it.what).collect::<Vec<_>>(),
        before.iter().map(|it| &it.what).collect::<Vec<_>>()
    );
    let on_sticks = parcels::on_sticks(&city.halls[VILLAGE].rows);
    assert!(after.iter().all(|it| on_sticks.contains_key(&it.place)));
    carry(&mut city, VILLAGE, TOWN);
    carry(&mut city, TOWN, VILLAGE);
    let left = waiting(&city.halls[VILLAGE].rows, 100);
    assert!(left.iter().all(|it| it.what.word() != "copy"), "the answers came back: {left:?}");
}

#[test]
fn letters_taken_along_leave_the_post_when_their_parcel_comes_back_acknowledged() {
    let mut city = City::new();
    city.cut(VILLAGE);
    for number in 0..3 {
        let letter = letter(&city, CITY, VILLAGE, number);
        by_line(&mut city, COUNTY, TOWN, letter);
    }
    city.run();
    let held = |city: &City| {
        let village = city.halls[VILLAGE].at.hall;
        waiting(&city.halls[TOWN].rows, 100).into_iter().filter(|it| it.to == village).count()
    };
    assert_eq!(held(&city), 3, "it waits where people fetch it");
    let lost = write_to(&mut city, TOWN, VILLAGE);
    let files = write_to(&mut city, TOWN, VILLAGE);
    read_all(&mut city, VILLAGE, &files);
    assert_eq!(held(&city), 3, "nobody has said so yet");
    let back = write_to(&mut city, VILLAGE, TOWN);
    read_all(&mut city, TOWN, &back);
    assert_eq!(held(&city), 0);
    // The stick that was lost is found: it brings nothing back to life.
    let found = read_all(&mut city, VILLAGE, &lost);
    assert_eq!(found.last().unwrap().letters, 3);
    assert_eq!(held(&city), 0);
}

#[test]
fn an_acknowledgement_counts_only_from_the_hall_the_parcel_is_for() {
    let mut city = City::new();
    city.cut(VILLAGE);
    let told = letter(&city, CITY, VILLAGE, 1);
    by_line(&mut city, COUNTY, TOWN, told);
    let files = write_to(&mut city, TOWN, VILLAGE);
    // The county reads what is meant for the village, and tells the town of all it has read.
    read_all(&mut city, COUNTY, &files);
    let back = write_to(&mut city, COUNTY, TOWN);
    read_all(&mut city, TOWN, &back);
    assert_eq!(waiting(&city.halls[TOWN].rows, 100).len(), 1);
}

#[test]
fn damaged_foreign_newer_and_cut_off_files_change_nothing() {
    let mut city = City::new();
    city.cut(VILLAGE);
    city.received(VILLAGE, "CITY-1", HERE);
    let files = write_to(&mut city, VILLAGE, TOWN);
    let before = rows(&city, TOWN);
    for file in &files {
        for at in (0..file.len()).step_by(file.len() / 60 + 1) {
            let mut bent = file.clone();
            bent[at] ^= 1;
            assert!(read(&mut city, TOWN, &bent).is_err(), "a bit at {at}");
            assert!(read(&mut city, TOWN, &file[..at]).is_err(), "cut off at {at}");
        }
        let longer = [file.as_slice(), b"x"].concat();
        assert_eq!(read(&mut city, TOWN, &longer), Err(Unfit::Damaged));
        let newer = [b"hallmesh-post/2\n", &file[16..]].concat();
        assert_eq!(read(&mut city, TOWN, &newer), Err(Unfit::Newer));
        assert_eq!(read(&mut city, VILLAGE, file), Err(Unfit::Own));
    }
    assert_eq!(read(&mut city, TOWN, b"holiday photographs"), Err(Unfit::NotAParcel));
    assert_eq!(read(&mut city, TOWN, &vec![0; 2 << 20]), Err(Unfit::TooLarge));
    assert_eq!(before, rows(&city, TOWN));
}

#[test]
fn a_cover_that_another_hall_signed_is_refused() {
    let mut city = City::new();
    city.cut(VILLAGE);
    city.received(VILLAGE, "CITY-1", HERE);
    let file = write_to(&mut city, VILLAGE, TOWN).pop().unwrap();
    let parcel = Parcel::decode(&file).unwrap();
    let forged = Signed::sign(&parcel.cover().unwrap(), &[(0, &secret(99))]);
    let forged = Parcel { cover: forged, contents: parcel.contents }.encode();
    assert_eq!(read(&mut city, TOWN, &forged), Err(Unfit::Forged));
}

#[test]
fn no_case_is_heard_of_before_the_directory_on_the_stick_was_read() {
    let mut city = City::new();
    city.cut(VILLAGE);
    revoke(&mut city, OTHER_COUNTY);
    city.run();
    // The town knows of a revocation, the village does not.
    let case = city.received(TOWN, "CITY-1", HERE);
    let files = write_to(&mut city, TOWN, VILLAGE);
    let letters = files.last().unwrap();
    assert!(matches!(Parcel::decode(letters).unwrap().cover().unwrap().carries, Carries::Letters { .. }));
    assert_eq!(read(&mut city, VILLAGE, letters), Err(Unfit::DirectoryFirst));
    assert!(query::case(&city.halls[VILLAGE].rows, case).is_none());
    let gone = city.halls[OTHER_COUNTY].at;
    assert!(!Directory::new(&city.halls[VILLAGE].rows).is_revoked(gone));
    let taken = read_all(&mut city, VILLAGE, &files);
    assert!(taken.iter().any(|it| it.records > 0));
    assert!(Directory::new(&city.halls[VILLAGE].rows).is_revoked(gone));
}

#[test]
fn what_a_revoked_hall_wrote_on_a_stick_is_not_heard() {
    let mut city = City::new();
    city.cut(VILLAGE);
    let case = city.received(VILLAGE, "CITY-1", HERE);
    let files = write_to(&mut city, VILLAGE, TOWN);
    revoke(&mut city, VILLAGE);
    city.run();
    let before = rows(&city, TOWN);
    for file in &files {
        assert_eq!(read(&mut city, TOWN, file), Err(Unfit::Revoked));
    }
    assert_eq!(before, rows(&city, TOWN));
    assert!(query::case(&city.halls[TOWN].rows, case).is_none());
}

fn revoke(city: &mut City, of: usize) {
    let revocation = Revocation {
        at: city.halls[of].at,
        transport_key: Directory::new(&city.halls[CITY].rows).life(city.halls[of].at).unwrap().transport_key,
        reason: RevocationReason::Stolen,
        since: 1,
    };
    let record = first(Issuer::Root, Body::Revocation(revocation));
    let signed = Signed::sign(&record, &[(0, &city.root[0]), (1, &city.root[1])]);
    let records = verify::records(&city.halls[CITY].rows, vec![signed]).0;
    city.command(CITY, Command::Admit(records));
}

#[test]
fn a_stick_for_all_has_a_parcel_for_every_hall_and_any_hall_takes_the_others_along() {
    let mut city = City::new();
    city.cut(VILLAGE);
    let case = city.received(VILLAGE, "CITY-1", HERE);
    let files = write(&mut city, VILLAGE, Bound::All);
    let to = |file: &Vec<u8>| match Parcel::decode(file).unwrap().cover().unwrap().carries {
        Carries::Letters { to, .. } => Some(to),
        Carries::Records { .. } => None,
    };
    let halls: Vec<_> = files.iter().filter_map(to).collect();
    let waits: Vec<_> = waiting(&city.halls[VILLAGE].rows, 100).into_iter().map(|it| it.to).collect();
    assert_eq!(halls, waits);
    read_all(&mut city, COUNTY, &files);
    city.run();
    assert_eq!(stage(&city, CITY, case), Stage::Custodian);
}

#[test]
fn one_neighbour_does_not_fill_the_room_that_others_have_at_a_relay() {
    let mut city = City::new();
    city.cut(VILLAGE);
    let all = u32::try_from(RELAY_LETTERS_MAX).unwrap();
    for number in 0..all {
        let letter = letter(&city, CITY, VILLAGE, number);
        by_line(&mut city, COUNTY, TOWN, letter);
    }
    let held = |city: &City| waiting(&city.halls[TOWN].rows, usize::MAX).len();
    assert_eq!(held(&city), usize::try_from(FOR_ONE).unwrap());
    let others = letter(&city, OTHER_COUNTY, VILLAGE, all);
    by_line(&mut city, CITY, TOWN, others);
    assert_eq!(held(&city), usize::try_from(FOR_ONE).unwrap() + 1);
    // A stick is held to the same bound, and what is left is taken when there is room again.
    city.wires.clear();
    let over = letter(&city, COUNTY, VILLAGE, all + 1);
    by_line(&mut city, TOWN, COUNTY, over);
    city.wires.clear();
    let files = write_to(&mut city, COUNTY, TOWN);
    let taken = read_all(&mut city, TOWN, &files);
    assert_eq!((taken.last().unwrap().left, taken.last().unwrap().relayed), (0, 0), "it came from the town");
    city.heal(VILLAGE);
    city.run();
    assert_eq!(held(&city), 0);
    let again = letter(&city, CITY, VILLAGE, all + 2);
    city.cut(VILLAGE);
    by_line(&mut city, COUNTY, TOWN, again);
    assert_eq!(held(&city), 1);
}

#[test]
fn a_letter_that_is_over_the_bound_stays_on_the_stick() {
    let mut city = City::new();
    city.cut(VILLAGE);
    city.cut(TOWN);
    // The county has a letter for the village, and the town has no room for another from the county.
    for number in 0..u32::try_from(FOR_ONE).unwrap() {
        let letter = letter(&city, CITY, VILLAGE, number);
        city.step(TOWN, Input::PeerUp(city.halls[COUNTY].at));
        let roots = query::roots(&city.halls[COUNTY].rows);
        greet(&mut city, COUNTY, TOWN, roots);
        by_line(&mut city, COUNTY, TOWN, letter);
    }
    let last = letter(&city, CITY, VILLAGE, u32::MAX);
    by_line(&mut city, CITY, COUNTY, last);
    let files = write_to(&mut city, COUNTY, TOWN);
    for _ in 0..2 {
        let taken = read_all(&mut city, TOWN, &files).pop().unwrap();
        assert_eq!((taken.left, taken.relayed, taken.known), (1, 0, false));
    }
    city.wires.clear();
    city.heal(TOWN);
    city.heal(VILLAGE);
    city.run();
    city.cut(VILLAGE);
    let taken = read_all(&mut city, TOWN, &files).pop().unwrap();
    assert_eq!((taken.left, taken.relayed), (0, 1));
}

/// A greeting after which cases are spoken of.
fn greet(city: &mut City, from: usize, to: usize, roots: hallmesh_protocol::message::Roots) {
    let hello = Message::Hello {
        protocol: hallmesh_protocol::message::PROTOCOL,
        protocol_min: hallmesh_protocol::message::PROTOCOL_MIN,
        at: city.halls[from].at,
        boot: 1,
        roots,
        wall: city.now.wall,
        please: false,
    };
    let (here, there) = (city.halls[from].at.hall, city.halls[to].at.hall);
    for said in [hello, Message::Standing { mine: None, yours: None, please: false }] {
        let message = verify::message(&city.halls[to].rows, there, said).unwrap();
        city.step(to, Input::Received { from: here, message });
    }
}

#[test]
fn a_recording_with_sticks_in_it_is_replayed_without_a_difference() {
    let mut city = City::new();
    city.cut(VILLAGE);
    city.record(TOWN, 10_000);
    city.received(VILLAGE, "CITY-1", HERE);
    carry(&mut city, VILLAGE, TOWN);
    carry(&mut city, TOWN, VILLAGE);
    carry(&mut city, VILLAGE, TOWN);
    let file = city.halls[TOWN].recorder.as_ref().unwrap().file();
    let recording = Recording::decode(&file).unwrap();
    let differences: Vec<_> =
        Replay::open(recording).unwrap().filter(|outcome| outcome.difference.is_some()).collect();
    assert!(differences.is_empty(), "{differences:?}");
}

/// Sticks and a line in any order; sticks are lost, late and read more than once; nodes are killed.
#[test]
fn sticks_and_lines_in_any_order_make_one_log() {
    for seed in 0..40_u8 {
        let mut city = City::new();
        city.cut(VILLAGE);
        let cases: Vec<_> = (0..3).map(|_| city.received(VILLAGE, "CITY-1", HERE)).collect();
        let (chance, sticks) = (Chance::from_seed([seed; 32]), Vec::new());
        let mut mixed = Mixed { city, chance, sticks, cut: true };
        for _ in 0..40 {
            mixed.happen();
            for case in &cases {
                work(&mut mixed.city, *case);
                let hands = 0..mixed.city.halls.len();
                let hands = hands.filter(|hall| stage(&mixed.city, *hall, *case) == Stage::Custodian);
                assert!(hands.count() <= 1, "{seed}: two hands");
            }
        }
        finish(&mut mixed.city, seed, mixed.cut, &cases);
    }
}

/// A city in which the village has a line now and then.
struct Mixed {
    city: City,
    chance: Chance,
    sticks: Vec<Vec<Vec<u8>>>,
    cut: bool,
}

impl Mixed {
    fn draw(&mut self, below: usize) -> usize {
        usize::try_from(self.chance.next_u64() % u64::try_from(below).unwrap()).unwrap()
    }

    /// One thing happens.
    fn happen(&mut self) {
        match self.draw(8) {
            0 | 1 => {
                let ways = [(VILLAGE, TOWN), (TOWN, VILLAGE), (VILLAGE, COUNTY), (COUNTY, VILLAGE)];
                let (from, to) = ways[self.draw(4)];
                self.sticks.push(write_to(&mut self.city, from, to));
            }
            2 | 3 if !self.sticks.is_empty() => self.somebody_reads(),
            4 if self.cut => {
                self.city.heal(VILLAGE);
                self.cut = false;
            }
            4 | 5 if !self.cut => {
                self.city.cut(VILLAGE);
                self.cut = true;
            }
            6 => self.somebody_falls(),
            _ => {
                let seconds = u32::try_from(self.draw(20)).unwrap();
                self.city.run_seconds(seconds);
            }
        }
    }

    /// Files get lost, and a hall may read what it wrote, or what it has no directory for.
    fn somebody_reads(&mut self) {
        let stick = self.draw(self.sticks.len());
        let reader = [VILLAGE, TOWN, COUNTY][self.draw(3)];
        for file in self.sticks[stick].clone() {
            if self.draw(6) == 0 {
                continue;
            }
            let read = read(&mut self.city, reader, &file);
            assert!(matches!(read, Ok(_) | Err(Unfit::Own | Unfit::DirectoryFirst)), "{read:?}");
        }
    }

    fn somebody_falls(&mut self) {
        let hall = [VILLAGE, TOWN, CITY][self.draw(3)];
        if hall == VILLAGE && self.cut {
            self.city.halls[hall].node = None;
            self.city.open(hall);
            return;
        }
        self.city.restart(hall);
    }
}

/// The clerks do what they can do.
fn work(city: &mut City, case: CaseId) {
    for (hall, deed) in [(CITY, Deed::Accept), (CITY, Deed::GRANT), (VILLAGE, Deed::Deliver)] {
        if stage(city, hall, case) == Stage::Custodian {
            city.deed(hall, case, deed);
        }
    }
}

/// With a line at last, every case ends as all do; what is on the sticks changes nothing any more.
fn finish(city: &mut City, seed: u8, cut: bool, cases: &[CaseId]) {
    if cut {
        city.heal(VILLAGE);
    }
    city.run();
    for case in cases {
        for _ in 0..2 {
            work(city, *case);
            city.run();
        }
        assert_eq!(state(city, VILLAGE, *case), State::Delivered, "{seed}");
        let kept: Vec<_> = (0..city.halls.len())
            .filter(|hall| query::case(&city.halls[*hall].rows, *case).is_some())
            .collect();
        let longest = log(city, VILLAGE, *case);
        for hall in kept {
            let held = log(city, hall, *case);
            assert_eq!(held[..], longest[..held.len()], "{seed}: one log everywhere");
            assert_eq!(query::counts(&city.halls[hall].rows).forks, 0, "{seed}");
        }
    }
    for hall in 0..city.halls.len() {
        assert_eq!(waiting(&city.halls[hall].rows, 100), Vec::new(), "{seed}: nothing waits at {hall}");
    }
}
