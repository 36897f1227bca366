//! Recordings: what a node was given gives the same again, on another desk, without its key and without its people.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "a test fails loudly"
)]

mod common;

use std::sync::LazyLock;

use common::{CITY, COUNTY, City, TOWN, VILLAGE, WALL};
use hallmesh_protocol::cases::{Deed, Position, Receipt, ReceiptKind};
use hallmesh_protocol::clerks::{ClerkCard, Roles};
use hallmesh_protocol::directory::{Directory, Revocation, RevocationReason};
use hallmesh_protocol::ids::{CaseId, ClerkId, Digest};
use hallmesh_protocol::limits::{FRAME_MAX, RECORDED_BYTES_MAX, RECORDING_MAX};
use hallmesh_protocol::message::{Message, Why};
use hallmesh_protocol::post::{Letter, LetterBody};
use hallmesh_protocol::record::{Body, Issuer, Space};
use hallmesh_protocol::recording::{Came, Difference, FORMAT, Frame, Recording, Replay, Unreadable, Wish};
use hallmesh_protocol::seal::{SecretKey, Suite};
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::{Command, Reply};
use hallmesh_protocol::wire::Malformed;
use proptest::prelude::*;

const PERSON: &str = "Wang Fang of the third window";
const HOME: u64 = 620_702_203_200;

/// A case from the village to the city and back, recorded at one hall from the middle of its life.
fn story(recorded: usize, inputs: u64) -> City {
    let mut city = City::new();
    city.record(recorded, inputs);
    add_person(&mut city, recorded);
    let case = city.received(VILLAGE, "CITY-1", HOME);
    city.run();
    finish(&mut city, case);
    city
}

fn finish(city: &mut City, case: CaseId) {
    for (hall, deed) in [(CITY, Deed::Accept), (CITY, Deed::GRANT), (VILLAGE, Deed::Deliver)] {
        assert!(matches!(city.deed(hall, case, deed), Reply::Recorded { .. }));
        city.run();
    }
}

fn add_person(city: &mut City, index: usize) {
    let id = ClerkId { hall: city.halls[index].at.hall, number: 7 };
    let key = SecretKey::from_seed(Suite::One, [77; 32]).public();
    let card = ClerkCard { id, name: PERSON.to_owned(), key, roles: Roles::default(), active: true };
    assert_eq!(city.command(index, Command::AddClerk(card)), Reply::Done);
    assert_eq!(city.command(index, Command::DisableClerk(7)), Reply::Done);
}

fn file(city: &City, index: usize) -> Vec<u8> {
    city.halls[index].recorder.as_ref().unwrap().file()
}

fn first_difference(recording: Recording) -> Option<(usize, Difference)> {
    let mut replay = Replay::open(recording).unwrap();
    replay.find_map(|outcome| Some((outcome.entry, outcome.difference?)))
}

#[test]
fn a_recording_gives_the_same_again_at_every_hall_of_a_case() {
    for hall in [VILLAGE, TOWN, COUNTY, CITY] {
        let city = story(hall, 10_000);
        let recording = Recording::decode(&file(&city, hall)).unwrap();
        assert_eq!(recording.header.at, city.halls[hall].at);
        assert!(recording.entries.len() > 100, "{}", recording.entries.len());
        assert!(recording.entries.iter().all(|entry| entry.gave.is_some()));
        assert_eq!(first_difference(recording), None, "hall {hall}");
    }
}

#[test]
fn the_last_inputs_are_kept_and_a_recording_may_begin_anywhere() {
    for inputs in [1, 7, 50, 90] {
        let city = story(VILLAGE, inputs);
        let held = city.halls[VILLAGE].recorder.as_ref().unwrap().held();
        let recording = Recording::decode(&file(&city, VILLAGE)).unwrap();
        assert!((inputs..=2 * inputs).contains(&held.inputs), "{held:?}");
        assert_eq!(u64::try_from(recording.entries.len()).unwrap(), held.inputs);
        assert_eq!(recording.header.begun.wall, held.since);
        assert_eq!(first_difference(recording), None, "{inputs} inputs");
    }
}

