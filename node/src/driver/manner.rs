//! How a node uses the machine it is on: alone on a hall's computer, or as one of very many in one process.

use crate::net::Settings;
use crate::store::CACHE_BYTES;

/// What redb may keep in memory where nodes are many: the system's own cache holds the files for all of them.
const CROWDED_CACHE_BYTES: usize = 128 * 1024;
/// Handshakes, and guests, from one address within one window, where all halls are behind the same one.
const CROWDED_RATE: u32 = 4_096;

/// Bytes collected before a line writes, where there are thousands of lines.
const CROWDED_WRITE_BUFFER: usize = 4 * 1024;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// What redb may keep in memory.
    pub(crate) cache_bytes: usize,
    /// Whether room is set aside for a disk that others fill.
    pub(crate) ballast: bool,
    /// Whether all other halls are on this machine, in this process.
    crowded: bool,
}

impl Manner {
    /// As on a hall's own computer.
    pub(crate) const fn alone() -> Self {
        Self { cache_bytes: CACHE_BYTES, ballast: true, crowded: false }
    }

    /// As one of a whole city.
    pub(crate) const fn crowded() -> Self {
        Self { cache_bytes: CROWDED_CACHE_BYTES, ballast: false, crowded: true }
    }

    /// All halls come from one address, and what the process holds is not this node's alone: bounds that are for one
    /// hall's computer would shut the others out.
    pub(crate) fn of_lines(self, settings: &mut Settings) {
        if self.crowded {
            settings.handshakes_per_ip = CROWDED_RATE;
            settings.guests_per_ip = CROWDED_RATE;
            settings.memory_max = usize::MAX;
            settings.write_buffer = CROWDED_WRITE_BUFFER;
        }
    }
}
