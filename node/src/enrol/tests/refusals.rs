//! Everything that is refused, and that nothing is left behind.

use hallmesh_protocol::ids::Tier;
use hallmesh_protocol::seal::wrap_keypair;

use super::*;

#[test]
fn a_city_is_founded_by_people_who_can_sign() {
    let dir = TempDir::new().unwrap();
    let out = dir.path().join("root");
    let city: DivisionCode = CITY.parse().unwrap();
    for (holders, threshold) in [(0, 0), (0, 1), (3, 0), (3, 4), (17, 2), (255, 255)] {
        let refused = found(city, "Zhangye", (holders, threshold), &[], &out);
        let expected = EnrolError::Found(FoundError::Holders { holders, threshold, max: 16 });
        assert_eq!(refused.unwrap_err().to_string(), expected.to_string());
    }
    let county = found(COUNTY.parse().unwrap(), "Ganzhou", (3, 2), &[], &out);
    assert!(matches!(county, Err(EnrolError::Found(FoundError::NotACity { tier: Tier::County, .. }))));
    let nameless = found(city, "", (3, 2), &[], &out);
    assert!(matches!(nameless, Err(EnrolError::Found(FoundError::BadName { .. }))));
    // Named are two or more counties, of this very city.
    let division = |code: &str| -> DivisionCode { code.parse().unwrap() };
    let [one, elsewhere] = [division(COUNTY), division("620802000000")];
    for counties in [vec![one], vec![one, one], vec![one, elsewhere], vec![one, city]] {
        let refused = found(city, "Zhangye", (3, 2), &counties, &out);
        assert!(matches!(refused, Err(EnrolError::Found(FoundError::Counties { .. }))), "{counties:?}");
    }
    assert_eq!(names(dir.path()), [""; 0]);
}

#[test]
fn a_root_is_private_and_never_overwritten() {
    let world = World::new();
    let made = ["holder-1.key", "holder-2.key", "holder-3.key", "recovery.key", "root.hm"];
    assert_eq!(names(&world.root), made);
    assert_eq!(mode(&world.root), 0o700);
    assert!(made.iter().all(|name| mode(&world.root.join(name)) == 0o600));
    let again = found(CITY.parse().unwrap(), "Zhangye", (3, 2), &[], &world.root);
    assert!(matches!(again, Err(EnrolError::Found(FoundError::NotEmpty { .. }))));
    assert_eq!(names(world.dir.path()), ["root"]);
}

#[test]
fn an_interrupted_founding_leaves_no_root() {
    let dir = TempDir::new().unwrap();
    let (out, unfinished) = (dir.path().join("root"), dir.path().join("root.new"));
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("holder-9.key"), "half").unwrap();
    fs::create_dir(&out).unwrap();
    found(CITY.parse().unwrap(), "Zhangye", (1, 1), &[], &out).unwrap();
    assert_eq!(names(&out), ["holder-1.key", "recovery.key", "root.hm"]);
    assert_eq!(names(dir.path()), ["root"]);
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    let refused = found(CITY.parse().unwrap(), "Zhangye", (1, 1), &[], &file);
    let home = matches!(refused, Err(EnrolError::Found(FoundError::Home(HomeError::NotADirectory { .. }))));
    assert!(home, "{refused:?}");
    assert_eq!(names(dir.path()), ["file", "root"]);
    let other = dir.path().join("other");
    fs::create_dir(dir.path().join("other.new")).unwrap();
    fs::write(dir.path().join("other.new/thesis"), "x").unwrap();
    let refused = found(CITY.parse().unwrap(), "Zhangye", (1, 1), &[], &other);
    assert!(
        matches!(refused, Err(EnrolError::Found(FoundError::NotEmpty { path })) if path.ends_with("thesis"))
    );
    assert_eq!(names(&dir.path().join("other.new")), ["thesis"]);
    assert!(!other.exists());
}

