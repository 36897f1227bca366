//! Sealed homes on a real disk.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;
use crate::home::{Home, hex_line};

const COUNTY: &str = "620702000000-00";
const WORDS: &str = "correct horse battery staple";

#[test]
fn a_sealed_home_opens_with_its_passphrase_and_with_nothing_else() {
    let place = Place::new();
    let home = place.create(&passphrase(WORDS));
    assert_eq!(home.sealing().unwrap(), Sealing::Passphrase);
    let keys = place.open(&typed(WORDS)).keys().unwrap();
    let again = place.open(&typed(WORDS)).keys().unwrap();
    assert_eq!(keys.event.public(), again.event.public());
    assert_ne!(keys.event.public(), keys.transport_public);
    assert_eq!(code(home.keys()), "home.passphrase_needed");
    assert_eq!(code(place.open(&typed("correct horse battery stapler")).keys()), "home.wrong_passphrase");
    assert_eq!(code(place.open(&typed("")).keys()), "home.wrong_passphrase");
}

#[test]
fn a_sealed_home_opens_with_its_credential_and_with_nothing_else() {
    let place = Place::new();
    let file = place.outside("hallmesh.key");
    let secret = Secret::new_credential_in(&file, &place.home()).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    place.create(&secret);
    let with = |path: &Path| Outside { credential_file: Some(path.to_owned()), ..Outside::default() };
    let keys = place.open(&with(&file)).keys().unwrap();
    let handed = Outside { handed_over: file.parent().map(Path::to_owned), ..Outside::default() };
    assert_eq!(place.open(&handed).keys().unwrap().event.public(), keys.event.public());
    assert_eq!(code(place.open(&typed(WORDS)).keys()), "home.credential_needed");
    assert_eq!(code(place.open(&with(&place.outside("none"))).keys()), "home.secret_missing");
    let other = place.outside("other.key");
    Secret::new_credential_in(&other, &place.home()).unwrap();
    assert_eq!(code(place.open(&with(&other)).keys()), "home.wrong_credential");
    fs::write(&other, "no credential").unwrap();
    assert_eq!(code(place.open(&with(&other)).keys()), "home.credential_malformed");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(code(place.open(&with(&file)).keys()), "home.open_to_others");
}

#[test]
fn a_credential_that_is_there_is_taken_and_not_replaced() {
    let place = Place::new();
    let file = place.outside("hallmesh.key");
    let drawn = [1, 2].map(|_| match Secret::new_credential_in(&file, &place.home()).unwrap() {
        Secret::Credential(key) => *key,
        Secret::Passphrase(_) => panic!("no credential"),
    });
    assert_eq!(drawn[0], drawn[1]);
    assert_ne!(drawn[0], [0; 32]);
}

#[test]
fn a_secret_beside_what_it_seals_is_refused() {
    let place = Place::new();
    place.create(&passphrase(WORDS));
    let inside = place.home().join("hallmesh.key");
    assert_eq!(code(Secret::new_credential_in(&inside, &place.home())), "home.secret_inside");
    assert!(!inside.exists());
    let link = place.outside("link");
    std::os::unix::fs::symlink(place.home(), &link).unwrap();
    assert_eq!(code(Secret::new_credential_in(&link.join("k"), &place.home())), "home.secret_inside");
    fs::write(&inside, WORDS).unwrap();
    let outside = Outside { passphrase_file: Some(inside), ..Outside::default() };
    assert_eq!(code(place.open(&outside).keys()), "home.secret_inside");
    // Also where there is no home yet.
    let nowhere = place.outside("nowhere");
    assert_eq!(code(Secret::new_credential_in(&nowhere.join("k"), &nowhere)), "home.secret_inside");
}

