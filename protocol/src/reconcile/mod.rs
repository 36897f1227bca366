//! Set reconciliation: two sides find out what each lacks, at a cost that follows the difference and not
//! the sets.
//!
//! An element is 32 bytes, the hash of something the caller keeps. This module knows neither what was
//! hashed nor who the other side is; it sends nothing and remembers nothing.
//!
//! # Exchange
//!
//! The responder need not remember anything: each question carries all that its answer needs. It may keep
//! the [`Sketch`], which spares it the hashing of its set at the next question. The initiator freezes its set
//! (ids and [`Fingerprint`]) for the length of one exchange.
//!
//! 1. Initiator: space, root, a fresh nonce.
//! 2. Responder: a fresh nonce and, unless the roots are equal, the first [`FIRST_BLOCK`] symbols of its set
//!    under the [`SketchKey`] of both nonces.
//! 3. Initiator: [peels](Sketch::peel) its own symbols against those received. While the answer is [`Unfinished`] it asks
//!    for `ask` more symbols, repeating both nonces; the symbols it has stay valid.
//! 4. Initiator: sorts what was peeled into a [`Difference`], pushes what the responder lacks and asks for
//!    the rest by [`ShortId`]; the responder finds those among its own with [`Sketch::difference`], too.
//! 5. Initiator: what arrived is judged by [`sealed`] against the responder's root. Only then is the
//!    exchange complete; a peel alone proves nothing.
//!
//! When `ask` is 0, or the seal fails, run once more with new nonces. If that fails too, compare page by
//! page: the responder lists the short ids of its elements in ascending order of id, at most
//! [`SHORT_IDS_MAX`] to a page, with the last id as the next page's start, and the initiator compares its
//! own elements of the same interval by [`Difference::of_page`]. A responder that changed in between spoils
//! the seal and nothing else.
//!
//! # Why keyed
//!
//! Both nonces are fresh, so nobody who publishes elements can prepare any that cancel out or collide in
//! somebody else's exchange. An initiator that picks both nonces can only spoil its own. The long-lived
//! root cannot be keyed per exchange and is a lattice hash instead, which needs no key.

mod difference;
mod fingerprint;
mod peeling;
mod sketch;
#[cfg(test)]
mod tests;

pub use difference::{Difference, NoDifference, SHORT_IDS_MAX, sealed};
pub use fingerprint::{FINGERPRINT_LEN, Fingerprint, MalformedRow};
pub use peeling::{FIRST_BLOCK, Unfinished, peel};
pub use sketch::{
    Malformed, NONCE_LEN, Nonce, SHORT_LEN, SYMBOL_LEN, SYMBOLS_MAX, ShortId, Sketch, SketchKey, Symbol,
};

/// An element of a set: the hash of what the caller keeps.
pub type ElementId = [u8; 32];
