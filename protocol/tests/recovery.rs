//! A hall loses its disk and gets a new life: its cases go on, in one hand, and nobody else goes on with them.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

mod common;

use common::custody::{HERE, accepted_in_the_county, custodians, events, fold, sound, stage};
use common::{CITY, COUNTY, City, Rows, TOWN, VILLAGE, charter, first, secret};
use hallmesh_protocol::cases::{CaseFile, Deed, Grade, Refusal, Stage, State};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::genesis;
use hallmesh_protocol::ids::{CaseId, HallAt, HallId};
use hallmesh_protocol::message::Message;
use hallmesh_protocol::post::{self, Letter, LetterBody};
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Body, Issuer};
use hallmesh_protocol::seal::wrap_keypair;
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::{Command, Input, Reply, Ticket};
use hallmesh_protocol::verify;

/// The seed of the county's keys in its second life; those of later ones follow.
const NEXT: u8 = 201;

/// The county's disk is gone. The root charters its next life, which begins with its papers and nothing else.
fn county_lost(city: &mut City) {
    let clerks = Rows(city.halls[COUNTY].rows.clerk_rows());
    rejoins(city, COUNTY, Rows::default());
    city.halls[COUNTY].rows.0.extend(clerks.0);
}

/// A hall's machine stands still, the root charters its next life, and that begins over rows of an earlier one.
fn rejoins(city: &mut City, index: usize, rows: Rows) {
    city.cut(index);
    let at = next_life(city, index);
    begin(city, index, at, rows);
}

/// The seed of a hall's keys in a life after its first.
fn seed(at: HallAt, index: usize) -> u8 {
    let (life, index) = (u8::try_from(at.incarnation).unwrap(), u8::try_from(index).unwrap());
    NEXT + 2 * (life - 2) + 7 * (index - 1)
}

fn next_life(city: &mut City, index: usize) -> HallAt {
    let (_, wrap) = wrap_keypair(&mut Chance::from_seed([9; 32]));
    let mut next = charter(index, &wrap);
    next.incarnation = city.halls[index].at.incarnation + 1;
    let seed = seed(next.at(), index);
    (next.transport_key, next.event_key) = (secret(seed - 1).public(), secret(seed).public());
    let at = next.at();
    let body = Body::Charter(Box::new(next));
    let record = Signed::sign(&first(Issuer::Root, body), &[(0, &city.root[0]), (1, &city.root[1])]);
    let (records, refused) = verify::records(&city.halls[CITY].rows, vec![record]);
    assert_eq!(refused, 0);
    city.step(CITY, Input::Command { ticket: Ticket(9), command: Command::Admit(records) });
    city.replies.pop();
    city.run();
    at
}

fn begin(city: &mut City, index: usize, at: HallAt, mut rows: Rows) {
    let papers = query::joining_records(&city.halls[CITY].rows, city.halls[CITY].at.hall, at);
    let (policy, rest) = (papers[0].clone(), papers[1..].to_vec());
    rows.apply(genesis::rejoin(city.now, &rows, policy.digest(), &policy, rest, at).unwrap());
    let hall = &mut city.halls[index];
    (hall.at, hall.rows, hall.seed) = (at, rows, seed(at, index));
    city.open(index);
    city.heal(index);
}

/// The machine that is about to be given up decides the case all the same: what it would say, and who it is.
fn decided_out_of_sight(city: &mut City, case: CaseId) -> (CaseFile, HallAt) {
    city.cut(COUNTY);
    assert!(matches!(city.deed(COUNTY, case, Deed::DENY), Reply::Recorded { .. }));
    (query::file(&city.halls[COUNTY].rows, case), city.halls[COUNTY].at)
}

