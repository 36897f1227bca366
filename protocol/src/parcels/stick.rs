//! What goes on a stick, which parcels are on sticks, and which were taken in.
//!
//! A stick is a slow line: what is on it stays in the post until it is answered. Letters of others, and answers, wait
//! for the word that their parcel was taken in; that word travels on the covers of the parcels that come back.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Carries, Cover, Parcel, Series, digest, pack_letters, pack_records};
use crate::genesis;
use crate::ids::{Digest, HallAt, HallId};
use crate::limits::{
    FRAME_MAX, PARCEL_LETTERS_MAX, PARCELS_OUT_MAX, RANGES_MAX, SERIES_MAX, STICK_LISTS_MAX,
};
use crate::post::{self, Place, Post, Unfit};
use crate::query;
use crate::record::Space;
use crate::rows;
use crate::seal::SecretKey;
use crate::shelf;
use crate::signed::Signed;
use crate::step::{Cx, View};

/// A parcel that is to be numbered and signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consign {
    /// What is inside.
    pub carries: Carrying,
    /// What the cover says of the contents.
    pub contents: Digest,
    /// The root of the directory that the stick carries.
    pub directory: [u8; 32],
}

/// What is inside a parcel that is to be signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Carrying {
    /// A part of a space.
    Records {
        /// The space.
        space: Space,
        /// Which part.
        part: u32,
        /// No part follows.
        last: bool,
    },
    /// Letters.
    Letters {
        /// To whom the stick is carried.
        to: HallId,
        /// Where each of them waits.
        places: Vec<Place>,
    },
}

/// Contents for one parcel, and where the next one goes on.
#[derive(Clone, Debug)]
pub struct Load {
    /// What is to be signed.
    pub consign: Consign,
    /// The contents.
    pub contents: Vec<u8>,
    /// How many records or letters.
    pub count: usize,
    /// Where to go on; nothing if this was the last of it.
    pub next: Option<Next>,
    /// Something of it was over the bound and stays here.
    pub cut: bool,
}

/// Where a stick's writing goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Next {
    /// With the records after a key.
    Records {
        /// Of this space.
        space: Space,
        /// After this key.
        after: String,
        /// Which part it is.
        part: u32,
    },
    /// With the letters after a place.
    Letters {
        /// To whom the stick is carried.
        to: HallId,
        /// After this one; from the first if there is none.
        after: Option<Place>,
    },
}

impl Next {
    /// The beginning: what the other side has to know before it hears of any case.
    pub const FIRST: Self = Self::Records { space: Space::Directory, after: String::new(), part: 0 };
}

/// For whom a stick is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bound {
    /// For one hall: with everything that it brings nearer.
    To(HallId),
    /// For whoever it is carried to: with a parcel for every hall for which something waits.
    All,
}

/// A parcel on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Consigned {
    wall: u64,
    places: Vec<Place>,
}

/// Parcels of a series that were taken in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct TakenIn {
    wall: u64,
    numbers: Vec<(u64, u64)>,
}

/// How far a writer's directory was read from sticks.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Heard {
    /// The last edition that was read to the end.
    whole: u64,
    /// The edition that is being read.
    reading: u64,
    /// Its next part.
    next: u32,
}

/// Whether a row of this table, without the table's byte, is what its key says.
pub(crate) fn row_holds(key: &[u8], value: &[u8]) -> bool {
    match key.split_first() {
        Some((b'o', rest)) => rest.len() == 20 && rows::decodes::<Consigned>(value),
        Some((b'n', rest)) => rest.len() == 8 && rows::decodes::<(u32, u64)>(value),
        Some((b'i', rest)) => rest.len() == 24 && rows::decodes::<TakenIn>(value),
        Some((b'h', rest)) => rest.len() == 12 && rows::decodes::<Heard>(value),
        Some((b'e', rest)) => rest.is_empty() && rows::decodes::<(u64, [u8; 32])>(value),
        Some(_) | None => false,
    }
}

/// What the next file on a stick holds. Pure: the retry clocks of the lines do not matter, and nothing leaves the post.
pub fn load(view: &dyn View, bound: Bound, next: &Next) -> Option<Load> {
    let me = genesis::identity(view)?.at;
    match next {
        Next::Records { space, after, part } => Some(records(view, me, bound, (*space, after, *part))),
        Next::Letters { to, after } => Some(letters(view, me, bound, (*to, *after))),
    }
}

