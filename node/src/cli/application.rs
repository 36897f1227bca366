//! What is brought to the window, as a JSON object of fields.

use std::path::Path;

use hallmesh_protocol::ids::CitizenId;
use serde_json::{Map, Value};

use super::files;
use super::values::malformed;
use crate::ops::{Content, Problem};
use crate::texts::Texts;

/// Fields of one application.
const FIELDS_MAX: usize = 200;
/// The field whose check character tells a mistyped citizen's number at the window.
const CITIZEN: &str = "citizen_id";

/// Reads an application. Nothing of it is repeated in a problem but the names of fields.
pub(super) fn read(texts: &Texts, file: &Path) -> Result<Content, Problem> {
    parse(texts, &file.display().to_string(), &files::read(file)?)
}

fn parse(texts: &Texts, file: &str, text: &str) -> Result<Content, Problem> {
    let fields: Map<String, Value> = serde_json::from_str(text).map_err(|cause| {
        let (line, column) = (cause.line(), cause.column());
        Problem::new("application.malformed").with("file", file).with("line", line).with("column", column)
    })?;
    if fields.is_empty() || fields.len() > FIELDS_MAX {
        return Err(Problem::new("application.fields").with("file", file).with("max", FIELDS_MAX));
    }
    let fields = fields.into_iter().map(|(name, value)| field(file, name, value));
    let content = Content::of(fields.collect::<Result<Vec<_>, _>>()?);
    check_citizen(texts, file, &content)?;
    Ok(content)
}

fn field(file: &str, name: String, value: Value) -> Result<(String, String), Problem> {
    match value {
        Value::String(text) => Ok((name, text)),
        Value::Number(number) => Ok((name, number.to_string())),
        Value::Bool(said) => Ok((name, said.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(Problem::new("application.field").with("file", file).with("field", name))
        }
    }
}

fn check_citizen(texts: &Texts, file: &str, content: &Content) -> Result<(), Problem> {
    let Some((_, number)) = content.reveal().find(|(name, _)| *name == CITIZEN) else { return Ok(()) };
    match number.parse::<CitizenId>() {
        Ok(_) => Ok(()),
        Err(why) => Err(Problem::new("application.citizen_id")
            .with("file", file)
            .with("field", CITIZEN)
            .with("reason", malformed(texts, &why))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field<'a>(content: &'a Content, name: &str) -> &'a str {
        content.reveal().find(|(found, _)| *found == name).unwrap().1
    }
    use crate::texts::Lang;

    fn parsed(text: &str) -> Result<Content, String> {
        parse(&Texts::new(Lang::En), "-", text).map_err(|problem| problem.code)
    }

    #[test]
    fn fields_are_taken_as_text() {
        let content = parsed(r#"{"name": "x", "pages": 3, "copy": true}"#).unwrap();
        assert_eq!(field(&content, "pages"), "3");
        assert_eq!(field(&content, "copy"), "true");
    }

    #[test]
    fn nested_empty_and_broken_applications_are_refused() {
        assert_eq!(parsed(r#"{"name": {"first": "x"}}"#).unwrap_err(), "application.field");
        assert_eq!(parsed("{}").unwrap_err(), "application.fields");
        assert_eq!(parsed("[1]").unwrap_err(), "application.malformed");
        assert_eq!(parsed(r#"{"name": "x""#).unwrap_err(), "application.malformed");
    }

    #[test]
    fn a_mistyped_citizens_number_is_found_and_not_repeated() {
        let problem = parse(&Texts::new(Lang::En), "-", r#"{"citizen_id": "620702199001011230"}"#);
        let problem = problem.unwrap_err();
        assert_eq!(problem.code, "application.citizen_id");
        assert!(!format!("{problem:?}").contains("19900101"));
    }
}
