use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use clap::Command;

use super::*;

const LANGUAGES: [Lang; 2] = [Lang::Zh, Lang::En];

/// Visits every command with its path in the catalogue.
fn walk(command: &Command, path: &str, visit: &mut dyn FnMut(&Command, &str)) {
    visit(command, path);
    for below in command.get_subcommands() {
        walk(below, &format!("{path}.{}", below.get_name()), visit);
    }
}

fn sources(dir: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("tests.rs") {
            found.push(fs::read_to_string(&path).unwrap());
        }
    }
}

/// The texts of this crate that stand in `"` right after `before`.
fn literals(before: &str) -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut found = BTreeSet::new();
    for file in files {
        let literals = file
            .split(before)
            .skip(1)
            .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
        found.extend(literals.map(str::to_owned));
    }
    found
}

fn usage_error(words: &[&str]) -> (Problem, Option<String>) {
    let texts = Texts::new(Lang::En);
    let error = localise::command(&texts).try_get_matches_from(words).unwrap_err();
    (usage::problem(&texts, &error), usage::usage(&texts, &error))
}

#[test]
fn the_tree_is_sound_in_both_languages() {
    for lang in LANGUAGES {
        localise::command(&Texts::new(lang)).debug_assert();
    }
}

#[test]
fn every_command_and_argument_has_its_help() {
    for lang in LANGUAGES {
        let texts = Texts::new(lang);
        walk(&localise::command(&texts), "cli", &mut |command, path| {
            assert!(texts.find(path, &[]).is_some(), "no text: {path}");
            for arg in command.get_arguments() {
                let id = arg.get_id().as_str();
                assert!(localise::help_of(&texts, path, id).is_some(), "no text: {path}.{id}");
            }
        });
    }
}

#[test]
fn no_help_text_is_left_over() {
    let texts = Texts::new(Lang::En);
    let mut used = BTreeSet::new();
    walk(&localise::command(&texts), "cli", &mut |command, path| {
        used.extend([path.to_owned(), format!("{path}.example")]);
        for arg in command.get_arguments() {
            used.extend([format!("{path}.{}", arg.get_id()), format!("cli.arg.{}", arg.get_id())]);
        }
    });
    let left: Vec<_> = texts.keys().filter(|key| key.starts_with("cli") && !used.contains(*key)).collect();
    assert_eq!(left, Vec::<&str>::new());
}

#[test]
fn help_has_no_english_frame_in_chinese() {
    let texts = Texts::new(Lang::Zh);
    let error = localise::command(&texts).try_get_matches_from(["hallmesh", "case", "--help"]).unwrap_err();
    let help = localise::rendered(&texts, &error.render(), false);
    for word in ["Usage", "Options", "OPTIONS", "Commands", "COMMAND", "default:", "possible values"] {
        assert!(!help.contains(word), "{word} in\n{help}");
    }
}

#[test]
fn every_text_that_is_said_is_in_the_catalogue() {
    let texts = Texts::new(Lang::En);
    let said = [".say(", ".filled(", ".fixed("].into_iter().flat_map(literals);
    let missing: Vec<String> =
        said.filter(|key| !key.contains(['{', '}']) && texts.find(key, &[]).is_none()).collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_problem_has_its_sentences() {
    let texts = Texts::new(Lang::En);
    let rooms = [
        "home.",
        "enrol.",
        "export.",
        "verify.",
        "backup.",
        "lists.",
        "config.file",
        "config.key",
        "config.value",
    ];
    let of_rooms = literals("=> ").into_iter().filter(|code| rooms.iter().any(|room| code.starts_with(room)));
    let made = ["Problem::new(", "Fault::error(", "Fault::warning("].into_iter().flat_map(literals);
    let missing: BTreeSet<String> =
        made.chain(of_rooms).filter(|code| texts.find(&format!("error.{code}"), &[]).is_none()).collect();
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn wrong_calls_are_told_with_what_was_meant() {
    let (problem, usage) = usage_error(&["hallmesh", "case", "shwo", "x"]);
    assert_eq!(problem.code, "usage.unknown_command_meant");
    assert_eq!(problem.params["suggestion"], "show");
    assert!(usage.unwrap().contains("hallmesh case"));
    assert_eq!(usage_error(&["hallmesh", "case"]).0.code, "usage.other");
    assert_eq!(usage_error(&["hallmesh", "status", "--jsno"]).0.code, "usage.unknown_argument_meant");
    assert_eq!(usage_error(&["hallmesh", "case", "show"]).0.code, "usage.missing");
    let both = ["hallmesh", "case", "decide", "x", "--clerk", "1", "--note", "n", "--grant", "--deny"];
    assert_eq!(usage_error(&both).0.code, "usage.conflict");
}

#[test]
fn a_malformed_code_is_told_in_words() {
    let route = |place: &'static str| ["hallmesh", "route", "explain", "--matter", "X", "--place", place];
    let (problem, _) = usage_error(&route("6207021"));
    assert_eq!(problem.code, "usage.value");
    assert_eq!(problem.params["reason"], "it has 7 characters, not 6, 9 or 12");
    let (problem, _) = usage_error(&["hallmesh", "clerk", "add", "--name", "x", "--roles", "window,boss"]);
    assert!(problem.params["reason"].contains("window, decide"), "{problem:?}");
}

#[test]
fn a_problem_is_a_code_a_cause_and_a_next_step() {
    let problem = Problem::new("route.no_right").with("tier", "county").with("body", "B");
    let lines = problem::error(&Texts::new(Lang::Zh), &problem);
    assert!(lines[0].starts_with("错误 route.no_right  "), "{lines:?}");
    assert!(lines[1].starts_with("  原因    由县级的B行使"), "{lines:?}");
    assert!(lines[2].starts_with("  怎么办  "), "{lines:?}");
    let value = problem::json(&Texts::new(Lang::En), &problem);
    assert_eq!(value["code"], "route.no_right");
    assert_eq!(value["params"]["tier"], "county");
    assert!(value["next"].is_string());
}

#[test]
fn a_problem_that_is_not_known_here_is_shown_with_its_parameters() {
    let lines = problem::error(&Texts::new(Lang::En), &Problem::new("of.tomorrow").with("x", 7));
    assert_eq!(lines, ["error of.tomorrow  x: 7"]);
}

#[test]
fn the_reference_names_every_command() {
    let texts = Texts::new(Lang::En);
    let text = reference::markdown(&texts).join("\n");
    walk(&localise::command(&texts), "hallmesh", &mut |command, path| {
        if !command.is_hide_set() && path != "hallmesh" {
            assert!(text.contains(&format!("## {}", path.replace('.', " "))), "{path}");
        }
    });
}

#[test]
fn a_flags_value_is_found_however_it_is_written() {
    assert_eq!(flag(&["hallmesh", "--lang", "zh", "status"], "--lang"), Some("zh"));
    assert_eq!(flag(&["hallmesh", "status", "--lang=en"], "--lang"), Some("en"));
    assert_eq!(flag(&["hallmesh", "--language", "zh"], "--lang"), None);
    assert_eq!(flag(&["hallmesh", "--lang"], "--lang"), None);
}
