//! Figures as people read them.

use crate::plan::{HOUR, MINUTE, SECOND};

/// A number with its thousands apart.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len().saturating_sub(at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number that may have its last digits cut off, as on an axis.
pub(super) fn short_count(number: u64) -> String {
    match number {
        0..10_000 => count(number),
        10_000..1_000_000 => scaled(number, 1_000, "k"),
        1_000_000.. => scaled(number, 1_000_000, "M"),
    }
}

/// Bytes in the unit that fits.
pub(super) fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => scaled(bytes, 1_000, " kB"),
        1_000_000..1_000_000_000 => scaled(bytes, 1_000_000, " MB"),
        1_000_000_000.. => scaled(bytes, 1_000_000_000, " GB"),
    }
}

/// Milliseconds in the unit that fits.
pub(super) fn time(milliseconds: u64) -> String {
    match milliseconds {
        0..SECOND => format!("{milliseconds} ms"),
        SECOND..MINUTE => scaled(milliseconds, SECOND, " s"),
        MINUTE..HOUR => two(milliseconds, (MINUTE, " min"), (SECOND, " s")),
        HOUR.. => two(milliseconds, (HOUR, " h"), (MINUTE, " min")),
    }
}

/// What fits before the end of a text; what is cut off shows.
pub(super) fn at_most(text: &str, letters: usize) -> String {
    let mut kept: String = text.chars().take(letters).collect();
    if kept.len() < text.len() {
        kept.push('\u{2026}');
    }
    kept
}

/// In a unit, with a tenth where that says something.
fn scaled(number: u64, unit: u64, name: &str) -> String {
    let tenths = number.saturating_mul(10).checked_div(unit).unwrap_or(0);
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{}{name}", count(whole)),
        (whole @ 0..100, tenth) => format!("{whole}.{tenth}{name}"),
        (whole, _) => format!("{}{name}", count(whole)),
    }
}

fn two(milliseconds: u64, (large, large_name): (u64, &str), (small, small_name): (u64, &str)) -> String {
    let whole = milliseconds.checked_div(large).unwrap_or(0);
    let rest = milliseconds.checked_rem(large).and_then(|rest| rest.checked_div(small)).unwrap_or(0);
    let head = format!("{}{large_name}", count(whole));
    if rest == 0 { head } else { format!("{head} {rest}{small_name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!([0, 999, 1_000, 12_345_678].map(count), ["0", "999", "1,000", "12,345,678"]);
        assert_eq!([9_999, 12_300, 450_000, 2_000_000].map(short_count), ["9,999", "12.3k", "450k", "2M"]);
        assert_eq!([12, 1_500, 250_900, 3_000_000].map(bytes), ["12 B", "1.5 kB", "250 kB", "3 MB"]);
        assert_eq!([0, 850, 1_240, 59_999].map(time), ["0 ms", "850 ms", "1.2 s", "59.9 s"]);
        assert_eq!([60_000, 200_000, 7_500_000].map(time), ["1 min", "3 min 20 s", "2 h 5 min"]);
        assert_eq!((at_most("abc", 3), at_most("abcd", 3)), ("abc".to_owned(), "abc\u{2026}".to_owned()));
    }
}
