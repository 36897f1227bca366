//! How a case changes hands (design section 7).
//!
//! ```text
//! giver A (epoch e)              target B                        mirrors of e / of e+1
//! TRANSFER, one commit ------HandOver-----> keeps: holder
//!    |---------------------------Copy---------------------------> recorded
//!    | <-------- Held --------------|                                |
//!    | <--------------------- Copied to A and B ---------------------|
//!    |                       TAKE e+1: custodian --Copy-> recorded --Copied--> B
//!    | <------- Mirrored -----------|
//! may let go
//! ```
//! There is no recall on time-out: A repeats for ever, B answers repetitions with the receipt it stored.
//! Custody returns only by a signed refusal.

use super::aside::{contradicted, set_aside};
use super::countersign;
use super::desk::append;
use super::event::Position;
use super::facts::{Facts, Mirrors};
use super::fold::{Case, Transit};
use super::keys;
use super::log::{self, Custody, Grade, Stage};
use super::mirroring::{queue_copies, replace_ended_mirrors, stop_copies};
use super::receipt::{Receipt, ReceiptKind, RefusedBecause, answer, keep_receipt, sign};
use super::recovery::{is_fenced_off, keep_what_is_told, look_after, told};
use super::statements;
use super::takeover::reassign;
use super::together::go_on;
use super::{Office, Refusal};
use crate::audit;
use crate::directory::{self, Directory};
use crate::ids::{CaseId, ClerkId, Digest, HallAt, HallId};
use crate::limits::PAGE_MAX;
use crate::planted::{Bug, planted};
use crate::post::{self, Asked, Letter, What};
use crate::rows;
use crate::signed::Verified;
use crate::step::{Happening, View};
use crate::verify::CheckedFile;
use crate::wire::Blob;

/// Hands the case over where it has to go next, in the commit of the act that sends it there.
pub(crate) fn send_on(office: &mut Office<'_, '_>, case: Case) -> Result<Case, Refusal> {
    let Some((hall, purpose)) = case.wants_to_go() else { return Ok(case) };
    if keys::goes_under_another(office, &case) {
        return Ok(case);
    }
    let Some(to) = Directory::new(office.cx).present(hall) else {
        if let Some(reassigned) = reassign(office, &case, hall)? {
            return send_on(office, reassigned);
        }
        // There is nobody to hand over to; the case stays here until there is.
        rows::write(office.cx, rows::stuck(case.id), &());
        return Ok(case);
    };
    let clerk = ClerkId::node(office.me.at.hall);
    let facts = Facts::Transfer { to, purpose, mirrors: mirrors_of(office, to) };
    let case = append(office, &case, clerk, facts, Blob::default())?;
    let mut custody = log::custody(office.cx, case.id).ok_or(Refusal::UnknownCase)?;
    custody.stage = if planted(Bug::GiverKeepsTheHand) { custody.stage } else { Stage::Handing };
    log::set_custody(office.cx, case.id, &custody);
    let upto = case.events.saturating_sub(1);
    office.post.enqueue(office.cx, hall, What::HandOver { case: case.id, upto });
    office.cx.happened(Happening::HandedOver { case: case.id, to, purpose });
    Ok(case)
}

/// The mirrors of another hall, by the same rule by which it computes them itself.
fn mirrors_of(office: &Office<'_, '_>, hall: HallAt) -> Mirrors {
    if planted(Bug::NoMirrorsOnTransfer) {
        return [None, None];
    }
    let mut mirrors = directory::mirrors(hall.hall, &Directory::new(office.cx).places()).into_iter();
    [mirrors.next(), mirrors.next()]
}

/// Tries again for cases that had nobody to go to, from a key on: called when it changes who is a hall. Gives the key to
/// go on from, if there are more than one page.
pub(crate) fn send_stuck(office: &mut Office<'_, '_>, from: &[u8]) -> Option<Vec<u8>> {
    let mut stuck = Vec::new();
    office.cx.scan(&rows::all_stuck(), from, &mut |key, _| {
        stuck.extend(key.get(1..).and_then(|id| id.try_into().ok()).map(CaseId));
        stuck.len() < PAGE_MAX
    });
    let last = stuck.last().filter(|_| stuck.len() >= PAGE_MAX).map(|id| rows::stuck(*id));
    for id in stuck {
        office.cx.remove(rows::stuck(id));
        let in_hand = log::custody(office.cx, id).is_some_and(|custody| custody.stage == Stage::Custodian);
        let Some(case) = log::case(office.cx, id).filter(|_| in_hand) else { continue };
        if let Ok(sent) = send_on(office, case) {
            queue_copies(office, &sent);
            // Put in the place of the window that is lost, this hall has the result there already.
            go_on(office, &sent);
        }
    }
    last
}

