//! Keeps the house in order: floors, sizes, names, leftovers, documents.
//!
//! Every rule is a pure function from a text to its breaches; [`every_rule_can_fail`] shows each of them a
//! breach of its own, the other tests show them the repository.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails loudly"
)]

#[path = "house/repository.rs"]
mod repository;
#[path = "house/rust.rs"]
mod rust;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hallmesh::config::Config;
use hallmesh::texts::Lang;
use hallmesh_tests::cli;

use repository::{documents, is_test, is_unit_test, module_of, read, root, sources, tracked};
use rust::{bare, code_lines, crate_uses, functions, names_after, without_tests, words};

/// Code lines of a file: neither blank nor comment nor test.
const FILE_LINES_MAX: usize = 500;
/// Code lines of a function's body.
const FUNCTION_LINES_MAX: usize = 70;
/// Parameters of a function besides `self`; five is the aim.
const PARAMETERS_MAX: usize = 6;

/// Who stands on what inside `protocol`. A module may use those on lower floors.
const FLOORS: [&[&str]; 14] = [
    &["planted", "fixed"],
    &["ids", "limits", "calendar", "chance", "reconcile"],
    &["wire", "seal"],
    &["signed"],
    &["record", "message", "rows", "step"],
    &["shelf", "directory", "clerks"],
    &["audit", "timekeeper"],
    &["catalogue"],
    &["post", "cases", "exchange", "verify"],
    &["genesis", "query"],
    &["parcels"],
    &["sound"],
    &["node"],
    &["recording"],
];

/// Uses that the floors forbid, each with its reason. One that is not used any more must go.
const EXCEPTIONS: [(&str, &str, &str); 28] = [
    ("ids", "calendar", "a case number names its day"),
    ("record", "calendar", "a record's body is one of the things that are published"),
    ("record", "catalogue", "a record's body is one of the things that are published"),
    ("record", "directory", "a record's body is one of the things that are published"),
    ("record", "audit", "the proof of a fork is one of the things that are published"),
    ("message", "audit", "neighbours exchange checkpoints"),
    ("audit", "cases", "events and receipts are what a log is of"),
    ("audit", "node", "what is stated and cosigned is signed by the node"),
    ("rows", "record", "a row's key names the space of a record"),
    ("rows", "step", "rows are read through the view and written through the effects of a step"),
    ("message", "record", "neighbours exchange records"),
    ("message", "post", "neighbours exchange letters"),
    ("step", "record", "the seam names what can go in and out"),
    ("step", "message", "the seam names what can go in and out"),
    ("step", "clerks", "the seam names what can go in and out"),
    ("step", "cases", "the seam names what can go in and out"),
    ("step", "directory", "the seam names what can go in and out"),
    ("step", "verify", "only checked messages come in"),
    ("step", "parcels", "the seam names what can go in and out"),
    ("shelf", "directory", "charters decide whose record is taken up"),
    ("directory", "shelf", "the directory is made of records"),
    ("directory", "catalogue", "it decides who may publish a delegation"),
    ("cases", "post", "a hand-over is queued in the commit of its event"),
    ("cases", "verify", "a checked case file is taken as it is"),
    ("cases", "node", "the office of a case knows who the node is"),
    ("post", "cases", "a letter carries a case, and answers go out in the office's commit"),
    ("verify", "cases", "a case file is checked by its own fold"),
    ("verify", "post", "letters are opened where they are checked"),
];

/// What the core may not name in its code.
const IMPURE: [&str; 12] = [
    "std::fs",
    "std::net",
    "std::io",
    "std::env",
    "std::thread",
    "std::process",
    "Instant",
    "SystemTime",
    "HashMap",
    "HashSet",
    "tokio",
    "async fn",
];

const VAGUE: [&str; 8] = ["Manager", "Handler", "Helper", "Helpers", "Util", "Utils", "Data", "Info"];

/// Words that stand for unfinished work, cut in two here so as not to be found in this file.
const LEFTOVERS: [&str; 4] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];
const UNFINISHED: [&str; 4] =
    [concat!("todo", "!"), concat!("unimplemented", "!"), concat!("#[ign", "ore"), concat!("dbg", "!(")];

