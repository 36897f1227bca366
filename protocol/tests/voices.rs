//! The city's own hall is lost: a majority of the counties that the root policy names says so, and who goes on.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

mod common;

use common::custody::{HERE, by_root, custodians, declare, recorded, sound, stage};
use common::{CITY, COUNTY, City, OTHER_COUNTY, TOWN, VILLAGE, WALL, first, secret};
use hallmesh_protocol::cases::{Deed, Refusal, Stage};
use hallmesh_protocol::directory::{
    Declaration, Directory, Heard, NotDeclared, Revocation, RevocationReason, RootPolicy, Voice,
};
use hallmesh_protocol::ids::{CaseId, ClerkId, HallAt};
use hallmesh_protocol::limits::VOICES_TOGETHER_MS;
use hallmesh_protocol::record::{Body, Issuer, Record};
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::{Command, Happening, Reply};
use hallmesh_protocol::verify;

/// A case that the city has accepted, a city whose own hall is gone, and two clerks in each county.
fn without_the_city() -> (City, CaseId, HallAt) {
    let mut city = City::new();
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    recorded(&mut city, CITY, case, Deed::Accept);
    city.run();
    city.cut(CITY);
    for hall in [COUNTY, OTHER_COUNTY, TOWN] {
        city.add_clerk(hall, 2);
    }
    let of = city.halls[CITY].at;
    (city, case, of)
}

#[test]
fn a_majority_of_the_counties_rules_when_the_city_itself_is_lost() {
    let (mut city, case, of) = without_the_city();
    let heir = city.halls[COUNTY].at.hall;
    let take_over = Declaration::TakeOver { of, to: heir };
    assert!(matches!(declare(&mut city, TOWN, take_over), Reply::Refused(_)), "no township has a say");
    assert_eq!(declare(&mut city, OTHER_COUNTY, take_over), Reply::Published { records: 1 });
    city.run_seconds(60);
    assert!((0..5).all(|hall| Directory::new(&city.halls[hall].rows).present(of.hall) == Some(of)));
    assert_ne!(stage(&city, COUNTY, case), Stage::Custodian, "one county of two is no majority");
    let refused = |reply| {
        let Reply::Refused(Refusal::Declaration(why)) = reply else { panic!("{reply:?}") };
        why
    };
    let other = Declaration::TakeOver { of, to: city.halls[OTHER_COUNTY].at.hall };
    assert_eq!(refused(declare(&mut city, OTHER_COUNTY, take_over)), NotDeclared::Before);
    assert_eq!(refused(declare(&mut city, OTHER_COUNTY, other)), NotDeclared::Ruled(heir));
    let nobody = Declaration::TakeOver { of, to: of.hall };
    assert_eq!(refused(declare(&mut city, COUNTY, nobody)), NotDeclared::Nobody(of.hall));
    assert_eq!(refused(declare(&mut city, COUNTY, Declaration::Destroyed { of })), NotDeclared::Lives(of));

    assert_eq!(declare(&mut city, COUNTY, take_over), Reply::Published { records: 1 });
    city.run_seconds(120);
    for hall in [COUNTY, OTHER_COUNTY, TOWN, VILLAGE] {
        let directory = Directory::new(&city.halls[hall].rows);
        assert!(directory.has_ended(of) && directory.present(of.hall).is_none());
        assert!(directory.places().iter().all(|place| place.at != of));
        assert_eq!(directory.in_place_of(of.hall).map(|at| at.hall), Some(heir));
    }
    assert_eq!(stage(&city, COUNTY, case), Stage::Custodian);
    recorded(&mut city, COUNTY, case, Deed::GRANT);
    city.run();
    assert_eq!(stage(&city, VILLAGE, case), Stage::Custodian);
    // Its disk can be given up in the same way.
    let destroyed = |city: &City| Directory::new(&city.halls[VILLAGE].rows).is_destroyed(of);
    for (hall, so) in [(COUNTY, false), (OTHER_COUNTY, true)] {
        let reply = declare(&mut city, hall, Declaration::Destroyed { of });
        assert_eq!(reply, Reply::Published { records: 1 });
        city.run_seconds(30);
        assert_eq!(destroyed(&city), so);
    }
    // What it still says nobody hears, and it learns that it is out.
    city.heal(CITY);
    city.run_seconds(60);
    assert_eq!(
        custodians(&city, case).into_iter().filter(|hall| *hall != CITY).collect::<Vec<_>>(),
        [VILLAGE]
    );
    sound(&city);
}

