//! How statements travel, wait and are answered.
//!
//! ```text
//! states: one commit     --Statement-->  passes it on: keeps it until  --Statement-->  custodian: waits until a clerk
//!   keeps it until         <--Waiting--    the next hall has it          <--Waiting--    includes or dismisses it
//!   it is answered     <-------------------------------Included, Dismissed------------------------
//! ```
//! A hall that has let the case go passes on what comes for it, and what still waits, to whoever has it now. The hall that
//! states asks again every hour until the answer is there: what a lost disk has taken along comes once more. Twice is once:
//! a statement is named by its digest, and the log answers each once.

use serde::{Deserialize, Serialize};

use super::deed::Deed;
use super::fold::Case;
use super::log::{self, Stage};
use super::receipt::{Receipt, ReceiptKind, answer};
use super::state::State;
use super::statement::{Cited, Dismissal, Enclosed, Statement, StatementKind};
use super::{Closing, Office, Record, Refusal, Wrap};
use crate::audit;
use crate::catalogue::Catalogue;
use crate::directory::Directory;
use crate::ids::{CaseId, CaseNumber, ClerkId, Digest, HallAt, HallId};
use crate::limits::{
    PAGE_MAX, STATEMENT_SEALED_MAX, STATEMENT_WRAPS_MAX, STATEMENTS_MAX, STATEMENTS_OF_CASE_MAX,
    STATEMENTS_OF_HALL_MAX, STATEMENTS_WAITING_MAX,
};
use crate::post::{Letter, LetterBody, What};
use crate::rows;
use crate::signed::{Signed, Verified};
use crate::step::{Cx, Faith, Happening, Reply, View};
use crate::wire::Blob;

/// Something to be stated. The words were sealed by the shell.
#[derive(Clone, Debug)]
pub struct Stating {
    /// The case's number.
    pub number: CaseNumber,
    /// What is stated.
    pub kind: StatementKind,
    /// Which of the case's keys the words are sealed under; none if under one of their own.
    pub key: Option<Digest>,
    /// The sealed words.
    pub sealed: Blob,
    /// A key of its own, wrapped to the halls that are to read it.
    pub wraps: Vec<Wrap>,
}

/// What has become of a statement, as the hall says that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Outcome {
    /// It is kept, and waits for a clerk or for the way to the custodian.
    Waiting,
    /// It stands in the log.
    Included,
    /// It is not included, and the log says why.
    Dismissed(Dismissal),
    /// There is no case with this number.
    NoSuchCase,
    /// The case is not known here, as after a lost disk.
    NotHere,
    /// The hall is neither on the case's route nor a window for its matter.
    NotYours,
    /// So much is stated about the case, or by this hall, that no more is taken in now.
    Full,
    /// The case is filed: nothing is added any more.
    Filed,
}

impl Outcome {
    /// A stable word, for logs, JSON and catalogues.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Included => "included",
            Self::Dismissed(_) => "dismissed",
            Self::NoSuchCase => "no-such-case",
            Self::NotHere => "not-here",
            Self::NotYours => "not-yours",
            Self::Full => "full",
            Self::Filed => "filed",
        }
    }

    /// Whether nothing else will become of it.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Included | Self::Dismissed(_) | Self::NoSuchCase | Self::NotYours | Self::Filed => true,
            Self::Waiting | Self::NotHere | Self::Full => false,
        }
    }
}

/// A statement as a hall keeps it: until it is answered, and its own for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What was stated.
    pub signed: Signed<Statement>,
    /// Milliseconds since 1970 since when it is here.
    pub since: u64,
    /// What was heard of it last, from whom, in milliseconds since 1970.
    pub heard: Option<(Outcome, HallAt, u64)>,
}

