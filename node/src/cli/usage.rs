//! Wrong calls, told in the chosen language: clap says what is wrong, the catalogue says it.

use std::error::Error as _;
use std::fmt::Display;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::values::BadValue;
use crate::ops::Problem;
use crate::texts::Texts;

/// Which problem each kind of error is. Kinds that clap adds later are `usage.other`.
const CODES: [(ErrorKind, &str); 12] = [
    (ErrorKind::InvalidValue, "usage.value"),
    (ErrorKind::ValueValidation, "usage.value"),
    (ErrorKind::UnknownArgument, "usage.unknown_argument"),
    (ErrorKind::InvalidSubcommand, "usage.unknown_command"),
    (ErrorKind::NoEquals, "usage.no_equals"),
    (ErrorKind::TooManyValues, "usage.too_many_values"),
    (ErrorKind::TooFewValues, "usage.too_few_values"),
    (ErrorKind::WrongNumberOfValues, "usage.too_few_values"),
    (ErrorKind::ArgumentConflict, "usage.conflict"),
    (ErrorKind::MissingRequiredArgument, "usage.missing"),
    (ErrorKind::MissingSubcommand, "usage.missing_command"),
    (ErrorKind::InvalidUtf8, "usage.not_utf8"),
];

/// A wrong call as a problem.
pub(super) fn problem(texts: &Texts, error: &clap::Error) -> Problem {
    let code = CODES.iter().find(|(kind, _)| *kind == error.kind());
    match code.map(|(_, code)| *code) {
        Some("usage.value") => value(texts, error),
        Some("usage.conflict") => Problem::new("usage.conflict")
            .with("arg", context(error, ContextKind::InvalidArg))
            .with("other", context(error, ContextKind::PriorArg)),
        Some("usage.unknown_argument") => {
            unknown(error, "usage.unknown_argument", ContextKind::InvalidArg, ContextKind::SuggestedArg)
        }
        Some("usage.unknown_command") => unknown(
            error,
            "usage.unknown_command",
            ContextKind::InvalidSubcommand,
            ContextKind::SuggestedSubcommand,
        ),
        Some("usage.missing") => {
            Problem::new("usage.missing").with("args", context(error, ContextKind::InvalidArg))
        }
        Some(code @ ("usage.missing_command" | "usage.not_utf8")) => Problem::new(code),
        Some(code) => Problem::new(code).with("arg", context(error, ContextKind::InvalidArg)),
        None => Problem::new("usage.other").with("reason", error.kind()),
    }
}

/// The usage line that belongs to a wrong call, if clap knows it.
pub(super) fn usage(texts: &Texts, error: &clap::Error) -> Option<String> {
    let usage = context(error, ContextKind::Usage);
    let usage = usage.trim().strip_prefix("Usage:").unwrap_or(usage.trim()).trim();
    let usage = usage.replace("[OPTIONS]", &texts.say("help.placeholder", &[]));
    (!usage.is_empty()).then(|| format!("  {}  {usage}", texts.say("help.usage", &[])))
}

fn value(texts: &Texts, error: &clap::Error) -> Problem {
    let (arg, value) = (context(error, ContextKind::InvalidArg), context(error, ContextKind::InvalidValue));
    let problem = Problem::new("usage.value").with("arg", arg).with("value", &value);
    if value.is_empty() {
        return problem.with("reason", texts.say("malformed.empty", &[]));
    }
    let known = error.source().and_then(|source| source.downcast_ref::<BadValue>());
    let valid = context(error, ContextKind::ValidValue);
    problem.with(
        "reason",
        match (known, valid.as_str()) {
            (Some(why), _) => why.say(texts),
            (None, "") => texts.say("malformed.number", &[]),
            (None, valid) => texts.filled("malformed.word", &[("words", &valid as &dyn Display)]),
        },
    )
}

/// Two codes, so that neither sentence has an empty place in it.
fn unknown(error: &clap::Error, code: &str, what: ContextKind, meant: ContextKind) -> Problem {
    let (arg, suggestion) = (context(error, what), context(error, meant));
    if suggestion.is_empty() {
        Problem::new(code).with("arg", arg)
    } else {
        let code = format!("{code}_meant");
        Problem::new(&code).with("arg", arg).with("suggestion", suggestion)
    }
}

fn context(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        Some(ContextValue::StyledStr(text)) => text.to_string(),
        Some(ContextValue::StyledStrs(texts)) => {
            texts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
        Some(ContextValue::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