/// A case was handed to this hall.
pub(crate) fn handed_to_me(office: &mut Office<'_, '_>, letter: &Letter, checked: &CheckedFile) {
    let case = &checked.case;
    if case.transit.is_none_or(|transit| transit.to != office.me.at) {
        return handed_to_earlier_life(office, letter, checked);
    }
    let fenced = is_fenced_off(office.cx, log::case(office.cx, case.id).as_ref(), letter.from, checked);
    if fenced && !planted(Bug::FencedHandOverHeld) {
        return set_aside(office, "letters/fenced", checked);
    }
    let (position, giver) = (case.position.after(1), letter.from.hall);
    let seen = log::custody(office.cx, case.id);
    let taken_again = planted(Bug::HandOverTakenTwice);
    if let Some(receipt) = log::receipt(office.cx, case.id, position).filter(|_| !taken_again) {
        if planted(Bug::RepetitionNotAnswered) {
            return;
        }
        if receipt.value().head == case.head {
            answer(office, giver, receipt.signed().clone());
        } else {
            // Another log with the same hand-over: a giver that was rolled back, or lies.
            rows::count(office.cx, "forks", 1);
            audit::meet(office.cx, office.me, case.id, &checked.file.events);
        }
        return;
    }
    let held = log::case(office.cx, case.id);
    if seen.is_some_and(|custody| custody.position >= position) && !taken_again {
        // From before a succession: whoever followed the giver goes on without it.
        if let Some(held) = held.filter(|held| !continues(office.cx, held, checked)) {
            contradicted(office, &held, checked);
        }
        return;
    }
    if !keys::come_with(office.cx, checked, office.me.at) {
        // Somebody on the way took the keys out. The giver repeats, maybe on another way.
        rows::count(office.cx, "letters/keyless", 1);
        return;
    }
    match unfit(office.cx, held.as_ref(), checked) {
        Some(because) => {
            if because == RefusedBecause::Fork {
                audit::meet(office.cx, office.me, case.id, &checked.file.events);
            }
            refuse(office, checked, position, giver, because);
        }
        None => hold(office, giver, checked, held.as_ref(), position),
    }
}

/// A case was handed to a life that this one follows: what there is of it is recovered, and its giver hears of it
/// once this life, or others that it has learned of, have gone on with the case.
fn handed_to_earlier_life(office: &mut Office<'_, '_>, letter: &Letter, checked: &CheckedFile) {
    let case = &checked.case;
    let Some(to) = case.transit.map(|transit| transit.to) else { return };
    let given = log::receipt(office.cx, case.id, case.position.after(1));
    if let Some(given) = given.filter(|given| given.value().kind == ReceiptKind::Mirrored) {
        return answer(office, letter.from.hall, given.signed().clone());
    }
    let mine = Directory::new(office.cx).answers_for(to) == office.me.at;
    let held = log::case(office.cx, case.id);
    if !mine || is_fenced_off(office.cx, held.as_ref(), letter.from, checked) {
        return;
    }
    if keep_what_is_told(office, case.custodian, Some(checked)) {
        look_after(office, case.id);
    }
    let kept_elsewhere = log::custody(office.cx, case.id).is_none_or(|custody| match custody.stage {
        Stage::Custodian | Stage::Handing => custody.grade == Grade::D2,
        Stage::Holder | Stage::Recovering => false,
        Stage::None | Stage::Released => true,
    });
    if kept_elsewhere {
        let_givers_go(office, case.id, case.position.after(1));
    }
}

fn unfit(view: &dyn View, held: Option<&Case>, checked: &CheckedFile) -> Option<RefusedBecause> {
    if checked.case.opaque {
        return Some(RefusedBecause::TooNew);
    }
    let fork = held.is_some_and(|held| !continues(view, held, checked));
    fork.then_some(RefusedBecause::Fork)
}

/// Whether a log goes on from what is held, or is of a later term: then it stands in the place of what was held.
fn continues(view: &dyn View, held: &Case, checked: &CheckedFile) -> bool {
    log::agrees(view, held, &checked.digests) || checked.case.position.term > held.position.term
}

