//! The fingerprint of a city's root, as people read it to each other on the telephone.

use hallmesh_protocol::ids::Digest;

/// Crockford's base 32: no I, L, O and U, so that nothing is read for something else.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Of the digest's 32 bytes: what nobody can find a second root for.
const BYTES: usize = 20;
const CHARACTERS: usize = 32;
const GROUP: usize = 4;

/// The first 20 bytes of a digest, as eight groups of four characters.
pub fn fingerprint(digest: &Digest) -> String {
    let characters = characters(digest);
    let groups: Vec<&str> = (0..CHARACTERS)
        .step_by(GROUP)
        .filter_map(|start| characters.get(start..start.saturating_add(GROUP)))
        .collect();
    groups.join("-")
}

/// Whether what somebody typed is the fingerprint of `digest`, or the whole digest in hexadecimal. Case,
/// spaces, dashes and full-width forms do not matter; every character must be there.
pub fn matches(text: &str, digest: &Digest) -> bool {
    let typed = text.chars().map(half_width).filter(|character| !is_separator(*character));
    let typed: String = typed.map(|character| character.to_ascii_uppercase()).collect();
    typed.eq_ignore_ascii_case(&digest.to_string())
        || typed.chars().map(as_meant).eq(characters(digest).chars())
}

fn characters(digest: &Digest) -> String {
    let bytes: Vec<u8> = digest.0.iter().copied().take(BYTES).collect();
    bytes.chunks(5).flat_map(eight).collect()
}

/// Five bytes in eight characters.
fn eight(chunk: &[u8]) -> impl Iterator<Item = char> {
    let bits = chunk.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    [35, 30, 25, 20, 15, 10, 5, 0].into_iter().filter_map(move |shift: u32| {
        let place = usize::try_from(bits >> shift & 0x1f).ok()?;
        ALPHABET.get(place).copied().map(char::from)
    })
}

/// Chinese input methods write letters and digits in their full width.
fn half_width(character: char) -> char {
    const OFFSET: u32 = 0xfee0;
    match character {
        '\u{ff01}'..='\u{ff5e}' => {
            u32::from(character).checked_sub(OFFSET).and_then(char::from_u32).unwrap_or(character)
        }
        other => other,
    }
}

fn is_separator(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '-' | ':' | '.' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn as_meant(character: char) -> char {
    match character {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_eight_groups_of_four() {
        assert_eq!(fingerprint(&Digest([0; 32])), "0000-0000-0000-0000-0000-0000-0000-0000");
        assert_eq!(fingerprint(&Digest([0xff; 32])), "ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ");
        let mut counted = [0; 32];
        (0..).zip(counted.iter_mut()).for_each(|(value, byte)| *byte = value);
        assert_eq!(fingerprint(&Digest(counted)), "000G-40R4-0M30-E209-185G-R38E-1W81-24GK");
    }

    #[test]
    fn what_people_type_is_understood() {
        let digest = Digest([0x08; 32]);
        let text = fingerprint(&digest);
        assert!(matches(&text, &digest));
        assert!(matches(&text.to_lowercase().replace('-', " "), &digest));
        assert!(matches(&text.replace('-', ""), &digest));
        assert!(matches(&text.replace('0', "o").replace('1', "l"), &digest));
        let wide =
            |c: char| if c.is_ascii_graphic() { char::from_u32(u32::from(c) + 0xfee0).unwrap() } else { c };
        assert!(matches(&text.chars().map(wide).collect::<String>(), &digest));
        assert!(matches(&digest.to_string(), &digest));
    }

    #[test]
    fn less_than_all_of_it_is_not_enough() {
        let digest = Digest([0x08; 32]);
        let text = fingerprint(&digest);
        for wrong in ["", "-", &text[..34], &format!("{text}0"), &fingerprint(&Digest([9; 32]))] {
            assert!(!matches(wrong, &digest), "{wrong}");
        }
        assert!(!matches(&digest.to_string()[..62], &digest));
    }
}
