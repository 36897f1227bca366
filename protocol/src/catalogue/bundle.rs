//! A bundle: one thing in a citizen's life that is several matters to government, done with one application.
//!
//! Questions about the situation choose the items; one form serves all of them, each field for the items that need it; the
//! order of the items is a graph without circles: what stands after another one begins when that one is granted.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Unlisted, named};
use crate::ids::{BodyId, BundleCode, DivisionCode, MatterCode};
use crate::limits::{
    BUNDLE_FIELDS_MAX, BUNDLE_ITEMS_MAX, BUNDLE_NAME_MAX, BUNDLE_OPTIONS_MAX, BUNDLE_QUESTIONS_MAX,
};

/// A bundle (一件事) as the list describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// Its code.
    pub code: BundleCode,
    /// Its name.
    pub name: String,
    /// The division for which this entry holds; it and all under it.
    pub area: DivisionCode,
    /// The authority that answers for the whole (牵头部门).
    pub lead: BodyId,
    /// Its name.
    pub lead_name: String,
    /// What is asked about the applicant's situation (情形引导).
    pub questions: Vec<Situation>,
    /// The matters it consists of.
    pub items: Vec<Item>,
    /// The one form for all of them (一表申请).
    pub fields: Vec<FormField>,
    /// Working days from receipt that are promised for the whole.
    pub promised_days: u16,
    /// Where this entry was taken from.
    pub source: String,
    /// Whether the authority confirmed the entry. Everything else is shown as not official.
    pub verified: bool,
}

/// A question about the situation that chooses items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Situation {
    /// By which answers and conditions name it.
    pub id: String,
    /// The question.
    pub text: String,
    /// The answers there are.
    pub options: Vec<Choice>,
}

/// An answer to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// By which answers and conditions name it.
    pub id: String,
    /// The answer.
    pub text: String,
}

/// A matter of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The matter.
    pub matter: MatterCode,
    /// It is part of the application if one of these is the answer; always, if there is none.
    pub when: Vec<Condition>,
    /// The items, by their place in the list, whose results it needs.
    pub after: Vec<u8>,
}

/// An answer that brings an item in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Condition {
    /// The question's id.
    pub question: String,
    /// The option's id.
    pub option: String,
}

/// A field of the one form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormField {
    /// Its name in the application.
    pub name: String,
    /// What people read.
    pub label: String,
    /// Whether an application that has one of its items needs it.
    pub required: bool,
    /// The items, by their place in the list, that may read it.
    pub items: Vec<u8>,
}

/// An item of an application, and the tasks before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The item's place in the list.
    pub item: u8,
    /// One bit for each task of the application, from the lowest: those whose results it needs.
    pub after: u32,
}

/// Why answers or items do not make an application. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotChosen {
    /// A question has no answer.
    #[error("the question {0} is not answered")]
    Unanswered(String),
    /// There is no such question, or no such answer to it.
    #[error("{question} has no answer {option}")]
    NoSuchAnswer {
        /// The question's id.
        question: String,
        /// The option's id.
        option: String,
    },
    /// No item is left by these answers.
    #[error("no item is part of it by these answers")]
    Nothing,
    /// Items out of order, unknown ones, or one missing that is always part of it.
    #[error("these are no items of one application")]
    Items,
}

impl Bundle {
    /// Whether the entry agrees with itself.
    pub fn check(&self) -> Result<(), Unlisted> {
        if ![&self.name, &self.lead_name].into_iter().all(|text| named(text)) {
            return Err(Unlisted::Name);
        }
        if self.promised_days == 0 {
            return Err(Unlisted::Promise);
        }
        self.questions_fit()?;
        self.items_fit()?;
        self.fields_fit()
    }

    fn questions_fit(&self) -> Result<(), Unlisted> {
        let distinct = |ids: Vec<&String>, most: usize| {
            let short = ids.iter().all(|id| ident(id));
            short && ids.len() <= most && ids.iter().collect::<BTreeSet<_>>().len() == ids.len()
        };
        let asked = distinct(self.questions.iter().map(|it| &it.id).collect(), BUNDLE_QUESTIONS_MAX);
        let answered = self.questions.iter().all(|question| {
            let options = distinct(question.options.iter().map(|it| &it.id).collect(), BUNDLE_OPTIONS_MAX);
            let read = named(&question.text) && question.options.iter().all(|it| named(&it.text));
            options && read && !question.options.is_empty()
        });
        if asked && answered { Ok(()) } else { Err(Unlisted::Questions) }
    }

    fn items_fit(&self) -> Result<(), Unlisted> {
        let matters: BTreeSet<_> = self.items.iter().map(|item| &item.matter).collect();
        if self.items.is_empty() || self.items.len() > BUNDLE_ITEMS_MAX || matters.len() != self.items.len() {
            return Err(Unlisted::Items);
        }
        let met = |it: &Condition| self.option(&it.question, &it.option).is_some();
        if !self.items.iter().all(|item| item.when.len() <= BUNDLE_OPTIONS_MAX && item.when.iter().all(met)) {
            return Err(Unlisted::Questions);
        }
        if self.items.iter().all(|item| self.places_fit(&item.after)) && self.has_no_circle() {
            Ok(())
        } else {
            Err(Unlisted::Order)
        }
    }

