//! What the hall's IT person may set: one flat TOML file, every key optional, the defaults here.
//!
//! Promises: an unknown key is an error, never ignored; an error says where; nothing secret is in the file.
//! Errors and findings carry a stable code and parameters and no sentence: the sentences, in every language,
//! are in the message catalogues.

mod check;
mod finding;
mod load;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use hallmesh_protocol::limits::{UNDELIVERABLE_DAYS, UNDELIVERABLE_RELAYED_DAYS};
use libp2p::Multiaddr;
use serde::{Deserialize, Serialize};

pub use finding::{ConfigError, Finding, Position, Severity};

use crate::home::Outside;

/// Where the settings are if nobody says otherwise. This file may be missing.
pub const CONFIG_PATH: &str = "/etc/hallmesh/hallmesh.toml";
/// A larger file is no configuration.
pub const CONFIG_FILE_MAX: u64 = 1024 * 1024;
/// How many addresses `listen` and `advertise` may have each.
pub const ADDRESSES_MAX: usize = 8;
/// The variable in which the service manager says where it hands over credentials.
const HANDED_OVER: &str = "CREDENTIALS_DIRECTORY";
/// What the system can take as the path of a socket.
pub const SOCKET_PATH_MAX: usize = 107;

/// The settings of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Addresses to listen on for other halls. Empty: this hall only dials.
    pub listen: Vec<String>,
    /// Addresses under which other halls reach this one, if they are not those it listens on.
    pub advertise: Vec<String>,
    /// Where the node keeps its rows and its key.
    pub data_dir: PathBuf,
    /// The local admin socket. Unset: `hallmesh.sock` in the data directory.
    pub socket: Option<PathBuf>,
    /// A file with the credential that opens the secret keys, which must not lie in the data directory. Unset: what
    /// the service manager hands over.
    pub credential_file: Option<PathBuf>,
    /// A file with the passphrase that opens the secret keys. Unset: what the service manager hands over, or what
    /// is typed.
    pub passphrase_file: Option<PathBuf>,
    /// Language of messages. Unset: that of the environment.
    pub language: Option<Language>,
    /// What is logged: a level, or `target=level` pairs separated by commas.
    pub log: String,
    /// How often a neighbour is pinged; three missed ones close the connection.
    pub ping_interval_ms: u64,
    /// The longest pause before a lost neighbour is dialled again.
    pub redial_max_ms: u64,
    /// How many connections with other halls may be open at once; guests come on top.
    pub connections_max: u32,
    /// How many unknown machines may be at the door at once, to enrol or to show their charter.
    pub guest_seats: u32,
    /// How long an unknown machine may stay at the door.
    pub guest_deadline_ms: u64,
    /// Days after which letters of this hall that another one does not answer raise an alarm.
    pub undeliverable_days: u32,
    /// Days after which letters of others that wait here raise one.
    pub undeliverable_relayed_days: u32,
    /// How many of the last inputs the flight recorder keeps in memory at least; 0 for none.
    pub recorder_inputs: u32,
    /// Mebibytes that new cases leave free on the disk, for those that are under way.
    pub disk_reserve_mib: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec!["/ip4/0.0.0.0/tcp/6207".to_owned()],
            advertise: Vec::new(),
            data_dir: PathBuf::from("/var/lib/hallmesh"),
            socket: None,
            credential_file: None,
            passphrase_file: None,
            language: None,
            log: "info".to_owned(),
            ping_interval_ms: 15_000,
            redial_max_ms: 60_000,
            connections_max: 256,
            guest_seats: 8,
            guest_deadline_ms: 20_000,
            undeliverable_days: UNDELIVERABLE_DAYS,
            undeliverable_relayed_days: UNDELIVERABLE_RELAYED_DAYS,
            recorder_inputs: 10_000,
            disk_reserve_mib: 64,
        }
    }
}

impl Config {
    /// Every key, in the order of the example file.
    pub const KEYS: [&'static str; 17] = [
        "listen",
        "advertise",
        "data_dir",
        "socket",
        "credential_file",
        "passphrase_file",
        "language",
        "log",
        "ping_interval_ms",
        "redial_max_ms",
        "connections_max",
        "guest_seats",
        "guest_deadline_ms",
        "undeliverable_days",
        "undeliverable_relayed_days",
        "recorder_inputs",
        "disk_reserve_mib",
    ];

    /// Reads the file at `path`, which must be there; without a path, the file at [`CONFIG_PATH`] if it is
    /// there, and otherwise the defaults.
    pub fn load(path: Option<&Path>) -> Result<Config, ConfigError> {
        load::load(path)
    }

    /// Everything about these settings, and about this machine as far as they touch it, that will not work
    /// or should be known. Empty if all is well.
    pub fn check(&self) -> Vec<Finding> {
        check::check(self)
    }

    /// The path of the admin socket.
    pub fn socket(&self) -> PathBuf {
        self.socket.clone().unwrap_or_else(|| self.data_dir.join("hallmesh.sock"))
    }

    /// Where the secret is that opens the keys in the data directory.
    pub fn outside(&self) -> Outside {
        Outside {
            credential_file: self.credential_file.clone(),
            passphrase_file: self.passphrase_file.clone(),
            handed_over: std::env::var_os(HANDED_OVER).map(PathBuf::from),
            typed: None,
        }
    }

    /// The addresses to listen on, or what is wrong with the first bad one.
    pub fn listen_addresses(&self) -> Result<Vec<Multiaddr>, Finding> {
        self.listen.iter().map(|text| check::address("listen", text)).collect()
    }

    /// The addresses others dial, or what is wrong with the first bad one.
    pub fn advertise_addresses(&self) -> Result<Vec<Multiaddr>, Finding> {
        self.advertise.iter().map(|text| check::address("advertise", text)).collect()
    }
}

/// The language of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Chinese.
    Zh,
    /// English.
    En,
}