/// Signs what a clerk of this hall states about a case that is not in its hand, and sends it to where the case is.
pub(crate) fn state(office: &mut Office<'_, '_>, clerk: ClerkId, wanted: Stating) -> Result<Reply, Refusal> {
    if wanted.sealed.len() > STATEMENT_SEALED_MAX || wanted.wraps.len() > STATEMENT_WRAPS_MAX {
        return Err(Refusal::TooLarge);
    }
    let number = wanted.number;
    match whither(office.cx, office.me.at, number) {
        Whither::Here(Stage::Custodian) => return Err(Refusal::InThisHand),
        Whither::NoSuchCase => return Err(Refusal::UnknownCase),
        Whither::Here(_) | Whither::To(_) => {}
    }
    if !has_room(office.cx, number, office.me.at.hall) {
        return Err(Refusal::TooManyStatements);
    }
    let statement = Statement {
        number,
        by: office.me.at,
        clerk,
        wall: office.cx.now.wall,
        suspect_time: office.cx.faith == Faith::Suspect,
        kind: wanted.kind,
        key: wanted.key,
        sealed: wanted.sealed,
        wraps: wanted.wraps,
    };
    let signed = Verified::own(statement, &office.me.key);
    let of = signed.signed().digest();
    if held(office.cx, number, &of).is_none() {
        audit::note_statement(office.cx, office.me.at, (number, of));
        keep(office.cx, &signed);
    }
    dispatch(office, number, of);
    Ok(Reply::Stated { number, statement: of })
}

/// A statement came by letter.
pub(crate) fn came(office: &mut Office<'_, '_>, letter: &Letter, signed: &Verified<Statement>) {
    let outcome = judge(office, signed);
    tell(office, letter.from.hall, signed.value().number, signed.signed().digest(), outcome);
    let by = Directory::new(office.cx).answers_for(signed.value().by).hall;
    if outcome.is_final() && by != letter.from.hall {
        tell(office, by, signed.value().number, signed.signed().digest(), outcome);
    }
}

fn judge(office: &mut Office<'_, '_>, signed: &Verified<Statement>) -> Outcome {
    let (said, of) = (signed.value(), signed.signed().digest());
    let case = known(office.cx, said.number);
    if let Some(answered) = case.as_ref().and_then(|case| case.answer_to(&of)) {
        return answered.dismissed.map_or(Outcome::Included, Outcome::Dismissed);
    }
    if held(office.cx, said.number, &of).is_some() {
        return Outcome::Waiting;
    }
    let Some(case) = case else {
        let gave = said.number.hall_at() == office.me.at;
        return if gave { Outcome::NoSuchCase } else { Outcome::NotHere };
    };
    if case.state == State::Archived {
        return Outcome::Filed;
    }
    if !may_state(office, &case, said) {
        rows::count(office.cx, "statements/strangers", 1);
        return Outcome::NotYours;
    }
    if !has_room(office.cx, said.number, said.by.hall) || case.statements.len() >= STATEMENTS_OF_CASE_MAX {
        rows::count(office.cx, "statements/refused", 1);
        return Outcome::Full;
    }
    keep(office.cx, signed);
    dispatch(office, said.number, of);
    Outcome::Waiting
}

/// Who may state something about a case: the halls on its route, whoever may receive such a case at a window, and for haste
/// the halls above those on the route.
fn may_state(office: &Office<'_, '_>, case: &Case, said: &Statement) -> bool {
    let hall = said.by.hall;
    let named = log::event(office.cx, case.id, 0).and_then(|first| first.header().ok());
    if case.has_on_route(hall) || named.is_some_and(|first| first.at.hall == hall) {
        return true;
    }
    let above = |below: HallId| hall.tier() < below.tier() && hall.division().covers(below.division());
    if said.kind == StatementKind::Urging && (above(case.competent) || above(case.receiving)) {
        return true;
    }
    let lists = Catalogue::new(office.cx);
    let wall = office.cx.now.wall;
    lists
        .pinned(&case.matter_version)
        .is_some_and(|it| lists.competence(&it.matter, hall, wall).rights.receive)
}