#[test]
fn words_that_counties_said_long_after_one_another_make_no_majority() {
    let (mut city, _, of) = without_the_city();
    let heir = city.halls[COUNTY].at.hall;
    let take_over = Declaration::TakeOver { of, to: heir };
    assert_eq!(declare(&mut city, OTHER_COUNTY, take_over), Reply::Published { records: 1 });
    city.run_seconds(30);
    city.pass(VOICES_TOGETHER_MS);
    assert_eq!(declare(&mut city, COUNTY, take_over), Reply::Published { records: 1 });
    city.run_seconds(30);
    for hall in [COUNTY, OTHER_COUNTY, VILLAGE] {
        let directory = Directory::new(&city.halls[hall].rows);
        assert_eq!(directory.present(of.hall), Some(of), "what one said a month before the other");
        let voices = directory.voices(of, Some(heir)).unwrap();
        assert_eq!((voices.spoken, voices.needed), (vec![heir], 2));
    }
    // The county whose word is old says it again, or something else.
    let other = Declaration::TakeOver { of, to: city.halls[OTHER_COUNTY].at.hall };
    let directory = Directory::new(&city.halls[OTHER_COUNTY].rows);
    let (county, wall) = (city.halls[OTHER_COUNTY].at.hall, city.now.wall);
    assert_eq!(other.check_voice(&directory, county, wall), Ok(()));
    assert_eq!(declare(&mut city, OTHER_COUNTY, take_over), Reply::Published { records: 1 });
    city.run_seconds(30);
    assert!((1..5).all(|hall| Directory::new(&city.halls[hall].rows).has_ended(of)));
    let reply = declare(&mut city, OTHER_COUNTY, take_over);
    assert_eq!(reply, Reply::Refused(Refusal::Declaration(NotDeclared::Before)));
}

#[test]
fn the_word_of_a_county_whose_machine_was_stolen_makes_no_majority() {
    let (mut city, _, of) = without_the_city();
    let take_over = Declaration::TakeOver { of, to: city.halls[COUNTY].at.hall };
    assert_eq!(declare(&mut city, OTHER_COUNTY, take_over), Reply::Published { records: 1 });
    city.run_seconds(30);
    city.cut(OTHER_COUNTY);
    robbed(&mut city, COUNTY, OTHER_COUNTY);
    assert_eq!(declare(&mut city, COUNTY, take_over), Reply::Published { records: 1 });
    city.run_seconds(60);
    let directory = Directory::new(&city.halls[COUNTY].rows);
    assert_eq!(directory.present(of.hall), Some(of));
    let voices = directory.voices(of, Some(city.halls[COUNTY].at.hall)).unwrap();
    assert_eq!((voices.spoken, voices.needed), (vec![city.halls[COUNTY].at.hall], 2));
    assert_eq!(voices.heard, [], "and nobody says that a majority was met");
}

/// The holders of the root state that a machine was stolen; the hall named first hears it.
fn robbed(city: &mut City, by: usize, index: usize) {
    let at = city.halls[index].at;
    let transport_key = Directory::new(&city.halls[by].rows).life(at).unwrap().transport_key;
    let theft = Revocation { at, transport_key, reason: RevocationReason::Stolen, since: WALL };
    let signed = by_root(city, Body::Revocation(theft));
    let (records, refused) = verify::records(&city.halls[by].rows, vec![signed]);
    assert_eq!(refused, 0);
    assert_eq!(city.command(by, Command::Admit(records)), Reply::Admitted { records: 1, refused: 0 });
    city.run_seconds(60);
}