fn records(view: &dyn View, me: HallAt, bound: Bound, (space, after, part): (Space, &str, u32)) -> Load {
    let (page, key, end) = shelf::page(view, space, after);
    let after_it = part.saturating_add(1);
    // The directory goes whole, however long: half of one could lack the revocation that matters.
    let last = end || (space == Space::Lists && after_it >= STICK_LISTS_MAX);
    let count = page.len();
    // The writer's own papers first: else nobody could check its cover.
    let carried = [query::chain(view, me), page].concat();
    let next = match space {
        Space::Directory | Space::Lists if !last => Some(Next::Records { space, after: key, part: after_it }),
        Space::Directory => Some(Next::Records { space: Space::Lists, after: String::new(), part: 0 }),
        Space::Lists => first_letters(view, me, bound).map(|to| Next::Letters { to, after: None }),
    };
    let contents = pack_records(&carried);
    let carries = Carrying::Records { space, part, last };
    Load { consign: consign_of(view, carries, &contents), contents, count, next, cut: last && !end }
}

fn letters(view: &dyn View, me: HallAt, bound: Bound, (to, after): (HallId, Option<Place>)) -> Load {
    let prefix = match bound {
        Bound::To(_) => rows::post(),
        Bound::All => rows::post_for(to),
    };
    let from = after.map(|(hall, sequence)| rows::posted(hall, sequence)).unwrap_or_default();
    let (mut letters, mut places, mut bytes, mut full) = (Vec::new(), Vec::new(), 0_usize, false);
    view.scan(&prefix, &from, &mut |key, value| {
        let place = post::place(key).filter(|(hall, _)| brings_nearer(me.hall, to, *hall));
        let Some(letter) = place.and_then(|place| post::letter_at(view, me, to, (key, value), place)) else {
            return true;
        };
        bytes = bytes.saturating_add(pack_letters(std::slice::from_ref(&letter)).len());
        full = !letters.is_empty() && (bytes > FRAME_MAX || letters.len() >= PARCEL_LETTERS_MAX);
        if !full {
            letters.push(letter);
            places.extend(place);
        }
        !full
    });
    let next = if full {
        places.last().map(|last| Next::Letters { to, after: Some(*last) })
    } else {
        following(view, me, bound, to).map(|to| Next::Letters { to, after: None })
    };
    let (contents, count) = (pack_letters(&letters), letters.len());
    let carries = Carrying::Letters { to, places };
    Load { consign: consign_of(view, carries, &contents), contents, count, next, cut: false }
}

fn consign_of(view: &dyn View, carries: Carrying, contents: &[u8]) -> Consign {
    let directory = shelf::root(view, Space::Directory);
    Consign { carries, contents: digest(contents), directory }
}

/// Whether a letter to `destination` is nearer to it at `to`: below `to`, or not below this hall where `to` is not.
fn brings_nearer(me: HallId, to: HallId, destination: HallId) -> bool {
    let over = |hall: HallId, below: HallId| hall.division().covers(below.division());
    to == destination || over(to, destination) && !over(to, me) || !over(me, to) && !over(me, destination)
}

fn first_letters(view: &dyn View, me: HallAt, bound: Bound) -> Option<HallId> {
    match bound {
        Bound::To(to) => Some(to),
        Bound::All => destinations(view, me).into_iter().next(),
    }
}

fn following(view: &dyn View, me: HallAt, bound: Bound, to: HallId) -> Option<HallId> {
    match bound {
        Bound::To(_) => None,
        Bound::All => destinations(view, me).into_iter().find(|hall| *hall > to),
    }
}

/// Every hall for which something waits, or that waits for the word that its parcels were taken in.
fn destinations(view: &dyn View, me: HallAt) -> BTreeSet<HallId> {
    let mut halls = post::receivers(view);
    view.scan(&rows::parcels_in(), &[], &mut |key, _| {
        let read = rows::parcel_in_of(key).filter(|(_, _, to)| *to == me.hall);
        halls.extend(read.map(|(at, ..)| at.hall));
        true
    });
    halls
}

/// Which letters are on a stick, and since when.
pub fn on_sticks(view: &dyn View) -> BTreeMap<Place, u64> {
    let mut found = BTreeMap::new();
    view.scan(&rows::parcels_out(), &[], &mut |key, value| {
        let consigned: Consigned = rows::parse(key, value);
        found.extend(consigned.places.into_iter().map(|place| (place, consigned.wall)));
        true
    });
    found
}