#[test]
fn a_case_goes_on_in_the_next_life_of_its_hall_and_comes_back_to_the_window() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    county_lost(&mut city);
    city.run_seconds(60);
    assert_eq!(custodians(&city, case), [COUNTY]);
    assert_eq!(events(&city, COUNTY, case), ["receive", "transfer", "take", "accept", "succeed"]);
    assert_eq!(fold(&city, COUNTY, case).position.term, 1);
    assert!(matches!(city.deed(COUNTY, case, Deed::GRANT), Reply::Recorded { .. }));
    city.run_seconds(60);
    assert_eq!(custodians(&city, case), [VILLAGE]);
    assert!(matches!(city.deed(VILLAGE, case, Deed::Deliver), Reply::Recorded { .. }));
    assert_eq!(fold(&city, VILLAGE, case).state, State::Delivered);
    sound(&city);
}

#[test]
fn a_giver_whose_target_has_ended_is_let_go_by_the_next_life() {
    let mut city = City::new();
    let county = city.halls[COUNTY].at.hall;
    // The county signs for nothing any more: the village waits for its receipt.
    city.bend = Box::new(move |from, _, message| {
        from != county || !matches!(message, Message::Letter(letter) if letter.from.incarnation == 1)
    });
    let case = city.received(VILLAGE, "COUNTY-1", HERE);
    city.run_seconds(30);
    assert_eq!(stage(&city, VILLAGE, case), Stage::Handing);
    county_lost(&mut city);
    city.run_seconds(120);
    assert_eq!(custodians(&city, case), [COUNTY]);
    assert_eq!(stage(&city, VILLAGE, case), Stage::Released);
    sound(&city);
}

/// Lets nothing through that these halls say in letters.
fn silence(city: &mut City, halls: Vec<HallId>) {
    city.bend = Box::new(
        move |_, _, message| !matches!(message, Message::Letter(letter) if halls.contains(&letter.from.hall)),
    );
}

/// The county has a case in hand, and one of its mirrors has not answered since for days.
fn half_mirrored(city: &mut City) -> (CaseId, HallAt, HallAt) {
    let case = city.received(COUNTY, "COUNTY-1", HERE);
    city.run();
    let [stays, silent] = fold(city, COUNTY, case).mirrors.map(|mirror| mirror.expect("two mirrors"));
    silence(city, vec![silent.hall]);
    assert!(matches!(city.deed(COUNTY, case, Deed::Accept), Reply::Recorded { .. }));
    city.run();
    assert_eq!(fold(city, COUNTY, case).mirrors, [Some(stays), Some(silent)], "it may still answer");
    (case, stays, silent)
}

const DAYS: u64 = 24 * 3_600_000;

#[test]
fn another_hall_keeps_copies_in_the_place_of_a_mirror_that_does_not_answer_for_days() {
    let mut city = City::new();
    let (case, stays, silent) = half_mirrored(&mut city);
    city.pass(4 * DAYS);
    city.run_seconds(60);
    let replaced = fold(&city, COUNTY, case);
    assert!(replaced.is_mirror(stays) && !replaced.is_mirror(silent), "{:?}", replaced.mirrors);
    assert_eq!((replaced.stayed, replaced.mirrors.iter().flatten().count()), (Some(stays), 2));
    assert_eq!(query::grade(&city.halls[COUNTY].rows, case), Some(Grade::D2));
    // The county is lost as well: its next life asks both, and knows of the change from the one that stayed.
    city.bend = Box::new(|_, _, _| true);
    county_lost(&mut city);
    city.run();
    assert_eq!(custodians(&city, case), [COUNTY]);
    assert_eq!(events(&city, COUNTY, case), ["receive", "accept", "replace-mirror", "succeed"]);
    sound(&city);
}