#[test]
fn several_inputs_in_one_commit_and_checks_from_long_before_it_are_replayed_as_they_were() {
    let mut city = City::new();
    city.record(TOWN, 10_000);
    city.halls[TOWN].batch = 3;
    let case = city.received(VILLAGE, "CITY-1", HOME);
    city.run();
    finish(&mut city, case);
    let recording = Recording::decode(&file(&city, TOWN)).unwrap();
    let (mut commits, mut late) = (recording.header.commits, 0);
    for entry in &recording.entries {
        late += usize::from(matches!(entry.came, Came::Frame { checked_at, .. } if checked_at < commits));
        commits += u64::from(entry.committed);
    }
    let shared = recording.entries.iter().filter(|entry| !entry.committed).count();
    assert!(late > 10 && shared > 10, "{late} checked before a commit, {shared} shared one");
    assert_eq!(first_difference(recording), None);
}

#[test]
fn what_a_node_had_heard_before_the_recording_began_counts_in_it() {
    let mut city = City::new();
    let to_the_city = city.halls[CITY].at.hall;
    city.bend = Box::new(move |_, to, message| {
        let carries =
            matches!(message, Message::Letter(letter) if matches!(letter.body, LetterBody::HandOver(_)));
        !(carries && to == to_the_city)
    });
    city.received(VILLAGE, "CITY-1", HOME);
    city.run_seconds(10);
    // A mirror's receipt is there, the case is not: the receipt is nowhere but in memory.
    city.record(CITY, 1_000);
    city.bend = Box::new(|_, _, _| true);
    city.run();
    let recording = Recording::decode(&file(&city, CITY)).unwrap();
    let taken = recording.entries.iter().position(|entry| {
        entry
            .gave
            .as_ref()
            .is_some_and(|gave| gave.said.iter().any(|said| said.starts_with("happened taken")))
    });
    let held = &recording.entries[taken.unwrap()];
    assert!(
        held.gave.as_ref().unwrap().said.iter().any(|said| said.starts_with("happened holding")),
        "{held:?}"
    );
    assert_eq!(first_difference(recording), None);
}

/// A letter that held when it was checked, and would not when it is taken: its writer was revoked in between.
#[test]
fn a_check_is_replayed_on_the_rows_it_was_made_on() {
    let mut city = City::new();
    city.record(VILLAGE, 1_000);
    let (town, village) = (city.halls[TOWN].at, city.halls[VILLAGE].at);
    let (transport_key, key) = (common::secret(41).public(), common::secret(40));
    assert_eq!(key.public(), Directory::new(&city.halls[TOWN].rows).life(town).unwrap().event_key);
    let body = Revocation { at: town, transport_key, reason: RevocationReason::Stolen, since: WALL };
    let record = common::first(Issuer::Root, Body::Revocation(body));
    let signed = Signed::sign(&record, &[(0, &city.root[0]), (1, &city.root[1])]);
    let (case, head) = (CaseId([3; 16]), Digest([0; 32]));
    let (kind, position) = (ReceiptKind::Unknown, Position::default());
    let receipt = Receipt { kind, case, position, sequence: 0, head, by: town, wall: WALL };
    let letter = LetterBody::Receipt(Signed::sign(&receipt, &[(0, &key)]));
    let messages = [
        Message::Records { space: Space::Directory, records: vec![signed], why: Why::Push },
        Message::Letter(Letter::write(town, village.hall, letter)),
    ];
    city.halls[VILLAGE].batch = 1;
    city.wires.extend(messages.map(|message| (town.hall, village.hall, message.encode())));
    city.drain();
    let recording = Recording::decode(&file(&city, VILLAGE)).unwrap();
    let learned = |said: &String| said.starts_with("happened learned");
    assert!(
        recording.entries[0].gave.as_ref().unwrap().said.iter().any(learned),
        "{:?}",
        recording.entries[0]
    );
    assert!(recording.entries[1].gave.as_ref().unwrap().wrote.is_empty(), "{:?}", recording.entries[1]);
    assert_eq!(first_difference(recording.clone()), None);
    let mut late = recording;
    let Came::Frame { checked_at, .. } = &mut late.entries[1].came else { panic!("no frame") };
    *checked_at += 1;
    assert_eq!(first_difference(late), Some((1, Difference::Wrote)));
}

