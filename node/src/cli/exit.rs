//! Exit codes. Stable: scripts rest on them.

use std::process::ExitCode;

use crate::ops::Problem;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Failed; the message says why.
    Failed,
    /// Called wrongly.
    Usage,
    /// No node is running, or its socket is not for this user.
    NotRunning,
    /// There is no such thing, or a short name fits several.
    NotFound,
    /// Refused by a rule: role, right, signature, state.
    Refused,
    /// Somebody else changed it first.
    Stale,
    /// Done, and there are warnings.
    Warnings,
    /// Checked, and there are errors.
    Errors,
}

impl Exit {
    /// The number a script sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotRunning => 3,
            Self::NotFound => 4,
            Self::Refused => 5,
            Self::Stale => 6,
            Self::Warnings => 7,
            Self::Errors => 8,
        }
    }

    /// How a command ends that met this problem.
    pub fn of(problem: &Problem) -> Self {
        let code = problem.code.as_str();
        let exact = EXACT.iter().find(|(known, _)| *known == code);
        let family = || FAMILIES.iter().find(|(family, _)| code.starts_with(family));
        exact.or_else(family).map_or(Self::Failed, |(_, exit)| *exit)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

const EXACT: [(&str, Exit); 28] = [
    ("node.not_running", Exit::NotRunning),
    ("node.socket_not_permitted", Exit::NotRunning),
    ("call.not_permitted", Exit::Refused),
    ("case.unknown", Exit::NotFound),
    ("case.ambiguous", Exit::NotFound),
    ("case.too_large", Exit::Failed),
    ("export.unknown_case", Exit::NotFound),
    ("audit.unknown_event", Exit::NotFound),
    ("audit.not_yet", Exit::Failed),
    ("matter.unknown", Exit::NotFound),
    ("hall.unknown", Exit::NotFound),
    ("draft.unknown", Exit::NotFound),
    ("draft.none", Exit::NotFound),
    ("home.clerk_key_missing", Exit::NotFound),
    ("clerk.unknown", Exit::Refused),
    ("post.no_stick", Exit::NotFound),
    ("post.nothing_here", Exit::NotFound),
    ("post.stick_full", Exit::Failed),
    ("post.directory_moved", Exit::Stale),
    ("home.in_recovery", Exit::Refused),
    ("home.not_empty", Exit::Refused),
    ("backup.not_a_backup", Exit::Refused),
    ("backup.other_version", Exit::Refused),
    ("backup.cut_short", Exit::Refused),
    ("backup.damaged", Exit::Refused),
    ("backup.unsound", Exit::Refused),
    ("record.old", Exit::Stale),
    ("record.fork", Exit::Stale),
];

const FAMILIES: [(&str, Exit); 14] = [
    ("usage.", Exit::Usage),
    ("clerk.", Exit::Refused),
    ("act.", Exit::Refused),
    ("case.", Exit::Refused),
    ("route.", Exit::Refused),
    ("hall.", Exit::Refused),
    ("lists.no_calendar", Exit::Refused),
    ("lists.division_", Exit::Refused),
    ("declare.", Exit::Refused),
    ("recovery.", Exit::Refused),
    ("record.", Exit::Refused),
    ("post.", Exit::Refused),
    ("verify.", Exit::Refused),
    ("audit.", Exit::Refused),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_end_with_the_documented_code() {
        let code = |name: &str| Exit::of(&Problem::new(name)).code();
        assert_eq!(code("node.not_running"), 3);
        assert_eq!(code("case.unknown"), 4);
        assert_eq!(code("clerk.role"), 5);
        assert_eq!(code("declare.lives"), 5);
        assert_eq!(code("recovery.nothing"), 5);
        assert_eq!(code("call.not_permitted"), 5);
        assert_eq!(code("route.no_right"), 5);
        assert_eq!(code("lists.division_swapped"), 5);
        assert_eq!(code("backup.damaged"), 5);
        assert_eq!(code("backup.not_written"), 1);
        assert_eq!(code("home.in_recovery"), 5);
        assert_eq!(code("record.old"), 6);
        assert_eq!(code("usage.value"), 2);
        assert_eq!(code("file.unreadable"), 1);
    }
}
