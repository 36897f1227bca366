use std::collections::BTreeSet;

use hallmesh_protocol::calendar::Counts;
use hallmesh_protocol::cases::{Article, ClockKind, Closing, Ending, NotAccepted, Procedure, State, Whole};

use super::*;

fn catalogue(lang: Lang) -> Vec<(&'static str, &'static str)> {
    let source = match lang {
        Lang::Zh => ZH,
        Lang::En => EN,
    };
    entries(source).collect()
}

fn params(text: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    let mut rest = text;
    while let Some((_, name, after)) = next_place(rest) {
        found.insert(name);
        rest = after;
    }
    found
}

#[test]
fn every_line_is_an_entry_and_no_key_comes_twice() {
    for source in [ZH, EN] {
        let lines = source.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut seen = BTreeSet::new();
        for line in lines {
            let (key, text) = line.split_once(" = ").unwrap_or_else(|| panic!("no entry: {line}"));
            assert!(seen.insert(key), "twice: {key}");
            assert!(!text.trim().is_empty(), "empty: {key}");
        }
    }
}

#[test]
fn both_languages_say_the_same_things() {
    let (zh, en) = (Texts::new(Lang::Zh), Texts::new(Lang::En));
    let missing = |one: &Texts, other: &Texts| -> Vec<&'static str> {
        one.keys().filter(|key| !other.entries.contains_key(key)).collect()
    };
    assert_eq!(missing(&zh, &en), Vec::<&str>::new(), "missing in English");
    assert_eq!(missing(&en, &zh), Vec::<&str>::new(), "missing in Chinese");
}

#[test]
fn both_languages_take_the_same_parameters() {
    // A reason or a next step may be worded without a value that the other language needs.
    let en = Texts::new(Lang::En);
    for (key, text) in catalogue(Lang::Zh) {
        assert_eq!(params(text), params(en.entries[key]), "{key}");
    }
}

#[test]
fn every_error_has_a_cause_and_a_next_step() {
    for lang in [Lang::Zh, Lang::En] {
        let texts = Texts::new(lang);
        let errors = texts.keys().filter(|key| key.starts_with("error."));
        let errors = errors.filter(|key| !["why", "next"].contains(&key.rsplit('.').next().unwrap()));
        for key in errors {
            for more in ["why", "next"] {
                assert!(texts.find(&format!("{key}.{more}"), &[]).is_some(), "{key}.{more}");
            }
        }
    }
}

#[test]
fn every_reason_of_a_refusal_has_a_text() {
    use crate::net::Refusal::*;
    let of_lines = [
        HandshakeRate,
        HandshakesFull,
        Handshake,
        Accept,
        GuestRate,
        SeatsFull,
        GuestTwice,
        GuestFrame,
        GuestDeadline,
        NotInRoster,
        MembersFull,
        Memory,
        FrameOversize,
        FramePacked,
        FrameOrder,
        BadAck,
        FrameSlow,
        Silent,
        NotAdmitted,
        WrongKey,
    ];
    let of_lines: BTreeSet<_> = of_lines.iter().map(|reason| reason.word()).collect();
    let of_contents = ["malformed", "unverified", "unsent", "guest-frame", "guest-records"];
    let words: BTreeSet<_> = of_lines.into_iter().chain(of_contents).collect();
    let known = catalogue(Lang::En).into_iter().filter_map(|(key, _)| key.strip_prefix("refused."));
    assert_eq!(known.collect::<BTreeSet<_>>(), words);
}

#[test]
fn chinese_texts_are_chinese_and_english_ones_are_not() {
    let han = |text: &str| text.chars().any(|character| ('\u{4e00}'..='\u{9fff}').contains(&character));
    for (key, text) in catalogue(Lang::Zh) {
        let words = params(text).into_iter().fold(text.to_owned(), |text, name| text.replace(name, ""));
        let sentence = key.starts_with("error.") || key.starts_with("cli.");
        assert!(!sentence || han(text) || !words.contains(char::is_alphabetic), "{key}: {text}");
    }
    for (key, text) in catalogue(Lang::En) {
        // The demo names the four ways of handling by the words that staff know.
        assert!(key.starts_with("demo.story") || !han(text), "{key}: {text}");
    }
}

#[test]
fn every_word_of_the_law_of_a_case_is_said_in_both_languages() {
    let clocks = [
        ClockKind::Notice,
        ClockKind::Correction,
        ClockKind::Procedure,
        ClockKind::Promise,
        ClockKind::Decision,
        ClockKind::Delivery,
        ClockKind::Joint,
    ];
    let days = [
        Counts::Beginning,
        Counts::Working,
        Counts::MakeUp,
        Counts::Weekend,
        Counts::Holiday,
        Counts::Paused,
    ];
    let words = [
        ("state", State::ALL.map(State::word).to_vec()),
        ("article", Article::ALL.map(Article::word).to_vec()),
        ("ending", Ending::ALL.map(Ending::word).to_vec()),
        ("closing", Closing::ALL.map(|closing| closing.ending().word()).to_vec()),
        ("ground", NotAccepted::ALL.map(NotAccepted::word).to_vec()),
        ("procedure", Procedure::ALL.map(Procedure::word).to_vec()),
        ("limit", clocks.map(ClockKind::word).to_vec()),
        ("counts", days.map(Counts::word).to_vec()),
        ("bundle_state", Whole::ALL.map(Whole::word).to_vec()),
        ("task_state", vec!["unknown", "waits", "blocked", "open", "ready", "delivered"]),
    ];
    for lang in [Lang::Zh, Lang::En] {
        let texts = Texts::new(lang);
        for (kind, words) in &words {
            let silent = words.iter().find(|word| texts.find(&format!("{kind}.{word}"), &[]).is_none());
            assert_eq!(silent, None, "{kind} in {lang:?}");
        }
    }
}

#[test]
fn the_language_is_that_of_the_first_variable_that_is_set() {
    let of = |set: &[(&str, &str)]| {
        of_environment(|name| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    };
    assert_eq!(of(&[]), Lang::En);
    assert_eq!(of(&[("LANG", "zh_CN.UTF-8")]), Lang::Zh);
    assert_eq!(of(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")]), Lang::En);
    assert_eq!(of(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "")]), Lang::Zh);
    assert_eq!(of(&[("LANG", "en_US.UTF-8"), ("HALLMESH_LANG", "zh")]), Lang::Zh);
    assert_eq!(of(&[("LANG", "de_DE.UTF-8")]), Lang::En);
}

#[test]
fn parameters_are_filled_once_and_unknown_keys_are_shown() {
    assert_eq!(fill("{a} and {b}", &[("a", &"{b}"), ("b", &2)]), "{b} and 2");
    assert_eq!(fill("{a}\\n{unknown}", &[("a", &"x\\n")]), "x\\n\n{unknown}");
    assert_eq!(Texts::new(Lang::En).say("no.such.key", &[]), "no.such.key");
}

#[test]
fn the_clock_is_shanghais() {
    assert_eq!(clock(0), "08:00:00");
    assert_eq!(clock(1_795_482_644_000), "09:10:44");
}