#[test]
fn a_mirror_named_in_the_place_of_another_proves_nothing_until_the_one_that_stays_knows() {
    let mut city = City::new();
    let (case, stays, silent) = half_mirrored(&mut city);
    city.pass(4 * DAYS);
    silence(&mut city, vec![stays.hall, silent.hall]);
    city.run_seconds(60);
    let replaced = fold(&city, COUNTY, case);
    assert!(!replaced.is_mirror(silent));
    assert_eq!(query::copies(&city.halls[COUNTY].rows, &replaced).len(), 2, "the new one has signed for it");
    assert_eq!(query::grade(&city.halls[COUNTY].rows, case), Some(Grade::D1));
    // Nobody else is put in the place of the one that stays: without it nobody would know of the change.
    city.pass(4 * DAYS);
    city.run_seconds(60);
    assert!(fold(&city, COUNTY, case).is_mirror(stays));
    city.bend = Box::new(|_, _, _| true);
    city.run();
    assert_eq!(query::grade(&city.halls[COUNTY].rows, case), Some(Grade::D2));
}

/// A mirror that was named last, of which nobody who speaks for the others knows.
#[test]
fn a_mirror_without_which_the_case_went_on_is_answered_and_what_it_tells_is_shown() {
    let mut city = City::new();
    let (case, stays, silent) = half_mirrored(&mut city);
    city.pass(4 * DAYS);
    let unheard = [stays.hall, silent.hall];
    city.bend = Box::new(
        move |_, _, message| !matches!(message, Message::Letter(letter) if unheard.contains(&letter.to)),
    );
    city.run_seconds(60);
    let mut mirrors = fold(&city, COUNTY, case).mirrors.into_iter().flatten();
    let named = mirrors.find(|at| *at != stays).expect("another mirror");
    assert_ne!(named, silent);
    silence(&mut city, vec![named.hall]);
    county_lost(&mut city);
    city.run();
    assert_eq!(events(&city, COUNTY, case), ["receive", "accept", "succeed"]);
    city.bend = Box::new(|_, _, _| true);
    city.run_seconds(120);
    let waits = post::destinations(&city.halls[city.index(named.hall)].rows, None, 9);
    assert!(waits.is_empty(), "{waits:?}");
    let orphans = query::orphans(&city.halls[COUNTY].rows, case);
    assert_eq!(orphans.iter().map(|it| it.header.facts.word()).collect::<Vec<_>>(), ["replace-mirror"]);
    assert_eq!(custodians(&city, case), [COUNTY]);
    sound(&city);
}

#[test]
fn a_giver_is_let_go_by_the_next_life_over_the_rows_of_the_last() {
    let mut city = City::new();
    let county = city.halls[COUNTY].at.hall;
    city.bend = Box::new(move |from, _, message| {
        from != county || !matches!(message, Message::Letter(letter) if letter.from.incarnation == 1)
    });
    let case = city.received(VILLAGE, "COUNTY-1", HERE);
    city.run_seconds(30);
    assert_eq!((stage(&city, VILLAGE, case), custodians(&city, case)), (Stage::Handing, vec![COUNTY]));
    let rows = Rows(city.halls[COUNTY].rows.0.clone());
    rejoins(&mut city, COUNTY, rows);
    city.run_seconds(120);
    assert_eq!(events(&city, COUNTY, case), ["receive", "transfer", "take", "succeed"]);
    assert_eq!((stage(&city, VILLAGE, case), custodians(&city, case)), (Stage::Released, vec![COUNTY]));
    sound(&city);
}

#[test]
fn a_hand_over_is_repeated_over_rows_in_which_an_earlier_one_is_long_over() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "COUNTY-1", HERE);
    city.run();
    assert!(matches!(city.deed(COUNTY, case, Deed::RequestCorrection), Reply::Recorded { .. }));
    city.run();
    assert_eq!(stage(&city, COUNTY, case), Stage::Released);
    let backup = Rows(city.halls[COUNTY].rows.0.clone());
    assert!(matches!(city.deed(VILLAGE, case, Deed::Supplement), Reply::Recorded { .. }));
    city.run();
    assert!(matches!(city.deed(COUNTY, case, Deed::Accept), Reply::Recorded { .. }));
    // The mirrors hear of the decision and of where the case goes with it, the village does not.
    let county = city.halls[COUNTY].at.hall;
    city.bend = Box::new(move |_, _, message| {
        let Message::Letter(letter) = message else { return true };
        letter.from.hall != county || !matches!(letter.body, LetterBody::HandOver(..))
    });
    assert!(matches!(city.deed(COUNTY, case, Deed::GRANT), Reply::Recorded { .. }));
    city.run_seconds(30);
    assert_eq!(stage(&city, COUNTY, case), Stage::Handing);
    city.bend = Box::new(|_, _, _| true);
    rejoins(&mut city, COUNTY, backup);
    city.run_seconds(240);
    assert_eq!(custodians(&city, case), [VILLAGE]);
    assert_eq!(stage(&city, COUNTY, case), Stage::Released);
    sound(&city);
}

