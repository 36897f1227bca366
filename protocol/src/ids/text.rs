//! Strict readers of short ASCII texts.

use super::Malformed;

/// Exactly `N` characters, each allowed at its place (counted from 1).
pub(super) fn ascii<const N: usize>(
    text: &str,
    expected: &'static str,
    allowed: impl Fn(usize, char) -> bool,
) -> Result<[u8; N], Malformed> {
    let found = text.chars().count();
    if found != N {
        return Err(Malformed::Length { expected, found });
    }
    let mut bytes = [0; N];
    for ((place, character), byte) in (1..).zip(text.chars()).zip(&mut bytes) {
        *byte = u8::try_from(character)
            .ok()
            .filter(|byte| byte.is_ascii() && allowed(place, character))
            .ok_or(Malformed::Character { place, found: character })?;
    }
    Ok(bytes)
}

/// The text of bytes that [`ascii`] admitted.
#[expect(clippy::expect_used, reason = "only ASCII is ever stored, see `ascii`")]
pub(super) fn as_str(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("only ASCII is ever stored")
}

/// Nothing but decimal digits.
pub(super) fn digits(text: &str) -> Result<(), Malformed> {
    allow_only(text, |_, character| character.is_ascii_digit())
}

/// Every character allowed at its place (counted from 1).
pub(super) fn allow_only(text: &str, allowed: impl Fn(usize, char) -> bool) -> Result<(), Malformed> {
    match (1..).zip(text.chars()).find(|&(place, character)| !allowed(place, character)) {
        Some((place, found)) => Err(Malformed::Character { place, found }),
        None => Ok(()),
    }
}

/// A number written the one way: no sign, no leading zero.
pub(super) fn decimal(text: &str, what: &'static str) -> Result<u32, Malformed> {
    digits(text)?;
    if text.len() > 1 && text.starts_with('0') {
        return Err(Malformed::Character { place: 1, found: '0' });
    }
    text.parse().ok().ok_or(Malformed::Range { what })
}

/// `N` bytes from twice as many lower-case hexadecimal digits.
pub(super) fn unhex<const N: usize>(text: &str, expected: &'static str) -> Result<[u8; N], Malformed> {
    let length = Malformed::Length { expected, found: text.chars().count() };
    let mut places = (1..).zip(text.chars());
    let mut bytes = [0; N];
    for byte in &mut bytes {
        let high = nibble(places.next().ok_or(length)?)?;
        let low = nibble(places.next().ok_or(length)?)?;
        *byte = (high << 4) | low;
    }
    places.next().map_or(Ok(bytes), |_| Err(length))
}

fn nibble((place, found): (usize, char)) -> Result<u8, Malformed> {
    found
        .to_digit(16)
        .filter(|_| !found.is_ascii_uppercase())
        .and_then(|digit| u8::try_from(digit).ok())
        .ok_or(Malformed::Character { place, found })
}

/// The check character at the end must be the one that fits the rest.
pub(super) fn ends_in(text: &str, expected: char) -> Result<(), Malformed> {
    match text.chars().last() {
        Some(found) if found != expected => Err(Malformed::Check { expected, found }),
        Some(_) | None => Ok(()),
    }
}
