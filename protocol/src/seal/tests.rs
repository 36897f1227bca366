//! Each promise of this folder, and each way to break it.

use ed25519_dalek::{Signer, SigningKey, Verifier, VerifyingKey};
use sha2::{Digest, Sha256};

use super::*;
use crate::chance::Chance;

const OTHER: Context = Context::new(b"hallmesh/v1/other");

fn chance() -> Chance {
    Chance::from_seed([7; 32])
}

fn hex<const N: usize>(text: &str) -> [u8; N] {
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    assert!(odd.is_empty());
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex");
    pairs.iter().map(|pair| byte(pair)).collect::<Vec<_>>().try_into().expect("N bytes")
}

fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("into memory");
        text
    })
}

fn suites() -> Vec<Suite> {
    vec![
        Suite::One,
        #[cfg(feature = "toy-suite")]
        Suite::Toy,
    ]
}

fn encode<T: serde::Serialize>(value: &T) -> Vec<u8> {
    let settings = bincode::config::standard().with_fixed_int_encoding();
    bincode::serde::encode_to_vec(value, settings).expect("encodes")
}

fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let settings = bincode::config::standard().with_fixed_int_encoding();
    let (value, consumed) = bincode::serde::decode_from_slice(bytes, settings).ok()?;
    (consumed == bytes.len()).then_some(value)
}

mod contexts {
    use super::*;

    #[test]
    fn a_message_is_the_padded_label_and_the_bytes() {
        let message = message(Context::EVENT, b"bytes");
        assert_eq!(&message[..17], b"hallmesh/v1/event");
        assert_eq!(message[17..32], [0; 15]);
        assert_eq!(&message[32..], b"bytes");
    }

    #[test]
    fn digests_are_what_an_auditor_recomputes_from_the_message() {
        let message = message(Context::RECORD, b"bytes");
        let sha256: [u8; 32] = Sha256::digest(&message).into();
        assert_eq!(digest(Context::RECORD, b"bytes"), sha256);
        assert_eq!(blake(Context::RECORD, b"bytes"), *blake3::hash(&message).as_bytes());
        assert_ne!(digest(Context::RECORD, b"bytes"), digest(OTHER, b"bytes"));
        assert_ne!(blake(Context::RECORD, b"bytes"), blake(OTHER, b"bytes"));
    }

    #[test]
    fn no_two_contexts_are_equal() {
        let all = std::collections::BTreeSet::from([
            Context::EVENT,
            Context::RECORD,
            Context::RECEIPT,
            Context::ACT,
            Context::REQUEST,
            Context::INVITATION,
            Context::ROOT_POLICY,
        ]);
        assert_eq!(all.len(), 7);
    }

    #[test]
    #[should_panic(expected = "at most 32 bytes")]
    fn a_label_that_does_not_fit_is_refused() {
        let _context = Context::new(&[b'a'; 33]);
    }

    #[test]
    #[should_panic(expected = "not padding")]
    fn a_label_that_could_be_mistaken_for_a_shorter_one_is_refused() {
        let _context = Context::new(b"hallmesh\0");
    }
}

mod signatures {
    use super::*;

    #[test]
    fn rfc_8032_vector_1() {
        let seed = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let public = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        assert_eq!(SecretKey::from_seed(Suite::One, seed).public().as_bytes(), &public);

        let signature = SigningKey::from_bytes(&seed).sign(b"").to_bytes();
        let expected = concat!(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155",
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        );
        assert_eq!(to_hex(&signature), expected);
    }

    #[test]
    fn a_signature_is_plain_ed25519_over_context_and_bytes() {
        let key = SecretKey::from_seed(Suite::One, [9; 32]);
        let plain = SigningKey::from_bytes(&[9; 32]).sign(&message(Context::EVENT, b"header"));
        assert_eq!(sign(&key, Context::EVENT, b"header").0, plain.to_bytes());
    }

