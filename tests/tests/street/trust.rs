//! Strangers, forgers and the revoked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hallmesh::config::Config;
use hallmesh::home::{Home, Keys, chance};
use hallmesh::net::{self, NetCommand, NetEvent, Refusal, Roster, Settings, ask_as_guest};
use hallmesh::ops::{Answer, Ask};
use hallmesh_protocol::directory::{Charter, Revocation, RevocationReason};
use hallmesh_protocol::ids::{Digest, HallAt, HallId};
use hallmesh_protocol::record::{Body, Issuer, Record, encode_records};
use hallmesh_protocol::seal::SecretKey;
use hallmesh_protocol::signed::Signed;
use hallmesh_tests::{LINE_PROTOCOL, Rogue, SOON, Street, eventually, hex};
use libp2p::PeerId;
use libp2p::identity::Keypair;
use tokio::time::timeout;

const CITY: usize = 0;
const GANZHOU: usize = 1;
const GAOTAI: usize = 2;
const OF_THE_CITY: &str = "ZYL-C-001";
const YEAR_MS: u64 = 365 * 24 * 3_600_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_gets_no_line_and_is_shown_out() {
    let street = Street::of(1).await;
    let hasty = |config| Config { guest_deadline_ms: 1_000, ..config };
    street.processes.configure(street.hall(CITY), hasty).unwrap();
    street.processes.stop(street.hall(CITY)).await.unwrap();
    street.processes.start(street.hall(CITY)).await.unwrap();
    let (before, address) = (street.status(CITY).await, street.address(CITY).await);
    let city: PeerId = before.peer_id.parse().unwrap();
    let mut stranger = net::start(Settings::new(Keypair::generate_ed25519(), Vec::new())).unwrap();
    let members = BTreeMap::from([(city, vec![address.clone()])]);
    stranger.commands.send(NetCommand::Roster(Arc::new(Roster { members }))).await.unwrap();
    stranger.commands.send(NetCommand::Keep(BTreeSet::from([city]))).await.unwrap();
    loop {
        match timeout(SOON, stranger.events.recv()).await.expect("no word of a refusal").unwrap() {
            NetEvent::Refused { reason: Refusal::NotAdmitted, peer, .. } if peer == Some(city) => break,
            NetEvent::Up { .. } => panic!("a stranger has a line"),
            _ => {}
        }
    }
    let mut rogue = Rogue::dial(&Keypair::generate_ed25519(), &address).await.unwrap();
    assert!(rogue.open(LINE_PROTOCOL).await.unwrap().is_none(), "a stranger was given a line");
    rogue.closed().await;
    let shown =
        ask_as_guest(Keypair::generate_ed25519(), address, b"let me in".to_vec(), SOON).await.unwrap();
    assert_eq!(shown, b"refused");
    let after = street.status(CITY).await;
    assert_eq!((after.peers, after.boot), (0, before.boot));
    assert_eq!(after.directory_root, before.directory_root);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_charter_is_refused_and_the_roster_stays() {
    let street = Street::of(2).await;
    let before = street.status(CITY).await;
    let (anyang, chengguan) = ("620702203000-00", "620724100000-00");
    let issuer = keys(&street, GANZHOU);
    let home = Home::create(&street.dir.path().join("forger"), hall(anyang), "安阳乡便民服务中心").unwrap();
    let keys = home.keys().unwrap();
    let stranger = SecretKey::generate(&mut chance());
    let wrong_key = charter(&street, &keys, hall(anyang), &stranger);
    assert_eq!(show(&street, &keys, &wrong_key).await, b"refused");
    // Ganzhou signs in earnest, but Chengguan does not lie in Ganzhou.
    let out_of_scope = charter(&street, &keys, hall(chengguan), &issuer.event);
    assert_eq!(show(&street, &keys, &out_of_scope).await, b"refused");
    let after = street.status(CITY).await;
    assert_eq!(after.refused["guest-records"], 1);
    assert_eq!(
        (after.directory_records, &after.directory_root),
        (before.directory_records, &before.directory_root)
    );
    assert_eq!(halls(&street, CITY).await.len(), 2);
    // The same charter with the signature that it needs is taken up, so it was the forgery that was refused.
    let genuine = charter(&street, &keys, hall(anyang), &issuer.event);
    assert_eq!(show(&street, &keys, &genuine).await, b"admitted");
    assert_eq!(halls(&street, CITY).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_hall_loses_its_lines_at_once_and_does_not_come_back() {
    let street = Street::of(3).await;
    street.line(CITY, GANZHOU).await;
    street.line(GAOTAI, GANZHOU).await;
    revoke(&street, GANZHOU).await;
    for other in [CITY, GAOTAI] {
        let alone = async || (!street.connected(other, GANZHOU).await).then_some(());
        eventually("the line is closed", alone).await;
        assert_eq!(halls(&street, other).await.len(), 2);
    }
    // Its node knows and stays away; somebody who has its keys may not.
    let rogue = Rogue::dial(&keys(&street, GANZHOU).transport, &street.address(CITY).await).await.unwrap();
    assert!(rogue.open(LINE_PROTOCOL).await.unwrap().is_none(), "a revoked hall was given a line");
    assert!(!street.connected(CITY, GANZHOU).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_of_a_hall_that_was_revoked_meanwhile_is_ignored() {
    let street = Street::of(3).await;
    street.line(GAOTAI, GANZHOU).await;
    street.processes.stop(street.hall(CITY)).await.unwrap();
    let number = street.receive(GANZHOU, OF_THE_CITY, GANZHOU).await;
    eventually("a neighbour takes the letter along", async || (relayed(&street).await > 0).then_some(()))
        .await;
    for away in [GANZHOU, GAOTAI] {
        street.processes.kill(street.hall(away)).await.unwrap();
    }
    street.processes.start(street.hall(CITY)).await.unwrap();
    revoke(&street, GANZHOU).await;
    street.processes.start(street.hall(GAOTAI)).await.unwrap();
    street.line(CITY, GAOTAI).await;
    eventually("the letter is delivered", async || (relayed(&street).await == 0).then_some(())).await;
    assert!(street.case(CITY, &number).await.is_none(), "the city took a case from a revoked hall");
    assert_eq!(street.status(CITY).await.cases, 0);
    // It was away when it was revoked, so that it comes with what it has, and in vain.
    street.processes.start(street.hall(GANZHOU)).await.unwrap();
    eventually("the revoked hall knocks in vain", async || {
        let refused = street.status(GANZHOU).await.refused;
        refused.contains_key(Refusal::NotAdmitted.word()).then_some(())
    })
    .await;
    assert_eq!(street.status(GANZHOU).await.peers, 0);
    assert!(street.case(CITY, &number).await.is_none());
}

fn hall(text: &str) -> HallId {
    text.parse().unwrap()
}

fn keys(street: &Street, place: usize) -> Keys {
    Home::open(&street.hall(place).dir).unwrap().keys().unwrap()
}

/// A charter for `hall` with the given keys in it, in the name of Ganzhou.
fn charter(street: &Street, keys: &Keys, hall: HallId, signer: &SecretKey) -> Signed<Record> {
    let issuer = HallAt { hall: street.hall(GANZHOU).hall, incarnation: 1 };
    let charter = Charter {
        hall,
        incarnation: 1,
        name: "便民服务中心".to_owned(),
        tier: hall.tier(),
        parent: Some(issuer.hall),
        transport_key: keys.transport_public,
        event_key: keys.event.public(),
        wrap_key: keys.wrap.public(),
        sm2_key: None,
        recovery_key: keys.wrap.public(),
        scope: hall.division(),
        valid_from: 0,
        valid_to: 100 * YEAR_MS,
    };
    let record = Record {
        issuer: Issuer::Hall(issuer),
        version: 1,
        previous: Digest([0; 32]),
        withdrawn: false,
        effective_from: 0,
        body: Body::Charter(Box::new(charter)),
    };
    Signed::sign(&record, &[(0, signer)])
}

/// Shows a charter at the city's door.
async fn show(street: &Street, keys: &Keys, charter: &Signed<Record>) -> Vec<u8> {
    let frame = encode_records(std::slice::from_ref(charter));
    ask_as_guest(keys.transport.clone(), street.address(CITY).await, frame, SOON).await.unwrap()
}

async fn halls(street: &Street, place: usize) -> Vec<String> {
    let all = Ask::Halls { text: String::new() };
    let Answer::Halls { halls } = street.ask(place, &all).await.unwrap() else { panic!("no halls") };
    halls.into_iter().map(|hall| hall.hall).collect()
}

/// The city revokes a hall, as its clerk for charters.
async fn revoke(street: &Street, place: usize) {
    let revocation = Revocation {
        at: HallAt { hall: street.hall(place).hall, incarnation: 1 },
        transport_key: keys(street, place).transport_public,
        reason: RevocationReason::Stolen,
        since: 1,
    };
    let bodies = vec![hex(&Body::Revocation(revocation).encode())];
    let published = street.act(CITY, &Ask::Publish { bodies }).await.unwrap();
    assert!(matches!(published, Answer::Published { records: 1 }), "{published:?}");
}

/// How many letters of others wait in Gaotai.
async fn relayed(street: &Street) -> usize {
    let Answer::Post { letters, .. } = street.ask(GAOTAI, &Ask::Post { count: 100 }).await.unwrap() else {
        panic!("no letters")
    };
    letters.iter().filter(|letter| letter.what == "relay").count()
}
