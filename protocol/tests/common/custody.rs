//! Who has which case, and what becomes of it when halls are lost.

use hallmesh_protocol::cases::{Case, Deed, Stage};
use hallmesh_protocol::directory::{Declaration, Directory, Revocation, RevocationReason};
use hallmesh_protocol::ids::CaseId;
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Body, Issuer, Record};
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::sound;
use hallmesh_protocol::step::{Command, Reply};

use super::{CITY, COUNTY, City, OTHER_COUNTY, VILLAGE, first};

/// The division of the village.
pub const HERE: u64 = 620_702_203_200;

pub fn stage(city: &City, index: usize, case: CaseId) -> Stage {
    let custody = query::case(&city.halls[index].rows, case).and_then(|view| view.custody);
    custody.map_or(Stage::None, |custody| custody.stage)
}

pub fn custodians(city: &City, case: CaseId) -> Vec<usize> {
    (0..city.halls.len()).filter(|index| stage(city, *index, case) == Stage::Custodian).collect()
}

pub fn events(city: &City, index: usize, case: CaseId) -> Vec<&'static str> {
    query::log(&city.halls[index].rows, case).iter().map(|entry| entry.header.facts.word()).collect()
}

pub fn fold(city: &City, index: usize, case: CaseId) -> Case {
    query::case(&city.halls[index].rows, case).expect("the hall has the case").case
}

pub fn recorded(city: &mut City, index: usize, case: CaseId, deed: Deed) {
    let reply = city.deed(index, case, deed);
    assert!(matches!(reply, Reply::Recorded { .. }), "{deed:?}: {reply:?}");
}

/// A hall above revokes a life: the machine is gone, and nobody installs another.
pub fn closed(city: &mut City, by: usize, index: usize) {
    revoked(city, by, index, RevocationReason::Closed);
}

pub fn revoked(city: &mut City, by: usize, index: usize, reason: RevocationReason) {
    city.cut(index);
    let at = city.halls[index].at;
    let transport_key = Directory::new(&city.halls[by].rows).life(at).expect("chartered").transport_key;
    let revocation = Revocation { at, transport_key, reason, since: city.now.wall };
    let act = city.act(by);
    let reply = city.command(by, Command::Publish(act, vec![Body::Revocation(revocation)]));
    assert_eq!(reply, Reply::Published { records: 1 });
    city.run_seconds(60);
}

pub fn declare(city: &mut City, by: usize, declaration: Declaration) -> Reply {
    let acts = [city.act_of(by, 1), city.act_of(by, 2)];
    city.command(by, Command::Declare(acts, declaration))
}

/// The city, by two of its clerks, lets the other county go on in the county's place.
pub fn other_county_takes_over(city: &mut City) {
    let (of, to) = (city.halls[COUNTY].at, city.halls[OTHER_COUNTY].at.hall);
    let reply = declare(city, CITY, Declaration::TakeOver { of, to });
    assert_eq!(reply, Reply::Published { records: 1 });
    city.run_seconds(120);
}

pub fn city_of_two_clerks() -> City {
    let mut city = City::new();
    city.add_clerk(CITY, 2);
    city
}

/// The village takes in what the county decides; the county accepts it, and its mirrors have all of it.
pub fn accepted_in_the_county(city: &mut City) -> CaseId {
    let case = city.received(VILLAGE, "COUNTY-1", HERE);
    city.run();
    assert_eq!(custodians(city, case), [COUNTY]);
    recorded(city, COUNTY, case, Deed::Accept);
    city.run();
    case
}

/// What a node keeps of all this would come back from a backup.
pub fn sound(city: &City) {
    for hall in &city.halls {
        for (key, value) in &hall.rows.0 {
            assert_eq!(sound::row(key, value), Ok(()), "{}", hall.at);
        }
        assert_eq!(sound::whole(&hall.rows), Ok(()), "{}", hall.at);
    }
}

/// What two holders of the root have signed.
pub fn by_root(city: &City, body: Body) -> Signed<Record> {
    Signed::sign(&first(Issuer::Root, body), &[(0, &city.root[0]), (1, &city.root[1])])
}
