//! Base64 (RFC 4648, section 4): one form of each text, nothing forgiven.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PADDING: char = '=';

/// The text of `bytes`.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    text.extend(bytes.chunks(3).flat_map(four));
    text
}

/// The bytes of `text`, if it is what [`encode`] would write.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    for group in text.as_bytes().chunks(4) {
        let (mut bits, mut digits) = (0_u32, 0_usize);
        for character in group.iter().filter(|character| char::from(**character) != PADDING) {
            bits = bits << 6 | value(*character)?;
            digits = digits.saturating_add(1);
        }
        let (shift, count) = match digits {
            4 => (0, 3),
            3 => (6, 2),
            2 => (12, 1),
            _ => return None,
        };
        let [_, three @ ..] = (bits << shift).to_be_bytes();
        bytes.extend(three.into_iter().take(count));
    }
    (encode(&bytes) == text).then_some(bytes)
}

/// Three bytes or fewer in four characters.
fn four(chunk: &[u8]) -> [char; 4] {
    let byte = |place: usize| chunk.get(place).copied().unwrap_or_default();
    let bits = u32::from_be_bytes([0, byte(0), byte(1), byte(2)]);
    let digit = |place: usize, shift: u32| {
        if place <= chunk.len() { symbol(bits >> shift) } else { PADDING }
    };
    [digit(0, 18), digit(1, 12), digit(2, 6), digit(3, 0)]
}

fn symbol(bits: u32) -> char {
    let place = usize::try_from(bits & 0x3f).unwrap_or_default();
    ALPHABET.get(place).copied().map_or(PADDING, char::from)
}

fn value(character: u8) -> Option<u32> {
    let place = ALPHABET.iter().position(|symbol| *symbol == character)?;
    u32::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_standard() {
        let vectors = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (bytes, text) in vectors.into_iter().chain([("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy")]) {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()));
        }
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all)), Some(all));
    }

    #[test]
    fn every_second_form_is_refused() {
        for text in
            ["Zg", "Zg=", "Zh==", "Zg==Zg==", "=Zg=", "Zm9v\n", "Zm9 ", "Z", "====", "Zm9-", "Zm9\u{e9}"]
        {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
