//! Whether the settings will work on this machine. Only looks; changes nothing.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hallmesh_protocol::limits::RECORDED_INPUTS_MAX;
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use rustix::fs::Access;
use tracing_subscriber::EnvFilter;

use super::finding::Finding;
use super::{ADDRESSES_MAX, Config, SOCKET_PATH_MAX};

/// From a second (a slow line is not a dead one) to an hour.
const INTERVAL_MS: RangeInclusive<u64> = 1_000..=3_600_000;
/// A hall talks to a handful of neighbours; the city's to all its counties and then some.
const CONNECTIONS: RangeInclusive<u64> = 8..=10_000;
/// More than a node needs to start, or new cases would stop it before they are refused; not more than a disk has.
const RESERVE_MIB: RangeInclusive<u64> = 24..=1_048_576;
const GUESTS: RangeInclusive<u64> = 1..=1_000;
/// Who wants to know later than after a month has no use for it: a relay gives letters up by then.
const DAYS: RangeInclusive<u64> = 1..=30;
/// What of a file's mode is for people outside the node's user and group.
const OTHERS: u32 = 0o007;

pub(super) fn check(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(addresses("listen", &config.listen));
    found.extend(addresses("advertise", &config.advertise));
    found.extend(config.advertise.iter().filter_map(|text| unreachable_at(text)));
    found.extend(left_to_chance(config));
    found.extend(data_dir(&config.data_dir));
    found.extend(socket(config));
    found.extend(log(&config.log));
    found.extend(numbers(config));
    found
}

/// The address in `text`, if this node can use it.
pub(super) fn address(key: &'static str, text: &str) -> Result<Multiaddr, Finding> {
    let malformed = |cause: libp2p::multiaddr::Error| {
        Finding::error(key, "malformed").with("value", text).with("reason", &cause)
    };
    let address: Multiaddr = text.parse().map_err(malformed)?;
    match endpoint(&address) {
        Some(_) => Ok(address),
        None => Err(Finding::error(key, "unsupported").with("value", text)),
    }
}

fn addresses(key: &'static str, texts: &[String]) -> Vec<Finding> {
    let mut found: Vec<Finding> = texts.iter().filter_map(|text| address(key, text).err()).collect();
    if texts.len() > ADDRESSES_MAX {
        found.push(Finding::error(key, "too_many").with("count", &texts.len()).with("max", &ADDRESSES_MAX));
    }
    found
}

/// The only kind of address the node speaks: an IP address and a TCP port.
fn endpoint(address: &Multiaddr) -> Option<(IpAddr, u16)> {
    let mut parts = address.iter();
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Protocol::Ip4(ip)), Some(Protocol::Tcp(port)), None) => Some((ip.into(), port)),
        (Some(Protocol::Ip6(ip)), Some(Protocol::Tcp(port)), None) => Some((ip.into(), port)),
        _ => None,
    }
}

/// An address that is well formed and that nobody else can dial.
fn unreachable_at(text: &str) -> Option<Finding> {
    let (ip, port) = endpoint(&text.parse().ok()?)?;
    if ip.is_unspecified() {
        Some(Finding::error("advertise", "unspecified").with("value", text))
    } else if port == 0 {
        Some(Finding::error("advertise", "port_zero").with("value", text))
    } else if ip.is_loopback() {
        // Right for halls on one machine, as in a test.
        Some(Finding::warning("advertise", "loopback").with("value", text))
    } else {
        None
    }
}

/// Which of a machine's addresses others can dial only its people know.
fn left_to_chance(config: &Config) -> Option<Finding> {
    let everywhere = |text: &&String| {
        text.parse().ok().and_then(|address| endpoint(&address)).is_some_and(|(ip, _)| ip.is_unspecified())
    };
    let listen = config.listen.iter().find(everywhere).filter(|_| config.advertise.is_empty())?;
    Some(Finding::warning("advertise", "missing").with("value", listen))
}

fn data_dir(dir: &Path) -> Vec<Finding> {
    let mut found = Vec::new();
    if !dir.is_absolute() {
        found.push(Finding::warning("data_dir", "relative").with("path", &dir.display()));
    }
    match fs::metadata(dir) {
        Ok(metadata) if metadata.is_dir() => {
            found.extend(data_dir_rights(dir, metadata.permissions().mode()));
        }
        Ok(_) => found.push(Finding::error("data_dir", "not_a_directory").with("path", &dir.display())),
        // `init` makes it, so this alone does not keep a node from being made.
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            found.push(Finding::warning("data_dir", "missing").with("path", &dir.display()));
        }
        Err(cause) => found.push(
            Finding::error("data_dir", "unreadable").with("path", &dir.display()).with("reason", &cause),
        ),
    }
    found
}

fn data_dir_rights(dir: &Path, mode: u32) -> Vec<Finding> {
    let mut found = Vec::new();
    if rustix::fs::access(dir, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() {
        found.push(Finding::error("data_dir", "not_writable").with("path", &dir.display()));
    }
    if mode & OTHERS != 0 {
        let mode = format!("{:04o}", mode & 0o7777);
        found.push(
            Finding::warning("data_dir", "open_to_others").with("path", &dir.display()).with("mode", &mode),
        );
    }
    found
}

fn socket(config: &Config) -> Option<Finding> {
    let path = config.socket();
    let length = path.as_os_str().as_bytes().len();
    (length > SOCKET_PATH_MAX).then(|| {
        Finding::error("socket", "too_long")
            .with("path", &path.display())
            .with("length", &length)
            .with("max", &SOCKET_PATH_MAX)
    })
}

fn log(filter: &str) -> Option<Finding> {
    let cause = EnvFilter::builder().parse(filter).err()?;
    Some(Finding::error("log", "malformed").with("value", filter).with("reason", &cause))
}

fn numbers(config: &Config) -> impl Iterator<Item = Finding> {
    let bounded = [
        ("ping_interval_ms", config.ping_interval_ms, INTERVAL_MS),
        ("redial_max_ms", config.redial_max_ms, INTERVAL_MS),
        ("connections_max", u64::from(config.connections_max), CONNECTIONS),
        ("guest_seats", u64::from(config.guest_seats), GUESTS),
        ("guest_deadline_ms", config.guest_deadline_ms, INTERVAL_MS),
        ("undeliverable_days", u64::from(config.undeliverable_days), DAYS),
        ("undeliverable_relayed_days", u64::from(config.undeliverable_relayed_days), DAYS),
        ("recorder_inputs", u64::from(config.recorder_inputs), 0..=RECORDED_INPUTS_MAX),
        ("disk_reserve_mib", u64::from(config.disk_reserve_mib), RESERVE_MIB),
    ];
    let more_guests_than_seats = (config.guest_seats >= config.connections_max).then(|| {
        Finding::error("guest_seats", "not_below_connections")
            .with("value", &config.guest_seats)
            .with("max", &config.connections_max)
    });
    bounded
        .into_iter()
        .filter_map(|(key, value, range)| out_of_range(key, value, &range))
        .chain(more_guests_than_seats)
}

fn out_of_range(key: &'static str, value: u64, range: &RangeInclusive<u64>) -> Option<Finding> {
    (!range.contains(&value)).then(|| {
        Finding::error(key, "out_of_range")
            .with("value", &value)
            .with("min", range.start())
            .with("max", range.end())
    })
}