    #[test]
    fn a_signature_holds_for_its_key_context_and_bytes_only() {
        for suite in suites() {
            let key = SecretKey::from_seed(suite, [1; 32]);
            let other = SecretKey::from_seed(suite, [2; 32]);
            let signature = sign(&key, Context::EVENT, b"header");
            let check = |key: &SecretKey, context, bytes| verify(&key.public(), context, bytes, &signature);
            assert_eq!(check(&key, Context::EVENT, b"header"), Ok(()));
            assert_eq!(check(&key, OTHER, b"header"), Err(Forged::WrongSignature));
            assert_eq!(check(&key, Context::EVENT, b"headed"), Err(Forged::WrongSignature));
            assert_eq!(check(&other, Context::EVENT, b"header"), Err(Forged::WrongSignature));
        }
    }

    #[test]
    fn any_flipped_bit_is_refused() {
        for suite in suites() {
            let key = SecretKey::from_seed(suite, [1; 32]);
            let signature = sign(&key, Context::EVENT, b"header");
            for bit in 0..512 {
                let mut changed = signature;
                changed.0[bit / 8] ^= 1 << (bit % 8);
                let refused = verify(&key.public(), Context::EVENT, b"header", &changed);
                assert_eq!(refused, Err(Forged::WrongSignature), "bit {bit}");
            }
        }
    }

    #[test]
    fn a_second_form_of_a_signature_is_refused() {
        // S + L in place of S: the same number modulo the order L of the group, so loose verifiers take it.
        let order: [u8; 32] = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        let key = SecretKey::from_seed(Suite::One, [1; 32]);
        let mut signature = sign(&key, Context::EVENT, b"header");
        let mut carry = 0_u16;
        for (byte, add) in signature.0[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = u8::try_from(sum & 0xff).expect("a byte");
            carry = sum >> 8;
        }
        assert_eq!(carry, 0);
        let refused = verify(&key.public(), Context::EVENT, b"header", &signature);
        assert_eq!(refused, Err(Forged::WrongSignature));
    }

    #[test]
    fn keys_of_small_order_are_refused() {
        // The identity as key and as R with S = 0 is a valid loose signature of every message.
        let identity = hex("0100000000000000000000000000000000000000000000000000000000000000");
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&identity);
        let loose = VerifyingKey::from_bytes(&identity).expect("a point");
        assert!(loose.verify(b"anything", &ed25519_dalek::Signature::from_bytes(&signature)).is_ok());

        assert_eq!(PublicKey::new(Suite::One, identity), Err(Forged::InvalidKey));
        let order_8 = hex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a");
        assert_eq!(PublicKey::new(Suite::One, order_8), Err(Forged::InvalidKey));
    }

    #[test]
    fn keys_off_the_curve_or_in_a_second_encoding_are_refused() {
        let off = hex("0200000000000000000000000000000000000000000000000000000000000000");
        assert_eq!(PublicKey::new(Suite::One, off), Err(Forged::InvalidKey));
        // y = 3 is on the curve; p + 3 encodes the same point again.
        let point = hex("0300000000000000000000000000000000000000000000000000000000000000");
        assert!(PublicKey::new(Suite::One, point).is_ok());
        let again = hex("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
        assert!(VerifyingKey::from_bytes(&again).is_ok(), "the decoder alone takes it");
        assert_eq!(PublicKey::new(Suite::One, again), Err(Forged::InvalidKey));
    }

    #[test]
    fn the_same_chance_makes_the_same_key() {
        let make = || SecretKey::generate(&mut chance());
        assert_eq!(make().public(), make().public());
        let again = SecretKey::from_seed(make().suite(), *make().seed());
        assert_eq!(again.public(), make().public());
        let mut chance = chance();
        let (first, second) = (SecretKey::generate(&mut chance), SecretKey::generate(&mut chance));
        assert_ne!(first.public(), second.public());
    }

    #[test]
    fn debug_never_shows_a_secret() {
        let shown = format!("{:?}", SecretKey::from_seed(Suite::One, [0xab; 32]));
        assert_eq!(shown, "SecretKey(One ..)");
        assert_eq!(format!("{:?}", ContentKey::from_bytes([0xab; 32])), "ContentKey(..)");
        assert_eq!(format!("{:?}", WrapSecret::from_seed([0xab; 32])), "WrapSecret(..)");
    }
}