#[test]
fn a_hand_over_whose_giver_and_target_have_both_ended_comes_to_its_end() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    // The village keeps what is handed to it, and no mirror hears of it.
    city.bend = Box::new(|_, _, message| {
        !matches!(message, Message::Letter(Letter { body: LetterBody::Copy(_), .. }))
    });
    assert!(matches!(city.deed(COUNTY, case, Deed::GRANT), Reply::Recorded { .. }));
    city.run_seconds(30);
    assert_eq!((stage(&city, COUNTY, case), stage(&city, VILLAGE, case)), (Stage::Handing, Stage::Holder));
    let rows = Rows(city.halls[VILLAGE].rows.0.clone());
    county_lost(&mut city);
    rejoins(&mut city, VILLAGE, rows);
    city.bend = Box::new(|_, _, _| true);
    city.run_seconds(240);
    assert_eq!(custodians(&city, case), [VILLAGE]);
    assert_eq!(stage(&city, COUNTY, case), Stage::Released);
    sound(&city);
}

/// A word is for the life that it was given to: after it, its giver may have recorded what that life went on with.
#[test]
fn a_word_that_was_given_to_an_earlier_life_is_asked_for_again() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "COUNTY-1", HERE);
    city.run();
    let [speaks, silent] = fold(&city, COUNTY, case).mirrors.map(|mirror| mirror.expect("two mirrors").hall);
    let no_word_of = |hall| {
        Box::new(move |_, _, message: &Message| {
            let Message::Letter(letter) = message else { return true };
            letter.from.hall != hall || !matches!(letter.body, LetterBody::Fence(..))
        })
    };
    city.bend = no_word_of(silent);
    county_lost(&mut city);
    city.run_seconds(60);
    assert_eq!(stage(&city, COUNTY, case), Stage::Recovering);
    let backup = Rows(city.halls[COUNTY].rows.0.clone());
    // The second life goes on, and of that the second mirror hears nothing.
    city.bend = Box::new(move |_, _, message| {
        let Message::Letter(letter) = message else { return true };
        letter.to != silent || !matches!(letter.body, LetterBody::Copy(..))
    });
    city.run_seconds(120);
    assert!(matches!(city.deed(COUNTY, case, Deed::Accept), Reply::Recorded { .. }));
    city.run_seconds(30);
    assert_eq!(query::grade(&city.halls[COUNTY].rows, case), Some(Grade::D2));
    city.bend = no_word_of(speaks);
    rejoins(&mut city, COUNTY, backup);
    city.run_seconds(120);
    assert_eq!(stage(&city, COUNTY, case), Stage::Recovering);
    city.bend = Box::new(|_, _, _| true);
    city.run_seconds(120);
    assert_eq!(events(&city, COUNTY, case), ["receive", "transfer", "take", "succeed", "accept", "succeed"]);
    assert_eq!(custodians(&city, case), [COUNTY]);
    sound(&city);
}

