//! Ed25519 public keys as `openssl` reads them.

use hallmesh_protocol::seal::PublicKey;

/// The head of an Ed25519 key's `SubjectPublicKeyInfo` (RFC 8410); the 32 bytes of the key follow.
const HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The key in PEM.
pub(super) fn pem(key: &PublicKey) -> String {
    let der = [HEAD.as_slice(), key.as_bytes()].concat();
    let body: String = der.chunks(3).flat_map(four).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
}

/// Up to three bytes in four characters.
fn four(bytes: &[u8]) -> impl Iterator<Item = char> {
    let bits =
        (0..3).fold(0_u32, |bits, place| bits << 8 | bytes.get(place).map_or(0, |byte| u32::from(*byte)));
    let filled = bytes.len();
    [18_u32, 12, 6, 0].into_iter().enumerate().filter_map(move |(place, shift)| {
        if place > filled {
            return Some('=');
        }
        let symbol = usize::try_from(bits >> shift & 63).ok()?;
        ALPHABET.get(symbol).copied().map(char::from)
    })
}
