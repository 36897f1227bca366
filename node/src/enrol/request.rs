//! A hall's request for a charter: its public keys and who it says it is, signed by its event key.

use std::collections::BTreeMap;

use hallmesh_protocol::directory::Enrolment;
use hallmesh_protocol::ids::HallId;
use hallmesh_protocol::limits::{ADDRESS_MAX, ADDRESSES_MAX};
use hallmesh_protocol::signed::{Signed, Unverified, Verified};
use libp2p::Multiaddr;
use thiserror::Error;

use super::armour::{self, ArmourError, Header, Kind};
use super::{fingerprint, packed};
use crate::home::{self, Home, HomeError};

/// Why a request was not made or not read. Nothing was changed.
#[derive(Debug, Error)]
pub enum RequestError {
    /// The hall's keys.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The text it comes in.
    #[error(transparent)]
    File(#[from] ArmourError),
    /// The event key inside did not sign it.
    #[error("not signed by its own key: {0}")]
    Unsigned(Unverified),
    /// One key for two purposes.
    #[error("transport and event key are the same")]
    SameKeys,
    /// No hall has this serial or this name.
    #[error("no such hall can be: {what}")]
    NoHall {
        /// What is wrong: `serial` or `name`.
        what: &'static str,
    },
    /// Not an address that others can dial.
    #[error("{address:?} is no address")]
    Address {
        /// The address.
        address: String,
    },
    /// More addresses than a hall may have.
    #[error("{count} addresses, at most {max}")]
    TooManyAddresses {
        /// How many there are.
        count: usize,
        /// The limit.
        max: usize,
    },
}

impl RequestError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Home(cause) => cause.code(),
            Self::File(cause) => cause.code(),
            Self::Unsigned(_) => "enrol.request.unsigned",
            Self::SameKeys => "enrol.request.same_keys",
            Self::NoHall { .. } => "enrol.request.no_hall",
            Self::Address { .. } => "enrol.request.address",
            Self::TooManyAddresses { .. } => "enrol.request.too_many_addresses",
        }
    }

    /// Parameters of the sentence under [`RequestError::code`].
    pub fn params(&self) -> BTreeMap<String, String> {
        let found = match self {
            Self::Home(cause) => return cause.params(),
            Self::File(cause) => return cause.params(),
            Self::Unsigned(_) | Self::SameKeys => Vec::new(),
            Self::NoHall { what } => vec![("what", (*what).to_owned())],
            Self::Address { address } => vec![("address", address.clone())],
            Self::TooManyAddresses { count, max } => {
                vec![("count", count.to_string()), ("max", max.to_string())]
            }
        };
        found.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// The text of this hall's request, with the addresses under which others reach it.
pub(super) fn write(home: &Home, addresses: &[String]) -> Result<String, RequestError> {
    let keys = home.keys()?;
    let enrolment = Enrolment {
        division: home.hall().division(),
        serial: home.hall().serial(),
        name: home.name().to_owned(),
        transport_key: keys.transport_public,
        event_key: keys.event.public(),
        wrap_key: keys.wrap.public(),
        addresses: addresses.to_vec(),
    };
    let headers_of = check(&enrolment)?;
    let signed = Signed::sign(&enrolment, &[(0, &keys.event)]);
    Ok(armour::write(Kind::Request, &headers(headers_of, &signed, &enrolment), &packed::pack(&signed))?)
}

/// Reads a request: signed by the event key inside, and one that a hall can make.
pub(super) fn read(text: &str) -> Result<Verified<Enrolment>, RequestError> {
    let opened = armour::read(text, Kind::Request)?;
    let signed: Signed<Enrolment> = packed::unpack(&opened.content).ok_or_else(|| opened.not_understood())?;
    let enrolment = signed.peek().ok().ok_or_else(|| opened.not_understood())?;
    let hall = check(&enrolment)?;
    opened.check_headers(&headers(hall, &signed, &enrolment))?;
    signed.verify(&enrolment.event_key).map_err(RequestError::Unsigned)
}

/// The fingerprint of a request, to compare what was sent with what has come.
pub fn request_fingerprint(request: &Verified<Enrolment>) -> String {
    fingerprint(&request.signed().digest())
}

/// Which hall asks.
pub fn hall_of(enrolment: &Enrolment) -> Result<HallId, RequestError> {
    let hall = HallId::new(enrolment.division, enrolment.serial);
    hall.ok().ok_or(RequestError::NoHall { what: "serial" })
}

fn headers(hall: HallId, signed: &Signed<Enrolment>, enrolment: &Enrolment) -> Vec<Header> {
    vec![
        ("Hall", hall.to_string()),
        ("Name", enrolment.name.clone()),
        ("Fingerprint", fingerprint(&signed.digest())),
    ]
}

fn check(enrolment: &Enrolment) -> Result<HallId, RequestError> {
    let hall = hall_of(enrolment)?;
    home::check_name(&enrolment.name).ok().ok_or(RequestError::NoHall { what: "name" })?;
    if enrolment.transport_key == enrolment.event_key {
        return Err(RequestError::SameKeys);
    }
    let count = enrolment.addresses.len();
    if count > ADDRESSES_MAX {
        return Err(RequestError::TooManyAddresses { count, max: ADDRESSES_MAX });
    }
    let is_address = |text: &String| text.len() <= ADDRESS_MAX && text.parse::<Multiaddr>().is_ok();
    match enrolment.addresses.iter().find(|text| !is_address(text) || text.is_empty()) {
        Some(address) => Err(RequestError::Address { address: address.chars().take(ADDRESS_MAX).collect() }),
        None => Ok(hall),
    }
}