/// Writes what is new of a log.
fn keep(office: &mut Office<'_, '_>, held: Option<&Case>, checked: &CheckedFile) {
    match held.filter(|held| !log::agrees(office.cx, held, &checked.digests)) {
        Some(held) => log::replace(office.cx, &checked.file, held, &checked.case),
        None => log::extend(office.cx, &checked.file, held, &checked.case),
    }
}

/// Verified and stored in one commit: holder. Custody comes with the witness.
fn hold(
    office: &mut Office<'_, '_>,
    giver: HallId,
    checked: &CheckedFile,
    held: Option<&Case>,
    position: Position,
) {
    let case = &checked.case;
    let seen = log::custody(office.cx, case.id);
    let handing = seen.filter(|custody| custody.stage == Stage::Handing).and(held);
    let going = handing.filter(|_| !planted(Bug::ReturnDoesNotSettle));
    if let Some(Transfer { transit, .. }) = going.and_then(|held| transfer_of(office, held)) {
        // It comes back before the other side's receipt did: that hand-over has succeeded.
        settle(office, case.id, transit.to);
        stop_copies(office, case.id);
    }
    keep(office, held, checked);
    let mirror = seen.is_some_and(|custody| custody.mirror);
    let custody = Custody { position, stage: Stage::Holder, mirror, grade: Grade::D1 };
    log::set_custody(office.cx, case.id, &custody);
    office.cx.happened(Happening::Holding(case.id));
    let receipt = sign(office, case, ReceiptKind::Held, position);
    keep_receipt(office, &receipt);
    answer(office, giver, receipt.signed().clone());
    // The giver tells its mirrors too; if it cannot, the target brings them the hand-over itself.
    for mirror in case.mirrors.into_iter().flatten().filter(|mirror| mirror.hall != office.me.at.hall) {
        office.post.enqueue_later(office.cx, mirror.hall, What::Copy { case: case.id });
    }
    take_if_witnessed(office, case);
    for receipt in office.early.take(case.id) {
        copied(office, &receipt);
    }
}

/// The giver that is lost has handed the case to this very hall, which goes on in its place, too.
pub(super) fn hold_what_is_told(office: &mut Office<'_, '_>, case: &Case) {
    let position = case.position.after(1);
    let mirror = log::custody(office.cx, case.id).is_some_and(|custody| custody.mirror);
    let custody = Custody { position, stage: Stage::Holder, mirror, grade: Grade::D1 };
    log::set_custody(office.cx, case.id, &custody);
    office.cx.happened(Happening::Holding(case.id));
    keep_receipt(office, &sign(office, case, ReceiptKind::Held, position));
    queue_copies(office, case);
    take_if_witnessed(office, case);
}

fn refuse(
    office: &mut Office<'_, '_>,
    checked: &CheckedFile,
    position: Position,
    giver: HallId,
    because: RefusedBecause,
) {
    let seen = log::custody(office.cx, checked.case.id);
    let before = seen.unwrap_or(Custody { position, stage: Stage::None, mirror: false, grade: Grade::D1 });
    let custody = Custody { position, ..before };
    log::set_custody(office.cx, checked.case.id, &custody);
    let receipt = sign(office, &checked.case, ReceiptKind::Refused(because), position);
    keep_receipt(office, &receipt);
    answer(office, giver, receipt.signed().clone());
}

/// Takes the case in hand once a mirror of the epoch before has recorded the hand-over.
fn take_if_witnessed(office: &mut Office<'_, '_>, case: &Case) {
    let nobody = planted(Bug::TakenUnwitnessed).then_some(case.custodian);
    let Some(witness) = witness(office, case).or(nobody) else { return };
    let clerk = ClerkId::node(office.me.at.hall);
    let Ok(taken) = append(office, case, clerk, Facts::Take { witness }, Blob::default()) else { return };
    let Some(mut custody) = log::custody(office.cx, case.id) else { return };
    custody.stage = Stage::Custodian;
    log::set_custody(office.cx, case.id, &custody);
    for old in case.mirrors.into_iter().flatten().filter(|_| !planted(Bug::WitnessesStillCopied)) {
        office.post.done(office.cx, old.hall, &What::Copy { case: case.id });
    }
    office.cx.happened(Happening::Taken(case.id));
    replace_ended_mirrors(office, &taken);
    let taken = log::case(office.cx, case.id).unwrap_or(taken);
    let after = send_on(office, taken.clone()).unwrap_or(taken);
    queue_copies(office, &after);
    go_on(office, &after);
}