/// What only somebody's own machine or workplace knows.
const PRIVATE: [&str; 14] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/tm", "p/"),
    concat!("C:", "\\"),
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("rsproxy", ".cn"),
    concat!("registry.npmjs", ".org"),
    concat!("Clau", "de"),
    concat!("Anthro", "pic"),
    concat!("Open", "AI"),
    concat!("Chat", "GPT"),
];

#[test]
fn the_core_keeps_its_floors() {
    let mut used = BTreeSet::new();
    let mut breaches = Vec::new();
    let mut modules = BTreeSet::new();
    for (path, text) in sources("protocol/src").into_iter().filter(|(path, _)| !is_test(path)) {
        let module = module_of(&path);
        if module != "lib" {
            breaches.extend(floor_breaches(&module, &text, &mut used));
            modules.insert(module);
        }
    }
    for module in FLOORS.into_iter().flatten().filter(|module| !modules.contains(**module)) {
        breaches.push(format!("{module} has a floor and no file"));
    }
    for (from, to, _) in EXCEPTIONS {
        if !used.contains(&(from.to_owned(), to.to_owned())) {
            breaches.push(format!("the exception {from} -> {to} is not used"));
        }
    }
    none(&breaches);
}

#[test]
fn the_core_names_nothing_that_does_io() {
    check("protocol/src", |path, text| if is_test(path) { Vec::new() } else { impure(text) });
}

#[test]
fn bincode_is_named_in_one_file() {
    check("", |path, text| {
        if path == Path::new("protocol/src/wire.rs") || is_test(path) { Vec::new() } else { codec(text) }
    });
}

#[test]
fn crates_depend_one_way() {
    let mut breaches = Vec::new();
    let forbidden = [
        ("protocol", ["hallmesh", "hallmesh-simulations", "hallmesh-tests"].as_slice()),
        ("node", &["hallmesh-simulations", "hallmesh-tests"]),
        ("simulations", &["hallmesh", "hallmesh-tests"]),
        ("tests", &["hallmesh-simulations"]),
    ];
    for (member, others) in forbidden {
        let manifest = read(format!("{member}/Cargo.toml"));
        breaches.extend(dependencies(&manifest, others).map(|other| format!("{member} depends on {other}")));
        for toy in ["toy-suite", "planted-bugs"] {
            let asks = |line: &str| line.contains("hallmesh-protocol") && line.contains(toy);
            if member != "simulations" && manifest.lines().any(asks) {
                breaches.push(format!("{member} asks for {toy}"));
            }
        }
    }
    none(&breaches);
}

#[test]
fn files_are_short() {
    check("", |path, text| if is_unit_test(path) { Vec::new() } else { long_file(text) });
}

#[test]
fn functions_are_short_and_take_few_parameters() {
    check("", |_, text| long_functions(text));
}

#[test]
fn names_say_something() {
    check("", |_, text| vague_names(text));
}

#[test]
fn nothing_is_left_over() {
    check("", |path, text| {
        let mut found = leftovers(text);
        if !is_test(path) {
            found.extend(unwraps(text));
        }
        found
    });
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut breaches = Vec::new();
    for path in documents() {
        let dir = root().join(path.parent().unwrap());
        let dead = |link: &String| !dir.join(link).exists();
        let text = read(&path);
        breaches
            .extend(links(&text).into_iter().filter(dead).map(|link| format!("{}: {link}", path.display())));
    }
    none(&breaches);
}

#[test]
fn the_commands_of_the_readme_are_those_of_ci() {
    let (ci, job, tests) = (read(".ci/run"), "cargo run --release -- demo", "cargo test --workspace");
    for readme in ["README.md", "README.zh-CN.md"] {
        let commands = commands(&read(readme));
        for command in [job, tests] {
            assert!(commands.iter().any(|found| found == command), "{readme} does not name `{command}`");
        }
    }
    let tested = ci.lines().any(|line| line.trim() == format!("step 'tests' {tests}"));
    assert!(tested, ".ci/run does not run `{tests}`");
}

