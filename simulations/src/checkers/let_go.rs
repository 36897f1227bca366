//! Let go: a giver that no longer needs its copy has handed the case to a hall that took it, and the case lies on
//! two disks as it was taken.

use hallmesh_protocol::cases::{Facts, Header};
use hallmesh_protocol::ids::HallId;

/// Looks at halls that let go of a case.
#[derive(Debug)]
pub struct LetGo;

impl LetGo {
    /// `giver`, who knows so many events of a case with this log, says it may let go of it; `copies` says how many halls
    /// keep so many events at least. What is wrong with that?
    pub fn check(
        giver: HallId,
        (known, log): (u32, &[Header]),
        copies: impl Fn(u32) -> usize,
    ) -> Option<String> {
        let is_own = |header: &Header| header.sequence < known && header.at.hall == giver;
        let given = log.iter().rfind(|header| is_own(header) && is_transfer(header))?;
        let Facts::Transfer { to, .. } = given.facts else { return None };
        let (case, next) = (given.case, given.sequence.saturating_add(1));
        let follows = usize::try_from(next).ok().and_then(|index| log.get(index));
        let taken = |header: &Header| match header.facts {
            Facts::Take { .. } => header.at == to,
            Facts::Succeed { from, .. } => from == to,
            Facts::Receive { .. }
            | Facts::Transfer { .. }
            | Facts::Resume { .. }
            | Facts::Act(_)
            | Facts::ReplaceMirror { .. }
            | Facts::Reassign { .. }
            | Facts::RenewKey { .. }
            | Facts::Task(_)
            | Facts::Start { .. }
            | Facts::Unknown { .. } => false,
        };
        if !follows.is_some_and(taken) {
            return Some(format!("case {case}: {giver} let go before {to} took it"));
        }
        let copies = copies(next.saturating_add(1));
        (copies < 2).then(|| format!("case {case}: {giver} let go, {copies} disks have what {to} took"))
    }
}

fn is_transfer(header: &Header) -> bool {
    matches!(header.facts, Facts::Transfer { .. })
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::cases::Purpose;

    use super::super::lawful_log::tests::{COUNTY, TOWN, at, event, receive};
    use super::*;

    #[test]
    fn letting_go_too_early_is_seen() {
        let transfer = Facts::Transfer { to: at(COUNTY), purpose: Purpose::Decide, mirrors: [None, None] };
        let take = Facts::Take { witness: at(TOWN) };
        let given = vec![event(TOWN, 0, receive()), event(TOWN, 1, transfer)];
        let taken = [given.clone(), vec![event(COUNTY, 2, take)]].concat();
        let town = at(TOWN).hall;
        assert_eq!(LetGo::check(town, (3, &taken), |_| 2), None);
        assert!(LetGo::check(town, (3, &taken), |events| if events < 3 { 2 } else { 1 }).is_some());
        assert!(LetGo::check(town, (2, &given), |_| 2).is_some());
    }
}
