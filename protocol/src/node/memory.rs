//! A node's memory as bytes, so that a recording can begin in the middle of its life.

use std::collections::BTreeMap;

use super::twins::Starts;
use super::upkeep::Renewing;
use super::{Me, Node, Peer};
use crate::cases::{EarlyReceipts, Mirrors, Receipt};
use crate::chance::Chance;
use crate::clerks::Acts;
use crate::exchange::Exchange;
use crate::ids::HallId;
use crate::limits::FRAME_MAX;
use crate::post::Post;
use crate::signed::Signed;
use crate::timekeeper::Timekeeper;
use crate::wire::{self, Malformed};

/// Every field of a node but who it is, and what can be looked up in its rows.
type Memory = (
    ([u8; 32], u128),
    BTreeMap<HallId, Peer>,
    Acts,
    Exchange,
    Post,
    Vec<Signed<Receipt>>,
    Mirrors,
    (Timekeeper, Option<u64>),
    (u64, Starts),
    (bool, bool, [Option<Vec<u8>>; 3], Option<Renewing>),
);

impl Node {
    /// What it has in memory and not in rows. Neither its key nor anything of a case's content is in it.
    pub fn memory(&self) -> Vec<u8> {
        wire::encode(&(
            self.chance.place(),
            &self.peers,
            &self.acts,
            &self.exchange,
            &self.post,
            self.early.carried(),
            self.mirrors,
            (&self.time, self.time_told),
            (self.next_heartbeat, &self.starts),
            (
                self.directory_moved,
                self.halls_moved,
                [&self.looking, &self.sending, &self.starting],
                &self.renewing,
            ),
        ))
    }

    /// A node that goes on where another one's memory was taken: for the replay of a recording. A node that starts
    /// is opened from its rows.
    pub fn resume(me: Me, memory: &[u8]) -> Result<Self, Malformed> {
        let memory: Memory = wire::decode_own(memory, FRAME_MAX * 2)?;
        let (place, peers, acts, exchange, post, early, mirrors, time, (next_heartbeat, starts), moved) =
            memory;
        let [looking, sending, starting] = moved.2;
        Ok(Self {
            me,
            chance: Chance::at_place(place),
            peers,
            acts,
            exchange,
            post,
            early: EarlyReceipts::taken_up(early),
            mirrors,
            time: time.0,
            time_told: time.1,
            next_heartbeat,
            starts,
            roots: None,
            directory_moved: moved.0,
            halls_moved: moved.1,
            looking,
            sending,
            starting,
            renewing: moved.3,
        })
    }
}