/// A hall says what has become of a statement.
pub(crate) fn heard(office: &mut Office<'_, '_>, said: &Receipt) {
    let ReceiptKind::Heard { number, of, outcome } = said.kind else { return };
    office.post.done(office.cx, said.by.hall, &What::Statement { number, of });
    let Some(kept) = held(office.cx, number, &of) else { return };
    let Ok(statement) = kept.signed.peek() else { return };
    let own = statement.by.hall == office.me.at.hall;
    // Whoever let the case go is told once that the next hall has it; what that one does not know it may learn yet.
    if !own
        && (outcome.is_final() || outcome == Outcome::Waiting)
        && !is_here(office.cx, office.me.at, number)
    {
        return drop_it(office.cx, number, &of, statement.by.hall);
    }
    let heard = Some((outcome, said.by, office.cx.now.wall));
    if own && outcome.is_final() {
        drop_it(office.cx, number, &of, statement.by.hall);
        rows::write(office.cx, rows::statement(ENDED, number, &of), &Kept { heard, ..kept });
        office.cx.happened(Happening::StatementAnswered(number));
    } else {
        rows::write(office.cx, rows::statement(OPEN, number, &of), &Kept { heard, ..kept });
    }
}

/// The log answers a statement: it waits no longer, and whoever stated it is told.
pub(super) fn answered(office: &mut Office<'_, '_>, case: &Case, deed: &Deed) {
    let Some((cited, dismissed)) = deed.cites() else { return };
    let Cited { statement: of, by, .. } = *cited;
    let outcome = dismissed.map_or(Outcome::Included, Outcome::Dismissed);
    if let Some(kept) = held(office.cx, case.number, &of) {
        drop_it(office.cx, case.number, &of, by.hall);
        if by.hall == office.me.at.hall {
            let heard = Some((outcome, office.me.at, office.cx.now.wall));
            rows::write(office.cx, rows::statement(ENDED, case.number, &of), &Kept { heard, ..kept });
        }
    }
    let to = Directory::new(office.cx).answers_for(by).hall;
    if to != office.me.at.hall {
        let receipt = receipt(office, case.number, of, outcome);
        let letter = Letter::write(office.me.at, to, LetterBody::Receipt(receipt.signed().clone()));
        office.post.keep_answer(office.cx, letter);
    }
}

/// Whether a statement can be answered by this act: it waits here, and what is enclosed is what was signed.
pub(super) fn may_be_answered(office: &Office<'_, '_>, case: &Case, act: &Record) -> Result<(), Refusal> {
    let Some((cited, _)) = act.deed.cites() else { return Ok(()) };
    let kept = held(office.cx, case.number, &cited.statement).ok_or(Refusal::UnknownStatement)?;
    let enclosed = Enclosed::decode(&act.body).ok().ok_or(Refusal::UnknownStatement)?;
    let same = enclosed.statement == kept.signed
        && kept.signed.peek().is_ok_and(|statement| statement.cited(cited.statement) == *cited);
    if same { Ok(()) } else { Err(Refusal::UnknownStatement) }
}

/// What waits is answered before that is done which would leave it without effect.
pub(super) fn answered_first(view: &dyn View, case: &Case, deed: &Deed) -> Result<(), Refusal> {
    let too_early = |kind: StatementKind| {
        let decides = matches!(deed, Deed::Decide { .. }) && kind == StatementKind::Withdrawal;
        let unsupplied = *deed == Deed::Close(Closing::NotSupplemented) && kind == StatementKind::Supplement;
        decides || unsupplied || *deed == Deed::Archive
    };
    let mut waiting = open_of(view, case.number).into_iter();
    let waits = waiting.find(|(_, kept)| kept.signed.peek().is_ok_and(|said| too_early(said.kind)));
    waits.map_or(Ok(()), |(statement, _)| Err(Refusal::StatementWaits(statement)))
}

