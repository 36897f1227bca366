//! What would be lost with this disk, what is final, and whom letters do not reach.

use hallmesh_protocol::cases::{self, Grade, Stage};
use hallmesh_protocol::ids::{CaseId, HallAt};
use hallmesh_protocol::post::{self, Destination};
use hallmesh_protocol::query::{self, CaseView};
use serde::{Deserialize, Serialize};

use super::Problem;
use super::questions::{Asked, name};

/// Halls whose letters are overdue that are named in one answer; more are counted.
const OVERDUE_NAMED_MAX: usize = 5;
/// Destinations looked at in one page.
const DESTINATIONS_PAGE: usize = 1_000;

/// A mirror of a case, as this hall knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// The hall's code.
    pub hall: String,
    /// Its name.
    pub name: String,
    /// Events that it has signed for.
    pub events: u32,
    /// Whether that is the whole log as it stands here.
    pub whole: bool,
}

/// How a decision stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// `provisional` or `countersigned`.
    pub standing: String,
    /// The code of the hall that has countersigned.
    pub hall: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Whether the matter lets a hall hand the result out while it is provisional.
    pub offline: bool,
}

impl Standing {
    /// Whether one disk alone stands behind the decision.
    pub fn is_provisional(&self) -> bool {
        self.hall.is_none()
    }
}

/// A case in this hall's hand that no mirror keeps up to its head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Single {
    /// Its id.
    pub id: String,
    /// Its number.
    pub number: String,
    /// How far it has come: a stable word.
    pub state: String,
    /// This hall's part in it.
    pub stage: String,
    /// Milliseconds since 1970 since when.
    pub since: u64,
    /// Its mirrors, and how much of it each has signed for.
    pub copies: Vec<Copy>,
}

/// A hall for which letters have waited longer than they may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overdue {
    /// Its code.
    pub hall: String,
    /// Its name.
    pub name: String,
    /// How many letters wait for it.
    pub waiting: u64,
    /// Milliseconds since 1970 since when the oldest of the overdue ones waits.
    pub since: u64,
}

/// The mirrors of a case, and how much of it each has signed for to this hall.
pub(super) fn copies(asked: &Asked<'_>, view: &CaseView) -> Vec<Copy> {
    let signed = query::copies(asked.view, &view.case);
    let copy = |at: HallAt| {
        let receipt = signed.iter().map(|receipt| receipt.value()).find(|said| said.by == at);
        Copy {
            hall: at.hall.to_string(),
            name: name(asked.view, at.hall),
            events: receipt.map_or(0, |said| said.sequence.saturating_add(1)),
            whole: receipt.is_some_and(|said| said.head == view.case.head),
        }
    };
    view.case.mirrors.into_iter().flatten().map(copy).collect()
}

/// How the decision of a case stands; none before it is decided.
pub(super) fn standing(asked: &Asked<'_>, view: &CaseView) -> Option<Standing> {
    let offline = view.matter.as_ref().is_some_and(|pinned| pinned.matter.offline_decision);
    let (word, by) = match query::standing(asked.view, &view.case)? {
        cases::Standing::Provisional => ("provisional", None),
        cases::Standing::Countersigned(by) => ("countersigned", Some(by.hall)),
    };
    Some(Standing {
        standing: word.to_owned(),
        hall: by.map(|hall| hall.to_string()),
        name: by.map(|hall| name(asked.view, hall)),
        offline,
    })
}

/// Cases that go with this disk if it goes now, longest first, after a mark; and the mark of the next page.
pub(super) fn singles(
    asked: &Asked<'_>,
    after: Option<&str>,
    count: usize,
) -> Result<(Vec<Single>, Option<String>), Problem> {
    let after =
        after.map(|mark| read_mark(mark).ok_or_else(|| Problem::new("post.bad_mark").with("mark", mark)));
    let page = query::single_copies(asked.view, after.transpose()?, count);
    let next = page.last().filter(|_| page.len() >= count).map(|(since, id)| format!("{since}-{id}"));
    let single = |(since, id): (u64, CaseId)| {
        let view = query::case(asked.view, id)?;
        Some(Single {
            id: id.to_string(),
            number: view.case.number.to_string(),
            state: view.case.state.word().to_owned(),
            stage: view.custody.map_or(Stage::None, |custody| custody.stage).word().to_owned(),
            since,
            copies: copies(asked, &view),
        })
    };
    Ok((page.into_iter().filter_map(single).collect(), next))
}

fn read_mark(mark: &str) -> Option<(u64, CaseId)> {
    let (since, id) = mark.split_once('-')?;
    Some((since.parse().ok()?, id.parse().ok()?))
}

/// Since when the oldest case is on this disk only.
pub(super) fn single_since(asked: &Asked<'_>) -> Option<u64> {
    query::single_copies(asked.view, None, 1).first().map(|(since, _)| *since)
}

/// How many halls letters do not reach in time, and those that wait longest.
pub(super) fn overdue(asked: &Asked<'_>) -> (usize, Vec<Overdue>) {
    let mut found = overdue_destinations(asked.view, asked.wall, asked.live.patience);
    let count = found.len();
    found.sort_by_key(|(since, _)| *since);
    found.truncate(OVERDUE_NAMED_MAX);
    let named = |(since, destination): (u64, Destination)| Overdue {
        hall: destination.to.to_string(),
        name: name(asked.view, destination.to),
        waiting: destination.waiting,
        since,
    };
    (count, found.into_iter().map(named).collect())
}

/// Every hall for which letters have waited longer than they may, each with since when.
pub(crate) fn overdue_destinations(
    view: &dyn hallmesh_protocol::step::View,
    wall: u64,
    patience: post::Patience,
) -> Vec<(u64, Destination)> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = post::destinations(view, after, DESTINATIONS_PAGE);
        let Some(last) = page.last() else { return found };
        after = Some(last.to);
        found.extend(page.into_iter().filter_map(|it| Some((it.overdue(wall, patience)?, it))));
    }
}

/// Whether nothing is to be waited for: a second hall keeps all of the case, or it has gone on.
pub(crate) fn is_kept_elsewhere(view: &CaseView) -> bool {
    let custody = view.custody;
    custody.is_none_or(|it| it.grade == Grade::D2 || !matches!(it.stage, Stage::Custodian | Stage::Handing))
}
