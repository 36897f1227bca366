//! How a case may end, and the words of the law that acts carry in their facts.

use serde::{Deserialize, Serialize};

/// How a case ended (办结结果). The codes 0 to 7 are those of the provincial exchange tables, `up_pro_result.result_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Ending {
    /// A certificate was made (出证办结).
    Certified,
    /// Not accepted, the application goes back (退回办结).
    Returned,
    /// Withdrawn by the applicant, or opened by mistake (作废办结).
    Void,
    /// Taken off the desk: a duplicate, a test (删除办结). The log stays, as of every case.
    Removed,
    /// An authority outside of the city goes on with it (转报办结).
    Referred,
    /// What was missing never came (补正不来办结).
    NotSupplemented,
    /// Decided (办结).
    Decided,
    /// Finished on paper, outside of this system (纸质办结).
    OnPaper,
}

impl Ending {
    /// Every ending, by its national code.
    pub const ALL: [Self; 8] = [
        Self::Certified,
        Self::Returned,
        Self::Void,
        Self::Removed,
        Self::Referred,
        Self::NotSupplemented,
        Self::Decided,
        Self::OnPaper,
    ];

    /// Its code, 0 to 7.
    pub const fn code(self) -> u8 {
        match self {
            Self::Certified => 0,
            Self::Returned => 1,
            Self::Void => 2,
            Self::Removed => 3,
            Self::Referred => 4,
            Self::NotSupplemented => 5,
            Self::Decided => 6,
            Self::OnPaper => 7,
        }
    }

    /// A stable word, for logs, JSON and catalogues.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Certified => "certified",
            Self::Returned => "returned",
            Self::Void => "void",
            Self::Removed => "removed",
            Self::Referred => "referred",
            Self::NotSupplemented => "not-supplemented",
            Self::Decided => "decided",
            Self::OnPaper => "on-paper",
        }
    }
}

/// The endings that a clerk states, because no other act brings them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Closing {
    /// What was missing never came (补正不来).
    NotSupplemented,
    /// Opened by mistake (作废).
    Void,
    /// A duplicate or a test (删除).
    Removed,
    /// Finished on paper (纸质办结).
    OnPaper,
}

impl Closing {
    /// Every one of them.
    pub const ALL: [Self; 4] = [Self::NotSupplemented, Self::Void, Self::Removed, Self::OnPaper];

    /// How the case has ended then.
    pub const fn ending(self) -> Ending {
        match self {
            Self::NotSupplemented => Ending::NotSupplemented,
            Self::Void => Ending::Void,
            Self::Removed => Ending::Removed,
            Self::OnPaper => Ending::OnPaper,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|closing| closing.ending().code() == code)
    }
}

/// Why an application is not accepted (不予受理), 行政许可法 article 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NotAccepted {
    /// Nothing has to be applied for (32(1)).
    NotNeeded,
    /// It is not this authority's to decide; the notice names the one whose it is (32(2)).
    OtherAuthority,
    /// It does not meet what the law asks of an application.
    NotEligible,
}

impl NotAccepted {
    /// Every ground.
    pub const ALL: [Self; 3] = [Self::NotNeeded, Self::OtherAuthority, Self::NotEligible];

    /// A stable word, for logs, JSON and catalogues.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotNeeded => "not-needed",
            Self::OtherAuthority => "other-authority",
            Self::NotEligible => "not-eligible",
        }
    }

    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::NotNeeded => 1,
            Self::OtherAuthority => 2,
            Self::NotEligible => 3,
        }
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|ground| ground.byte() == byte)
    }
}

/// A special procedure (特别程序) whose time is not counted, 行政许可法 article 45. In the exchange tables all of them are
/// `special_type` 2 (GB/T 39046-2020 list A.7); 1 is an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Procedure {
    /// 听证.
    Hearing,
    /// 招标.
    Tender,
    /// 拍卖.
    Auction,
    /// 检验.
    Inspection,
    /// 检测.
    Testing,
    /// 检疫.
    Quarantine,
    /// 鉴定.
    Appraisal,
    /// 专家评审.
    ExpertReview,
}

impl Procedure {
    /// Every procedure.
    pub const ALL: [Self; 8] = [
        Self::Hearing,
        Self::Tender,
        Self::Auction,
        Self::Inspection,
        Self::Testing,
        Self::Quarantine,
        Self::Appraisal,
        Self::ExpertReview,
    ];

    /// A stable word, for logs, JSON and catalogues.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hearing => "hearing",
            Self::Tender => "tender",
            Self::Auction => "auction",
            Self::Inspection => "inspection",
            Self::Testing => "testing",
            Self::Quarantine => "quarantine",
            Self::Appraisal => "appraisal",
            Self::ExpertReview => "expert-review",
        }
    }

    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::Hearing => 1,
            Self::Tender => 2,
            Self::Auction => 3,
            Self::Inspection => 4,
            Self::Testing => 5,
            Self::Quarantine => 6,
            Self::Appraisal => 7,
            Self::ExpertReview => 8,
        }
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|procedure| procedure.byte() == byte)
    }
}