#[test]
fn a_changed_clock_input_or_row_is_seen_where_it_matters() {
    let city = story(VILLAGE, 10_000);
    let whole = Recording::decode(&file(&city, VILLAGE)).unwrap();
    let is_receive = |came: &Came| matches!(came, Came::Command { wish, .. } if wish.word() == "receive");
    let received = whole.entries.iter().position(|entry| is_receive(&entry.came)).unwrap();

    let mut later = whole.clone();
    later.entries[received].now.wall += 1;
    assert_eq!(first_difference(later).unwrap().0, received);

    let mut another = whole.clone();
    another.entries[received].came = Came::Wake;
    assert_eq!(first_difference(another), Some((received, Difference::Said)));

    let mut poorer = whole;
    poorer.rows.retain(|key, _| key[0] != 0x10);
    assert!(first_difference(poorer).is_some());
}

#[test]
fn nobody_is_named_and_no_key_is_in_it() {
    let mut city = City::new();
    city.record(VILLAGE, 10_000);
    add_person(&mut city, VILLAGE);
    // The matter is decided at the county: nothing more is said of the place.
    city.received(VILLAGE, "COUNTY-1", HOME);
    let file = file(&city, VILLAGE);
    let holds = |bytes: &[u8]| file.windows(bytes.len()).any(|window| window == bytes);
    assert!(!holds(PERSON.as_bytes()));
    let village = &city.halls[VILLAGE];
    assert!(!holds(&[5; 32]), "from the digest of an application its words could be guessed");
    assert!(!holds(City::clerk(VILLAGE, 1).public().as_bytes()), "a clerk's key leads to the clerk");
    assert!(!holds(&*City::clerk(VILLAGE, 1).seed()) && !holds(&*common::secret(village.seed).seed()));
    assert!(holds(common::secret(village.seed).public().as_bytes()), "what is looked for can be found");
    let recording = Recording::decode(&file).unwrap();
    let places = recording.entries.iter().filter_map(|entry| match &entry.came {
        Came::Command { wish, .. } => match &**wish {
            Wish::Receive { place, act, .. } => Some((place.as_u64(), act.request.0)),
            _other => None,
        },
        _other => None,
    });
    assert_eq!(places.collect::<Vec<_>>(), [(620_702_000_000, [0; 32])]);
    assert_eq!(first_difference(recording), None);
}

#[test]
fn a_frame_that_was_refused_is_refused_again() {
    let mut city = City::new();
    city.record(VILLAGE, 100);
    let (from, now) = (city.halls[TOWN].at.hall, city.now);
    let recorder = city.halls[VILLAGE].recorder.as_mut().unwrap();
    let frame = |bytes: &[u8]| Frame { bytes: bytes.to_vec().into(), checked_at: 0 };
    recorder.refused(now, from, frame(b"nonsense"), &Malformed::Version(b'n').to_string());
    recorder.refused(now, from, frame(b""), "another reason");
    let recording = Recording::decode(&file(&city, VILLAGE)).unwrap();
    assert_eq!(recording.entries.len(), 2);
    assert_eq!(first_difference(recording), Some((1, Difference::Said)));
}

