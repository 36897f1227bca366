//! The stories, in peace and with power cuts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hallmesh::demo::{Control, Script, Story, Teller, play_all, steps};
use hallmesh::export;
use hallmesh::ops::{Answer, Ask, Trace};
use hallmesh::texts::{Lang, Texts};
use hallmesh_tests::{Street, Trouble, eventually, seed};

const KILLS: usize = 20;
/// Whom the stories take in.
const APPLICANT: &str = "示例申请人";

#[tokio::test(flavor = "multi_thread")]
async fn the_stories_end_as_told_on_real_processes() {
    let street = Street::city().await;
    let stories = play(&street, &mut street.processes.clone()).await;
    all_is_well(&street, &stories).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stories_end_as_told_with_kill_9_at_twenty_random_points() {
    let street = Street::city().await;
    let mut trouble = Trouble::new(street.processes.clone(), seed(), KILLS, steps(&Script::all().unwrap()));
    let stories = play(&street, &mut trouble).await;
    assert_eq!(trouble.calm().await.unwrap(), u32::try_from(KILLS).unwrap());
    all_is_well(&street, &stories).await;
}

async fn play(street: &Street, control: &mut dyn Control) -> Vec<Story> {
    let texts = Texts::new(Lang::En);
    let teller = Teller { texts: &texts, say: &|line| println!("{line}") };
    match play_all(&teller, &street.city, control, &Script::all().unwrap()).await {
        Ok(stories) => stories,
        Err(problem) => panic!("{problem:?}"),
    }
}

/// Every case is delivered, in one hand, the same wherever it is known, and provable; nothing waits any more.
async fn all_is_well(street: &Street, stories: &[Story]) {
    let cases: Vec<_> = stories.iter().flat_map(|story| &story.cases).collect();
    assert_eq!(stories.len(), 14);
    assert_eq!(cases.len(), 26);
    for (place, member) in street.city.members.iter().enumerate() {
        eventually("no letter waits", async || (street.status(place).await.post == 0).then_some(())).await;
        assert_eq!(street.status(place).await.forks, 0, "{}", member.hall);
    }
    for ended in &cases {
        in_one_hand(street, &ended.number, ended.delivered_at).await;
        read_on_the_route_only(street, &ended.number, ended.delivered_at).await;
        let out = street.dir.path().join("exports").join(&ended.number);
        street.export(ended.delivered_at, &ended.number, &out).await;
        export::verify(&out, Some(street.city.anchor)).unwrap();
    }
    taken_in_once(street, cases.len()).await;
    assert!(
        !holds_text(street.dir.path(), APPLICANT.as_bytes()),
        "an applicant's data lies on a disk in the clear"
    );
}

/// The window and the deciding hall can read what the applicant said; relays and mirrors hold it and cannot.
async fn read_on_the_route_only(street: &Street, number: &str, window: usize) {
    let case = street.case(window, number).await.unwrap();
    for (place, member) in street.city.members.iter().enumerate() {
        let hall = member.hall.to_string();
        let read = street.act(place, &Ask::Read { case: number.to_owned() }).await;
        if hall == case.receiving || hall == case.competent {
            let Ok(Answer::Contents(read)) = read else { panic!("{hall} cannot read {number}: {read:?}") };
            assert!(read.parts.iter().any(|part| part.2.reveal().any(|(_, value)| value == APPLICANT)));
        } else {
            let code = read.unwrap_err().code;
            let known = street.case(place, number).await.is_some();
            assert_eq!(code, if known { "case.not_readable" } else { "case.unknown" }, "{hall} and {number}");
        }
    }
}

/// Whether a file under a directory holds these bytes.
fn holds_text(dir: &Path, text: &[u8]) -> bool {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).any(|path| match fs::metadata(&path) {
        Ok(it) if it.is_dir() => holds_text(&path, text),
        Ok(it) if it.is_file() => fs::read(&path).unwrap().windows(text.len()).any(|window| window == text),
        Ok(_) | Err(_) => false,
    })
}

async fn in_one_hand(street: &Street, number: &str, window: usize) {
    let whole = trace(street, window, number).await.unwrap();
    assert!(whole.case.state.is_over(), "{:?}", whole.case.state);
    let mut hands = BTreeMap::new();
    for event in &whole.events {
        assert_eq!(event.signature, Some(true), "{event:?}");
        let hand = hands.entry((event.term, event.epoch)).or_insert_with(|| event.hall.clone());
        assert_eq!(*hand, event.hall, "two hands in one epoch of {number}");
    }
    for (place, member) in street.city.members.iter().enumerate() {
        let Some(known) = trace(street, place, number).await else { continue };
        let digests =
            |trace: &Trace| trace.events.iter().map(|event| event.digest.clone()).collect::<Vec<_>>();
        assert!(
            digests(&whole).starts_with(&digests(&known)),
            "{} tells another story of {number}",
            member.hall
        );
        assert_eq!(known.case.stage == "custodian", place == window, "{} and {number}", member.hall);
    }
}

/// Intents that had to be repeated became one case each.
async fn taken_in_once(street: &Street, cases: usize) {
    let mut taken = 0;
    for (place, member) in street.city.members.iter().enumerate() {
        let all = Ask::Cases { stage: None, count: 1_000 };
        let Answer::Cases { cases } = street.ask(place, &all).await.unwrap() else { panic!("no cases") };
        taken += cases.iter().filter(|case| case.receiving == member.hall.to_string()).count();
    }
    assert_eq!(taken, cases);
}

async fn trace(street: &Street, place: usize, number: &str) -> Option<Trace> {
    match street.ask(place, &Ask::Trace { case: number.to_owned() }).await {
        Ok(Answer::Trace(trace)) => Some(*trace),
        Ok(other) => panic!("{other:?}"),
        Err(problem) if problem.code == "case.unknown" => None,
        Err(problem) => panic!("{problem:?}"),
    }
}
