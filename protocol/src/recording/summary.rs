//! What a step gave, in short: enough to see whether another run gave the same.

use blake3::Hasher;

use super::{Gave, redaction};
use crate::audit::{Checkpoint, Witness};
use crate::cases::SignedEvent;
use crate::ids::HallAt;
use crate::message::Message;
use crate::post::{self, Letter, LetterBody};
use crate::record::{Issuer, Record};
use crate::rows;
use crate::seal::Signature;
use crate::signed::{Signable, Signed};
use crate::step::{Effects, Happening, Output, Reply};
use crate::wire;

impl Gave {
    /// What a step gave: the rows named in `journal`, and the outputs from the `first` on.
    pub(super) fn of(effects: &Effects, journal: &[Vec<u8>], first: usize, me: HallAt) -> Self {
        let outputs = effects.outputs().get(first..).unwrap_or_default();
        let mut signatures = Vec::new();
        for key in journal {
            if let Some(value) = effects.writes().get(key).cloned().flatten() {
                signatures.extend(signed_row(key, &value, me));
            }
        }
        signatures.extend(outputs.iter().filter_map(|output| signed_letter(output, me)));
        Self {
            wrote: journal.iter().filter_map(|key| key.first().copied()).collect(),
            said: outputs.iter().map(said).collect(),
            wake_at: effects.asked_to_wake_at(),
            digest: digest(effects, journal, outputs),
            signatures,
        }
    }

    /// What is given where a check refuses: nothing.
    pub(super) fn refused(why: &str) -> Self {
        let said = vec![format!("refused: {why}")];
        Self { wrote: Vec::new(), said, wake_at: None, digest: [0; 32], signatures: Vec::new() }
    }
}

/// One line about an output. No personal data: not even the reasons of a route, which name the applicant's place.
fn said(output: &Output) -> String {
    match output {
        Output::Send { to, message: Message::Letter(letter) } => {
            format!("send {to} letter {} for {}", letter.body.word(), letter.to)
        }
        Output::Send { to, message } => format!("send {to} {}", message.word()),
        Output::Reply { ticket, reply } => format!("reply {} {}", ticket.0, answered(reply)),
        Output::Keep(halls) => format!("keep {} lines", halls.len()),
        Output::RosterChanged => "roster changed".to_owned(),
        Output::Reached(hall) => format!("{hall} is reached elsewhere"),
        Output::WrapKey { case, to } => format!("wrap the key of {case} to {to}"),
        Output::RenewKey { case, to } => format!("renew the key of {case} for {} addressees", to.len()),
        Output::Happened(happening) => format!("happened {}", happened(happening)),
    }
}

fn answered(reply: &Reply) -> String {
    match reply {
        Reply::Received { case, number, route } => {
            format!("received {case} {number} decided by {}", route.competent)
        }
        Reply::Recorded { case, sequence } => format!("recorded {case} {sequence}"),
        Reply::ReceivedBundle { bundle, cases } => {
            format!("received bundle {bundle} of {} tasks", cases.len())
        }
        Reply::RecordedBundle { bundle, cases } => {
            format!("recorded bundle {bundle} in {} tasks", cases.len())
        }
        Reply::Published { records } => format!("published {records}"),
        Reply::Admitted { records, refused } => format!("admitted {records} refused {refused}"),
        Reply::Consigned(cover) => format!("consigned {} bytes", cover.len()),
        Reply::TakenIn(taken) => format!(
            "taken in {} records {} letters {} relayed {} unfit {} left{}",
            taken.records,
            taken.letters,
            taken.relayed,
            taken.unfit,
            taken.left,
            if taken.known { " known" } else { "" }
        ),
        Reply::Stated { number, statement } => format!("stated {statement} about {number}"),
        Reply::Done => "done".to_owned(),
        Reply::Refused(why) => format!("refused: {why}"),
    }
}

