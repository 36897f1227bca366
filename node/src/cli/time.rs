//! Moments and spans as people in a hall write them: Shanghai time, no fractions.

use std::time::{SystemTime, UNIX_EPOCH};

use hallmesh_protocol::calendar::CivilDay;

use crate::texts::{self, Texts};

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Milliseconds since 1970. A clock before that is a dead battery.
pub(super) fn wall() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// `2026-11-24 09:10:44`, from milliseconds since 1970.
pub(super) fn moment(wall: u64) -> String {
    format!("{} {}", day(wall), texts::clock(wall))
}

/// `2026-11-24`, from milliseconds since 1970.
pub(super) fn day(wall: u64) -> String {
    CivilDay::of_wall(wall).to_string()
}

/// A span in its two largest units.
pub(super) fn span(texts: &Texts, ms: u64) -> String {
    let (days, hours) = (ms / DAY_MS, ms / HOUR_MS % 24);
    let (minutes, seconds) = (ms / MINUTE_MS % 60, ms / SECOND_MS % 60);
    if days > 0 {
        texts.filled("span.days", &[("days", &days), ("hours", &hours)])
    } else if hours > 0 {
        texts.filled("span.hours", &[("hours", &hours), ("minutes", &minutes)])
    } else if minutes > 0 {
        texts.filled("span.minutes", &[("minutes", &minutes), ("seconds", &seconds)])
    } else {
        texts.filled("span.seconds", &[("seconds", &seconds)])
    }
}

/// Whole days from one moment to a later one; none if it has passed.
pub(super) fn days_until(now: u64, then: u64) -> Option<u64> {
    then.checked_sub(now).map(|left| left / DAY_MS)
}

/// A size in the unit that reads best.
pub(super) fn bytes(count: u64) -> String {
    match count {
        0..KIB => format!("{count} B"),
        KIB..MIB => format!("{} KiB", count / KIB),
        MIB..GIB => format!("{} MiB", count / MIB),
        GIB.. => format!("{} GiB", count / GIB),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Lang;

    #[test]
    fn a_moment_is_told_in_shanghai() {
        assert_eq!(moment(0), "1970-01-01 08:00:00");
        assert_eq!(moment(1_795_482_644_000), "2026-11-24 09:10:44");
        assert_eq!(moment(1_795_450_000_000), "2026-11-24 00:06:40");
    }

    #[test]
    fn a_span_has_two_units_at_most() {
        let texts = Texts::new(Lang::En);
        assert_eq!(span(&texts, 59_999), "59 s");
        assert_eq!(span(&texts, 61_000), "1 min 1 s");
        assert_eq!(span(&texts, 3 * HOUR_MS + 12 * MINUTE_MS), "3 h 12 min");
        assert_eq!(span(&texts, 2 * DAY_MS + HOUR_MS), "2 d 1 h");
    }

    #[test]
    fn sizes_are_rounded_down() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(2 << 30), "2 GiB");
        assert_eq!(bytes((1 << 30) - 1), "1023 MiB");
    }

    #[test]
    fn a_past_day_is_none() {
        assert_eq!(days_until(0, DAY_MS), Some(1));
        assert_eq!(days_until(1, 0), None);
    }
}
