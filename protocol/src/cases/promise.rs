//! 告知承诺: accepted on the applicant's written promise in the place of what the list lets be promised, decided at once, and
//! checked afterwards. Whoever promised what is not so loses what was granted (国办发〔2020〕42号).

use serde::{Deserialize, Serialize};

use super::fold::{Case, NotAllowed};
use super::law::Article;
use super::moment::Moment;
use super::state::State;

/// An acceptance on a promise, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// When the promise was found true.
    pub checked: Option<Moment>,
}

impl Case {
    /// Whether what was promised is still to be checked: it was granted for it, and that stands.
    pub fn owes_check(&self) -> bool {
        let unchecked = self.promise.is_some_and(|promise| promise.checked.is_none());
        unchecked && self.granted == Some(true) && self.revoked.is_none()
    }

    /// Whether nothing is owed any more: the citizen has what it led to, and what was promised for it is checked.
    pub fn is_over(&self) -> bool {
        self.state.is_over() && !self.owes_check()
    }

    pub(super) fn promised(&mut self, now: Moment) {
        self.accepted(now);
        self.promise = Some(Promise { checked: None });
    }

    /// What was promised is so.
    pub(super) fn found_true(&mut self, now: Moment) -> Result<(), NotAllowed> {
        if !self.owes_check() {
            return Err(NotAllowed::WrongState(Article::Promise));
        }
        self.promise = Some(Promise { checked: Some(now) });
        Ok(())
    }

    /// What was promised is not so: the decision is undone.
    pub(super) fn found_false(&mut self, now: Moment) -> Result<(), NotAllowed> {
        if !self.owes_check() {
            return Err(NotAllowed::WrongState(Article::Undoing));
        }
        self.lapses(now);
        Ok(())
    }

    /// That it was decided, and how, stays in the log; it counts no longer.
    pub(super) fn lapses(&mut self, at: Moment) {
        (self.revoked, self.certificate_owed) = (Some(at), false);
        self.state = State::Revoked;
    }

    /// The result is in the citizen's hand, or the word that it counts no longer.
    pub(super) fn handed_out(&mut self, at: Moment) -> Result<(), NotAllowed> {
        if self.certificate_owed {
            return Err(NotAllowed::WrongState(Article::Certificate));
        }
        if self.delivered.is_some() {
            self.revocation_told = Some(at);
        } else {
            self.delivered = Some(at);
        }
        Ok(())
    }
}