fn happened(happening: &Happening) -> String {
    match happening {
        Happening::PeerUp(at) => format!("peer up {at}"),
        Happening::PeerDown(hall) => format!("peer down {hall}"),
        Happening::HandedOver { case, to, .. } => format!("handed over {case} to {to}"),
        Happening::Holding(case) => format!("holding {case}"),
        Happening::Taken(case) => format!("taken {case}"),
        Happening::Mirrored(case) => format!("mirrored {case}"),
        Happening::Released(case) => format!("released {case}"),
        Happening::Returned(case) => format!("returned {case}"),
        Happening::RolledBack { shown_by } => format!("rolled back, as {shown_by} has shown"),
        Happening::Twins(at) => format!("twins {at}"),
        Happening::Clock { known } => format!("clock doubted: {}", known.is_some()),
        Happening::Forked(at) => format!("forked {at}"),
        Happening::KeyRenewed(case) => format!("key renewed {case}"),
        Happening::Recovered(case) => format!("recovered {case}"),
        Happening::Started(case) => format!("started {case}"),
        Happening::Blocked(case) => format!("blocked {case}"),
        Happening::Countersigned(case) => format!("countersigned {case}"),
        Happening::StatementWaits(number) => format!("statement waits {number}"),
        Happening::StatementAnswered(number) => format!("statement answered {number}"),
        Happening::Learned { records, .. } => format!("learned {records} records"),
    }
}

/// Over all that was written and said. Each part is told apart from the next by its length.
fn digest(effects: &Effects, journal: &[Vec<u8>], outputs: &[Output]) -> [u8; 32] {
    let mut hasher = Hasher::new_derive_key("hallmesh v1 recorded step");
    let mut add = |bytes: &[u8]| {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        hasher.update(&length.to_le_bytes()).update(bytes);
    };
    for key in journal {
        add(key);
        match effects.writes().get(key) {
            Some(Some(value)) => add(&redaction::row(key, value)),
            Some(None) | None => add(b"removed"),
        }
    }
    for output in outputs {
        add(said(output).as_bytes());
        match output {
            Output::Send { message, .. } => add(&message.encode()),
            Output::Keep(halls) => add(&wire::encode(halls)),
            Output::Happened(happening) => add(&wire::encode(happening)),
            Output::RenewKey { to, .. } => add(&wire::encode(to)),
            Output::Reply { .. } | Output::RosterChanged | Output::Reached(_) | Output::WrapKey { .. } => {}
        }
    }
    add(&wire::encode(&effects.asked_to_wake_at()));
    *hasher.finalize().as_bytes()
}

/// What this node signed and wrote down.
fn signed_row(key: &[u8], value: &[u8], me: HallAt) -> Option<([u8; 32], Signature)> {
    if rows::is_event(key) {
        let event: SignedEvent = rows::parse(key, value);
        let own = event.header().is_ok_and(|header| header.at == me);
        return own.then(|| (event.digest().0, *event.signature()));
    }
    if rows::is_record(key) {
        let record: Signed<Record> = rows::parse(key, value);
        let own = record.peek().is_ok_and(|record| record.issuer == Issuer::Hall(me));
        return own.then(|| first(&record)).flatten();
    }
    if rows::is_post(key) {
        return post::answer_in(key, value).and_then(|letter| signed_by(&letter, me));
    }
    if rows::is_fence(key) {
        return crate::cases::word_in(key, value).and_then(|word| first(&word));
    }
    if rows::statement_in(key).is_some() {
        return crate::cases::stated_in(key, value, me).and_then(|stated| first(&stated));
    }
    if rows::is_checkpoint(key) {
        return first::<Checkpoint>(&rows::parse(key, value));
    }
    if rows::is_witness(key) {
        return first(&rows::parse::<Witness>(key, value).cosignature);
    }
    rows::is_own_receipt(key).then(|| first::<crate::cases::Receipt>(&rows::parse(key, value))).flatten()
}

/// What this node signed and sent, or put on a parcel.
fn signed_letter(output: &Output, me: HallAt) -> Option<([u8; 32], Signature)> {
    match output {
        Output::Send { message: Message::Letter(letter), .. } => signed_by(letter, me),
        Output::Reply { reply: Reply::Consigned(cover), .. } => first(cover),
        Output::Send { .. }
        | Output::Reply { .. }
        | Output::Keep(_)
        | Output::RosterChanged
        | Output::Reached(_)
        | Output::WrapKey { .. }
        | Output::RenewKey { .. }
        | Output::Happened(_) => None,
    }
}

fn signed_by(letter: &Letter, me: HallAt) -> Option<([u8; 32], Signature)> {
    let (LetterBody::Receipt(receipt) | LetterBody::Fence(_, receipt)) = &letter.body else { return None };
    if letter.from == me { first(receipt) } else { None }
}

fn first<T: Signable>(signed: &Signed<T>) -> Option<([u8; 32], Signature)> {
    let (_, signature) = signed.signatures().first()?;
    Some((signed.digest().0, *signature))
}