/// A mirror that has recorded the log up to its head. After another mirror was replaced, only one that stayed counts.
pub(super) fn witness(office: &Office<'_, '_>, case: &Case) -> Option<HallAt> {
    case.mirrors.into_iter().flatten().filter(|mirror| case.is_witness(*mirror)).find(|mirror| {
        let recorded = log::copied(office.cx, case.id, *mirror);
        let all = |head| head == case.head || planted(Bug::StaleWitness);
        *mirror == office.me.at || recorded.is_some_and(|receipt| all(receipt.value().head))
    })
}

/// A custodian, or a target, wants a copy kept here.
pub(crate) fn copied_to_me(office: &mut Office<'_, '_>, letter: &Letter, checked: &CheckedFile) {
    let offered = &checked.case;
    if !offered.is_mirror(office.me.at) {
        return;
    }
    let held = log::case(office.cx, offered.id);
    let fenced = is_fenced_off(office.cx, held.as_ref(), letter.from, checked);
    if fenced && !planted(Bug::FencedCopyRecorded) {
        return set_aside(office, "letters/fenced", checked);
    }
    if let Some(held) = held.as_ref().filter(|held| !continues(office.cx, held, checked)) {
        contradicted(office, held, checked);
        return;
    }
    let newer = held
        .as_ref()
        .is_none_or(|held| held.events < offered.events || held.position.term < offered.position.term);
    let lost = planted(Bug::MirrorKeepsNothing) || (held.is_some() && planted(Bug::MirrorKeepsFirstCopy));
    if newer && !lost {
        keep(office, held.as_ref(), checked);
    } else if let Some(held) = held.as_ref().filter(|_| !lost) {
        // Keys are wrapped for others also without an event.
        keys::keep(office.cx, held, &checked.file.wraps);
    }
    let seen = log::custody(office.cx, offered.id);
    let before = seen.unwrap_or(Custody {
        position: offered.position,
        stage: Stage::None,
        mirror: true,
        grade: Grade::D1,
    });
    let position = before.position.max(offered.position);
    let position = if planted(Bug::HighWaterFalls) { offered.position } else { position };
    log::set_custody(office.cx, offered.id, &Custody { position, mirror: true, ..before });
    let kept = if lost { Some(offered.clone()) } else { log::case(office.cx, offered.id) };
    let Some(kept) = kept else { return };
    if !lost && !keys::can_be_restored(office.cx, &kept) {
        // Somebody on the way took the keys out: with this copy nobody could restore the case. It comes again.
        rows::count(office.cx, "letters/keyless", 1);
        return;
    }
    let receipt = sign(office, &kept, ReceiptKind::Copied, kept.position);
    audit::note_receipt(office.cx, &receipt);
    answer(office, letter.from.hall, receipt.signed().clone());
    if let Some(transit) = kept.transit.filter(|transit| transit.to.hall != letter.from.hall) {
        answer(office, transit.to.hall, receipt.signed().clone());
    }
    // A copy may come later than the news that its writer has ended.
    look_after(office, kept.id);
}

/// A receipt came.
pub(crate) fn receipt_came(office: &mut Office<'_, '_>, receipt: &Verified<Receipt>) {
    let said = receipt.value();
    match said.kind {
        ReceiptKind::Copied => copied(office, receipt),
        ReceiptKind::Held if planted(Bug::ReleasedOnHeld) => mirrored(office, said),
        ReceiptKind::Held => {
            if let Some((_, transit)) = handing(office, said) {
                if planted(Bug::HeldEndsTheAsking) {
                    return settle(office, said.case, transit.to);
                }
                let ask = What::Ask(Asked {
                    case: said.case,
                    position: said.position,
                    sequence: said.sequence,
                    head: said.head,
                });
                let to = Directory::new(office.cx).answers_for(transit.to).hall;
                office.post.replace(office.cx, to, ask);
            }
        }
        ReceiptKind::Mirrored => mirrored(office, said),
        ReceiptKind::Refused(_) => refused(office, receipt),
        ReceiptKind::Unknown => hand_over_again(office, said),
        ReceiptKind::Told { .. } => told(office, said),
        ReceiptKind::Heard { .. } => statements::heard(office, said),
        // It comes in a letter of its own.
        ReceiptKind::Fenced { .. } | ReceiptKind::Known { .. } => {}
    }
}