#[test]
fn both_languages_name_the_same_commands() {
    for path in ["README", "deploy/README", "deploy/lists/README", "deploy/sample-city/zhangye/README"] {
        let of = |ending: &str| commands(&read(format!("{path}{ending}")));
        let (english, chinese) = (of(".md"), of(".zh-CN.md"));
        for (one, other) in english.iter().zip(&chinese) {
            assert_eq!(one, other, "{path}");
        }
        assert_eq!(english.len(), chinese.len(), "{path}: one goes on where the other ends");
    }
}

#[test]
fn the_command_reference_is_current() {
    for (lang, option, path) in
        [(Lang::En, "en", "deploy/reference.md"), (Lang::Zh, "zh", "deploy/reference.zh-CN.md")]
    {
        let how = format!("to mend it: hallmesh --lang {option} reference > {path}");
        assert!(read(path) == reference(lang), "{path} is not what the program says; {how}");
    }
}

#[test]
fn documents_name_commands_that_exist() {
    let (reference, mut breaches) = (reference(Lang::En), Vec::new());
    for path in documents() {
        let found = unknown_calls(&read(&path), &reference);
        breaches.extend(found.into_iter().map(|breach| format!("{}: {breach}", path.display())));
    }
    none(&breaches);
}

#[test]
fn the_example_configuration_mentions_every_key() {
    let text = read("deploy/config/hallmesh.example.toml");
    let missing: Vec<_> =
        Config::KEYS.into_iter().filter(|key| !text.contains(&format!("\n#{key} = "))).collect();
    assert!(missing.is_empty(), "not in the example: {missing:?}");
}

#[test]
fn nothing_tells_of_the_machine_it_was_written_on() {
    let mut breaches = Vec::new();
    for path in tracked() {
        let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
        let found = private(&text).into_iter().map(|found| format!("{}: {found}", path.display()));
        breaches.extend(found);
    }
    none(&breaches);
}

#[test]
fn every_rule_can_fail() {
    let long = |lines: usize| format!("fn a() {{\n{}}}\n", "let b = 1;\n".repeat(lines));
    let floors = |module: &str, text: &str| floor_breaches(module, text, &mut BTreeSet::new()).len();
    assert_eq!(floors("ids", "use crate::node::Node;"), 1);
    assert_eq!(floors("shelf", "fn a() -> crate::cases::Case {}"), 1);
    assert_eq!(floors("attic", ""), 1);
    assert_eq!(floors("node", "use crate::ids::HallId; // crate::attic"), 0);
    assert_eq!(impure("use std::fs;\nlet a: HashMap<u8, u8>;").len(), 2);
    assert_eq!(impure("/// Instant\nlet instant = \"std::fs\";").len(), 0);
    assert_eq!((codec("use bincode::config;").len(), codec("// bincode").len()), (1, 0));
    assert_eq!(dependencies("[dependencies]\nhallmesh.workspace = true", &["hallmesh"]).count(), 1);
    assert_eq!(dependencies("hallmesh-protocol.workspace = true", &["hallmesh"]).count(), 0);
    assert_eq!(long_file(&long(500)).len(), 1);
    assert_eq!(long_file(&format!("{}{}", "// a\n\n".repeat(600), long(400))).len(), 0);
    assert_eq!(long_file(&format!("#[cfg(test)]\nmod tests {{\n{}}}\n", long(600))).len(), 0);
    assert_eq!((long_functions(&long(71)).len(), long_functions(&long(70)).len()), (1, 0));
    assert_eq!(
        long_functions("fn a<F: Fn(u8) -> u8>(&self, a: (u8, u8), b: B<u8, u8>, c: C, d: D) {}").len(),
        0
    );
    assert_eq!(long_functions("fn a(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8) {}").len(), 1);
    assert_eq!(vague_names("struct PeerManager;\nenum HallInfo {}\nfn get_hall() {}").len(), 3);
    assert_eq!(vague_names("struct Handlers;\nuse std::marker::PhantomData;\nfn get() {}").len(), 0);
    assert_eq!(leftovers(&format!("// {}: later\n{}()", LEFTOVERS[0], UNFINISHED[0])).len(), 2);
    assert_eq!(unwraps("a.unwrap();\n#[cfg(test)]\nmod tests { fn a() { b.unwrap(); } }").len(), 1);
    assert_eq!(links("[a](b.md#c) [d](https://e) [f](#g) ![h](i.png)"), ["b.md", "i.png"]);
    assert_eq!(
        commands("text\n```sh\ncargo test # all\n  --workspace\n```\ncargo"),
        ["cargo test", "--workspace"]
    );
    let reference = "`--json`\n## a\n### hallmesh case show\n`--to N`\n### hallmesh run\n";
    let unknown = |call: &str| unknown_calls(&format!("```sh\n{call}\n```"), reference).len();
    assert_eq!(
        (unknown("city --json case show 1 --to 2"), unknown("hallmesh --config a run 2> b &")),
        (0, 0)
    );
    assert_eq!((unknown("A=$(city case shew 1)"), unknown("sudo -u hallmesh hallmesh run --to 2")), (1, 1));
    assert_eq!(private(&format!("see {}someone", PRIVATE[0])).len(), 1);
}