#[test]
fn the_root_signs_only_with_enough_of_its_own_holders() {
    let world = World::new();
    let city = world.home(CITY);
    let other = World::new();
    let nowhere =
        issue_by_root(&world.dir.path().join("none"), &request(&city, &[]).unwrap(), None, 1, WALL, DAYS);
    assert!(matches!(nowhere, Err(EnrolError::Issue(IssueError::NoRoot { .. }))));
    fs::copy(other.root.join("holder-2.key"), world.root.join("holder-2.key")).unwrap();
    let foreign = world.by_root(&city, None);
    assert!(
        matches!(foreign, Err(EnrolError::Issue(IssueError::OtherRootsKey { path })) if path.ends_with("holder-2.key"))
    );
    fs::copy(world.root.join("holder-3.key"), world.root.join("holder-2.key")).unwrap();
    let twice = world.by_root(&city, None);
    assert!(matches!(twice, Err(EnrolError::Issue(IssueError::OtherRootsKey { .. }))));
    fs::remove_file(world.root.join("holder-2.key")).unwrap();
    fs::remove_file(world.root.join("recovery.key")).unwrap();
    chmod(&world.root.join("holder-1.key"), 0o644);
    let open = world.by_root(&city, None);
    assert!(matches!(
        open,
        Err(EnrolError::Issue(IssueError::Home(HomeError::OpenToOthers { mode: 0o644, .. })))
    ));
    chmod(&world.root.join("holder-1.key"), 0o600);
    fs::rename(world.root.join("holder-3.key"), world.dir.path().join("aside")).unwrap();
    let alone = world.by_root(&city, None);
    assert!(matches!(alone, Err(EnrolError::Issue(IssueError::TooFewHolders { found: 1, needed: 2 }))));
    fs::write(world.root.join("holder-3.key"), "-----BEGIN HALLMESH ROOT-----\n").unwrap();
    chmod(&world.root.join("holder-3.key"), 0o600);
    let damaged = world.by_root(&city, None);
    assert!(matches!(
        damaged,
        Err(EnrolError::Issue(IssueError::RootFile { cause: ArmourError::WrongKind { .. }, .. }))
    ));
    assert!(!world.root.join("issued").exists());
    fs::rename(world.dir.path().join("aside"), world.root.join("holder-3.key")).unwrap();
    world.by_root(&city, None).unwrap();
}

#[test]
fn the_root_issues_only_in_its_city_and_under_a_superior_of_its_own() {
    let world = World::new();
    let county = world.home(COUNTY);
    let orphan = world.by_root(&county, None);
    assert!(
        matches!(orphan, Err(EnrolError::Issue(IssueError::SuperiorMissing { hall })) if hall == county.hall())
    );
    let elsewhere = world.by_root(&world.home("620102000000"), None);
    assert!(matches!(elsewhere, Err(EnrolError::Issue(IssueError::OtherCity { .. }))));
    let other = World::new();
    let foreign = other.joined_by_root(CITY, None);
    let card = card_text(&rows(&foreign), foreign.hall()).unwrap();
    let refused = world.by_root(&county, Some(&card));
    assert!(matches!(refused, Err(EnrolError::Issue(IssueError::SuperiorsRoot { .. }))));
    world.joined_by_root(CITY, None);
    let linze = world.joined_by_root("620723000000", None);
    let card = card_text(&rows(&linze), linze.hall()).unwrap();
    for home in [world.home(TOWNSHIP), county] {
        let refused = world.by_root(&home, Some(&card));
        assert!(matches!(refused, Err(EnrolError::Issue(IssueError::NotAbove { .. }))), "{refused:?}");
    }
}

#[test]
fn a_revoked_superior_is_none() {
    let world = World::new();
    let city = world.joined_by_root(CITY, None);
    let county = world.joined_by_root(COUNTY, None);
    let (at, transport_key) = (first(&county), county.keys().unwrap().transport_public);
    let revocation = Revocation { at, transport_key, reason: RevocationReason::Stolen, since: WALL };
    let revoked = own_record_of(&city, &county, Body::Revocation(revocation));
    let (township, records) = (world.home(TOWNSHIP), query::enrolment_records(&rows(&county), county.hall()));
    let chain = [charter_of(&city).signed().clone(), charter_of(&county).signed().clone()];
    let card = |more: &[Signed<Record>]| {
        let records = std::iter::once(records[0].clone()).chain(more.iter().cloned()).collect();
        Papers::new(records).unwrap().card().unwrap()
    };
    let refuse = |card: &str| match world.by_root(&township, Some(card)) {
        Err(EnrolError::Issue(IssueError::Superior { superior, cause })) if superior == at.hall => cause,
        other => panic!("{other:?}"),
    };
    let told = card(&[chain[0].clone(), chain[1].clone(), revoked.signed().clone()]);
    assert_eq!(refuse(&told), PapersError::Revoked { at });
    let twice = card(&[chain[0].clone(), chain[1].clone(), chain[1].clone()]);
    assert_eq!(refuse(&twice), PapersError::Refused { count: 1 });
    admit(&county, vec![revoked]);
    let request = request(&township, &[]).unwrap();
    let refused = charter_below(&rows(&county), at, &request, 1, (WALL, DAYS));
    assert!(matches!(refused, Err(EnrolError::Issue(IssueError::NotChartered { at: by })) if by == at));
}

