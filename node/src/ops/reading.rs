//! Reading what is sealed in a case: as much of it as the keys open that this hall has.

use hallmesh_protocol::cases::{Enclosed, FIRST_KEY, Facts, SignedEvent};
use hallmesh_protocol::ids::{CaseId, Digest};
use hallmesh_protocol::query;
use hallmesh_protocol::seal::{ContentKey, WrapSecret};

use super::Problem;
use super::answers::{Answer, Contents};
use super::content::{self, CaseKey, Content};
use super::questions::Asked;
use super::statements;

/// One of a case's keys, if it is wrapped to this hall and opens.
pub(super) fn case_key(asked: &Asked<'_>, case: CaseId, of: Digest, secret: &WrapSecret) -> Option<CaseKey> {
    let file = query::file(asked.view, case);
    content::unwrap(case, (asked.at, of), &file, secret).ok()
}

/// Nothing is noted as read of which nothing can be opened.
pub(super) fn is_readable(asked: &Asked<'_>, case: CaseId, secret: &WrapSecret) -> Result<(), Problem> {
    let view = query::case(asked.view, case);
    let view = view.ok_or_else(|| Problem::new("case.unknown").with("case", case))?;
    let opens = view.case.all_keys().any(|of| case_key(asked, case, of, secret).is_some());
    if opens { Ok(()) } else { Err(Problem::new("case.not_readable")) }
}

/// What is sealed in a case.
pub(super) fn read(asked: &Asked<'_>, case: CaseId, secret: &WrapSecret) -> Result<Answer, Problem> {
    let view = query::case(asked.view, case);
    let view = view.ok_or_else(|| Problem::new("case.unknown").with("case", case))?;
    let file = query::file(asked.view, case);
    let key = |of| content::unwrap(case, (asked.at, of), &file, secret).ok().map(|opened| opened.key);
    let contents = contents(case, view.case.number.to_string(), &file.events, key);
    Ok(Answer::Contents(Contents { statements: statements::waiting_words(asked, &view, secret), ..contents }))
}

/// The parts that open, and those that do not.
fn contents(
    case: CaseId,
    number: String,
    events: &[SignedEvent],
    key_of: impl Fn(Digest) -> Option<ContentKey>,
) -> Contents {
    let mut contents = Contents { number, parts: Vec::new(), closed: Vec::new(), statements: Vec::new() };
    let mut key = key_of(FIRST_KEY);
    for event in events {
        let Ok(header) = event.header() else { continue };
        if let Facts::RenewKey { key: of, .. } = header.facts {
            key = key_of(of);
        }
        if event.body().is_empty() {
            continue;
        }
        let what = header.facts.word().to_owned();
        // What is enclosed with a statement has its words, too.
        let enclosed = Enclosed::of(event).map(|enclosed| enclosed.note);
        let sealed = enclosed.as_ref().unwrap_or_else(|| event.body());
        match key.as_ref().and_then(|key| Content::open(case, key, sealed).ok()) {
            Some(content) => contents.parts.push((header.sequence, what, content)),
            None => contents.closed.push((header.sequence, what)),
        }
    }
    contents
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::cases::{Deed, Header, Position};
    use hallmesh_protocol::chance::Chance;
    use hallmesh_protocol::ids::{ClerkId, HallAt, HallId};
    use hallmesh_protocol::seal::{SecretKey, Suite};
    use hallmesh_protocol::wire::Blob;

    use super::*;

    const CASE: CaseId = CaseId([7; 16]);

    fn event(sequence: u32, facts: Facts, body: Blob) -> SignedEvent {
        let hall: HallId = "620702000000-00".parse().unwrap();
        let zero = Digest([0; 32]);
        let header = Header {
            suite: 1,
            case: CASE,
            position: Position::default(),
            sequence,
            boot: 0,
            at: HallAt { hall, incarnation: 1 },
            clerk: ClerkId { hall, number: 1 },
            body: None,
            wall: 0,
            suspect_time: false,
            matter: zero,
            calendar: zero,
            previous: zero,
            sealed: zero,
            facts,
        };
        SignedEvent::sign(header, body, &SecretKey::from_seed(Suite::One, [1; 32]))
    }

    #[test]
    fn the_parts_are_shown_whose_keys_open_whichever_those_are() {
        let mut chance = Chance::from_seed([3; 32]);
        let keys = [CaseKey::first(&mut chance), CaseKey::next(CASE, &mut chance)];
        let sealed = |key: &CaseKey, word: &str, chance: &mut Chance| {
            Content::one("said", word).seal(CASE, &key.key, chance).unwrap()
        };
        let [before, after] =
            [(&keys[0], "before"), (&keys[1], "after")].map(|(key, word)| sealed(key, word, &mut chance));
        let events = [
            event(0, Facts::Act(Deed::Accept), before),
            event(1, Facts::RenewKey { key: keys[1].of, lacked: 0, to: vec![] }, Blob::default()),
            event(2, Facts::Act(Deed::Extend { days: 3 }), after),
        ];
        let read = |has: &[usize]| {
            let key_of = |of| {
                let held = has.iter().map(|place| &keys[*place]).find(|key| key.of == of)?;
                Some(ContentKey::from_bytes(*held.key.as_bytes()))
            };
            let read = contents(CASE, "1".to_owned(), &events, key_of);
            let opened: Vec<u32> = read.parts.iter().map(|part| part.0).collect();
            let closed: Vec<u32> = read.closed.iter().map(|part| part.0).collect();
            (opened, closed)
        };
        assert_eq!(read(&[0, 1]), (vec![0, 2], vec![]));
        assert_eq!(read(&[0]), (vec![0], vec![2]));
        assert_eq!(read(&[1]), (vec![2], vec![0]));
        assert_eq!(read(&[]), (vec![], vec![0, 2]));
    }
}
