//! 容缺受理: accepted though something is missing that the list lets follow, against the applicant's written promise.

use serde::{Deserialize, Serialize};

use super::fold::{Case, NotAllowed};
use super::law::Article;
use super::moment::{Moment, Span};

/// What may follow after acceptance (容缺后补).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lacking {
    /// From acceptance until it is there.
    pub span: Span,
    /// Working days that the applicant has for it.
    pub days: u16,
}

impl Case {
    /// Whether something is still to follow that was missing at acceptance (容缺).
    pub fn still_lacks(&self) -> bool {
        self.lacking.is_some_and(|lacking| lacking.span.to.is_none())
    }

    pub(super) fn accepted(&mut self, now: Moment) {
        self.answered(now);
        self.accepted = Some(now);
    }

    pub(super) fn supplied(&mut self, now: Moment) -> Result<(), NotAllowed> {
        let lacking = self.lacking.as_mut().filter(|lacking| lacking.span.to.is_none());
        let lacking = lacking.ok_or(NotAllowed::WrongState(Article::Acceptance))?;
        lacking.span.to = Some(now);
        Ok(())
    }
}
