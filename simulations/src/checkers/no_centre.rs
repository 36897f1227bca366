//! No centre (P4): a hall whose machine runs answers its own people, whoever else is dead or cut off.

use std::collections::BTreeMap;

use hallmesh_protocol::step::Ticket;

use crate::station::Seat;

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

    /// The answer came.
    pub fn answered(&mut self, ticket: Ticket) {
        self.waiting.remove(&ticket);
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
        check.answered(Ticket(1));
        check.hung_up(2);
        assert_eq!(check.ended().len(), 1);
    }
}
