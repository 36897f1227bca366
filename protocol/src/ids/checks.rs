//! Check characters. Callers admit only characters of the alphabet in question; others would count as zero.

/// Alphabet of GB 32100: no I, O, S, V, Z.
pub(super) const USCC: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
const ALPHANUMERIC: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The 18th character of a unified social credit code (GB 32100-2015), from the first 17: weights 3^i mod 31.
pub(super) fn uscc(first17: &str) -> char {
    const WEIGHTS: [u32; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
    symbol(USCC, negated(weighted(first17, USCC, &WEIGHTS), 31))
}

/// The ninth character of an organisation code (GB 11714), from the first eight.
pub(super) fn organisation(first8: &str) -> char {
    const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    symbol("0123456789X", negated(weighted(first8, ALPHANUMERIC, &WEIGHTS), 11))
}

/// The 18th character of a citizen's number (GB 11643), from the first 17.
pub(super) fn citizen(first17: &str) -> char {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    symbol("10X98765432", weighted(first17, ALPHANUMERIC, &WEIGHTS) % 11)
}

/// ISO 7064 MOD 37,36 (hybrid) over the letters and digits of `text`; separators do not count.
#[expect(clippy::arithmetic_side_effects, reason = "every intermediate stays below 2 * 37")]
pub(super) fn mod_37_36(text: &str) -> char {
    let last = text.chars().filter_map(|character| value(ALPHANUMERIC, character)).fold(36, |p, v| {
        let sum = (p + v) % 36;
        let doubled = 2 * if sum == 0 { 36 } else { sum };
        doubled % 37
    });
    symbol(ALPHANUMERIC, (37 - last) % 36)
}

#[expect(clippy::arithmetic_side_effects, reason = "at most 17 products below 36 * 31")]
fn weighted(text: &str, alphabet: &str, weights: &[u32]) -> u32 {
    text.chars()
        .zip(weights)
        .filter_map(|(character, weight)| Some(value(alphabet, character)? * weight))
        .sum()
}

/// −`sum` modulo `modulus`.
#[expect(clippy::arithmetic_side_effects, reason = "a remainder is below its modulus, 11 or 31")]
fn negated(sum: u32, modulus: u32) -> u32 {
    (modulus - sum % modulus) % modulus
}

fn value(alphabet: &str, character: char) -> Option<u32> {
    (0..).zip(alphabet.chars()).find_map(|(value, symbol)| (symbol == character).then_some(value))
}

#[expect(clippy::expect_used, reason = "every check is reduced modulo the length of its alphabet")]
fn symbol(alphabet: &str, value: u32) -> char {
    let found = (0..).zip(alphabet.chars()).find_map(|(at, symbol)| (at == value).then_some(symbol));
    found.expect("reduced modulo the length of the alphabet")
}
