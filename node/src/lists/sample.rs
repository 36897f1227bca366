//! The lists of the sample city, so that a demonstration needs no files. Illustrative, not official.

use hallmesh_protocol::ids::DivisionCode;
use hallmesh_protocol::record::Body;

use super::{Finding, ListTexts, import_text};

/// `matters.csv`.
pub const MATTERS: &str = include_str!("../../../deploy/sample-city/zhangye/matters.csv");
/// `delegations.csv`.
pub const DELEGATIONS: &str = include_str!("../../../deploy/sample-city/zhangye/delegations.csv");
/// `calendar.json`.
pub const CALENDAR: &str = include_str!("../../../deploy/sample-city/zhangye/calendar.json");
/// `bundles.json`.
pub const BUNDLES: &str = include_str!("../../../deploy/sample-city/zhangye/bundles.json");
/// `divisions.csv`.
pub const DIVISIONS: &str = include_str!("../../../deploy/sample-city/zhangye/divisions.csv");
/// The city's code.
const CITY: u64 = 620_700_000_000;

/// The city whose lists these are.
#[expect(clippy::expect_used, reason = "a constant that a test reads")]
pub fn city() -> DivisionCode {
    DivisionCode::from_u64(CITY).expect("the sample city has a well-formed code")
}

/// Calendar, matters, delegations and bundles of the sample city.
pub fn sample_bodies() -> Result<Vec<Body>, Vec<Finding>> {
    let texts = ListTexts {
        matters: Some(MATTERS),
        delegations: Some(DELEGATIONS),
        calendar: Some(CALENDAR),
        bundles: Some(BUNDLES),
    };
    match import_text(&texts, city()) {
        Ok(import) if !import.is_refused() => Ok(import.bodies),
        Ok(import) => Err(import.findings),
        Err(_nothing) => Err(Vec::new()),
    }
}
