//! Bytes as hexadecimal digits and back, strictly: two digits a byte and nothing else.

/// Bytes as lower-case digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect()
}

/// The bytes of a text of digits.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0; text.len().checked_div(2)?];
    unhex_into(text.as_bytes(), &mut bytes).map(|()| bytes)
}

/// Fills a buffer whose length is known, which may be one that is wiped. On failure its content means nothing.
pub(crate) fn unhex_into(text: &[u8], bytes: &mut [u8]) -> Option<()> {
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() != bytes.len() {
        return None;
    }
    // Not `from_str_radix`, which takes a sign.
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(unhex(&hex(&all)).unwrap(), all);
        assert_eq!((hex(&[0, 0xaf]), unhex("00AF")), ("00af".to_owned(), Some(vec![0, 0xaf])));
        assert_eq!((hex(&[]), unhex("")), (String::new(), Some(Vec::new())));
    }

    #[test]
    fn only_whole_pairs_of_digits_are_taken() {
        for text in ["0", "+1", "-1", "1 ", " 1", "0x", "g0", "000", "\u{661}"] {
            assert_eq!(unhex(text), None, "{text}");
        }
        assert_eq!(unhex_into(b"0011", &mut [0; 1]), None);
    }
}