#[test]
fn what_the_counties_have_decided_stands_when_one_of_them_is_robbed_later() {
    let (mut city, case, of) = without_the_city();
    let heir = city.halls[COUNTY].at.hall;
    let take_over = Declaration::TakeOver { of, to: heir };
    let ruling = |city: &City, hall: usize| Directory::new(&city.halls[hall].rows).ruling(of);
    assert_eq!(declare(&mut city, OTHER_COUNTY, take_over), Reply::Published { records: 1 });
    city.run_seconds(30);
    // The second county is cut off as it speaks. What it alone has met nobody goes by.
    city.cut(COUNTY);
    assert_eq!(declare(&mut city, COUNTY, take_over), Reply::Published { records: 1 });
    city.run_seconds(30);
    assert_eq!(Directory::new(&city.halls[COUNTY].rows).voices(of, Some(heir)).unwrap().heard, [heir]);
    assert!([COUNTY, OTHER_COUNTY].iter().all(|hall| ruling(&city, *hall).is_none()));
    city.heal(COUNTY);
    city.run_seconds(60);
    let decided = ruling(&city, VILLAGE);
    assert!(decided.is_some() && (1..5).all(|hall| ruling(&city, hall) == decided), "one digest everywhere");
    assert_eq!(stage(&city, COUNTY, case), Stage::Custodian);
    city.cut(OTHER_COUNTY);
    robbed(&mut city, COUNTY, OTHER_COUNTY);
    let directory = Directory::new(&city.halls[VILLAGE].rows);
    assert_eq!(directory.voices(of, Some(heir)).unwrap().spoken, [heir], "its voice is worth nothing now");
    assert!(directory.has_ended(of) && ruling(&city, VILLAGE) == decided);
    assert_eq!(directory.in_place_of(of.hall).map(|at| at.hall), Some(heir));
    recorded(&mut city, COUNTY, case, Deed::GRANT);
    city.run();
    assert_eq!(stage(&city, VILLAGE, case), Stage::Custodian);
    sound(&city);
}

#[test]
fn whoever_names_two_halls_has_named_neither_whatever_is_heard_first() {
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1], [2, 0, 1]] {
        let (mut city, _, of) = without_the_city();
        let halls = [COUNTY, OTHER_COUNTY].map(|index| city.halls[index].at.hall);
        let said = [(OTHER_COUNTY, halls[0]), (OTHER_COUNTY, halls[1]), (COUNTY, halls[0])];
        let signed = said.map(|(index, to)| {
            let at = city.halls[index].at;
            let by = [1, 2].map(|number| ClerkId { hall: at.hall, number });
            let voice = Voice { of, to: Some(to), reason: RevocationReason::Closed, by, wall: WALL };
            let key = secret(city.halls[index].seed);
            Signed::sign(&first(Issuer::Hall(at), Body::Voice(voice)), &[(0, &key)])
        });
        // In one commit, so that no machine has met a majority before it meets the second word.
        let records = order.map(|place| signed[place].clone()).to_vec();
        let (records, refused) = verify::records(&city.halls[VILLAGE].rows, records);
        assert_eq!(refused, 0);
        city.command(VILLAGE, Command::Admit(records));
        city.run_seconds(60);
        for hall in 1..5 {
            let directory = Directory::new(&city.halls[hall].rows);
            assert_eq!(directory.present(of.hall), Some(of), "{order:?}");
            let voices = halls.map(|to| directory.voices(of, Some(to)).unwrap());
            assert_eq!(voices.each_ref().map(|it| it.spoken.clone()), [vec![halls[0]], vec![]]);
            assert!(voices.iter().all(|it| it.divided == [halls[1]] && it.heard.is_empty()), "{order:?}");
        }
        // The county cannot mend it by saying it once more, only when both words are old.
        let (take_over, later) = (Declaration::TakeOver { of, to: halls[0] }, WALL + VOICES_TOGETHER_MS + 1);
        let check =
            |wall| take_over.check_voice(&Directory::new(&city.halls[OTHER_COUNTY].rows), halls[1], wall);
        assert_eq!((check(WALL), check(later)), (Err(NotDeclared::Before), Ok(())));
    }
}

