//! Help in the chosen language. clap knows no languages: the tree is built without texts and filled here.

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command, CommandFactory};

use super::args::Cli;
use crate::texts::Texts;

/// The command tree with every help text in place.
pub(super) fn command(texts: &Texts) -> Command {
    filled(Cli::command(), "cli", texts).arg(
        Arg::new("version")
            .long("version")
            .short('V')
            .action(ArgAction::Version)
            .help(texts.say("cli.arg.version", &[]))
            .help_heading(texts.fixed("help.global")),
    )
}

/// What clap puts between other words by itself, in the language of the help around it.
pub(super) fn rendered(texts: &Texts, help: &StyledStr, ansi: bool) -> String {
    let text = if ansi { help.ansi().to_string() } else { help.to_string() };
    text.trim_end().replace("[OPTIONS]", &texts.say("help.placeholder", &[]))
}

/// The catalogue's key of a command's or an argument's help: its own, or the one it shares with others.
pub(super) fn help_of(texts: &Texts, path: &str, id: &str) -> Option<String> {
    texts.find(&format!("{path}.{id}"), &[]).or_else(|| texts.find(&format!("cli.arg.{id}"), &[]))
}

fn filled(command: Command, path: &str, texts: &Texts) -> Command {
    let mut command = command
        .about(texts.say(path, &[]))
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .disable_version_flag(true)
        .subcommand_help_heading(texts.fixed("help.commands"))
        .subcommand_value_name(texts.fixed("help.command"))
        .help_template(format!(
            "{{about-with-newline}}\n{} {{usage}}\n\n{{all-args}}{{after-help}}",
            texts.fixed("help.usage")
        ))
        .mut_args(|arg| described(arg, path, texts))
        .arg(help_flag(texts));
    if let Some(example) = texts.find(&format!("{path}.example"), &[]) {
        command = command.after_help(example);
    }
    let names: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| {
        let path = format!("{path}.{name}");
        command.mut_subcommand(name, |below| filled(below, &path, texts))
    })
}

fn described(arg: Arg, path: &str, texts: &Texts) -> Arg {
    let heading = match (arg.is_global_set(), arg.is_positional()) {
        (true, _) => "help.global",
        (false, true) => "help.arguments",
        (false, false) => "help.options",
    };
    let id = arg.get_id().to_string();
    let help = help_of(texts, path, &id).unwrap_or(id);
    let arg = arg.help(help).help_heading(texts.fixed(heading));
    // Defaults are in the help texts, in words.
    if arg.get_action().takes_values() { arg.hide_default_value(true) } else { arg }
}

fn help_flag(texts: &Texts) -> Arg {
    Arg::new("help")
        .long("help")
        .short('h')
        .action(ArgAction::Help)
        .help(texts.say("cli.arg.help", &[]))
        .help_heading(texts.fixed("help.global"))
}