fn copied(office: &mut Office<'_, '_>, receipt: &Verified<Receipt>) {
    let said = receipt.value();
    let Some(case) = log::case(office.cx, said.case) else { return office.early.keep(receipt) };
    let older = log::copied(office.cx, said.case, said.by);
    if older.is_none_or(|older| older.value().sequence < said.sequence) {
        countersign::keep(office, &case, receipt);
    }
    let Some(mut custody) = log::custody(office.cx, case.id) else { return };
    if !case.is_mirror(said.by) || (said.head != case.head && !planted(Bug::GradedOnStaleCopy)) {
        return;
    }
    match custody.stage {
        Stage::Custodian | Stage::Handing => {
            office.post.done(office.cx, said.by.hall, &What::Copy { case: case.id });
            // Of one that was named in the place of another nobody may know who goes on for this hall one day.
            if !case.is_witness(said.by) {
                return;
            }
            if custody.grade == Grade::D1 && keys::is_recoverable(office.cx, &case) {
                custody.grade = Grade::D2;
                log::set_custody(office.cx, case.id, &custody);
                office.cx.happened(Happening::Mirrored(case.id));
            }
            let_givers_go(office, case.id, case.position);
        }
        Stage::Holder => take_if_witnessed(office, &case),
        Stage::Recovering => {
            look_after(office, case.id);
        }
        Stage::None | Stage::Released => {}
    }
}

/// Tells whoever handed the case to this hall, in this epoch or before, that a mirror keeps what came of
/// it. A giver of long ago may never have heard, when the case went on before a mirror had answered.
fn let_givers_go(office: &mut Office<'_, '_>, id: CaseId, upto: Position) {
    let Some(case) = log::case(office.cx, id) else { return };
    for sequence in 0..case.events {
        let header = log::event(office.cx, id, sequence).and_then(|event| event.header().ok());
        let Some(header) = header else { continue };
        let position = header.position.after(1);
        let Facts::Transfer { to, .. } = header.facts else { continue };
        let told = position <= upto && !planted(Bug::GiverNotTold);
        let given = log::receipt(office.cx, id, position).map(|given| given.value().kind);
        let held = to == office.me.at && given == Some(ReceiptKind::Held);
        // To an earlier life, which may have signed for it or not: the log goes on after it, that is enough.
        let followed = to != office.me.at && given.is_none() && sequence.saturating_add(1) < case.events;
        let followed = followed && Directory::new(office.cx).answers_for(to) == office.me.at;
        if told && (held || followed) {
            let receipt = Receipt {
                kind: ReceiptKind::Mirrored,
                case: id,
                position,
                sequence,
                head: log::event(office.cx, id, sequence).map_or(case.head, |event| event.digest()),
                by: office.me.at,
                wall: office.cx.now.wall,
            };
            let receipt = Verified::own(receipt, &office.me.key);
            keep_receipt(office, &receipt);
            let giver = Directory::new(office.cx).answers_for(header.at);
            answer(office, giver.hall, receipt.signed().clone());
        }
    }
}

fn mirrored(office: &mut Office<'_, '_>, said: &Receipt) {
    let found = handing(office, said).or_else(|| handing_still(office, said));
    let Some((mut custody, transit)) = found else { return };
    custody.stage = Stage::Released;
    custody.position = custody.position.max(said.position);
    log::set_custody(office.cx, said.case, &custody);
    let_givers_go(office, said.case, said.position);
    settle(office, said.case, transit.to);
    stop_copies(office, said.case);
    statements::follow(office, said.case);
    office.cx.happened(Happening::Released(said.case));
}

fn refused(office: &mut Office<'_, '_>, receipt: &Verified<Receipt>) {
    let said = receipt.value();
    let Some((_, transit)) = handing(office, said) else { return };
    let Some(case) = log::case(office.cx, said.case) else { return };
    take_back(office, &case, transit.to, receipt.signed().digest());
}

/// The case is in this hall's hand again.
pub(super) fn take_back(office: &mut Office<'_, '_>, case: &Case, from: HallAt, refusal: Digest) {
    let facts = Facts::Resume { refusal };
    let clerk = ClerkId::node(office.me.at.hall);
    let Ok(resumed) = append(office, case, clerk, facts, Blob::default()) else { return };
    let Some(mut custody) = log::custody(office.cx, case.id) else { return };
    custody.stage = Stage::Custodian;
    (custody.position, custody.grade) = (resumed.position, Grade::D1);
    log::set_custody(office.cx, case.id, &custody);
    settle(office, case.id, from);
    rows::write(office.cx, rows::stuck(case.id), &());
    queue_copies(office, &resumed);
    office.cx.happened(Happening::Returned(case.id));
}

