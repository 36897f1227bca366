//! Parcels: what a hall puts into one file on a stick that people carry. A signed cover, and sealed contents.
//!
//! Nothing is trusted because it came by stick: the records in a parcel are checked as those of a guest, its letters as
//! those of a line.

mod stick;

use serde::{Deserialize, Serialize};

use crate::directory::Directory;
use crate::ids::{Digest, HallAt, HallId};
use crate::limits::{FRAME_MAX, PARCEL_COVER_MAX, PARCEL_LETTERS_MAX, PARCEL_MAX, RECORDS_MAX};
use crate::message::Message;
use crate::post::{Letter, Unfit};
use crate::record::{Record, Space};
use crate::seal::{self, Context};
use crate::shelf;
use crate::signed::{Signable, Signed, Verified};
use crate::step::View;
use crate::verify::{self, Checked};
use crate::wire::{self, Blob};

pub use stick::{Bound, Carrying, Consign, Load, Next, file, load, on_sticks, still_out};

pub(crate) use stick::{acknowledged, compared, consign, heard, row_holds, take, was_taken};

/// What a file of this kind begins with; then comes its version in digits and a line end.
const MAGIC: &[u8] = b"hallmesh-post/";
const VERSION: &[u8] = b"1";
/// Digits of a version at the most.
const VERSION_DIGITS: usize = 4;
/// Charters that lead to the writer of a parcel at the most; they lie before its records.
const PAPERS_MAX: usize = 64;

/// What stands on a parcel, signed by the hall that wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cover {
    /// Who wrote it.
    pub from: HallAt,
    /// In which start of its node.
    pub boot: u32,
    /// Milliseconds since 1970, by the writer's clock.
    pub wall: u64,
    /// Counts the states of the writer's directory.
    pub edition: u64,
    /// The root of that directory.
    pub directory: [u8; 32],
    /// What is inside.
    pub carries: Carries,
    /// SHA-256 over a context and the contents.
    pub contents: Digest,
}

impl Signable for Cover {
    const CONTEXT: Context = Context::PARCEL;
    const BYTES_MAX: usize = PARCEL_COVER_MAX;
}

/// What is inside a parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Carries {
    /// A part of what the writer holds of a space, in key order.
    Records {
        /// The space.
        space: Space,
        /// Counts from 0 within the writer's directory of one edition.
        part: u32,
        /// No part of this space follows.
        last: bool,
    },
    /// Letters.
    Letters {
        /// To whom the stick is carried.
        to: HallId,
        /// Counts from 1 for each start of the writer's node and each destination.
        number: u64,
        /// How many.
        letters: u32,
        /// Which parcels of `to` the writer has taken in for good.
        taken: Vec<Series>,
    },
}

/// Parcels of one start of one life of a hall, by ranges of their numbers, first and last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// Who wrote them.
    pub at: HallAt,
    /// In which start of its node.
    pub boot: u32,
    /// Which.
    pub numbers: Vec<(u64, u64)>,
}

/// One file on a stick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// The cover, not checked.
    pub cover: Signed<Cover>,
    /// What is inside, encoded.
    pub contents: Blob,
}

impl Parcel {
    /// The bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        [MAGIC, VERSION, b"\n", &wire::encode(self)].concat()
    }

    /// Reads a file. Nothing in it is checked here but its shape.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unfit> {
        if bytes.len() > PARCEL_MAX {
            return Err(Unfit::TooLarge);
        }
        let rest = bytes.strip_prefix(MAGIC).ok_or(Unfit::NotAParcel)?;
        let end = rest.iter().take(VERSION_DIGITS.saturating_add(1)).position(|byte| *byte == b'\n');
        let (version, rest) = end.and_then(|end| rest.split_at_checked(end)).ok_or(Unfit::Damaged)?;
        if version.is_empty() || !version.iter().all(u8::is_ascii_digit) {
            return Err(Unfit::Damaged);
        }
        if version != VERSION {
            return Err(Unfit::Newer);
        }
        wire::decode(rest.get(1..).unwrap_or_default(), PARCEL_MAX).or(Err(Unfit::Damaged))
    }

    /// What its cover says, not checked.
    pub fn cover(&self) -> Result<Cover, Unfit> {
        self.cover.peek().or(Err(Unfit::Damaged))
    }
}