/// This hall has let a case go: what still waits goes after it.
pub(super) fn follow(office: &mut Office<'_, '_>, id: CaseId) {
    let Some(case) = log::case(office.cx, id) else { return };
    for (of, _) in open_of(office.cx, case.number) {
        dispatch(office, case.number, of);
    }
}

/// Asks again what has become of what this hall has stated, and passes on once more what it keeps for others.
pub(crate) fn restate(office: &mut Office<'_, '_>, an_hour_is_over: bool) {
    if !an_hour_is_over || rows::counted(office.cx, "statements") == 0 {
        return;
    }
    for (number, of, _) in open(office.cx, PAGE_MAX) {
        dispatch(office, number, of);
    }
}

/// The words of a letter about a statement, while it waits.
pub(super) fn written(view: &dyn View, number: CaseNumber, of: &Digest) -> Option<LetterBody> {
    held(view, number, of).map(|kept| LetterBody::Statement(kept.signed))
}

/// Takes a letter out of the post whose statement is answered, or belongs elsewhere since it was queued, and sends that one
/// there.
pub(crate) fn readdress(office: &mut Office<'_, '_>, to: HallId, what: &What) -> bool {
    let What::Statement { number, of } = what else { return false };
    let there = matches!(whither(office.cx, office.me.at, *number), Whither::To(hall) if hall == to);
    if there && held(office.cx, *number, of).is_some() {
        return false;
    }
    office.post.done(office.cx, to, what);
    dispatch(office, *number, *of);
    true
}

fn dispatch(office: &mut Office<'_, '_>, number: CaseNumber, of: Digest) {
    if held(office.cx, number, &of).is_none() {
        return;
    }
    match whither(office.cx, office.me.at, number) {
        Whither::To(hall) => office.post.enqueue_once(office.cx, hall, What::Statement { number, of }),
        Whither::Here(_) => office.cx.happened(Happening::StatementWaits(number)),
        Whither::NoSuchCase => {}
    }
}

/// Where a statement about a case belongs, as far as this hall knows.
enum Whither {
    /// This hall answers for the case, or is about to hand it on.
    Here(Stage),
    To(HallId),
    NoSuchCase,
}

fn whither(view: &dyn View, me: HallAt, number: CaseNumber) -> Whither {
    let directory = Directory::new(view);
    let Some(case) = known(view, number) else {
        let gave = directory.answers_for(number.hall_at()).hall;
        return if gave == me.hall { Whither::NoSuchCase } else { Whither::To(gave) };
    };
    let stage = log::custody(view, case.id).map_or(Stage::None, |custody| custody.stage);
    let owner = directory.answers_for(case.owner()).hall;
    if stage.is_in_hand() || owner == me.hall { Whither::Here(stage) } else { Whither::To(owner) }
}

/// Whether what is stated about a case waits at this hall for a clerk, or for the case to come or go.
pub(crate) fn is_here(view: &dyn View, me: HallAt, number: CaseNumber) -> bool {
    matches!(whither(view, me, number), Whither::Here(_))
}

fn known(view: &dyn View, number: CaseNumber) -> Option<Case> {
    let id: CaseId = rows::read(view, &rows::number(&number.to_string()))?;
    log::case(view, id)
}

/// In keys: it waits for an answer.
const OPEN: u8 = 0;
/// In keys: one of this hall's own that was answered.
const ENDED: u8 = 1;

fn keep(cx: &mut Cx<'_>, signed: &Verified<Statement>) {
    let (said, of) = (signed.value(), signed.signed().digest());
    let kept = Kept { signed: signed.signed().clone(), since: cx.now.wall, heard: None };
    rows::write(cx, rows::statement(OPEN, said.number, &of), &kept);
    rows::count(cx, "statements", 1);
    rows::count(cx, &of_hall(said.by.hall), 1);
}

