//! What follows when it changes who is a hall: other neighbours and mirrors, cases that go on, keys that a thief has.

use super::{Node, next_version};
use crate::cases;
use crate::directory::{self, Directory};
use crate::ids::CaseId;
use crate::record::{Body, Issuer, Space};
use crate::signed::Verified;
use crate::step::{Cx, Output};

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
        if let Some((after, asked)) = self.renewing.take().filter(|_| !self.is_rolled_back(cx)) {
            self.go_on_renewing(cx, after, asked);
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
        if self.renewing.is_none() && cases::needs_renewing(cx) {
            self.renewing = Some((None, false));
        }
    }

    fn go_on_renewing(&mut self, cx: &mut Cx<'_>, after: Option<CaseId>, before: bool) {
        let (next, asked) = cases::renew_exposed(&mut self.office(cx), after);
        if next.is_none() && !before && !asked {
            cases::end_of_renewing(cx);
        }
        self.renewing = next.map(|next| (Some(next), before || asked));
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