mod thresholds {
    use super::*;

    fn holders() -> (Vec<SecretKey>, Vec<PublicKey>) {
        let secrets: Vec<_> = (1..=3).map(|seed| SecretKey::from_seed(Suite::One, [seed; 32])).collect();
        let publics = secrets.iter().map(SecretKey::public).collect();
        (secrets, publics)
    }

    fn count(keys: &[PublicKey], signatures: &[(u8, Signature)]) -> u8 {
        count_valid(keys, Context::ROOT_POLICY, b"policy", signatures)
    }

    #[test]
    fn every_key_counts_once() {
        let (secrets, keys) = holders();
        let by = |holder: usize| sign(&secrets[holder], Context::ROOT_POLICY, b"policy");
        assert_eq!(count(&keys, &[]), 0);
        assert_eq!(count(&keys, &[(0, by(0)), (2, by(2))]), 2);
        assert_eq!(count(&keys, &[(2, by(2)), (1, by(1)), (0, by(0))]), 3);
        assert_eq!(count(&keys, &[(0, by(0)), (0, by(0)), (0, by(0))]), 1);
    }

    #[test]
    fn a_key_listed_twice_counts_once() {
        let (secrets, keys) = holders();
        let signature = sign(&secrets[0], Context::ROOT_POLICY, b"policy");
        let twice = [keys[0], keys[0], keys[1]];
        assert_eq!(count(&twice, &[(0, signature), (1, signature)]), 1);
    }

    #[test]
    fn wrong_places_contexts_and_absent_keys_do_not_count() {
        let (secrets, keys) = holders();
        let signature = sign(&secrets[0], Context::ROOT_POLICY, b"policy");
        let elsewhere = sign(&secrets[1], Context::RECORD, b"policy");
        assert_eq!(count(&keys, &[(1, signature), (3, signature), (255, signature)]), 0);
        assert_eq!(count(&keys, &[(1, elsewhere), (0, signature)]), 1);
        assert_eq!(count(&[], &[(0, signature)]), 0);
    }
}

mod wraps {
    use super::*;

    const INFO: &[u8] = b"pair key of a day";
    const AAD: &[u8] = b"case and epoch";

    fn wrapped() -> (WrapSecret, ContentKey, Wrapped) {
        let mut chance = chance();
        let (secret, public) = wrap_keypair(&mut chance);
        let key = ContentKey::generate(&mut chance);
        let wrapped = wrap_key(&public, INFO, AAD, &key, &mut chance).expect("wraps");
        (secret, key, wrapped)
    }

    fn refused(secret: &WrapSecret, info: &[u8], aad: &[u8], wrapped: &Wrapped) -> Forged {
        unwrap_key(secret, info, aad, wrapped).expect_err("refused")
    }

    #[test]
    fn the_recipient_unwraps() {
        let (secret, key, wrapped) = wrapped();
        let unwrapped = unwrap_key(&secret, INFO, AAD, &wrapped).expect("unwraps");
        assert_eq!(unwrapped.as_bytes(), key.as_bytes());
        let saved = WrapSecret::from_seed(*secret.seed());
        assert_eq!(unwrap_key(&saved, INFO, AAD, &wrapped).expect("unwraps").as_bytes(), key.as_bytes());
    }

    #[test]
    fn another_holder_info_or_aad_is_refused() {
        let (secret, _, wrapped) = wrapped();
        let other = WrapSecret::from_seed([8; 32]);
        assert_eq!(refused(&other, INFO, AAD, &wrapped), Forged::NotOpened);
        assert_eq!(refused(&secret, b"another day", AAD, &wrapped), Forged::NotOpened);
        assert_eq!(refused(&secret, INFO, b"another case", &wrapped), Forged::NotOpened);
    }

