//! The whole command tree as Markdown, for `deploy/reference.md`: generated, never edited.

use clap::{Arg, Command};

use super::localise::{self, help_of};
use crate::texts::Texts;

/// The reference in the language of `texts`.
pub(super) fn markdown(texts: &Texts) -> Vec<String> {
    let mut command = localise::command(texts).term_width(0);
    command.build();
    let mut lines = vec![
        format!("# {}", texts.say("reference.title", &[])),
        String::new(),
        texts.say("reference.intro", &[]),
        String::new(),
    ];
    lines.extend(arguments(texts, "cli", command.get_arguments()));
    section(texts, &command, ("hallmesh", "cli"), &mut lines);
    lines.extend(exit_codes(texts));
    lines.pop_if(|last| last.is_empty());
    lines
}

/// A command, then the commands below it.
fn section(texts: &Texts, command: &Command, (name, path): (&str, &str), lines: &mut Vec<String>) {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        let name = format!("{name} {}", below.get_name());
        let path = format!("{path}.{}", below.get_name());
        if below.has_subcommands() {
            lines.extend([format!("## {name}"), String::new(), about(below), String::new()]);
        } else {
            lines.extend([format!("### {name}"), String::new(), about(below), String::new()]);
            lines.extend(["```".to_owned(), usage(texts, below), "```".to_owned(), String::new()]);
            let own = below.get_arguments().filter(|arg| !arg.is_global_set() && arg.get_id() != "help");
            lines.extend(arguments(texts, &path, own));
        }
        section(texts, below, (&name, &path), lines);
    }
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn usage(texts: &Texts, command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim().strip_prefix("Usage:").unwrap_or(&usage).trim().to_owned();
    usage.replace("[OPTIONS]", &texts.say("help.placeholder", &[]))
}

fn arguments<'a>(texts: &Texts, path: &str, args: impl Iterator<Item = &'a Arg>) -> Vec<String> {
    let row = |arg: &Arg| {
        let help = help_of(texts, path, arg.get_id().as_str()).unwrap_or_default();
        format!("| `{}` | {} |", spelt(arg).replace('|', "\\|"), help.replace('|', "\\|").replace('\n', " "))
    };
    let rows: Vec<String> = args.map(row).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let (argument, meaning) = (texts.say("reference.argument", &[]), texts.say("reference.meaning", &[]));
    let head = [format!("| {argument} | {meaning} |"), "|---|---|".to_owned()];
    head.into_iter().chain(rows).chain([String::new()]).collect()
}

/// How an argument is written on the command line.
fn spelt(arg: &Arg) -> String {
    let value = arg.get_value_names().and_then(<[_]>::first).map(ToString::to_string);
    let value = value.filter(|_| arg.get_action().takes_values());
    match (arg.get_long(), value) {
        (Some(long), Some(value)) => format!("--{long} {value}"),
        (Some(long), None) => format!("--{long}"),
        (None, Some(value)) => value,
        (None, None) => arg.get_id().to_string().to_uppercase(),
    }
}

fn exit_codes(texts: &Texts) -> Vec<String> {
    let title = texts.say("reference.exits", &[]);
    let (code, meaning) = (texts.say("reference.code", &[]), texts.say("reference.meaning", &[]));
    let head =
        [format!("## {title}"), String::new(), format!("| {code} | {meaning} |"), "|---|---|".to_owned()];
    let rows = (0..=8).map(|code| format!("| {code} | {} |", texts.say(&format!("exit.{code}"), &[])));
    head.into_iter().chain(rows).collect()
}