/// Whether a parcel that this hall wrote still waits for the word that it was taken in.
pub fn still_out(view: &dyn View, cover: &Cover) -> bool {
    match cover.carries {
        Carries::Letters { to, number, .. } => view.get(&rows::parcel_out(to, cover.boot, number)).is_some(),
        Carries::Records { .. } => edition(view).0 == cover.edition,
    }
}

/// Numbers and signs a parcel.
pub(crate) fn consign(
    cx: &mut Cx<'_>,
    (at, boot): (HallAt, u32),
    key: &SecretKey,
    wanted: Consign,
) -> Result<Signed<Cover>, Unfit> {
    let directory = shelf::root(cx, Space::Directory);
    if directory != wanted.directory {
        return Err(Unfit::DirectoryMoved);
    }
    let edition = next_edition(cx, directory);
    let carries = match wanted.carries {
        Carrying::Records { space, part, last } => Carries::Records { space, part, last },
        Carrying::Letters { to, places } => {
            let letters = u32::try_from(places.len()).unwrap_or(u32::MAX);
            let number = next_number(cx, to, boot);
            make_room(cx, to, boot);
            let consigned = Consigned { wall: cx.now.wall, places };
            rows::write(cx, rows::parcel_out(to, boot, number), &consigned);
            Carries::Letters { to, number, letters, taken: taken_from(cx, to, at.hall) }
        }
    };
    let wall = cx.now.wall;
    let cover = Cover { from: at, boot, wall, edition, directory, carries, contents: wanted.contents };
    Ok(Signed::sign(&cover, &[(0, key)]))
}

/// The file of a parcel that was signed.
pub fn file(cover: Signed<Cover>, contents: Vec<u8>) -> Vec<u8> {
    Parcel { cover, contents: contents.into() }.encode()
}

fn edition(view: &dyn View) -> (u64, [u8; 32]) {
    rows::read(view, &rows::edition()).unwrap_or_default()
}

fn next_edition(cx: &mut Cx<'_>, directory: [u8; 32]) -> u64 {
    let (number, of) = edition(cx);
    if number > 0 && of == directory {
        return number;
    }
    let number = number.saturating_add(1);
    rows::write(cx, rows::edition(), &(number, directory));
    number
}

fn next_number(cx: &mut Cx<'_>, to: HallId, boot: u32) -> u64 {
    let key = rows::parcel_number(to);
    let (of, last): (u32, u64) = rows::read(cx, &key).unwrap_or_default();
    let number = if of == boot { last.saturating_add(1) } else { 1 };
    rows::write(cx, key, &(boot, number));
    number
}

/// Forgets parcels that were never acknowledged; what was in them is in later ones, too.
fn make_room(cx: &mut Cx<'_>, to: HallId, boot: u32) {
    let mut keys = Vec::new();
    cx.scan(&rows::parcels_out_to(to), &[], &mut |key, _| {
        keys.push(key.to_vec());
        true
    });
    let over = keys.len().saturating_add(1).saturating_sub(PARCELS_OUT_MAX);
    // Those of earlier starts first, then in order.
    let now = rows::parcels_out_of(to, boot);
    keys.sort_by_key(|key| (key.starts_with(&now), key.clone()));
    for key in keys.into_iter().take(over) {
        cx.remove(key);
    }
}

/// Which parcels of a hall, addressed to this one, were taken in.
fn taken_from(view: &dyn View, hall: HallId, me: HallId) -> Vec<Series> {
    let mut found = Vec::new();
    view.scan(&rows::parcels_in_from(hall), &[], &mut |key, value| {
        let series = rows::parcel_in_of(key).filter(|(_, _, to)| *to == me);
        let taken: TakenIn = rows::parse(key, value);
        found.extend(series.map(|(at, boot, _)| Series { at, boot, numbers: taken.numbers }));
        found.len() < SERIES_MAX
    });
    found
}

/// The other side has taken parcels in: letters of others in them are off this hall's hands, as after a `Taken`.
pub(crate) fn acknowledged(cx: &mut Cx<'_>, post: &mut Post, me: HallAt, (by, taken): (HallId, &[Series])) {
    for series in taken.iter().filter(|series| series.at == me) {
        let mut done = Vec::new();
        cx.scan(&rows::parcels_out_of(by, series.boot), &[], &mut |key, value| {
            let number = rows::parcel_out_number(key);
            let within =
                |number: u64| series.numbers.iter().any(|(first, last)| (*first..=*last).contains(&number));
            if number.is_some_and(within) {
                done.push((key.to_vec(), rows::parse::<Consigned>(key, value)));
            }
            true
        });
        for (key, consigned) in done {
            cx.remove(key);
            post.carried(cx, &consigned.places);
        }
    }
}