/// A parcel whose cover, records and letters were checked; only this enters the state machine.
#[derive(Clone, Debug)]
pub struct Opened {
    pub(crate) cover: Verified<Cover>,
    pub(crate) inside: Inside,
    /// Things in it that do not hold.
    pub(crate) unfit: u32,
    pub(crate) parcel: Parcel,
}

#[derive(Clone, Debug)]
pub(crate) enum Inside {
    Records(Vec<Verified<Record>>),
    Letters(Vec<Checked>),
}

/// The contents of a parcel of records.
pub(crate) fn pack_records(records: &[Signed<Record>]) -> Vec<u8> {
    wire::encode(&records)
}

/// The contents of a parcel of letters.
pub(crate) fn pack_letters(letters: &[Letter]) -> Vec<u8> {
    wire::encode(&letters)
}

/// What the cover says of contents.
pub(crate) fn digest(contents: &[u8]) -> Digest {
    Digest(seal::digest(Context::PARCEL_CONTENTS, contents))
}

/// Checks a parcel for the hall `me`: whole, signed by its writer, and everything in it on its own.
pub fn open(view: &dyn View, me: HallId, parcel: Parcel) -> Result<Opened, Unfit> {
    let cover = parcel.cover()?;
    if digest(parcel.contents.as_bytes()) != cover.contents {
        return Err(Unfit::Damaged);
    }
    if cover.from.hall == me {
        return Err(Unfit::Own);
    }
    match cover.carries {
        Carries::Records { .. } => open_records(view, parcel, cover.from),
        Carries::Letters { letters, .. } => open_letters(view, me, parcel, (cover.from, letters)),
    }
}

/// Records bring the charters along that their writer is known by.
fn open_records(view: &dyn View, parcel: Parcel, from: HallAt) -> Result<Opened, Unfit> {
    let mut records: Vec<Signed<Record>> =
        wire::decode(parcel.contents.as_bytes(), FRAME_MAX).or(Err(Unfit::Damaged))?;
    if records.len() > RECORDS_MAX.saturating_add(PAPERS_MAX) {
        return Err(Unfit::Damaged);
    }
    records.retain(|record| !Space::ALL.into_iter().any(|space| shelf::holds(view, space, record)));
    let (records, refused, card) = shelf::verify_batch_of(view, records, from);
    let cover = signed_by(card.map(|card| card.event_key), &parcel)?;
    let unfit = u32::try_from(refused).unwrap_or(u32::MAX);
    Ok(Opened { cover, inside: Inside::Records(records), unfit, parcel })
}

fn open_letters(
    view: &dyn View,
    me: HallId,
    parcel: Parcel,
    (from, count): (HallAt, u32),
) -> Result<Opened, Unfit> {
    let card = Directory::new(view).card(from);
    let cover = signed_by(card.map(|card| card.event_key), &parcel)?;
    let letters: Vec<Letter> = wire::decode(parcel.contents.as_bytes(), FRAME_MAX).or(Err(Unfit::Damaged))?;
    if letters.len() > PARCEL_LETTERS_MAX || usize::try_from(count) != Ok(letters.len()) {
        return Err(Unfit::Damaged);
    }
    let (mut checked, mut unfit) = (Vec::with_capacity(letters.len()), 0_u32);
    for letter in letters {
        match verify::message(view, me, Message::Letter(letter)) {
            Ok(message) => checked.push(message),
            Err(_) => unfit = unfit.saturating_add(1),
        }
    }
    Ok(Opened { cover, inside: Inside::Letters(checked), unfit, parcel })
}

fn signed_by(key: Option<seal::PublicKey>, parcel: &Parcel) -> Result<Verified<Cover>, Unfit> {
    parcel.cover.verify(&key.ok_or(Unfit::UnknownWriter)?).or(Err(Unfit::Forged))
}
