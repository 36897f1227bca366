//! Members that do not keep the rules of the line, and nodes that are started twice.

use std::fs;

use futures::AsyncWriteExt as _;
use hallmesh::config::Config;
use hallmesh::demo::Member;
use hallmesh::home::Home;
use hallmesh::net::{FRAME_MAX, Refusal};
use hallmesh::ops::Client;
use hallmesh::texts::Lang;
use hallmesh_tests::{LINE_PROTOCOL, Processes, Rogue, Street, cli, eventually};

use crate::theft::copy;

const CITY: usize = 0;
const GANZHOU: usize = 1;

#[tokio::test(flavor = "multi_thread")]
async fn an_oversize_frame_of_a_member_costs_its_connection_and_nothing_else() {
    let street = Street::of(2).await;
    street.line(CITY, GANZHOU).await;
    street.processes.stop(street.hall(GANZHOU)).await.unwrap();
    let boot = street.status(CITY).await.boot;
    let keys = Home::open(&street.hall(GANZHOU).dir).unwrap().keys().unwrap();
    let mut rogue = Rogue::dial(&keys.transport, &street.address(CITY).await).await.unwrap();
    let mut line = rogue.open(LINE_PROTOCOL).await.unwrap().expect("a member has a line");
    street.line(CITY, GANZHOU).await;

    line.write_all(&frame(1, b"not a message")).await.unwrap();
    line.flush().await.unwrap();
    eventually("nonsense is counted", async || refused(&street, "malformed").await.then_some(())).await;
    assert!(street.connected(CITY, GANZHOU).await, "nonsense in its bounds is only not understood");

    let length = u32::try_from(FRAME_MAX).unwrap() + 1;
    line.write_all(&head(length, 2)).await.unwrap();
    line.flush().await.unwrap();
    rogue.closed().await;
    let away = async || (!street.connected(CITY, GANZHOU).await).then_some(());
    eventually("the line is down", away).await;
    assert!(refused(&street, Refusal::FrameOversize.word()).await);
    assert_eq!(street.status(CITY).await.boot, boot);

    street.processes.start(street.hall(GANZHOU)).await.unwrap();
    street.line(CITY, GANZHOU).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_node_on_the_same_data_directory_is_refused_and_the_first_goes_on() {
    let street = Street::of(1).await;
    let before = street.status(CITY).await;
    for lang in [Lang::Zh, Lang::En] {
        let said = cli(lang, &["run", "--config", &street.config(CITY)]);
        crate::bad_input::explained(lang, &said, "store.in_use");
        assert_eq!(said.exit, Some(1), "{said:?}");
    }
    let after = street.status(CITY).await;
    assert_eq!((before.boot, before.directory_root), (after.boot, after.directory_root));
}

async fn refused(street: &Street, why: &str) -> bool {
    street.status(CITY).await.refused.get(why).copied() == Some(1)
}

fn head(length: u32, number: u64) -> Vec<u8> {
    [length.to_be_bytes().as_slice(), &number.to_be_bytes()].concat()
}

fn frame(number: u64, bytes: &[u8]) -> Vec<u8> {
    [head(u32::try_from(bytes.len()).unwrap(), number).as_slice(), bytes].concat()
}

/// A copy of a data directory is started beside the hall: lines of one life that take each other's place.
#[tokio::test(flavor = "multi_thread")]
async fn a_started_copy_of_a_data_directory_is_noticed_and_a_hall_that_restarts_is_not() {
    let street = Street::of(2).await;
    street.line(CITY, GANZHOU).await;
    let county = street.hall(GANZHOU);
    for _ in 0..3 {
        street.processes.kill(county).await.unwrap();
        street.processes.start(county).await.unwrap();
        street.line(CITY, GANZHOU).await;
    }
    assert_eq!(street.status(CITY).await.twins, Vec::<String>::new());
    street.processes.stop(county).await.unwrap();
    let copied = street.dir.path().join("copied");
    copy(&county.dir, &copied);
    let config = Config {
        listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
        data_dir: copied.clone(),
        socket: Some(copied.join("node.sock")),
        ..county.config.clone()
    };
    fs::write(copied.join("hallmesh.toml"), toml::to_string(&config).unwrap()).unwrap();
    let client = Client::new(&config.socket());
    let twin = Member { dir: copied, config, client, ..county.clone() };
    let elsewhere = Processes::default();
    elsewhere.start(&twin).await.unwrap();
    street.processes.start(county).await.unwrap();
    let twins = eventually("the city sees two machines", async || {
        Some(street.status(CITY).await.twins).filter(|twins| !twins.is_empty())
    })
    .await;
    assert_eq!(twins, [format!("{}#1", county.hall)]);
    let shown = cli(Lang::En, &["status", "--config", &street.config(CITY)]);
    assert!(shown.out.contains("Two machines live as"), "{shown:?}");
}
