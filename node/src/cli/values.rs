//! Values on the command line that are more than text.

use std::str::FromStr;

use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::cases::{Closing, Dismissal, NotAccepted, Procedure, Stage, StatementKind};
use hallmesh_protocol::ids::{BodyId, BundleCode, CaseNumber, DivisionCode, HallId, Malformed, MatterCode};
use libp2p::Multiaddr;

use crate::ops::{ReasonWord, RoleWords};
use crate::texts::{self, Lang, Texts};

/// Why a value is none. The sentence is made in [`BadValue::say`], in the language of the caller.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadValue {
    #[error(transparent)]
    Id(#[from] Malformed),
    #[error("no address")]
    Address,
    #[error("not one of {0}")]
    Word(String),
}

impl BadValue {
    pub(super) fn say(&self, texts: &Texts) -> String {
        match self {
            Self::Id(why) => malformed(texts, why),
            Self::Address => texts.say("malformed.address", &[]),
            Self::Word(words) => texts.filled("malformed.word", &[("words", words)]),
        }
    }
}

/// A language by its name.
pub(super) fn lang(text: &str) -> Result<Lang, BadValue> {
    texts::named(text).filter(|_| text.len() == 2).ok_or_else(|| BadValue::Word("zh, en".to_owned()))
}

pub(super) fn division(text: &str) -> Result<DivisionCode, BadValue> {
    Ok(DivisionCode::from_str(text)?)
}

pub(super) fn hall(text: &str) -> Result<HallId, BadValue> {
    Ok(HallId::from_str(text)?)
}

pub(super) fn matter(text: &str) -> Result<MatterCode, BadValue> {
    Ok(MatterCode::from_str(text)?)
}

pub(super) fn bundle(text: &str) -> Result<BundleCode, BadValue> {
    Ok(BundleCode::from_str(text)?)
}

pub(super) fn number(text: &str) -> Result<CaseNumber, BadValue> {
    Ok(CaseNumber::from_str(text)?)
}

/// An address that other halls can dial. Its text is what goes into the directory.
pub(super) fn address(text: &str) -> Result<String, BadValue> {
    text.parse::<Multiaddr>().map(|address| address.to_string()).or(Err(BadValue::Address))
}

pub(super) fn role(text: &str) -> Result<String, BadValue> {
    let known = RoleWords::KNOWN.contains(&text);
    known.then(|| text.to_owned()).ok_or_else(|| BadValue::Word(RoleWords::KNOWN.join(", ")))
}

pub(super) fn reason(text: &str) -> Result<ReasonWord, BadValue> {
    one_of(text, &ReasonWord::ALL, |reason| reason.word())
}

pub(super) fn day(text: &str) -> Result<CivilDay, BadValue> {
    text.parse().or(Err(BadValue::Id(Malformed::Date)))
}

pub(super) fn authority(text: &str) -> Result<BodyId, BadValue> {
    Ok(BodyId::from_str(text)?)
}

pub(super) fn ground(text: &str) -> Result<NotAccepted, BadValue> {
    one_of(text, &NotAccepted::ALL, |ground| ground.word())
}

pub(super) fn procedure(text: &str) -> Result<Procedure, BadValue> {
    one_of(text, &Procedure::ALL, |procedure| procedure.word())
}

pub(super) fn closing(text: &str) -> Result<Closing, BadValue> {
    one_of(text, &Closing::ALL, |closing| closing.ending().word())
}

pub(super) fn statement(text: &str) -> Result<StatementKind, BadValue> {
    one_of(text, &StatementKind::ALL, |kind| kind.word())
}

pub(super) fn dismissal(text: &str) -> Result<Dismissal, BadValue> {
    one_of(text, &Dismissal::ALL, |reason| reason.word())
}

pub(super) fn stage(text: &str) -> Result<Stage, BadValue> {
    one_of(text, &Stage::ALL, |stage| stage.word())
}

fn one_of<T: Copy>(text: &str, all: &[T], word: fn(&T) -> &'static str) -> Result<T, BadValue> {
    let found = all.iter().copied().find(|one| word(one) == text);
    found.ok_or_else(|| BadValue::Word(all.iter().map(word).collect::<Vec<_>>().join(", ")))
}

/// Why a text is no id, as a sentence.
pub(super) fn malformed(texts: &Texts, why: &Malformed) -> String {
    match why {
        Malformed::Length { expected, found } => {
            // In words, such as `6, 9 or 12`.
            let slug = expected.replace(", ", "_").replace(' ', "_");
            let expected = texts.find(&format!("malformed.expected.{slug}"), &[]);
            let expected = expected.unwrap_or_else(|| slug.replace('_', " "));
            texts.filled("malformed.length", &[("expected", &expected), ("found", found)])
        }
        Malformed::Character { place, found } => {
            texts.filled("malformed.character", &[("place", place), ("found", found)])
        }
        Malformed::Check { expected, found } => {
            texts.filled("malformed.check", &[("expected", expected), ("found", found)])
        }
        Malformed::Form { example } => texts.filled("malformed.form", &[("example", example)]),
        Malformed::Range { what } => texts
            .filled("malformed.range", &[("what", &texts.word("malformed.what", &what.replace(' ', "_")))]),
        Malformed::Date => texts.say("malformed.date", &[]),
        Malformed::UnknownTier => texts.say("malformed.tier", &[]),
        Malformed::AboveCity => texts.say("malformed.above_city", &[]),
        Malformed::NoTownship => texts.say("malformed.no_township", &[]),
    }
}