    #[test]
    fn changed_bytes_are_refused() {
        let (secret, _, wrapped) = wrapped();
        // Both halves of the encapsulation, their border, and the ends.
        for at in [0, 544, 1_087, 1_088, ENCAPSULATED_BYTES - 1] {
            let mut changed = wrapped.clone();
            changed.encapsulated[at] ^= 1;
            assert_eq!(refused(&secret, INFO, AAD, &changed), Forged::NotOpened, "byte {at}");
        }
        for at in 0..WRAPPED_KEY_BYTES {
            let mut changed = wrapped.clone();
            changed.ciphertext[at] ^= 1;
            assert_eq!(refused(&secret, INFO, AAD, &changed), Forged::NotOpened, "byte {at}");
        }
    }

    #[test]
    fn info_over_its_bound_is_refused_on_both_sides() {
        let (secret, key, wrapped) = wrapped();
        let long = [0; WRAP_INFO_MAX + 1];
        let refusal = wrap_key(&secret.public(), &long, AAD, &key, &mut chance());
        assert_eq!(refusal.expect_err("too long"), Forged::WrongLength);
        assert_eq!(refused(&secret, &long, AAD, &wrapped), Forged::WrongLength);
        assert!(wrap_key(&secret.public(), &long[1..], AAD, &key, &mut chance()).is_ok());
    }

    #[test]
    fn the_border_of_a_coefficient_is_3329() {
        let mut key = *WrapSecret::from_seed([8; 32]).public().as_bytes();
        for (low, high, valid) in [(3_328, 0, true), (3_329, 0, false), (0, 3_328, true), (0, 3_329, false)] {
            let packed: u32 = low | (high << 12);
            key[1_149..1_152].copy_from_slice(&packed.to_le_bytes()[..3]);
            assert_eq!(WrapPublic::new(&key).is_ok(), valid, "{low} {high}");
        }
        assert_eq!(WrapPublic::new(&key[1..]), Err(Forged::WrongLength));
    }

    #[test]
    fn the_bytes_of_a_wrap_never_change() {
        // The suite was first checked against the published vector of HPKE for these three algorithms.
        let (secret, _, first) = wrapped();
        let (_, _, second) = wrapped();
        assert_eq!(first, second);
        assert_eq!(
            to_hex(&digest(OTHER, secret.public().as_bytes())),
            "3cba2bd00179c05567349b21f81adb75dedc563386fe8a14847f90204ddb105a"
        );
        assert_eq!(
            to_hex(&digest(OTHER, &encode(&first))),
            "aa75ecaac9de14c84fbe5dd6cab1dd53db8300ded784f1fce52541dfc16df3f2"
        );
    }
}

mod contents {
    use chacha20poly1305::XChaCha20Poly1305;
    use chacha20poly1305::aead::{Aead, KeyInit, Payload};

    use super::*;

    const AAD: &[u8] = b"case and sequence";

    fn sealed(text: &[u8]) -> (ContentKey, Vec<u8>) {
        let mut chance = chance();
        let key = ContentKey::generate(&mut chance);
        let sealed = seal(&key, AAD, text, &mut chance).expect("seals");
        (key, sealed)
    }

    #[test]
    fn what_was_sealed_opens() {
        for text in [&b""[..], b"a", &[5; 10_000]] {
            let (key, sealed) = sealed(text);
            assert_eq!(sealed.len(), text.len() + CONTENT_OVERHEAD);
            assert_eq!(open(&key, AAD, &sealed), Ok(text.to_vec()));
        }
    }