#[test]
fn that_a_majority_was_met_is_proved_by_its_voices() {
    let (mut city, _, of) = without_the_city();
    let (county, other, town) =
        (city.halls[COUNTY].at, city.halls[OTHER_COUNTY].at, city.halls[TOWN].at.hall);
    let voice = |city: &City, index: usize, wall: u64| {
        let at = city.halls[index].at;
        let by = [1, 2].map(|number| ClerkId { hall: at.hall, number });
        let voice = Voice { of, to: Some(county.hall), reason: RevocationReason::Closed, by, wall };
        let key = secret(city.halls[index].seed);
        Signed::sign(&first(Issuer::Hall(at), Body::Voice(voice)), &[(0, &key)])
    };
    let late = WALL + VOICES_TOGETHER_MS + 1;
    let [one, two, old] = [(COUNTY, WALL), (OTHER_COUNTY, WALL + 1), (OTHER_COUNTY, late)]
        .map(|(index, wall)| voice(&city, index, wall));
    let heard = |voices: &[&Signed<Record>]| Heard {
        of,
        to: Some(county.hall),
        reason: RevocationReason::Closed,
        by: other.hall,
        voices: voices.iter().map(|it| (*it).clone()).collect(),
    };
    let mut fits = |issuer: usize, heard: Heard| {
        let body = Body::Heard(Box::new(heard));
        let key = secret(city.halls[issuer].seed);
        let record = Signed::sign(&first(Issuer::Hall(city.halls[issuer].at), body), &[(0, &key)]);
        let (records, refused) = verify::records(&city.halls[VILLAGE].rows, vec![record]);
        refused == 0
            && city.command(VILLAGE, Command::Admit(records)) == Reply::Admitted { records: 1, refused: 0 }
    };
    assert!(!fits(OTHER_COUNTY, heard(&[&two])), "one is no majority");
    assert!(!fits(OTHER_COUNTY, heard(&[&one, &one])), "nor is one twice");
    assert!(!fits(OTHER_COUNTY, heard(&[&one, &old])), "nor are two who spoke long after one another");
    assert!(!fits(OTHER_COUNTY, heard(&[&two, &one])), "each has one order");
    let other_words = Heard { to: Some(other.hall), ..heard(&[&one, &two]) };
    assert!(!fits(OTHER_COUNTY, other_words), "they say something else");
    let theft = Heard { reason: RevocationReason::Stolen, ..heard(&[&one, &two]) };
    assert!(!fits(OTHER_COUNTY, theft), "nobody says that it was stolen");
    assert!(!fits(COUNTY, heard(&[&one, &two])), "each county speaks for itself");
    let forged = Signed::sign(&two.peek().unwrap(), &[(0, &secret(77))]);
    assert!(!fits(OTHER_COUNTY, heard(&[&one, &forged])), "somebody has signed it");
    let town = Heard { by: town, ..heard(&[&one, &two]) };
    assert!(!fits(TOWN, town), "a township has no say");
    assert!(fits(OTHER_COUNTY, heard(&[&one, &two])));
}

#[test]
fn a_county_that_the_citys_machine_has_revoked_can_still_accuse_it() {
    let (mut city, _, of) = without_the_city();
    let (heir, town) = (city.halls[COUNTY].at.hall, city.halls[TOWN].at);
    thief_revokes(&mut city, OTHER_COUNTY);
    let refused = declare(&mut city, OTHER_COUNTY, Declaration::Destroyed { of: town });
    assert_eq!(refused, Reply::Refused(Refusal::NotChartered));
    let stolen = Declaration::Stolen { of, to: heir };
    assert_eq!(declare(&mut city, OTHER_COUNTY, stolen), Reply::Published { records: 1 });
    robbed(&mut city, COUNTY, OTHER_COUNTY);
    let again = Declaration::Stolen { of, to: city.halls[OTHER_COUNTY].at.hall };
    let refused = declare(&mut city, OTHER_COUNTY, again);
    assert_eq!(refused, Reply::Refused(Refusal::NotChartered), "whom the root has revoked cannot");
}

/// The thief who has the city's machine revokes a county with it.
fn thief_revokes(city: &mut City, county: usize) {
    let at = city.halls[county].at;
    let transport_key = Directory::new(&city.halls[COUNTY].rows).life(at).unwrap().transport_key;
    let theft = Revocation { at, transport_key, reason: RevocationReason::Stolen, since: WALL };
    let record = first(Issuer::Hall(city.halls[CITY].at), Body::Revocation(theft));
    let signed = Signed::sign(&record, &[(0, &secret(city.halls[CITY].seed))]);
    let (records, refused) = verify::records(&city.halls[COUNTY].rows, vec![signed]);
    assert_eq!(refused, 0);
    assert_eq!(city.command(COUNTY, Command::Admit(records)), Reply::Admitted { records: 1, refused: 0 });
    city.run_seconds(30);
}

#[test]
fn the_citys_machine_silences_no_county_that_speaks_about_it() {
    let (mut city, _, of) = without_the_city();
    let heir = city.halls[COUNTY].at.hall;
    let stolen = Declaration::Stolen { of, to: heir };
    assert_eq!(declare(&mut city, OTHER_COUNTY, stolen), Reply::Published { records: 1 });
    city.run_seconds(30);
    thief_revokes(&mut city, OTHER_COUNTY);
    let spoken =
        |city: &City| Directory::new(&city.halls[COUNTY].rows).voices(of, Some(heir)).unwrap().spoken;
    assert_eq!(spoken(&city), [city.halls[OTHER_COUNTY].at.hall]);
    let trusts = |city: &City, at| Directory::new(&city.halls[VILLAGE].rows).is_trusted(Issuer::Hall(at));
    assert!(trusts(&city, of) && !trusts(&city, city.halls[OTHER_COUNTY].at));
    assert_eq!(declare(&mut city, COUNTY, stolen), Reply::Published { records: 1 });
    city.run_seconds(120);
    let directory = Directory::new(&city.halls[VILLAGE].rows);
    assert!(directory.has_ended(of) && directory.is_stolen(of) && !trusts(&city, of));
    assert_eq!(directory.revocation(of).map(|it| it.reason), Some(RevocationReason::Stolen));
    // What the stolen machine has said of the county counts for nothing any more.
    let other = city.halls[OTHER_COUNTY].at;
    assert!(trusts(&city, other) && directory.present(other.hall) == Some(other));
}

