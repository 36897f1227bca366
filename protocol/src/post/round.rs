//! One destination's sending: when its oldest letters are repeated.

use serde::{Deserialize, Serialize};

use crate::ids::HallId;
use crate::limits::{REPEAT_LATEST_MS, RETRY_FIRST_MS};

/// One destination's sending.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Round {
    /// When the next letters go, or the oldest are repeated; none while there is no way.
    pub(super) due: Option<u64>,
    /// Ticks from which the oldest are repeated.
    pub(super) repeat_at: u64,
    /// Ticks at which the oldest were sent last.
    pub(super) began: u64,
    pub(super) pause: u64,
    pub(super) cursor: u64,
    pub(super) under_way: usize,
}

impl Round {
    /// Ticks at which the oldest are repeated, after something was sent or answered now. Answers to newer letters put it
    /// off only for a while: else a few lost letters would keep the window all but full for as long as others wait.
    /// Longer pauses are shortened by up to a quarter, each destination by its own: what fell silent at once does not come
    /// back at once.
    pub(super) fn repeats(&self, now: u64, to: HallId) -> u64 {
        let repeats = now.saturating_add(self.pause).saturating_sub(self.spread(now, to));
        if self.pause > RETRY_FIRST_MS {
            repeats
        } else {
            repeats.min(self.began.saturating_add(REPEAT_LATEST_MS))
        }
    }

    fn spread(&self, now: u64, to: HallId) -> u64 {
        // Fibonacci hashing: the upper bits of the product are as good as drawn.
        let mixed = (now ^ to.to_u64()).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let most = if self.pause > RETRY_FIRST_MS { self.pause / 4 } else { 0 };
        mixed.checked_rem(most).unwrap_or(0)
    }
}
