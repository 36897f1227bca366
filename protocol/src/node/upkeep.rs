//! What follows when it changes who is a hall: other neighbours and mirrors, cases that go on, keys that a thief has.

use serde::{Deserialize, Serialize};

use super::{Node, next_version};
use crate::cases;
use crate::directory::{self, Directory};
use crate::ids::CaseId;
use crate::limits::RENEWALS_APART_MS;
use crate::record::{Body, Issuer, Space};
use crate::signed::Verified;
use crate::step::{Cx, Output};

/// A round over the desk after a theft.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Renewing {
    /// The last note when it began.
    since: u64,
    /// Where it goes on.
    after: Option<CaseId>,
    /// Whether it has asked for a new key.
    asked: bool,
    /// Ticks at which it goes on.
    pub(super) due: u64,
}

impl Node {
    pub(super) fn keep_up_with_directory(&mut self, cx: &mut Cx<'_>) {
        if self.halls_moved && !self.is_rolled_back(cx) {
            self.bear_witness(cx);
        }
        if std::mem::take(&mut self.halls_moved) {
            let halls = Directory::new(cx).places();
            let mut mirrors = directory::mirrors(self.me.at.hall, &halls).into_iter();
            self.mirrors = [mirrors.next(), mirrors.next()];
            cx.output(Output::Keep(directory::neighbours(self.me.at.hall, &halls)));
            self.sending = Some(Vec::new());
            self.looking = Some(Vec::new());
            self.begin_renewing(cx);
        }
        if let Some(from) = self.sending.take().filter(|_| !self.is_rolled_back(cx)) {
            self.sending = cases::send_stuck(&mut self.office(cx), &from);
        }
        if let Some(from) = self.starting.take().filter(|_| !self.is_rolled_back(cx)) {
            self.starting = cases::start_waiting(&mut self.office(cx), &from);
        }
        // One that has forgotten goes on for nobody: that is for its next life.
        if let Some(from) = self.looking.take().filter(|_| !self.is_rolled_back(cx)) {
            self.looking = cases::look_after_ended(&mut self.office(cx), &from);
        }
        if std::mem::take(&mut self.directory_moved) {
            cx.output(Output::RosterChanged);
        }
    }

    /// What has to be looked at again after a record was taken up.
    pub(super) fn note_moved(&mut self, body: &Body) {
        self.halls_moved |= moves_halls(body);
        // A decision of which this hall had no version may need no second hall after all.
        if matches!(body, Body::Matter(matter) if matter.offline_decision) {
            self.starting = Some(Vec::new());
        }
    }

    /// States what a majority of the counties says, where this hall is one of them: from then on it stands.
    fn bear_witness(&mut self, cx: &mut Cx<'_>) {
        let me = self.me.at;
        let heard =
            Directory::new(cx).heard_by(me.hall).into_iter().map(|heard| Body::Heard(Box::new(heard)));
        let records = heard.map(|body| next_version(cx, Issuer::Hall(me), body));
        let records: Vec<_> = records.map(|record| Verified::own(record, &self.me.key)).collect();
        let fresh = self.take_up(cx, Space::Directory, &records);
        self.tell(cx, Space::Directory, &fresh, None);
    }

    /// A round of what a stolen machine can open, if there may be anything: after a theft, and until a round finds nothing.
    pub(super) fn begin_renewing(&mut self, cx: &Cx<'_>) {
        let Some(since) = cases::noted_thefts(cx).filter(|_| self.renewing.is_none()) else { return };
        self.renewing = Some(Renewing { since, after: None, asked: false, due: cx.now.ticks });
    }

    /// The next page of the round under way. Pages keep a distance, so that everything else has its turn, and the shell has
    /// drawn keys for one before it is asked for more.
    pub(super) fn go_on_renewing(&mut self, cx: &mut Cx<'_>) {
        let due = |it: &mut Renewing| it.due <= cx.now.ticks;
        let Some(round) = self.renewing.take_if(due).filter(|_| !self.is_rolled_back(cx)) else { return };
        let (next, asked) = cases::renew_exposed(&mut self.office(cx), round.after);
        let asked = round.asked || asked;
        if next.is_none() && !asked {
            cases::end_of_renewing(cx, round.since);
        }
        let due = cx.now.ticks.saturating_add(RENEWALS_APART_MS);
        self.renewing = next.map(|next| Renewing { after: Some(next), asked, due, ..round });
    }
}

/// Whether a record may change who is one of us, who goes on for whom, or for whose word is waited.
const fn moves_halls(body: &Body) -> bool {
    matches!(
        body,
        Body::Charter(_)
            | Body::Revocation(_)
            | Body::Ruling(_)
            | Body::Destruction(_)
            | Body::Voice(_)
            | Body::Heard(_)
    )
}
