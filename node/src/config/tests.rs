//! Reading and checking settings.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;

const EXAMPLE: &str = include_str!("../../../deploy/config/hallmesh.example.toml");

#[test]
fn the_example_says_nothing_and_shows_every_key_with_its_default() {
    assert_eq!(parse(EXAMPLE).unwrap(), Config::default());
    let shown: Vec<&str> =
        EXAMPLE.lines().filter_map(|line| line.strip_prefix("#")).filter(is_setting).collect();
    let keys: Vec<&str> =
        shown.iter().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key).collect();
    assert_eq!(keys, Config::KEYS);
    let uncommented = parse(&shown.join("\n")).unwrap();
    let language = uncommented.language;
    let socket = uncommented.socket.clone();
    assert_eq!((language, socket), (Some(Language::Zh), Some(Config::default().socket())));
    assert!(uncommented.credential_file.is_some() && uncommented.passphrase_file.is_some());
    let unset =
        Config { language: None, socket: None, credential_file: None, passphrase_file: None, ..uncommented };
    assert_eq!(unset, Config::default());
}

#[test]
fn the_list_of_keys_is_that_of_the_fields() {
    let full = Config {
        socket: Some("s".into()),
        credential_file: Some("c".into()),
        passphrase_file: Some("p".into()),
        language: Some(Language::En),
        ..Config::default()
    };
    let table = toml::Table::try_from(full).unwrap();
    let mut known = Config::KEYS;
    known.sort_unstable();
    assert_eq!(table.keys().collect::<Vec<_>>(), known);
}

#[test]
fn a_file_changes_only_what_it_names() {
    let config = parse("listen = []\nlanguage = \"en\"\nguest_seats = 3\n").unwrap();
    let expected =
        Config { listen: Vec::new(), language: Some(Language::En), guest_seats: 3, ..Config::default() };
    assert_eq!(config, expected);
}

#[test]
fn a_misspelt_key_is_shown_with_its_place_and_the_one_that_was_meant() {
    let error = parse("log = \"info\"\n  lisen = []\n").unwrap_err();
    assert_eq!(error.code(), "config.key.misspelt");
    assert_eq!(detail(&error), "column=3 file=hall.toml key=lisen line=2 suggestion=listen");
    assert_eq!(error.to_string(), "hall.toml:2:3: unknown key lisen, did you mean listen?");
    let error = parse("[database]\npassword = 1\n").unwrap_err();
    assert_eq!(error.code(), "config.key.unknown");
    assert_eq!(detail(&error), "column=2 file=hall.toml key=database line=1");
}

#[test]
fn the_first_unknown_key_of_the_file_is_named() {
    let error = parse("zzz = 1\naaa = 1\n").unwrap_err();
    assert!(matches!(error, ConfigError::UnknownKey { key, .. } if key == "zzz"));
}

#[test]
fn a_value_of_the_wrong_kind_is_shown_with_its_key_and_place() {
    let error = parse("listen = [\"/ip4/0.0.0.0/tcp/1\", 7]\n").unwrap_err();
    assert_eq!(error.code(), "config.value.malformed");
    assert!(
        matches!(&error, ConfigError::Value { key, at, .. } if key == "listen" && *at == at_place(1, 33))
    );
    let error = parse("# settings\nlanguage = \"fr\"\n").unwrap_err();
    assert!(
        matches!(&error, ConfigError::Value { key, at, .. } if key == "language" && *at == at_place(2, 12))
    );
    let error = parse("guest_seats = -1\n").unwrap_err();
    assert!(matches!(&error, ConfigError::Value { key, .. } if key == "guest_seats"));
}

#[test]
fn what_is_not_toml_or_not_utf8_is_shown_with_its_place() {
    let error = parse("log = \"\u{4fe1}\" x\n").unwrap_err();
    assert_eq!(error.code(), "config.file.syntax");
    assert!(matches!(&error, ConfigError::Syntax { at, .. } if *at == at_place(1, 11)), "{error}");
    // "log" in GBK-encoded Chinese quotes.
    let error =
        load::parse(Path::new("hall.toml"), b"socket = \"a\"\nlog = \xa1\xb0info\xa1\xb1").unwrap_err();
    assert_eq!(error.code(), "config.file.encoding");
    assert!(matches!(error, ConfigError::Encoding { at, .. } if at == at_place(2, 7)));
}

#[test]
fn a_named_file_must_be_there_and_small() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("hall.toml");
    let error = Config::load(Some(&path)).unwrap_err();
    assert_eq!(error.code(), "config.file.unreadable");
    assert!(
        matches!(error, ConfigError::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound)
    );
    fs::write(&path, " ".repeat(usize::try_from(CONFIG_FILE_MAX).unwrap() + 1)).unwrap();
    assert_eq!(Config::load(Some(&path)).unwrap_err().code(), "config.file.too_large");
    fs::write(&path, "log = \"debug\"\r\n").unwrap();
    assert_eq!(Config::load(Some(&path)).unwrap().log, "debug");
    // Some editors begin a file with a byte order mark.
    fs::write(&path, "\u{feff}log = \"debug\"\r\n").unwrap();
    assert_eq!(Config::load(Some(&path)).unwrap().log, "debug");
}

#[test]
fn settings_that_work_have_no_findings() {
    let dir = private_dir();
    assert_eq!(sound(&dir).check(), []);
    let config = Config {
        listen: vec!["/ip6/::/tcp/0".to_owned()],
        log: "warn,hallmesh=debug".to_owned(),
        ..sound(&dir)
    };
    assert_eq!(config.check(), []);
    assert_eq!(config.listen_addresses().unwrap().len(), 1);
}

