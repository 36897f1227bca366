//! A made-up city of the size of Zhangye: one city hall, 6 counties, 65 townships, 913 villages.

use hallmesh_protocol::ids::DivisionCode;

use super::words::Words;

const COUNTIES: u64 = 6;
const TOWNSHIPS: u64 = 65;
const VILLAGES: u64 = 913;

/// A division with a hall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its code.
    pub code: DivisionCode,
    /// Its name.
    pub name: String,
    /// Its place in its county, so that its authorities have codes of their own.
    pub number: u16,
}

/// All divisions, each after the one it belongs to.
pub fn city() -> anyhow::Result<Vec<Place>> {
    let words = Words::read()?;
    let mut places = vec![place(620_700_000_000, "张掖市".to_owned(), 0)?];
    let (mut towns, mut villages) = (0, 0);
    for county in 1..=COUNTIES {
        let code = 620_700_000_000 + county * 1_000_000;
        places.push(place(code, words.county(county - 1), 0)?);
        let mut number = 0;
        for town in 1..=share(TOWNSHIPS, COUNTIES, county - 1) {
            number += 1;
            places.push(place(code + town * 1_000, words.place(towns, "镇"), number)?);
            for village in 1..=share(VILLAGES, TOWNSHIPS, towns) {
                number += 1;
                villages += 1;
                let name = words.place(villages, "村");
                places.push(place(code + town * 1_000 + 200 + village, name, number)?);
            }
            towns += 1;
        }
    }
    Ok(places)
}

fn place(code: u64, name: String, number: u16) -> anyhow::Result<Place> {
    Ok(Place { code: DivisionCode::from_u64(code)?, name, number })
}

/// What the `which`-th of `among` gets of `all`.
const fn share(all: u64, among: u64, which: u64) -> u64 {
    all / among + if which < all % among { 1 } else { 0 }
}
