//! Lists as CSV and JSON.

use csv::{QuoteStyle, WriterBuilder};
use hallmesh_protocol::record::Body;
use serde_json::{Map, Value, json};

use super::{ExportError, Table};

/// By this mark spreadsheets know that a CSV file is UTF-8.
const UTF8_MARK: &str = "\u{FEFF}";

/// The first table.
pub(super) fn csv(tables: &[Table]) -> Result<Vec<u8>, ExportError> {
    let mut writer =
        WriterBuilder::new().quote_style(QuoteStyle::Necessary).from_writer(UTF8_MARK.as_bytes().to_vec());
    for table in tables.iter().take(1) {
        writer.write_record(table.columns.iter().map(|(_, heading)| heading))?;
        for row in &table.rows {
            writer.write_record(row)?;
        }
    }
    writer.into_inner().map_err(|error| ExportError::Text(error.into_error().into()))
}

/// All tables, by our own names: programs read them.
pub(super) fn json(tables: &[Table]) -> Vec<u8> {
    let object = |table: &Table, row: &[String]| -> Value {
        let fields = table.columns.iter().zip(row).map(|((name, _), text)| ((*name).to_owned(), json!(text)));
        Value::Object(fields.collect())
    };
    let rows = |table: &Table| -> Value { table.rows.iter().map(|row| object(table, row)).collect() };
    let all: Map<String, Value> =
        tables.iter().map(|table| (table.shape.name.to_owned(), rows(table))).collect();
    pretty(&Value::Object(all))
}

/// The calendar, as it is read.
pub(super) fn calendar(bodies: &[Body]) -> Result<Vec<u8>, ExportError> {
    let calendar = bodies.iter().find_map(|body| if let Body::Calendar(it) = body { Some(it) } else { None });
    let calendar = calendar.ok_or(ExportError::Nothing)?;
    let days = |days: &[hallmesh_protocol::calendar::CivilDay]| -> Value {
        days.iter().map(|day| json!(day.to_string())).collect()
    };
    let year = |it: &hallmesh_protocol::calendar::CalendarYear| {
        let kinds = json!({ "weekday_off": days(&it.weekday_off), "weekend_on": days(&it.weekend_on) });
        (it.year.to_string(), kinds)
    };
    let rules = calendar.rules();
    let limits = json!({
        "notice_days": rules.notice_days,
        "correction_days": rules.correction_days,
        "supply_days": rules.supply_days,
        "check_days": rules.check_days,
        "extension_days": rules.extension_days,
        "delivery_days": rules.delivery_days,
        "warning_days": rules.warning_days,
    });
    let years = calendar.years().iter().map(year);
    Ok(pretty(&Value::Object(years.chain([("rules".to_owned(), limits)]).collect())))
}

fn pretty(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}