    /// Places of items, each once.
    fn places_fit(&self, places: &[u8]) -> bool {
        let distinct: BTreeSet<_> = places.iter().collect();
        distinct.len() == places.len() && places.iter().all(|place| self.item(*place).is_some())
    }

    /// Takes away, again and again, what stands after nothing that is left.
    fn has_no_circle(&self) -> bool {
        let mut left: BTreeMap<u8, &[u8]> =
            (0_u8..).zip(self.items.iter().map(|item| item.after.as_slice())).collect();
        loop {
            let before = left.len();
            let done: Vec<u8> = left
                .iter()
                .filter(|(_, after)| !after.iter().any(|it| left.contains_key(it)))
                .map(|(place, _)| *place)
                .collect();
            left.retain(|place, _| !done.contains(place));
            if left.is_empty() || left.len() == before {
                return left.is_empty();
            }
        }
    }

    fn fields_fit(&self) -> Result<(), Unlisted> {
        let names: BTreeSet<_> = self.fields.iter().map(|field| &field.name).collect();
        let fits = |field: &FormField| {
            let used = !field.items.is_empty() && self.places_fit(&field.items);
            // An answer and a field of one name would be taken for each other where they are sealed together.
            let own = !self.questions.iter().any(|question| question.id == field.name);
            ident(&field.name) && own && named(&field.label) && used
        };
        let few = self.fields.len() <= BUNDLE_FIELDS_MAX && names.len() == self.fields.len();
        if few && self.fields.iter().all(fits) { Ok(()) } else { Err(Unlisted::Form) }
    }

    /// The item at a place.
    pub fn item(&self, place: u8) -> Option<&Item> {
        self.items.get(usize::from(place))
    }

    fn option(&self, question: &str, option: &str) -> Option<&Choice> {
        let asked = self.questions.iter().find(|it| it.id == question)?;
        asked.options.iter().find(|it| it.id == option)
    }

    /// The items that answers bring in, ascending. Every question has one answer.
    pub fn choose(&self, answers: &BTreeMap<String, String>) -> Result<Vec<u8>, NotChosen> {
        for (question, option) in answers {
            let (question, option) = (question.clone(), option.clone());
            self.option(&question, &option).ok_or(NotChosen::NoSuchAnswer { question, option })?;
        }
        if let Some(open) = self.questions.iter().find(|it| !answers.contains_key(&it.id)) {
            return Err(NotChosen::Unanswered(open.id.clone()));
        }
        let given = |it: &Condition| answers.get(&it.question) == Some(&it.option);
        let places = (0_u8..).zip(&self.items);
        let chosen = places.filter(|(_, item)| item.when.is_empty() || item.when.iter().any(given));
        let chosen: Vec<u8> = chosen.map(|(place, _)| place).collect();
        if chosen.is_empty() { Err(NotChosen::Nothing) } else { Ok(chosen) }
    }

    /// The tasks of an application with these items, each with those before it. An item that is left out hands on what it
    /// stands after.
    pub fn plan(&self, chosen: &[u8]) -> Result<Vec<Planned>, NotChosen> {
        let ascending = chosen.windows(2).all(|pair| pair.first() < pair.last());
        let known = chosen.iter().all(|place| self.item(*place).is_some());
        let always = (0_u8..).zip(&self.items).filter(|(_, item)| item.when.is_empty());
        let whole = always.into_iter().all(|(place, _)| chosen.contains(&place));
        if !ascending || !known || !whole || chosen.is_empty() {
            return Err(NotChosen::Items);
        }
        Ok(chosen.iter().map(|item| Planned { item: *item, after: self.before(*item, chosen) }).collect())
    }

    fn before(&self, item: u8, chosen: &[u8]) -> u32 {
        let (mut bits, mut seen) = (0, BTreeSet::new());
        let mut look: Vec<u8> = self.item(item).map(|it| it.after.clone()).unwrap_or_default();
        while let Some(place) = look.pop() {
            if !seen.insert(place) {
                continue;
            }
            match (0_u32..).zip(chosen).find(|(_, chosen)| **chosen == place) {
                Some((task, _)) => bits |= 1_u32.checked_shl(task).unwrap_or(0),
                None => look.extend(self.item(place).map(|it| it.after.as_slice()).unwrap_or_default()),
            }
        }
        bits
    }

    /// The names of the fields that an item may read.
    pub fn fields_of(&self, item: u8) -> impl Iterator<Item = &FormField> {
        self.fields.iter().filter(move |field| field.items.contains(&item))
    }
}

/// A word that stands in conditions, command lines and applications.
fn ident(word: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=BUNDLE_NAME_MAX).contains(&word.len()) && word.chars().all(fits)
}