    #[test]
    fn a_changed_byte_another_key_or_aad_is_refused() {
        let (key, sealed) = sealed(b"text");
        for at in 1..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&key, AAD, &changed), Err(Forged::NotOpened), "byte {at}");
        }
        assert_eq!(open(&key, b"another", &sealed), Err(Forged::NotOpened));
        assert_eq!(open(&ContentKey::from_bytes([1; 32]), AAD, &sealed), Err(Forged::NotOpened));
    }

    #[test]
    fn other_versions_and_impossible_lengths_are_refused() {
        let (key, mut sealed) = sealed(b"");
        assert_eq!(open(&key, AAD, &sealed[..sealed.len() - 1]), Err(Forged::WrongLength));
        assert_eq!(open(&key, AAD, &[]), Err(Forged::WrongLength));
        assert_eq!(open(&key, AAD, &vec![1; CONTENT_MAX + CONTENT_OVERHEAD + 1]), Err(Forged::WrongLength));
        sealed[0] = 2;
        assert_eq!(open(&key, AAD, &sealed), Err(Forged::UnknownVersion(2)));
        let long = vec![0; CONTENT_MAX + 1];
        assert_eq!(seal(&key, AAD, &long, &mut chance()), Err(Forged::WrongLength));
    }

    #[test]
    fn a_ciphertext_that_does_not_commit_to_its_key_is_refused() {
        let key = ContentKey::from_bytes([1; 32]);
        let nonce = [2; 24];
        let payload = Payload { msg: &[9; 40], aad: AAD };
        let raw = XChaCha20Poly1305::new(&[1; 32].into()).encrypt(&nonce.into(), payload).expect("encrypts");
        let sealed = [&[1][..], &nonce, &raw].concat();
        assert_eq!(open(&key, AAD, &sealed), Err(Forged::NotOpened));
    }

    #[test]
    fn no_nonce_is_drawn_twice_and_one_seed_seals_the_same() {
        let mut chance = chance();
        let key = ContentKey::generate(&mut chance);
        let first = seal(&key, AAD, b"text", &mut chance).expect("seals");
        let second = seal(&key, AAD, b"text", &mut chance).expect("seals");
        assert_ne!(first[1..25], second[1..25]);
        assert_eq!(first, sealed(b"text").1);
    }

    #[test]
    fn the_bytes_of_sealed_content_never_change() {
        const GOLDEN: &str = concat!(
            "0145c143dbb9609c22ab855d60925a997603d78a3f20d154ab122661023494b2fdf75d943473f4ea2e6005814d32",
            "c4cb495466dba7c220956773118794dfd5180ed9d78e266386138bc9f484a9",
        );
        assert_eq!(to_hex(&sealed(b"text").1), GOLDEN);
    }
}

mod encodings {
    use super::*;

    #[test]
    fn sizes_are_fixed_and_round_trips_exact() {
        for suite in suites() {
            let key = SecretKey::from_seed(suite, [1; 32]);
            let public = encode(&key.public());
            assert_eq!(public.len(), 33);
            assert_eq!(public[0], u8::from(suite));
            assert_eq!(decode(&public), Some(key.public()));

            let signature = sign(&key, Context::EVENT, b"header");
            assert_eq!(encode(&signature), signature.as_bytes());
            assert_eq!(decode(&encode(&signature)), Some(signature));
        }
    }

    #[test]
    fn wraps_have_fixed_sizes_too() {
        let mut chance = chance();
        let (_, public) = wrap_keypair(&mut chance);
        let wrapped =
            wrap_key(&public, b"", b"", &ContentKey::generate(&mut chance), &mut chance).expect("wraps");
        assert_eq!(encode(&public), public.as_bytes());
        assert_eq!(encode(&wrapped).len(), ENCAPSULATED_BYTES + WRAPPED_KEY_BYTES);
        assert_eq!(decode(&encode(&public)), Some(public));
        assert_eq!(decode(&encode(&wrapped)), Some(wrapped));
    }

    #[test]
    fn unknown_suites_and_unusable_keys_do_not_decode() {
        assert_eq!(Suite::try_from(2), Err(Forged::UnknownSuite(2)));
        let mut bytes = encode(&SecretKey::from_seed(Suite::One, [1; 32]).public());
        bytes[0] = 2;
        assert_eq!(decode::<PublicKey>(&bytes), None);
        let mut identity = [0; 33];
        (identity[0], identity[1]) = (1, 1);
        assert_eq!(decode::<PublicKey>(&identity), None);
        assert_eq!(decode::<WrapPublic>(&[0xff; WRAP_PUBLIC_BYTES]), None);
        assert_eq!(decode::<Signature>(&[0; 63]), None);
    }

    #[cfg(not(feature = "toy-suite"))]
    #[test]
    fn a_node_knows_no_toy_keys() {
        assert_eq!(Suite::try_from(0x7f), Err(Forged::UnknownSuite(0x7f)));
    }
}