#[test]
fn a_hall_issues_only_below_itself_and_for_a_new_machine() {
    let world = World::new();
    world.joined_by_root(CITY, None);
    let county = world.joined_by_root(COUNTY, None);
    let township = world.home(TOWNSHIP);
    join(&township, &World::by_hall(&county, &township), &world.founded.anchor, WALL).unwrap();
    let view = rows(&county);
    let ask = |request: &str, incarnation, days| {
        charter_below(&view, first(&county), request, incarnation, (WALL, days)).map(drop)
    };
    let of = |division: &str| request(&world.home(division), &[]).unwrap();
    for division in [CITY, COUNTY, "620723100000", "620102100000"] {
        let refused = ask(&of(division), 1, DAYS);
        assert!(matches!(refused, Err(EnrolError::Issue(IssueError::NotAbove { .. }))), "{refused:?}");
    }
    let fresh = of(TOWNSHIP);
    assert!(matches!(ask(&fresh, 1, DAYS), Err(EnrolError::Issue(IssueError::OtherKeys { .. }))));
    ask(&fresh, 2, DAYS).unwrap();
    ask(&request(&township, &[]).unwrap(), 1, DAYS).unwrap();
    assert!(matches!(ask(&fresh, 0, DAYS), Err(EnrolError::Issue(IssueError::Incarnation))));
    for days in [0, VALIDITY_DAYS_MAX + 1] {
        assert!(matches!(ask(&fresh, 2, days), Err(EnrolError::Issue(IssueError::Validity { .. }))));
    }
    for copied in [&county, &township] {
        let copy = world.home(VILLAGE);
        for key in ["transport.key", "event.key", "wrap.key"] {
            fs::copy(copied.dir().join("keys").join(key), copy.dir().join("keys").join(key)).unwrap();
        }
        let refused = ask(&request(&copy, &[]).unwrap(), 1, DAYS);
        assert!(
            matches!(refused, Err(EnrolError::Issue(IssueError::KeyInUse { holder, .. })) if holder == copied.hall())
        );
    }
}

#[test]
fn a_request_is_signed_by_the_key_it_names_and_one_that_a_hall_can_make() {
    let key = SecretKey::generate(&mut chance());
    let other = SecretKey::generate(&mut chance());
    let sound = Enrolment {
        division: COUNTY.parse().unwrap(),
        serial: 0,
        name: "Ganzhou".to_owned(),
        transport_key: other.public(),
        event_key: key.public(),
        wrap_key: wrap_keypair(&mut chance()).1,
        addresses: vec!["/ip4/10.0.0.1/tcp/6207".to_owned()],
    };
    let ask = |enrolment: &Enrolment, key: &SecretKey| {
        let signed = Signed::sign(enrolment, &[(0, key)]);
        let name = enrolment.name.clone();
        let headers = [
            ("Hall", format!("{}-{:02}", enrolment.division, enrolment.serial)),
            ("Name", name),
            ("Fingerprint", fingerprint(&signed.digest())),
        ];
        read_request(&armour::write(Kind::Request, &headers, &packed::pack(&signed)).unwrap())
    };
    assert_eq!(*ask(&sound, &key).unwrap().value(), sound);
    assert!(matches!(ask(&sound, &other), Err(EnrolError::Request(RequestError::Unsigned(_)))));
    let changed = |change: fn(&mut Enrolment)| {
        let mut enrolment = sound.clone();
        change(&mut enrolment);
        ask(&enrolment, &key).unwrap_err().code()
    };
    assert_eq!(changed(|it| it.transport_key = it.event_key), "enrol.request.same_keys");
    assert_eq!(changed(|it| it.serial = 100), "enrol.request.no_hall");
    assert_eq!(changed(|it| it.name = String::new()), "enrol.request.no_hall");
    assert_eq!(changed(|it| it.addresses = vec!["10.0.0.1:6207".to_owned()]), "enrol.request.address");
    assert_eq!(changed(|it| it.addresses = vec![String::new()]), "enrol.request.address");
    let many = |it: &mut Enrolment| it.addresses = vec!["/ip4/10.0.0.1/tcp/6207".to_owned(); 9];
    assert_eq!(changed(many), "enrol.request.too_many_addresses");
    let dir = TempDir::new().unwrap();
    let home = Home::create(dir.path(), "620702000000-00".parse().unwrap(), "Ganzhou").unwrap();
    assert_eq!(request(&home, &["nowhere".to_owned()]).unwrap_err().code(), "enrol.request.address");
}