#[test]
fn a_file_is_read_whole_or_not_at_all() {
    let city = story(VILLAGE, 20);
    let whole = file(&city, VILLAGE);
    let recording = Recording::decode(&whole).unwrap();
    assert_eq!(recording.encode(), whole);
    assert_eq!(Recording::decode(b"PK\x03\x04"), Err(Unreadable::Other));
    assert_eq!(Recording::decode(&[whole.as_slice(), b"x"].concat()), Err(Unreadable::Damaged));
    for cut in (8..whole.len()).step_by(997) {
        assert_eq!(Recording::decode(&whole[..cut]), Err(Unreadable::Damaged), "{cut}");
    }
    let mut newer = recording.clone();
    newer.header.format = FORMAT + 1;
    assert_eq!(Recording::decode(&newer.encode()), Err(Unreadable::Format(FORMAT + 1)));
    let mut unordered = recording.clone();
    unordered.entries[0].gave = None;
    unordered.entries[0].committed = true;
    assert!(matches!(Recording::decode(&unordered.encode()), Err(Unreadable::Order(_))));
    let long = vec![0; RECORDING_MAX + 1];
    assert_eq!(Recording::decode(&long), Err(Unreadable::TooLong(long.len())));
    let mut other = recording;
    other.memory = vec![1, 2, 3].into();
    assert!(Replay::open(other).is_err());
}

#[test]
fn a_batch_that_is_too_large_is_given_up_and_the_next_one_begins_anew() {
    let mut city = City::new();
    city.record(VILLAGE, 10_000);
    let (from, now) = (city.halls[TOWN].at.hall, city.now);
    let hall = &mut city.halls[VILLAGE];
    let recorder = hall.recorder.as_mut().unwrap();
    let large = Frame { bytes: vec![7; FRAME_MAX].into(), checked_at: 0 };
    for _ in 0..=RECORDED_BYTES_MAX / FRAME_MAX * 2 {
        recorder.refused(now, from, large.clone(), "large");
        assert!(recorder.held().bytes <= 2 * u64::try_from(RECORDED_BYTES_MAX).unwrap() + 1_000_000);
    }
    recorder.committed();
    assert_eq!(recorder.held().inputs, 0);
    assert!(recorder.knows(0));
    recorder.begin_batch(hall.node.as_ref().unwrap(), now);
    assert!(!recorder.knows(0), "its first check is a new one");
    city.run();
    let recording = Recording::decode(&file(&city, VILLAGE)).unwrap();
    assert!(!recording.entries.is_empty());
    assert_eq!(first_difference(recording), None);
}

/// Bytes of the last part with its length: its number, count and digest, in that order.
const END: usize = 4 + 1 + 4 + 8 + 32;

static SHORT: LazyLock<Vec<u8>> = LazyLock::new(|| file(&story(VILLAGE, 5), VILLAGE));

proptest! {
    #[test]
    fn a_changed_byte_or_a_cut_is_seen(place in any::<usize>(), change in 1_u8.., cut in any::<usize>()) {
        let mut changed = SHORT.clone();
        let place = place % changed.len();
        changed[place] ^= change;
        prop_assert!(Recording::decode(&changed).is_err());
        prop_assert!(Recording::decode(&SHORT[..cut % SHORT.len()]).is_err());
    }

    /// Whoever changes a file can also make its end fit.
    #[test]
    fn hostile_bytes_are_refused_or_read_and_nothing_else(
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..8),
    ) {
        let (body, end) = SHORT.split_at(SHORT.len() - END);
        let mut hostile = body.to_vec();
        for (place, byte) in changes {
            let place = 8 + place % (hostile.len() - 8);
            hostile[place] = byte;
        }
        let digest = *blake3::hash(&hostile).as_bytes();
        hostile.extend_from_slice(&end[..END - 32]);
        hostile.extend_from_slice(&digest);
        if let Ok(read) = Recording::decode(&hostile) {
            prop_assert_eq!(read.encode(), hostile);
        }
    }
}

#[test]
fn an_end_made_to_fit_is_taken() {
    let (body, end) = SHORT.split_at(SHORT.len() - END);
    let again = [body, &end[..END - 32], blake3::hash(body).as_bytes()].concat();
    assert_eq!(again, *SHORT);
}