/// The target kept the case once and knows nothing of it now, as after a restored backup.
fn hand_over_again(office: &mut Office<'_, '_>, said: &Receipt) {
    if let Some((_, transit)) = handing(office, said) {
        let again = What::HandOver { case: said.case, upto: said.sequence };
        let to = Directory::new(office.cx).answers_for(transit.to).hall;
        office.post.replace(office.cx, to, again);
    }
}

/// This hall's hand-over that a receipt speaks of, if the right target signed for this very event.
fn handing(office: &Office<'_, '_>, said: &Receipt) -> Option<(Custody, Transit)> {
    let custody = log::custody(office.cx, said.case).filter(|custody| custody.stage == Stage::Handing)?;
    let case = log::case(office.cx, said.case)?;
    let own = transfer_of(office, &case)?;
    let answers = Directory::new(office.cx).answers_for(own.transit.to);
    let meant = [own.transit.to, answers].contains(&said.by) && said.position == own.position.after(1);
    let ours = meant && said.head == own.digest;
    (ours || planted(Bug::AnyReceiptReleases)).then_some((custody, own.transit))
}

/// A hand-over that a life over old rows still repeats, though its log tells by now that an earlier life has handed the case
/// over once more since, and that somebody has taken it.
fn handing_still(office: &Office<'_, '_>, said: &Receipt) -> Option<(Custody, Transit)> {
    let custody = log::custody(office.cx, said.case).filter(|custody| custody.stage == Stage::Handing)?;
    let case = log::case(office.cx, said.case)?;
    let own = transfer_of(office, &case)?;
    let taken = case.position > own.position && said.position <= own.position;
    (taken && own.by != office.me.at).then_some((custody, own.transit))
}

/// A hand-over of this hall.
struct Transfer {
    by: HallAt,
    sequence: u32,
    position: Position,
    digest: Digest,
    transit: Transit,
}

/// This hall's last hand-over. Events of later epochs, which it may keep as a mirror, do not hide it.
fn transfer_of(office: &Office<'_, '_>, case: &Case) -> Option<Transfer> {
    (0..case.events).rev().find_map(|sequence| {
        let event = log::event(office.cx, case.id, sequence)?;
        let header = event.header().ok()?;
        Directory::new(office.cx).answers_for(header.at).eq(&office.me.at).then_some(())?;
        let Facts::Transfer { to, purpose, mirrors } = header.facts else { return None };
        let transit = Transit { to, purpose, mirrors };
        Some(Transfer { by: header.at, sequence, position: header.position, digest: event.digest(), transit })
    })
}

fn settle(office: &mut Office<'_, '_>, case: CaseId, to: HallAt) {
    for hall in Directory::new(office.cx).heirs(to) {
        office.post.done(office.cx, hall, &What::HandOver { case, upto: 0 });
    }
}

/// This hall asks no more after its last hand-over, or that of a life it follows: the case has gone on after it.
pub(super) fn settle_own(office: &mut Office<'_, '_>, case: &Case) {
    if let Some(own) = transfer_of(office, case) {
        settle(office, case.id, own.transit.to);
    }
}

/// This hall's hand-over goes to whoever was ruled to go on for its target: the target itself answers nobody any more.
pub(super) fn ask_the_heir(office: &mut Office<'_, '_>, case: &Case) {
    let own = transfer_of(office, case).filter(|_| !planted(Bug::HeirNotAsked));
    let Some(own) = own else { return };
    let (target, me) = (own.transit.to, office.me.at.hall);
    let heir = Directory::new(office.cx).answers_for(target).hall;
    if heir != target.hall && heir != me && post::hand_over_in(office.cx, heir, case.id).is_none() {
        settle(office, case.id, target);
        office.post.enqueue(office.cx, heir, What::HandOver { case: case.id, upto: own.sequence });
    }
}

/// What has become of a hand-over to this hall? The stored receipt answers; if there is none, the giver is
/// told so, and hands the case over once more.
pub(crate) fn ask(office: &mut Office<'_, '_>, letter: &Letter, asked: &Asked) {
    let receipt = log::receipt(office.cx, asked.case, asked.position).unwrap_or_else(|| {
        let receipt = Receipt {
            kind: ReceiptKind::Unknown,
            case: asked.case,
            position: asked.position,
            sequence: asked.sequence,
            head: asked.head,
            by: office.me.at,
            wall: office.cx.now.wall,
        };
        Verified::own(receipt, &office.me.key)
    });
    answer(office, letter.from.hall, receipt.signed().clone());
}