#[test]
fn a_passphrase_has_a_length_and_no_line_end() {
    let place = Place::new();
    for (text, sound) in [
        ("eleven chars", true),
        ("eleven char", false),
        ("一二三四五六七八九十一二", true),
        ("一二三四五六七八九十一", false),
        ("", false),
    ] {
        let refused = Secret::new_passphrase(Passphrase::new(text.as_bytes()));
        assert_eq!(refused.is_ok(), sound, "{text}");
    }
    let long = "x".repeat(PASSPHRASE_BYTES_MAX + 1);
    assert_eq!(code(Secret::new_passphrase(Passphrase::new(long.as_bytes()))), "home.passphrase_length");
    let file = place.outside("passphrase");
    fs::write(&file, format!("{WORDS}\r\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    place.create(&Secret::new_passphrase_in(&file, &place.home()).unwrap());
    place.open(&typed(WORDS)).keys().unwrap();
    let outside = Outside { passphrase_file: Some(file), ..Outside::default() };
    place.open(&outside).keys().unwrap();
}

#[test]
fn clerks_keys_are_sealed_with_the_others() {
    let place = Place::new();
    place.create(&passphrase(WORDS));
    let home = place.open(&typed(WORDS));
    assert_eq!(code(home.clerk_key(7)), "home.clerk_key_missing");
    let public = home.new_clerk_key(7).unwrap();
    assert_eq!(code(home.new_clerk_key(7)), "home.clerk_key_exists");
    assert_eq!(home.clerk_key(7).unwrap().public(), public);
    assert_eq!(code(Home::open(&place.home()).unwrap().clerk_key(7)), "home.passphrase_needed");
    assert_eq!(code(Home::open(&place.home()).unwrap().new_clerk_key(8)), "home.passphrase_needed");
    assert_eq!(files::names(&place.home().join("clerks")).unwrap(), [""; 0]);
    assert_eq!(home.keys().unwrap().event.public(), place.open(&typed(WORDS)).keys().unwrap().event.public());
}

#[test]
fn a_home_in_clear_is_sealed_later_with_the_same_keys() {
    let place = Place::new();
    let clear = Home::create(&place.home(), hall(), "Ganzhou").unwrap();
    let (event, clerk) = (clear.keys().unwrap().event.public(), clear.new_clerk_key(3).unwrap());
    let secrets = secrets_of(&place.home());
    assert_eq!(secrets.len(), 4);
    clear.reseal(&passphrase(WORDS)).unwrap();
    assert_eq!(secrets_in(&place.home(), &secrets), 0);
    assert_eq!(files::names(&place.home().join("keys")).unwrap(), ["keys.sealed"]);
    let sealed = place.open(&typed(WORDS));
    assert_eq!(
        (sealed.keys().unwrap().event.public(), sealed.clerk_key(3).unwrap().public()),
        (event, clerk)
    );
    let file = place.outside("hallmesh.key");
    sealed.reseal(&Secret::new_credential_in(&file, &place.home()).unwrap()).unwrap();
    assert_eq!(code(place.open(&typed(WORDS)).keys()), "home.credential_needed");
    let moved = place.open(&Outside { credential_file: Some(file), ..Outside::default() });
    assert_eq!((moved.keys().unwrap().event.public(), moved.clerk_key(3).unwrap().public()), (event, clerk));
    let wrong = place.open(&typed(WORDS));
    assert_eq!(code(wrong.reseal(&passphrase("another passphrase"))), "home.credential_needed");
    moved.keys().unwrap();
}

#[test]
fn an_interrupted_sealing_is_finished() {
    let place = Place::new();
    let clear = Home::create(&place.home(), hall(), "Ganzhou").unwrap();
    clear.new_clerk_key(3).unwrap();
    let seeds = clear.seeds_in_clear().unwrap();
    let secrets = secrets_of(&place.home());
    // The sealed file is written; of the clear ones one is gone, one is overwritten, one was never finished.
    Sealed::write(&place.home().join("keys/keys.sealed"), hall(), &seeds, &passphrase(WORDS)).unwrap();
    fs::remove_file(place.home().join("keys/event.key")).unwrap();
    fs::write(place.home().join("keys/wrap.key"), [0; 65]).unwrap();
    fs::write(place.home().join("keys/wrap.key.new"), "11".repeat(32)).unwrap();
    let home = place.open(&typed(WORDS));
    assert_eq!(home.keys().unwrap().event.public(), event_of(&seeds));
    assert_eq!(secrets_in(&place.home(), &secrets), 2);
    assert_eq!(code(Home::open(&place.home()).unwrap().finish_sealing()), "home.passphrase_needed");
    home.finish_sealing().unwrap();
    assert_eq!(secrets_in(&place.home(), &secrets), 0);
    assert_eq!(files::names(&place.home().join("keys")).unwrap(), ["keys.sealed"]);
    assert_eq!(files::names(&place.home().join("clerks")).unwrap(), [""; 0]);
    home.finish_sealing().unwrap();
    // A key that is not the sealed one is nobody's to remove.
    fs::write(place.home().join("keys/event.key"), "22".repeat(32)).unwrap();
    fs::set_permissions(place.home().join("keys/event.key"), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(code(home.finish_sealing()), "home.damaged");
    assert!(place.home().join("keys/event.key").exists());
}

#[test]
fn an_interrupted_creation_can_be_repeated_in_another_way() {
    let place = Place::new();
    let again = |place: &Place| fs::remove_file(place.home().join("hall.json")).unwrap();
    place.create(&passphrase(WORDS));
    again(&place);
    place.create(&passphrase("another passphrase"));
    place.open(&typed("another passphrase")).keys().unwrap();
    again(&place);
    let clear = Home::create(&place.home(), hall(), "Ganzhou").unwrap();
    assert_eq!(clear.sealing().unwrap(), Sealing::None);
    clear.keys().unwrap();
    let secrets = secrets_of(&place.home());
    again(&place);
    place.create(&passphrase(WORDS));
    assert_eq!((secrets.len(), secrets_in(&place.home(), &secrets)), (3, 0));
}

#[test]
fn a_damaged_file_is_told_from_a_wrong_secret() {
    let place = Place::new();
    place.create(&passphrase(WORDS));
    let file = place.home().join("keys/keys.sealed");
    let whole = fs::read_to_string(&file).unwrap();
    let write = |text: &str| fs::write(&file, text).unwrap();
    let refused = || code(Home::open_with(&place.home(), typed(WORDS)).and_then(|home| home.keys()));
    let flipped = |digit: usize| {
        let at = whole.find("\"sealed\"").unwrap() + 20 + digit;
        let other = if whole.as_bytes()[at] == b'0' { "1" } else { "0" };
        format!("{}{other}{}", &whole[..at], &whole[at + 1..])
    };
    for text in ["", "{}", &whole[..whole.len() / 2], &flipped(0), &flipped(100), &whole.replace("64", "32")]
    {
        write(text);
        assert_eq!(refused(), "home.damaged", "{text}");
    }
    write(&whole.replacen("\"version\": 1", "\"version\": 2", 1));
    assert_eq!(refused(), "home.seal_version");
    write(&"x".repeat(usize::try_from(FILE_BYTES_MAX).unwrap() + 1));
    assert_eq!(refused(), "home.too_large");
    write(&whole);
    place.open(&typed(WORDS)).keys().unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(refused(), "home.open_to_others");
}

#[test]
fn what_stands_in_clear_is_bound_to_what_is_sealed() {
    let seeds = seeds();
    let secret = passphrase(WORDS);
    let sealed = || Envelope::seal(&seeds, hall(), &secret, &mut crate::home::chance()).unwrap();
    assert!(sealed().open(&secret).as_ref() == Some(&seeds));
    let other_hall = Envelope { hall: "620723000000-00".to_owned(), ..sealed() };
    let weaker = match sealed() {
        Envelope { way: Way::Passphrase { memory_kib, lanes, salt, .. }, hall, sealed, version } => {
            Envelope { way: Way::Passphrase { memory_kib, passes: 1, lanes, salt }, hall, sealed, version }
        }
        other => other,
    };
    let greedy = |memory_kib, passes, lanes| {
        let salt = "00".repeat(SALT_BYTES);
        Envelope { way: Way::Passphrase { memory_kib, passes, lanes, salt }, ..sealed() }
    };
    let too_much =
        [greedy(MEMORY_KIB_MAX + 1, 1, 1), greedy(64, PASSES_MAX + 1, 1), greedy(1024, 1, LANES_MAX + 1)];
    let by_credential = Envelope { way: Way::Credential, ..sealed() };
    for changed in [other_hall, weaker, by_credential].into_iter().chain(too_much) {
        assert!(changed.open(&secret).is_none(), "{changed:?}");
    }
}

#[test]
fn every_number_of_clerks_fits_and_nothing_but_whole_entries_is_taken() {
    let mut seeds = seeds();
    for number in 1..=CLERKS_MAX {
        seeds.clerks.insert(number, Zeroizing::new([7; 32]));
    }
    let place = Place::new();
    let file = place.outside("keys.sealed");
    let secret = Secret::Credential(Zeroizing::new([9; 32]));
    Sealed::write(&file, hall(), &seeds, &secret).unwrap();
    assert!(Sealed::read(&file).unwrap().unwrap().open(&secret).unwrap() == seeds);
    let entries = self::seeds().entries();
    assert!(Seeds::of_entries(&entries).is_some());
    for bytes in [&entries[1..], &entries[ENTRY_BYTES..], &entries[..entries.len() - 1], &[]] {
        assert!(Seeds::of_entries(bytes).is_none());
    }
    for (at, byte) in [(0, 5), (1, 1), (0, 4)] {
        let mut changed = entries.clone();
        changed[at] = byte;
        assert!(Seeds::of_entries(&changed).is_none(), "{at} {byte}");
    }
}

#[test]
fn nothing_secret_is_printed() {
    let shown = format!("{:?} {:?} {:?}", passphrase(WORDS), typed(WORDS), Passphrase::new(WORDS.as_bytes()));
    assert!(!shown.contains("horse"), "{shown}");
    assert!(!format!("{:?}", Secret::Credential(Zeroizing::new([171; 32]))).contains("171"));
}

/// A directory for a home, and one beside it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        fs::create_dir(dir.path().join("outside")).unwrap();
        Self(dir)
    }

    fn home(&self) -> std::path::PathBuf {
        self.0.path().join("home")
    }

    fn outside(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join("outside").join(name)
    }

    fn create(&self, secret: &Secret) -> Home {
        Home::create_sealed(&self.home(), hall(), "Ganzhou", secret).unwrap()
    }

    fn open(&self, outside: &Outside) -> Home {
        Home::open_with(&self.home(), outside.clone()).unwrap()
    }
}

fn hall() -> HallId {
    COUNTY.parse().unwrap()
}

fn seeds() -> Seeds {
    let seed = |byte| Zeroizing::new([byte; 32]);
    Seeds { transport: seed(1), event: seed(2), wrap: seed(3), ..Seeds::default() }
}

fn event_of(seeds: &Seeds) -> hallmesh_protocol::seal::PublicKey {
    hallmesh_protocol::seal::SecretKey::from_seed(hallmesh_protocol::seal::Suite::One, *seeds.event).public()
}

fn passphrase(text: &str) -> Secret {
    Secret::new_passphrase(Passphrase::new(text.as_bytes())).unwrap()
}

fn typed(text: &str) -> Outside {
    Outside { typed: Some(Passphrase::new(text.as_bytes())), ..Outside::default() }
}

fn code<T>(outcome: Result<T, HomeError>) -> &'static str {
    outcome.map_or_else(|why| why.code(), |_| "done")
}

/// The seeds that lie in clear in a home, as they are written.
fn secrets_of(dir: &Path) -> Vec<String> {
    let seeds = Home::open(dir).unwrap().seeds_in_clear().unwrap();
    let all = [&seeds.transport, &seeds.event, &seeds.wrap].into_iter().chain(seeds.clerks.values());
    all.map(|seed| hex_line(seed).trim().to_owned()).collect()
}

/// How many of them are in a file of the directory.
fn secrets_in(dir: &Path, secrets: &[String]) -> usize {
    let mut texts = String::new();
    for below in ["keys", "clerks"].map(|below| dir.join(below)) {
        for name in files::names(&below).unwrap() {
            texts.push_str(&String::from_utf8_lossy(&fs::read(below.join(name)).unwrap()));
        }
    }
    secrets.iter().filter(|secret| texts.contains(secret.as_str())).count()
}