/// What the program says of itself.
fn reference(lang: Lang) -> String {
    let said = cli(lang, &["reference"]);
    assert_eq!(said.exit, Some(0), "{}", said.err);
    said.out
}

// Rules.

/// Uses of modules that stand no lower, unless they are excepted; the exceptions that were used.
fn floor_breaches(module: &str, text: &str, used: &mut BTreeSet<(String, String)>) -> Vec<String> {
    let floor = |name: &str| FLOORS.iter().position(|floor| floor.contains(&name));
    let Some(own) = floor(module) else { return vec![format!("{module} has no floor")] };
    let mut breaches = Vec::new();
    for other in crate_uses(&without_tests(&bare(text))) {
        let excepted = EXCEPTIONS.iter().any(|(from, to, _)| (*from, *to) == (module, other.as_str()));
        let lower = floor(&other).is_some_and(|other| other < own);
        if excepted {
            used.insert((module.to_owned(), other));
        } else if other != module && !lower {
            breaches.push(format!("{module} (floor {own}) uses {other}"));
        }
    }
    breaches
}

fn impure(text: &str) -> Vec<String> {
    let code = without_tests(&bare(text));
    let named = |word: &&&str| words(&code, word).next().is_some();
    IMPURE.iter().filter(named).map(|word| format!("the core names {word}")).collect()
}

fn codec(text: &str) -> Vec<String> {
    let named = words(&without_tests(&bare(text)), "bincode").next().is_some();
    if named { vec!["bincode is named here".to_owned()] } else { Vec::new() }
}

fn dependencies<'a>(manifest: &str, others: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let names: BTreeSet<String> = manifest
        .lines()
        .filter_map(|line| line.split(['.', '=', ' ']).next())
        .map(ToOwned::to_owned)
        .collect();
    others.iter().copied().filter(move |other| names.contains(*other))
}

fn long_file(text: &str) -> Vec<String> {
    let lines = code_lines(&without_tests(&bare(text)));
    if lines > FILE_LINES_MAX {
        vec![format!("{lines} code lines, at most {FILE_LINES_MAX}")]
    } else {
        Vec::new()
    }
}

fn long_functions(text: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    for (name, parameters, lines) in functions(&bare(text)) {
        if lines > FUNCTION_LINES_MAX {
            breaches.push(format!("fn {name} has {lines} code lines, at most {FUNCTION_LINES_MAX}"));
        }
        if parameters > PARAMETERS_MAX {
            breaches.push(format!("fn {name} takes {parameters} parameters, at most {PARAMETERS_MAX}"));
        }
    }
    breaches
}

fn vague_names(text: &str) -> Vec<String> {
    let code = bare(text);
    // Aliases are left out: a foreign trait asks for them by its own names.
    let types = ["struct", "enum", "trait"].into_iter().flat_map(|word| names_after(&code, word));
    let vague = types.filter(|name| VAGUE.iter().any(|suffix| name.ends_with(suffix)));
    let getters = names_after(&code, "fn").into_iter().filter(|name| name.starts_with("get_"));
    vague.chain(getters).map(|name| format!("{name} says nothing")).collect()
}