#[test]
fn a_hall_joins_only_with_its_own_bundle_and_the_confirmed_root() {
    let world = World::new();
    world.joined_by_root(CITY, None);
    let county = world.home(COUNTY);
    let text = world.by_root(&county, None).unwrap();
    let (anchor, other) = (world.founded.anchor, World::new());
    let refuse = |home: &Home, text: &str, anchor: &Digest, wall: u64| {
        let before = names(home.dir());
        let why = join(home, text, anchor, wall).unwrap_err();
        assert_eq!(names(home.dir()), before, "{why}");
        why
    };
    let wrong = refuse(&county, &text, &other.founded.anchor, WALL);
    assert!(matches!(&wrong, JoinError::WrongRoot { found } if *found == world.founded.fingerprint));
    assert_eq!(wrong.code(), "enrol.join.wrong_root");
    let typed = join_as_typed(&county, &text, &other.founded.fingerprint, WALL);
    assert!(matches!(typed, Err(JoinError::WrongRoot { .. })));
    assert!(matches!(
        refuse(&world.home("620723000000"), &text, &anchor, WALL),
        JoinError::WrongHall { found, .. } if found == county.hall()
    ));
    let expired = refuse(&county, &text, &anchor, WALL + u64::from(DAYS) * 24 * 3_600_000);
    assert!(matches!(expired, JoinError::Expired { .. }));
    let early = refuse(&county, &text, &anchor, WALL - 25 * 3_600_000);
    assert!(matches!(early, JoinError::NotYetValid { .. }));
    let card = refuse(&county, &text.replace("JOIN", "CARD"), &anchor, WALL);
    assert_eq!(card.code(), "enrol.file.wrong_kind");
    for (file, key) in
        [("transport.key", KeyKind::Transport), ("event.key", KeyKind::Event), ("wrap.key", KeyKind::Wrap)]
    {
        let twin = world.home(COUNTY);
        for copied in ["transport.key", "event.key", "wrap.key"].into_iter().filter(|name| *name != file) {
            fs::copy(county.dir().join("keys").join(copied), twin.dir().join("keys").join(copied)).unwrap();
        }
        let why = refuse(&twin, &text, &anchor, WALL);
        assert!(matches!(why, JoinError::OtherKeys { key: found } if found == key), "{why:?}");
    }
    join(&county, &text, &anchor, WALL - 3_600_000).unwrap();
    assert!(matches!(refuse(&county, &text, &anchor, WALL), JoinError::AlreadyJoined { .. }));
}

#[test]
fn a_chain_has_every_link_and_every_signature() {
    let world = World::new();
    let city = world.joined_by_root(CITY, None);
    let county = world.joined_by_root(COUNTY, None);
    let township = world.home(TOWNSHIP);
    let text = World::by_hall(&county, &township);
    let records: Vec<_> = Papers::read_bundle(&text).unwrap().records().cloned().collect();
    let at = first(&township);
    assert_eq!(Papers::new(Vec::new()), Err(PapersError::Incomplete));
    assert_eq!(Papers::new(records[..1].to_vec()), Err(PapersError::Incomplete));
    assert_eq!(Papers::new(records[1..].to_vec()), Err(PapersError::Incomplete));
    let linked: Vec<_> = records.iter().filter(|it| **it != *charter_of(&county).signed()).cloned().collect();
    assert_eq!(Papers::new(linked), Err(PapersError::NoChain { at }));
    let mut forged = Directory::new(&rows(&county)).life_record(at).unwrap().value().clone();
    forged.version = 9;
    let forged = Signed::sign(&forged, &[(0, &city.keys().unwrap().event)]);
    let base = Papers::new(query::enrolment_records(&rows(&county), county.hall())).unwrap();
    let text = base.with_charter(forged).unwrap().bundle().unwrap();
    let refused = join(&township, &text, &world.founded.anchor, WALL);
    assert!(matches!(refused, Err(JoinError::Papers(PapersError::Refused { count: 1 }))), "{refused:?}");
    let policy = policy_of(&city).peek().unwrap();
    let unsigned = Signed::sign(&policy, &[(0, &SecretKey::generate(&mut chance()))]);
    let records = std::iter::once(unsigned).chain(records.iter().skip(1).cloned()).collect();
    let text = Papers::new(records).unwrap().bundle().unwrap();
    let refused = join(&township, &text, &world.founded.anchor, WALL);
    assert!(matches!(refused, Err(JoinError::Papers(PapersError::Root))), "{refused:?}");
    assert!(!township.is_joined().unwrap());
}

#[test]
fn a_damaged_register_stops_the_root() {
    let world = World::new();
    let city = world.joined_by_root(CITY, None);
    let register = world.root.join("issued").join(format!("{}.hm", city.hall()));
    let text = fs::read_to_string(&register).unwrap();
    fs::write(&register, text.replace("Zhangye", "Jiuquan")).unwrap();
    let refused = world.by_root(&city, None);
    assert!(matches!(refused, Err(EnrolError::Issue(IssueError::Register { .. }))), "{refused:?}");
    fs::write(&register, text).unwrap();
    world.by_root(&city, None).unwrap();
}

fn charter_of(home: &Home) -> Verified<Record> {
    Directory::new(&rows(home)).life_record(first(home)).unwrap()
}

fn policy_of(home: &Home) -> Signed<Record> {
    query::chain(&rows(home), first(home)).first().unwrap().clone()
}
