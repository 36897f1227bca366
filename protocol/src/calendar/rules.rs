//! The numbers of the law that are the same for every matter: signed with the calendar, since laws change them.

use serde::{Deserialize, Serialize};

/// Time limits that do not depend on the matter, in working days. A case keeps the ones that were in force when it was
/// taken in: they stand in the calendar that it pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TimeRules {
    /// From receipt until the applicant is told what becomes of the application; after that it counts as accepted
    /// (行政许可法 32).
    pub notice_days: u16,
    /// What an applicant has for what is missing, before the case may be closed. No national number: the city sets it.
    pub correction_days: u16,
    /// The most that an applicant may be given for what may follow after acceptance (容缺后补). The city sets it.
    pub supply_days: u16,
    /// The most by which a decision may be put off, once (行政许可法 42).
    pub extension_days: u16,
    /// From a decision on a promise until what was promised is checked (告知承诺). About two months by practice: the city sets it.
    pub check_days: u16,
    /// From the decision until the result is in the applicant's hand (行政许可法 44).
    pub delivery_days: u16,
    /// A limit with no more days left than these is shown to supervision (黄牌预警). Practice, not law: the city sets it.
    pub warning_days: u16,
}

impl TimeRules {
    /// The most working days any of them may be: about two years.
    pub const DAYS_MAX: u16 = 500;

    /// 5, 10 and 10 days of the Administrative Licensing Law as it stands, 20 for the applicant each time, and a warning two days before.
    pub const STATUTORY: Self = Self {
        notice_days: 5,
        correction_days: 20,
        supply_days: 20,
        extension_days: 10,
        check_days: 40,
        delivery_days: 10,
        warning_days: 2,
    };

    /// Whether each is at least one day and none beyond reason.
    pub fn are_sound(&self) -> bool {
        let applicant = [self.correction_days, self.supply_days];
        let authority = [self.notice_days, self.extension_days, self.delivery_days, self.warning_days];
        let mut all = applicant.into_iter().chain(authority).chain([self.check_days]);
        all.all(|days| (1..=Self::DAYS_MAX).contains(&days))
    }
}

impl Default for TimeRules {
    fn default() -> Self {
        Self::STATUTORY
    }
}
