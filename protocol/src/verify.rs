//! Checking a message before it enters `step`: signatures, hashes, folds. Pure, slow, run off the loop.

use crate::audit::{Checkpoint, Cosignature};
use crate::cases::{
    BadHeader, Case, CaseFile, Enclosed, Facts, Header, NotAllowed, Receipt, SignedEvent, State, Statement,
    stored_event,
};
use crate::directory::Directory;
use crate::ids::{Digest, HallAt, HallId};
use crate::limits::{
    CASE_BYTES_MAX, EVENTS_MAX, NEWS_MAX, PROOF_PATH_MAX, RECORDS_MAX, WANTS_MAX, WRAPS_MAX,
};
use crate::message::{Message, Why};
use crate::post::{Letter, LetterBody, LetterId};
use crate::record::{Issuer, Record, Space};
use crate::shelf;
use crate::signed::{Signable, Signed, Unverified, Verified};
use crate::step::View;

/// A message whose signatures, hashes and folds hold; only this enters the state machine.
#[derive(Clone, Debug)]
pub struct Checked(pub(crate) Content);

#[derive(Clone, Debug)]
pub(crate) enum Content {
    Plain(Message),
    Records {
        space: Space,
        records: Vec<Verified<Record>>,
        why: Why,
    },
    HandOver(Letter, Box<CheckedFile>),
    Copy(Letter, Box<CheckedFile>),
    Receipt(Letter, Box<Verified<Receipt>>),
    Standing {
        mine: Option<Box<Verified<Checkpoint>>>,
        yours: Option<Box<Verified<Checkpoint>>>,
        please: bool,
    },
    Continued(Box<Verified<Checkpoint>>, u64, Vec<Digest>),
    Cosigned(Box<Verified<Cosignature>>),
    Fence(Letter, Option<Box<CheckedFile>>, Box<Verified<Receipt>>),
    Statement(Letter, Box<Verified<Statement>>),
    /// A letter for this hall that does not hold.
    Unfit(LetterId),
}

/// A case log that folds and whose every event is signed by the hall it names.
#[derive(Clone, Debug)]
pub(crate) struct CheckedFile {
    pub(crate) case: Case,
    pub(crate) file: CaseFile,
    pub(crate) digests: Vec<Digest>,
}