/// Whether the directory was compared with the writer's before its letters are heard.
pub(crate) fn compared(view: &dyn View, cover: &Cover) -> bool {
    let heard: Heard = rows::read(view, &rows::heard(cover.from)).unwrap_or_default();
    cover.directory == shelf::root(view, Space::Directory) || heard.whole >= cover.edition
}

/// Notes that a part of a writer's directory was read.
pub(crate) fn heard(cx: &mut Cx<'_>, cover: &Cover, (part, last): (u32, bool)) {
    let key = rows::heard(cover.from);
    let mut heard: Heard = rows::read(cx, &key).unwrap_or_default();
    if cover.edition <= heard.whole {
        return;
    }
    if part == 0 {
        (heard.reading, heard.next) = (cover.edition, 0);
    }
    if heard.reading != cover.edition || heard.next != part {
        return;
    }
    heard.next = part.saturating_add(1);
    if last {
        heard.whole = cover.edition;
    }
    rows::write(cx, key, &heard);
}

/// Whether a parcel of letters was taken in before.
pub(crate) fn was_taken(view: &dyn View, cover: &Cover, (to, number): (HallId, u64)) -> bool {
    let taken: Option<TakenIn> = rows::read(view, &rows::parcel_in(cover.from, cover.boot, to));
    let held = taken.map(|taken| taken.numbers).unwrap_or_default();
    held.iter().any(|(first, last)| (*first..=*last).contains(&number))
}

/// Notes that a parcel of letters was taken in for good.
pub(crate) fn take(cx: &mut Cx<'_>, cover: &Cover, (to, number): (HallId, u64)) {
    let key = rows::parcel_in(cover.from, cover.boot, to);
    let mut taken: TakenIn = rows::read(cx, &key).unwrap_or_default();
    taken.wall = cx.now.wall;
    include(&mut taken.numbers, number);
    rows::write(cx, key, &taken);
    forget_old_series(cx, cover.from.hall);
}

fn include(numbers: &mut Vec<(u64, u64)>, number: u64) {
    numbers.push((number, number));
    numbers.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::with_capacity(numbers.len());
    for (first, last) in numbers.drain(..) {
        match merged.last_mut() {
            Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
            Some(_) | None => merged.push((first, last)),
        }
    }
    let over = merged.len().saturating_sub(RANGES_MAX);
    *numbers = merged.split_off(over);
}

fn forget_old_series(cx: &mut Cx<'_>, hall: HallId) {
    let mut series = Vec::new();
    cx.scan(&rows::parcels_in_from(hall), &[], &mut |key, value| {
        series.push((rows::parse::<TakenIn>(key, value).wall, key.to_vec()));
        true
    });
    series.sort_unstable();
    let over = series.len().saturating_sub(SERIES_MAX);
    for (_, key) in series.into_iter().take(over) {
        cx.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_any_order_become_few_ranges_and_the_lowest_are_forgotten() {
        let mut numbers = Vec::new();
        for number in [5, 1, 2, 4, 2, 9] {
            include(&mut numbers, number);
        }
        assert_eq!(numbers, [(1, 2), (4, 5), (9, 9)]);
        include(&mut numbers, 3);
        assert_eq!(numbers, [(1, 5), (9, 9)]);
        for number in 0..200 {
            include(&mut numbers, 100 + 2 * number);
        }
        assert_eq!(numbers.len(), RANGES_MAX);
        assert_eq!(numbers.last(), Some(&(498, 498)));
    }

    #[test]
    fn a_stick_carries_what_its_hall_brings_nearer() {
        let hall = |text: &str| text.parse::<HallId>().unwrap();
        let (city, county, other) = (hall("620700000000"), hall("620702000000"), hall("620724000000"));
        let (town, village) = (hall("620702203000"), hall("620702203200"));
        assert!(brings_nearer(village, town, city));
        assert!(brings_nearer(village, town, other));
        assert!(brings_nearer(town, village, village));
        assert!(brings_nearer(city, county, village));
        assert!(!brings_nearer(town, village, city));
        assert!(!brings_nearer(town, county, village));
        assert!(!brings_nearer(county, city, town));
        assert!(brings_nearer(county, other, city));
    }
}