#[test]
fn that_the_citys_machine_was_stolen_is_said_by_a_majority_or_not_at_all() {
    let (mut city, case, of) = without_the_city();
    let heir = city.halls[COUNTY].at.hall;
    let (closed, stolen) = (Declaration::TakeOver { of, to: heir }, Declaration::Stolen { of, to: heir });
    let refused = declare(&mut city, TOWN, stolen);
    assert_eq!(refused, Reply::Refused(Refusal::Declaration(NotDeclared::Counties(of))));
    assert_eq!(declare(&mut city, OTHER_COUNTY, closed), Reply::Published { records: 1 });
    assert_eq!(declare(&mut city, COUNTY, stolen), Reply::Published { records: 1 });
    city.run_seconds(120);
    let stolen_by = |city: &City| Directory::new(&city.halls[VILLAGE].rows).is_stolen(of);
    assert!(Directory::new(&city.halls[VILLAGE].rows).has_ended(of) && !stolen_by(&city));
    let renewed = |city: &City| city.halls[COUNTY].happened.contains(&Happening::KeyRenewed(case));
    assert!(stage(&city, COUNTY, case) == Stage::Custodian && !renewed(&city));
    // It comes out later: the cases get new keys, which the thief does not open.
    let reply = declare(&mut city, COUNTY, stolen);
    assert_eq!(reply, Reply::Refused(Refusal::Declaration(NotDeclared::Before)));
    assert_eq!(declare(&mut city, OTHER_COUNTY, stolen), Reply::Published { records: 1 });
    city.run_seconds(120);
    assert!(stolen_by(&city) && renewed(&city));
    let reply = declare(&mut city, OTHER_COUNTY, closed);
    assert_eq!(reply, Reply::Refused(Refusal::Declaration(NotDeclared::Before)));
    sound(&city);
}

#[test]
fn a_voice_that_no_named_county_has_raised_is_no_record() {
    let (mut city, _, of) = without_the_city();
    let (county, town) = (city.halls[COUNTY].at, city.halls[TOWN].at);
    let clerk = |at: HallAt, number| ClerkId { hall: at.hall, number };
    let voice = |by: [ClerkId; 2], of, to: HallAt| {
        Body::Voice(Voice { of, to: Some(to.hall), reason: RevocationReason::Closed, by, wall: WALL })
    };
    let two = [clerk(county, 1), clerk(county, 2)];
    let mut fits = |issuer: usize, body: Body| {
        let key = secret(city.halls[issuer].seed);
        let record = Signed::sign(&first(Issuer::Hall(city.halls[issuer].at), body), &[(0, &key)]);
        let (records, refused) = verify::records(&city.halls[VILLAGE].rows, vec![record]);
        assert_eq!(refused, 0);
        city.command(VILLAGE, Command::Admit(records)) == Reply::Admitted { records: 1, refused: 0 }
    };
    assert!(fits(COUNTY, voice(two, of, county)));
    assert!(!fits(COUNTY, voice(two, town, county)), "not about a hall below");
    assert!(!fits(COUNTY, voice([two[0], two[0]], of, county)), "not by one person");
    assert!(!fits(COUNTY, voice([two[0], clerk(county, 0)], of, county)), "not by the node");
    assert!(!fits(OTHER_COUNTY, voice(two, of, county)), "not for another county");
    assert!(!fits(TOWN, voice([clerk(town, 1), clerk(town, 2)], of, county)), "not by a township");
    assert!(!fits(COUNTY, voice(two, of, of)), "not for itself");
    let policy = Directory::new(&city.halls[VILLAGE].rows).policy().unwrap();
    let [one, other] = [policy.counties[0], policy.counties[1]];
    for counties in [vec![one], vec![other, one], vec![one, one], vec![one, town.hall], vec![of.hall, one]] {
        assert!(RootPolicy { counties, ..policy.clone() }.check().is_err());
    }
}