/// Why a message was refused. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A list in it passes its bound.
    #[error("a list in the message passes its bound")]
    TooMany,
    /// A letter's name does not follow from its words.
    #[error("the letter's name is not its own")]
    Name,
    /// The writer of a letter is not the one whose word it is.
    #[error("the letter is not from the hall whose word it is")]
    Writer,
    /// An event does not say of a statement what that one says.
    #[error("the event does not say of the statement what it says")]
    NotStated,
    /// An event rests on a ruling that is not known here.
    #[error("no ruling that the event could rest on is known")]
    NoRuling,
    /// A signature or its signer.
    #[error(transparent)]
    Unverified(#[from] Unverified),
    /// An event of a case log.
    #[error(transparent)]
    Event(#[from] BadHeader),
    /// A case log that does not fold.
    #[error(transparent)]
    Log(#[from] NotAllowed),
}

/// Checks a message for the hall `me`. Letters for others pass unread.
pub fn message(view: &dyn View, me: HallId, message: Message) -> Result<Checked, Refused> {
    Ok(Checked(match message {
        Message::Records { space, mut records, why } => {
            within(records.len(), RECORDS_MAX)?;
            // Most pushed records come more than once; their signatures were checked the first time.
            records.retain(|record| !shelf::holds(view, space, record));
            let (records, _refused) = shelf::verify_batch(view, records);
            Content::Records { space, records, why }
        }
        Message::Letter(letter) if !letter.is_named_rightly() => return Err(Refused::Name),
        Message::Letter(letter) if letter.to != me => Content::Plain(Message::Letter(letter)),
        // What does not hold is not carried any further; its writer repeats what matters.
        Message::Letter(letter) => {
            let id = letter.id;
            self::letter(view, letter).unwrap_or(Content::Unfit(id))
        }
        Message::Want { space, nonce, ids } => {
            within(ids.len(), WANTS_MAX)?;
            Content::Plain(Message::Want { space, nonce, ids })
        }
        Message::Announce { space, ids } => {
            within(ids.len(), NEWS_MAX)?;
            Content::Plain(Message::Announce { space, ids })
        }
        Message::Pull { space, ids } => {
            within(ids.len(), NEWS_MAX)?;
            Content::Plain(Message::Pull { space, ids })
        }
        Message::Standing { mine, yours, please } => {
            let checked = |signed: Option<Signed<Checkpoint>>| {
                signed.map(|signed| by_life(view, &signed, |it| it.at)).transpose()
            };
            Content::Standing { mine: checked(mine)?, yours: checked(yours)?, please }
        }
        Message::Continued { checkpoint, from, path } => {
            within(path.len(), PROOF_PATH_MAX)?;
            Content::Continued(by_life(view, &checkpoint, |it| it.at)?, from, path)
        }
        Message::Cosigned(cosignature) => Content::Cosigned(by_life(view, &cosignature, |it| it.by)?),
        plain @ (Message::Hello { .. }
        | Message::Heartbeat { .. }
        | Message::Ask { .. }
        | Message::Symbols { .. }
        | Message::Page { .. }
        | Message::Taken(_)
        | Message::Far { .. }) => Content::Plain(plain),
    }))
}

/// Checks what one life of a hall has signed.
fn by_life<T: Signable>(
    view: &dyn View,
    signed: &Signed<T>,
    signer: fn(&T) -> HallAt,
) -> Result<Box<Verified<T>>, Refused> {
    let at = signer(&signed.peek().map_err(Unverified::from)?);
    let card = Directory::new(view).card(at).ok_or(Unverified::UnknownSigner)?;
    Ok(Box::new(signed.verify(&card.event_key)?))
}

/// Checks records from a file or a guest. What does not hold is left out and counted.
pub fn records(view: &dyn View, records: Vec<Signed<Record>>) -> (Vec<Verified<Record>>, u64) {
    shelf::verify_batch(view, records)
}

fn letter(view: &dyn View, letter: Letter) -> Result<Content, Refused> {
    match letter.body.clone() {
        LetterBody::HandOver(file) => {
            let checked = self::file(view, file)?;
            by(speaks_for(view, letter.from, checked.case.custodian))?;
            Ok(Content::HandOver(letter, Box::new(checked)))
        }
        LetterBody::Copy(file) => {
            let checked = self::file(view, file)?;
            let parts = [checked.case.custodian, checked.case.owner()];
            by(parts.into_iter().any(|part| speaks_for(view, letter.from, part)))?;
            Ok(Content::Copy(letter, Box::new(checked)))
        }
        LetterBody::Receipt(signed) => {
            let receipt = receipt(view, letter.from, &signed)?;
            Ok(Content::Receipt(letter, Box::new(receipt)))
        }
        LetterBody::Fence(file, signed) => {
            let receipt = receipt(view, letter.from, &signed)?;
            let file = file.map(|file| self::file(view, file)).transpose()?;
            let said = receipt.value();
            // The word is for just this log; a mirror that keeps nothing of the case names none.
            by(file.as_ref().map_or(said.head == Digest([0; 32]), |file| {
                file.case.id == said.case && file.case.head == said.head
            }))?;
            Ok(Content::Fence(letter, file.map(Box::new), Box::new(receipt)))
        }
        LetterBody::Statement(signed) => {
            let statement = statement(view, &signed)?;
            if !Directory::new(view).is_trusted(Issuer::Hall(statement.value().by)) {
                return Err(Unverified::Revoked.into());
            }
            Ok(Content::Statement(letter, Box::new(statement)))
        }
        LetterBody::Ask(_) | LetterBody::AskFence { .. } => Ok(Content::Plain(Message::Letter(letter))),
    }
}

/// What a hall has stated, signed by the life that it names.
fn statement(view: &dyn View, signed: &Signed<Statement>) -> Result<Verified<Statement>, Refused> {
    let said = signed.peek().map_err(Unverified::from)?;
    if !said.holds() {
        return Err(Refused::TooMany);
    }
    let card = Directory::new(view).card(said.by).ok_or(Unverified::UnknownSigner)?;
    Ok(signed.verify(&card.event_key)?)
}

/// An event that answers a statement has it in its body, signed by whoever stated it, and says in clear just what it says.
fn statement_in(view: &dyn View, event: &SignedEvent, header: &Header) -> Result<(), Refused> {
    let Some((cited, _)) = header.facts.cites() else { return Ok(()) };
    let enclosed = Enclosed::decode(event.body()).map_err(Unverified::from)?;
    let statement = statement(view, &enclosed.statement)?;
    let same = statement.value().cited(enclosed.statement.digest()) == *cited;
    if same { Ok(()) } else { Err(Refused::NotStated) }
}

/// Whether a letter of `writer` is the word of `life`: its own, or of the hall that follows it.
fn speaks_for(view: &dyn View, writer: HallAt, life: HallAt) -> bool {
    writer == life || Directory::new(view).answers_for(life) == writer
}

fn receipt(view: &dyn View, writer: HallAt, signed: &Signed<Receipt>) -> Result<Verified<Receipt>, Refused> {
    let signer = signed.peek().map_err(Unverified::from)?.by;
    by(writer == signer)?;
    let directory = Directory::new(view);
    if directory.is_revoked(signer) {
        return Err(Unverified::Revoked.into());
    }
    let card = directory.card(signer).ok_or(Unverified::UnknownSigner)?;
    Ok(signed.verify(&card.event_key)?)
}

fn by(right: bool) -> Result<(), Refused> {
    if right { Ok(()) } else { Err(Refused::Writer) }
}

/// Checks every event of a case log and folds it.
pub(crate) fn file(view: &dyn View, file: CaseFile) -> Result<CheckedFile, Refused> {
    within(file.events.len(), usize::try_from(EVENTS_MAX).unwrap_or(usize::MAX))?;
    within(file.wraps.len(), WRAPS_MAX)?;
    within(file.bytes(), CASE_BYTES_MAX)?;
    let mut case: Option<Case> = None;
    let mut digests = Vec::with_capacity(file.events.len());
    for event in &file.events {
        let header = event_holds(view, event)?;
        let digest = event.digest();
        case = Some(match case {
            None => Case::begin(&header, digest)?,
            Some(case) => case.next(&header, digest)?,
        });
        digests.push(digest);
    }
    let case = case.ok_or(NotAllowed::Beginning)?;
    Ok(CheckedFile { case, file, digests })
}

/// An event this node has already stored byte for byte was checked then.
fn event_holds(view: &dyn View, event: &SignedEvent) -> Result<Header, Refused> {
    let header = event.header()?;
    if stored_event(view, header.case, header.sequence).as_ref() == Some(event) {
        return Ok(header);
    }
    let card = Directory::new(view).card(header.at).ok_or(Unverified::UnknownSigner)?;
    let header = event.verify(&card.event_key)?;
    by_a_ruling(view, &header)?;
    statement_in(view, event, &header)?;
    Ok(header)
}

/// What an event rests on a ruling for, a ruling has to say. One that is not known here yet may come; the event does, too.
fn by_a_ruling(view: &dyn View, header: &Header) -> Result<(), Refused> {
    let claimed = if let Facts::Succeed { from, ruling: Some(_), .. } = header.facts {
        Some((from, header.at.hall))
    } else if let Facts::Reassign { from, to, .. } = header.facts {
        Some((from, to))
    } else {
        None
    };
    let holds = claimed.is_none_or(|(from, to)| Directory::new(view).leads(from, to));
    if holds { Ok(()) } else { Err(Refused::NoRuling) }
}

fn within(length: usize, bound: usize) -> Result<(), Refused> {
    if length <= bound { Ok(()) } else { Err(Refused::TooMany) }
}

/// Checks an exported case: every signature, every hash, the fold. Gives the state it ends in.
pub fn exported(view: &dyn View, exported: CaseFile) -> Result<(Case, State), Refused> {
    let checked = file(view, exported)?;
    let state = checked.case.state;
    Ok((checked.case, state))
}