fn leftovers(text: &str) -> Vec<String> {
    let code = bare(text);
    let notes = LEFTOVERS.into_iter().filter(|word| words(text, word).next().is_some());
    let unfinished = UNFINISHED.into_iter().filter(|word| code.contains(word));
    notes.chain(unfinished).map(|word| format!("{word} is left over")).collect()
}

fn unwraps(text: &str) -> Vec<String> {
    let code = without_tests(&bare(text));
    let found = code.lines().enumerate().filter(|(_, line)| line.contains(".unwrap()"));
    found.map(|(at, _)| format!("line {}: unwrap outside of a test", at + 1)).collect()
}

/// The files that links of a document name, relative to it.
fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.map(|target| target.split('#').next().unwrap_or_default());
    files.filter(|file| !file.is_empty() && !file.contains("://")).map(ToOwned::to_owned).collect()
}

/// What a document's fenced blocks tell to type: no comments, no output (which is fenced as `text`).
fn commands(text: &str) -> Vec<String> {
    let mut fence: Option<&str> = None;
    let mut commands = Vec::new();
    for line in text.lines().map(str::trim) {
        match (line.strip_prefix("```"), fence) {
            (Some(language), None) => fence = Some(language),
            (Some(_), Some(_)) => fence = None,
            (None, Some("sh")) => {
                let command = line.split(" #").next().unwrap_or_default().trim();
                commands
                    .extend((!command.is_empty() && !command.starts_with('#')).then(|| command.to_owned()));
            }
            (None, _) => {}
        }
    }
    commands
}

/// Calls of the program in a document's fenced blocks that the reference does not know.
fn unknown_calls(text: &str, reference: &str) -> Vec<String> {
    let (globals, commands_of) = reference.split_once("\n## ").unwrap();
    let sections: Vec<&str> = commands_of.split("\n### hallmesh ").skip(1).collect();
    let mut breaches = Vec::new();
    for (command, words) in commands(text).iter().filter_map(|command| Some((command, call(command)?))) {
        let section = (1..=2).rev().find_map(|count| {
            let name = words.get(..count)?.join(" ");
            sections.iter().find(|section| section.lines().next() == Some(&name))
        });
        let Some(section) = section else {
            breaches.push(format!("no such command: {command}"));
            continue;
        };
        let known =
            |flag: &str| [globals, *section].iter().any(|text| words_of_code(text).any(|it| it == flag));
        let unknown = words.iter().filter(|word| word.starts_with("--") && !known(word));
        breaches.extend(unknown.map(|flag| format!("no {flag} in: {command}")));
    }
    breaches
}

/// The words of a call of the program, without its global options; none if the line is something else.
fn call(command: &str) -> Option<Vec<&str>> {
    let command = command.strip_prefix("sudo -u hallmesh ").unwrap_or(command);
    let command = command.split_once("=$(").map_or(command, |(_, call)| call);
    let mut words = command.split_whitespace().peekable();
    words.next().filter(|first| ["hallmesh", "city", "county", "village"].contains(first))?;
    while let Some(global) = words.next_if(|word| ["--json", "--config", "--lang"].contains(word)) {
        if global != "--json" {
            words.next();
        }
    }
    Some(words.take_while(|word| !["|", ">", "2>", "&"].contains(word)).collect())
}

fn words_of_code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2).flat_map(str::split_whitespace)
}

fn private(text: &str) -> Vec<String> {
    PRIVATE.into_iter().filter(|word| text.contains(word)).map(|word| format!("names {word}")).collect()
}

/// Shows a rule every Rust file under a folder.
fn check(folder: &str, rule: impl Fn(&Path, &str) -> Vec<String>) {
    let found = |(path, text): (PathBuf, String)| -> Vec<String> {
        rule(&path, &text).into_iter().map(|breach| format!("{}: {breach}", path.display())).collect()
    };
    none(&sources(folder).into_iter().flat_map(found).collect::<Vec<_>>());
}

fn none(breaches: &[String]) {
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}