fn drop_it(cx: &mut Cx<'_>, number: CaseNumber, of: &Digest, by: HallId) {
    cx.remove(rows::statement(OPEN, number, of));
    rows::count(cx, "statements", -1);
    rows::count(cx, &of_hall(by), -1);
}

/// The count of what a hall has stated and what waits here.
pub(crate) fn of_hall(hall: HallId) -> String {
    format!("statements/of/{hall}")
}

fn held(view: &dyn View, number: CaseNumber, of: &Digest) -> Option<Kept> {
    rows::read(view, &rows::statement(OPEN, number, of))
}

fn has_room(view: &dyn View, number: CaseNumber, by: HallId) -> bool {
    rows::counted(view, "statements") < STATEMENTS_MAX
        && rows::counted(view, &of_hall(by)) < STATEMENTS_OF_HALL_MAX
        && open_of(view, number).len() < STATEMENTS_WAITING_MAX
}

/// What is stated about a case and not answered yet, as far as it is known here.
pub(crate) fn open_of(view: &dyn View, number: CaseNumber) -> Vec<(Digest, Kept)> {
    of_class(view, OPEN, number)
}

/// What this hall has stated about a case and was answered.
pub(crate) fn ended_of(view: &dyn View, number: CaseNumber) -> Vec<(Digest, Kept)> {
    of_class(view, ENDED, number)
}

fn of_class(view: &dyn View, class: u8, number: CaseNumber) -> Vec<(Digest, Kept)> {
    let mut found = Vec::new();
    view.scan(&rows::statements_of(class, number), &[], &mut |key, value| {
        found.extend(rows::statement_in(key).map(|(_, _, of)| (of, rows::parse(key, value))));
        found.len() < PAGE_MAX
    });
    found
}

/// What waits for an answer here, by case, at most `count`.
pub(crate) fn open(view: &dyn View, count: usize) -> Vec<(CaseNumber, Digest, Kept)> {
    let mut found = Vec::new();
    view.scan(&rows::statements(OPEN), &[], &mut |key, value| {
        let place = rows::statement_in(key);
        found.extend(place.map(|(_, number, of)| (number, of, rows::parse(key, value))));
        found.len() < count
    });
    found
}

/// Whether a row is what its key says: for rows that come out of a backup.
pub(crate) fn kept_holds(key: &[u8], value: &[u8]) -> bool {
    let kept =
        rows::statement_in(key).zip(crate::wire::decode_own::<Kept>(value, crate::limits::FRAME_MAX).ok());
    kept.is_some_and(|((class, number, of), kept)| {
        let named = kept.signed.peek().is_ok_and(|said| said.number == number);
        class <= ENDED && named && kept.signed.digest() == of
    })
}

/// What this hall itself has stated in a row, for a recording.
pub(crate) fn stated_in(key: &[u8], value: &[u8], me: HallAt) -> Option<Signed<Statement>> {
    let kept: Kept = rows::parse(key, value);
    kept.signed.peek().is_ok_and(|said| said.by == me).then_some(kept.signed)
}

fn receipt(office: &Office<'_, '_>, number: CaseNumber, of: Digest, outcome: Outcome) -> Verified<Receipt> {
    let case = known(office.cx, number);
    let receipt = Receipt {
        kind: ReceiptKind::Heard { number, of, outcome },
        case: case.as_ref().map_or(CaseId([0; 16]), |case| case.id),
        position: case.as_ref().map_or_else(Default::default, |case| case.position),
        sequence: case.as_ref().map_or(0, |case| case.events.saturating_sub(1)),
        head: case.map_or(Digest([0; 32]), |case| case.head),
        by: office.me.at,
        wall: office.cx.now.wall,
    };
    Verified::own(receipt, &office.me.key)
}

fn tell(office: &mut Office<'_, '_>, to: HallId, number: CaseNumber, of: Digest, outcome: Outcome) {
    let receipt = receipt(office, number, of, outcome);
    answer(office, to, receipt.signed().clone());
}