#[test]
fn nobody_goes_on_before_every_mirror_has_spoken() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    let silent = fold(&city, COUNTY, case).mirrors[1].expect("two mirrors").hall;
    city.bend = Box::new(move |_, _, message| {
        let Message::Letter(letter) = message else { return true };
        letter.from.hall != silent || !matches!(letter.body, LetterBody::Fence(..))
    });
    county_lost(&mut city);
    city.run_seconds(120);
    assert_eq!(custodians(&city, case), Vec::<usize>::new());
    assert_eq!(stage(&city, COUNTY, case), Stage::Recovering);
    let county = &city.halls[COUNTY];
    let missing = query::recovery_waits_for(&county.rows, county.at, &fold(&city, COUNTY, case));
    assert_eq!(missing.iter().map(|at| at.hall).collect::<Vec<_>>(), [silent]);
    let reply = city.deed(COUNTY, case, Deed::GRANT);
    assert_eq!(reply, Reply::Refused(Refusal::Recovering));
    city.bend = Box::new(|_, _, _| true);
    city.run_seconds(120);
    assert_eq!(custodians(&city, case), [COUNTY]);
    sound(&city);
}

#[test]
fn a_mirror_that_has_given_its_word_records_nothing_more_of_the_ended_life() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    let mirrors = fold(&city, COUNTY, case).mirrors.map(|mirror| mirror.expect("two mirrors").hall);
    let [silent, speaks] = [mirrors[1], city.halls[city.index(mirrors[0])].at.hall];
    let (late, zombie) = decided_out_of_sight(&mut city, case);
    // Nobody can have gone on yet: one mirror has spoken, the other has not.
    city.bend = Box::new(move |_, _, message| {
        let Message::Letter(letter) = message else { return true };
        letter.from.hall != silent || !matches!(letter.body, LetterBody::Fence(..))
    });
    county_lost(&mut city);
    city.run_seconds(60);
    assert_eq!(stage(&city, COUNTY, case), Stage::Recovering);
    let letter = Letter::write(zombie, speaks, LetterBody::Copy(late));
    city.wires.push_back((city.halls[COUNTY].at.hall, speaks, Message::Letter(letter).encode()));
    city.run_seconds(10);
    let mirror = city.index(speaks);
    assert!(!events(&city, mirror, case).contains(&"decide"));
    assert!(!query::orphans(&city.halls[mirror].rows, case).is_empty());
    sound(&city);
}

#[test]
fn what_an_ended_life_still_says_finds_no_witness_and_changes_nothing() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    let (late, zombie) = decided_out_of_sight(&mut city, case);
    county_lost(&mut city);
    city.run_seconds(60);
    let before = events(&city, COUNTY, case);
    assert!(before.contains(&"succeed") && !before.contains(&"decide"));
    for index in [CITY, TOWN, VILLAGE] {
        let (to, relay) = (city.halls[index].at.hall, city.halls[COUNTY].at.hall);
        for body in [LetterBody::Copy(late.clone()), LetterBody::HandOver(late.clone())] {
            let letter = Letter::write(zombie, to, body);
            city.wires.push_back((relay, to, Message::Letter(letter).encode()));
        }
    }
    city.run_seconds(60);
    assert_eq!(custodians(&city, case), [COUNTY]);
    for index in 0..city.halls.len() {
        assert!(!events(&city, index, case).contains(&"decide"), "hall {index} follows the ended life");
    }
    assert!(
        city.halls.iter().any(|hall| !query::orphans(&hall.rows, case).is_empty()),
        "it is kept and shown"
    );
    sound(&city);
}

/// The table of wrapped keys.
const WRAP: u8 = 0x22;

#[test]
fn a_hall_that_has_lost_its_own_key_is_not_asked_for_it_for_ever() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    // What was wrapped for the window is still known to the mirrors, and to nobody else.
    city.halls[VILLAGE].rows.0.retain(|key, _| key[0] != WRAP);
    county_lost(&mut city);
    city.run_seconds(300);
    assert_eq!(custodians(&city, case), [COUNTY]);
    assert_eq!(query::counts(&city.halls[VILLAGE].rows).post, 0, "its word was heard");
}
