//! One content key, sealed to one hall: HPKE (RFC 9180) in base mode.
//!
//! KEM 0x647a X-Wing (ML-KEM-768 and X25519: what is recorded today stays closed to a quantum computer
//! later), KDF 0x0011 SHAKE256 (the one registered with it in draft-ietf-hpke-pq), AEAD 0x0003
//! ChaCha20-Poly1305. Each wrap has its own encapsulation and seals one message. Base mode does not say who
//! wrapped: a signature over the wrap does.

use std::fmt;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::KdfShake256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

use super::Forged;
use super::content::ContentKey;
use crate::chance::Chance;
use crate::fixed;

/// Bytes of a wrapping public key: 1184 of ML-KEM-768, 32 of X25519.
pub const WRAP_PUBLIC_BYTES: usize = 1_216;
/// Bytes of one encapsulation: 1088 of ML-KEM-768, 32 of X25519.
pub const ENCAPSULATED_BYTES: usize = 1_120;
/// Bytes of a sealed content key: 32 of the key, 16 of the tag.
pub const WRAPPED_KEY_BYTES: usize = 48;
/// Bytes of `info` at the most; HPKE itself cannot take 64 KiB.
pub const WRAP_INFO_MAX: usize = 1_024;

/// The public key that content keys are wrapped to. Its length and its ML-KEM part are checked when made
/// and when decoded (FIPS 203, 7.2). Encoded in 1216 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct WrapPublic(Box<[u8; WRAP_PUBLIC_BYTES]>);

impl WrapPublic {
    /// The key in these bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, Forged> {
        let bytes: [u8; WRAP_PUBLIC_BYTES] = bytes.try_into().ok().ok_or(Forged::WrongLength)?;
        <XWing as Kem>::PublicKey::from_bytes(&bytes).ok().ok_or(Forged::InvalidKey)?;
        Ok(Self(Box::new(bytes)))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; WRAP_PUBLIC_BYTES] {
        &self.0
    }
}

impl fmt::Debug for WrapPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrapPublic(")?;
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

impl Serialize for WrapPublic {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        fixed::serialize(&self.0, to)
    }
}

impl<'de> Deserialize<'de> for WrapPublic {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let bytes: [u8; WRAP_PUBLIC_BYTES] = fixed::deserialize(from)?;
        Self::new(&bytes).map_err(de::Error::custom)
    }
}

/// The private half, grown from 32 bytes. Wiped from memory when dropped, never printed, never encoded.
pub struct WrapSecret(Box<<XWing as Kem>::PrivateKey>);

impl WrapSecret {
    /// The key that grows from `seed`.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        #[expect(clippy::expect_used, reason = "every 32 bytes are a private key of X-Wing")]
        let key = <XWing as Kem>::PrivateKey::from_bytes(&*seed).expect("32 bytes");
        Self(Box::new(key))
    }

    /// What to save: all there is to the key.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        let mut seed = Zeroizing::new([0; 32]);
        self.0.write_exact(&mut *seed);
        seed
    }

    /// The public half.
    pub fn public(&self) -> WrapPublic {
        let mut bytes = Box::new([0; WRAP_PUBLIC_BYTES]);
        XWing::sk_to_pk(&self.0).write_exact(&mut *bytes);
        WrapPublic(bytes)
    }
}

impl fmt::Debug for WrapSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrapSecret(..)")
    }
}

/// A content key that only one hall can unwrap. Encoded in 1168 bytes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrapped {
    /// What the recipient needs to find the shared secret.
    #[serde(with = "boxed")]
    pub encapsulated: Box<[u8; ENCAPSULATED_BYTES]>,
    /// The sealed content key.
    #[serde(with = "fixed")]
    pub ciphertext: [u8; WRAPPED_KEY_BYTES],
}

impl fmt::Debug for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wrapped(..)")
    }
}

/// A new pair.
pub fn wrap_keypair(chance: &mut Chance) -> (WrapSecret, WrapPublic) {
    let seed = Zeroizing::new(chance.bytes32());
    let secret = WrapSecret::from_seed(*seed);
    let public = secret.public();
    (secret, public)
}

/// Wraps `key` for the holder of the private half of `to`, who must name the same `info` and `aad`.
pub fn wrap_key(
    to: &WrapPublic,
    info: &[u8],
    aad: &[u8],
    key: &ContentKey,
    chance: &mut Chance,
) -> Result<Wrapped, Forged> {
    check_info(info)?;
    let to = <XWing as Kem>::PublicKey::from_bytes(to.as_bytes()).ok().ok_or(Forged::InvalidKey)?;
    let sealed = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, KdfShake256, XWing>(
        &OpModeS::Base,
        &to,
        info,
        key.as_bytes(),
        aad,
        chance,
    );
    let (encapsulated, ciphertext) = sealed.ok().ok_or(Forged::InvalidKey)?;
    let mut wrapped = Box::new([0; ENCAPSULATED_BYTES]);
    encapsulated.write_exact(&mut *wrapped);
    let ciphertext = ciphertext.try_into().ok().ok_or(Forged::WrongLength)?;
    Ok(Wrapped { encapsulated: wrapped, ciphertext })
}

/// The key in `wrapped`, if it was wrapped for this holder with this `info` and `aad`.
pub fn unwrap_key(
    secret: &WrapSecret,
    info: &[u8],
    aad: &[u8],
    wrapped: &Wrapped,
) -> Result<ContentKey, Forged> {
    check_info(info)?;
    let encapsulated = <XWing as Kem>::EncappedKey::from_bytes(&*wrapped.encapsulated);
    let opened = hpke::single_shot_open::<ChaCha20Poly1305, KdfShake256, XWing>(
        &OpModeR::Base,
        &secret.0,
        &encapsulated.ok().ok_or(Forged::WrongLength)?,
        info,
        &wrapped.ciphertext,
        aad,
    );
    let opened = Zeroizing::new(opened.ok().ok_or(Forged::NotOpened)?);
    let key: [u8; 32] = opened.as_slice().try_into().ok().ok_or(Forged::WrongLength)?;
    Ok(ContentKey::from_bytes(key))
}

fn check_info(info: &[u8]) -> Result<(), Forged> {
    if info.len() <= WRAP_INFO_MAX { Ok(()) } else { Err(Forged::WrongLength) }
}

/// [`fixed`] behind a box: the bytes are the same, the stack is not.
mod boxed {
    use serde::{Deserializer, Serializer};

    use crate::fixed;

    pub(super) fn serialize<S: Serializer, const N: usize>(
        bytes: &[u8; N],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        fixed::serialize(bytes, to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        from: D,
    ) -> Result<Box<[u8; N]>, D::Error> {
        fixed::deserialize(from).map(Box::new)
    }
}
