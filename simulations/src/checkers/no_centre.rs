//! No centre (P4): a hall whose machine runs answers its own people, whoever else is dead or cut off.

use std::collections::BTreeMap;

use hallmesh_protocol::step::Ticket;

use crate::plan::SECOND;
use crate::station::Seat;

/// Milliseconds until an answer, at the most: a commit and a busy processor, never a line.
const ANSWER_MAX: u64 = 2 * SECOND;

/// What people wait for.
#[derive(Debug, Default)]
pub struct NoCentre {
    waiting: BTreeMap<Ticket, (Seat, u64)>,
}

impl NoCentre {
    /// Somebody asked, and the machine took it.
    pub fn asked(&mut self, at: u64, seat: Seat, ticket: Ticket) {
        self.waiting.insert(ticket, (seat, at));
    }

    /// The answer came. What is wrong if it came late.
    pub fn answered(&mut self, at: u64, ticket: Ticket) -> Option<String> {
        let (seat, asked) = self.waiting.remove(&ticket)?;
        let took = at.saturating_sub(asked);
        (took > ANSWER_MAX).then(|| format!("hall {seat} answered its own people after {took} ms"))
    }

    /// A machine slept: the time does not count.
    pub fn slept(&mut self, seat: Seat, milliseconds: u64) {
        for (_, asked) in self.waiting.values_mut().filter(|(at, _)| *at == seat) {
            *asked = asked.saturating_add(milliseconds);
        }
    }

    /// The process ended: its people ask again another time.
    pub fn hung_up(&mut self, seat: Seat) {
        self.waiting.retain(|_, (at, _)| *at != seat);
    }

    /// Who still waits for an answer when all is quiet.
    pub fn ended(&self) -> Vec<String> {
        let waiting = self.waiting.values();
        waiting.map(|(seat, at)| format!("hall {seat} never answered what it was asked at {at} ms")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_question_without_an_answer_is_seen() {
        let mut check = NoCentre::default();
        for number in 1..=3 {
            check.asked(5, usize::try_from(number).unwrap_or(0), Ticket(number));
        }
        assert_eq!(check.answered(9, Ticket(1)), None);
        check.hung_up(2);
        assert_eq!(check.ended().len(), 1);
        check.slept(3, 60_000);
        assert_eq!(check.answered(61_000, Ticket(3)), None);
        check.asked(0, 1, Ticket(4));
        assert!(check.answered(61_000, Ticket(4)).is_some());
    }
}