#[test]
fn an_address_must_be_one_the_node_can_use() {
    let dir = private_dir();
    let listen = |text: &str| Config { listen: vec![text.to_owned()], ..sound(&dir) };
    assert_eq!(codes(&listen("0.0.0.0:6207")), ["config.listen.malformed"]);
    assert_eq!(codes(&listen("/ip4/0.0.0.0/tcp/99999")), ["config.listen.malformed"]);
    assert_eq!(codes(&listen("/ip4/0.0.0.0/udp/6207/quic-v1")), ["config.listen.unsupported"]);
    assert_eq!(codes(&listen("/dns4/hall.example/tcp/6207")), ["config.listen.unsupported"]);
    assert_eq!(codes(&listen("")), ["config.listen.unsupported"]);
    assert_eq!(listen("x").listen_addresses().unwrap_err().code, "config.listen.malformed");
    let many = Config { listen: vec!["/ip4/0.0.0.0/tcp/0".to_owned(); ADDRESSES_MAX + 1], ..sound(&dir) };
    assert_eq!(codes(&many), ["config.listen.too_many"]);
}

#[test]
fn an_advertised_address_must_be_one_others_can_dial() {
    let dir = private_dir();
    let advertise = |text: &str| Config { advertise: vec![text.to_owned()], ..sound(&dir) };
    assert_eq!(codes(&advertise("/ip4/10.2.0.5/tcp/6207")), [""; 0]);
    assert_eq!(codes(&advertise("/ip4/0.0.0.0/tcp/6207")), ["config.advertise.unspecified"]);
    assert_eq!(codes(&advertise("/ip4/10.2.0.5/tcp/0")), ["config.advertise.port_zero"]);
    assert_eq!(codes(&advertise("/ip6/::1/tcp/6207")), ["config.advertise.loopback"]);
    assert_eq!(codes(&advertise("10.2.0.5")), ["config.advertise.malformed"]);
    assert_eq!(advertise("/ip6/::1/tcp/6207").check()[0].severity, Severity::Warning);
}

#[test]
fn listening_everywhere_leaves_to_chance_what_others_dial() {
    let dir = private_dir();
    let listen = |texts: &[&str]| Config {
        listen: texts.iter().map(|text| (*text).to_owned()).collect(),
        advertise: Vec::new(),
        ..sound(&dir)
    };
    let found = listen(&["/ip4/10.2.0.5/tcp/1", "/ip6/::/tcp/1"]).check();
    assert_eq!((found[0].code.as_str(), found[0].severity), ("config.advertise.missing", Severity::Warning));
    assert_eq!((found[0].detail["value"].as_str(), found.len()), ("/ip6/::/tcp/1", 1));
    assert_eq!(codes(&Config { advertise: Vec::new(), ..sound(&dir) }), ["config.advertise.missing"]);
    assert_eq!(codes(&listen(&["/ip4/127.0.0.1/tcp/1"])), [""; 0]);
    assert_eq!(codes(&listen(&[])), [""; 0]);
}

#[test]
fn the_data_directory_must_be_there_and_the_nodes_own() {
    let dir = private_dir();
    let at = |path: PathBuf| Config { data_dir: path, ..sound(&dir) };
    assert_eq!(codes(&at(dir.path().join("none"))), ["config.data_dir.missing"]);
    fs::write(dir.path().join("file"), b"").unwrap();
    assert_eq!(codes(&at(dir.path().join("file"))), ["config.data_dir.not_a_directory"]);
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let found = sound(&dir).check();
    assert_eq!(found[0].code, "config.data_dir.open_to_others");
    assert_eq!(found[0].detail["mode"], "0755");
    assert_eq!(codes(&at("none-such".into())), ["config.data_dir.relative", "config.data_dir.missing"]);
}

#[test]
fn a_socket_path_must_fit() {
    let dir = private_dir();
    let socket = |length: usize| Config { socket: Some("s".repeat(length).into()), ..sound(&dir) };
    assert_eq!(codes(&socket(SOCKET_PATH_MAX)), [""; 0]);
    assert_eq!(codes(&socket(SOCKET_PATH_MAX + 1)), ["config.socket.too_long"]);
}

#[test]
fn filters_and_numbers_are_checked() {
    let dir = private_dir();
    assert_eq!(codes(&Config { log: "hallmesh=loud".to_owned(), ..sound(&dir) }), ["config.log.malformed"]);
    let config = Config { redial_max_ms: 0, guest_seats: 0, ..sound(&dir) };
    assert_eq!(codes(&config), ["config.redial_max_ms.out_of_range", "config.guest_seats.out_of_range"]);
    assert_eq!(config.check()[0].detail["min"], "1000");
    let config = Config { connections_max: 8, guest_seats: 8, ..sound(&dir) };
    assert_eq!(codes(&config), ["config.guest_seats.not_below_connections"]);
}

fn is_setting(line: &&str) -> bool {
    line.starts_with(|first: char| first.is_ascii_lowercase())
}

fn parse(text: &str) -> Result<Config, ConfigError> {
    load::parse(Path::new("hall.toml"), text.as_bytes())
}

fn detail(error: &ConfigError) -> String {
    error.detail().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

fn at_place(line: usize, column: usize) -> Position {
    Position { line, column }
}

fn private_dir() -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o700)).unwrap();
    dir
}

fn sound(dir: &TempDir) -> Config {
    let advertise = vec!["/ip4/10.2.0.5/tcp/6207".to_owned()];
    Config { advertise, data_dir: dir.path().to_owned(), ..Config::default() }
}

fn codes(config: &Config) -> Vec<String> {
    config.check().into_iter().map(|finding| finding.code).collect()
}
