//! `calendar.json`: one object a year, with the weekdays that are free and the weekend days that are worked; and, if the limits
//! are not those of the Administrative Licensing Law, one object `rules` with working days.

use std::fmt;

use hallmesh_protocol::calendar::{Calendar, CalendarYear, CivilDay, TimeRules};
use hallmesh_protocol::record::Body;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

use super::cell::meant_day;
use super::finding::{Fault, Findings};
use super::nearest::nearest;
use super::place::Place;
use super::sheet::{Object, Source, line_at, malformed};

const WEEKDAY_OFF: &str = "weekday_off";
const WEEKEND_ON: &str = "weekend_on";
const KINDS: [&str; 2] = [WEEKDAY_OFF, WEEKEND_ON];
/// The object that is no year.
const RULES: &str = "rules";
const LIMITS: [&str; 7] = [
    "notice_days",
    "correction_days",
    "supply_days",
    "extension_days",
    "check_days",
    "delivery_days",
    "warning_days",
];

/// Texts lie in the source, so that their lines can be told.
type EntryText<'a> = Object<&'a str, Value<'a>>;

/// Reads the calendar; none if anything in it is refused.
pub(super) fn read(source: &Source, findings: &mut Findings) -> Option<Body> {
    let entries: Object<&str, EntryText<'_>> = match serde_json::from_str(&source.text) {
        Ok(entries) => entries,
        Err(error) => {
            let place = Place::line(&source.name, u64::try_from(error.line()).unwrap_or(1));
            findings.add(malformed(&error).at(&place, None));
            return None;
        }
    };
    let mut reader = CalendarReader { source, findings, sound: true };
    let (rules, years): (Vec<_>, Vec<_>) = entries.0.iter().partition(|(key, _)| *key == RULES);
    let mut read = reader.years(&years);
    let rules = reader.rules(&rules);
    if !reader.sound {
        return None;
    }
    read.sort_by_key(|year| year.year);
    match Calendar::new(read).and_then(|calendar| calendar.with_rules(rules)) {
        Ok(calendar) => Some(Body::Calendar(calendar)),
        Err(_unfit) => {
            findings.add(Fault::error("lists.bad_calendar").at(&Place::line(&source.name, 1), None));
            None
        }
    }
}

/// Days of a year, or the working days of a limit.
enum Value<'a> {
    Days(Vec<&'a str>),
    Number(u64),
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DaysOrNumber)
    }
}

struct DaysOrNumber;

impl<'de> Visitor<'de> for DaysOrNumber {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("days or a number")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value<'de>, A::Error> {
        let mut days = Vec::new();
        while let Some(day) = seq.next_element()? {
            days.push(day);
        }
        Ok(Value::Days(days))
    }
}

struct CalendarReader<'a> {
    source: &'a Source,
    findings: &'a mut Findings,
    /// No error so far.
    sound: bool,
}

impl CalendarReader<'_> {
    /// Reports an error where `part`, a piece of the source's text, stands.
    fn refuse(&mut self, part: &str, key: &str, fault: Fault) {
        self.sound = false;
        self.report(part, key, fault);
    }

    fn report(&mut self, part: &str, key: &str, fault: Fault) {
        let text = &self.source.text;
        let line = line_at(text.as_bytes(), part.as_ptr().addr().saturating_sub(text.as_ptr().addr()));
        self.findings.add(fault.at(&Place::line(&self.source.name, line), Some(key)));
    }

    fn years(&mut self, years: &[&(&str, EntryText<'_>)]) -> Vec<CalendarYear> {
        let mut read: Vec<CalendarYear> = Vec::new();
        for (place, (text, days)) in years.iter().enumerate() {
            if place == Calendar::YEARS_MAX {
                self.refuse(
                    text,
                    text,
                    Fault::error("lists.too_many_years").with("max", &Calendar::YEARS_MAX),
                );
                break;
            }
            let Some(number) = year_number(text) else {
                self.refuse(text, text, Fault::error("lists.bad_year").with("found", *text));
                continue;
            };
            if read.iter().any(|it| it.year == number) {
                self.refuse(text, text, Fault::error("lists.duplicate_year").with("found", *text));
            }
            read.push(self.year((*text, number), &days.0));
        }
        if years.is_empty() {
            self.sound = false;
            self.findings.add(Fault::error("lists.empty_file").at(&Place::line(&self.source.name, 1), None));
        }
        read
    }

    /// The limits: those of the law where the file says nothing.
    fn rules(&mut self, given: &[&(&str, EntryText<'_>)]) -> TimeRules {
        let mut rules = TimeRules::STATUTORY;
        if let Some((text, _)) = given.get(1) {
            self.refuse(text, text, Fault::error("lists.duplicate_column").with("found", *text));
        }
        for (key, value) in given.iter().take(1).flat_map(|(_, limits)| &limits.0) {
            self.rule(&mut rules, key, value);
        }
        rules
    }

    fn rule(&mut self, rules: &mut TimeRules, key: &str, value: &Value<'_>) {
        let limit = match key {
            "notice_days" => &mut rules.notice_days,
            "correction_days" => &mut rules.correction_days,
            "supply_days" => &mut rules.supply_days,
            "extension_days" => &mut rules.extension_days,
            "check_days" => &mut rules.check_days,
            "delivery_days" => &mut rules.delivery_days,
            "warning_days" => &mut rules.warning_days,
            _unknown => {
                let meant = nearest(key, LIMITS);
                return self.refuse(
                    key,
                    key,
                    Fault::error("lists.unknown_column").with("found", key).suggest(meant),
                );
            }
        };
        let number = if let Value::Number(number) = value { u16::try_from(*number).ok() } else { None };
        match number.filter(|days| (1..=TimeRules::DAYS_MAX).contains(days)) {
            Some(days) => {
                *limit = days;
                self.above_the_law(key, days);
            }
            None => {
                self.refuse(key, key, Fault::error("lists.bad_limit").with("max", &TimeRules::DAYS_MAX));
            }
        }
    }

    /// Laws change, so it is not refused; but whoever publishes it has to know.
    fn above_the_law(&mut self, key: &str, days: u16) {
        let law = TimeRules::STATUTORY;
        let most = match key {
            "notice_days" => law.notice_days,
            "extension_days" => law.extension_days,
            "delivery_days" => law.delivery_days,
            _set_by_the_city => return,
        };
        if days > most {
            let fault = Fault::warning("lists.limit_above_law").with("name", key).with("most", &most);
            self.report(key, key, fault);
        }
    }

    fn year(&mut self, (text, year): (&str, u16), kinds: &[(&str, Value<'_>)]) -> CalendarYear {
        let absent = |kind: &&str| !kinds.iter().any(|(key, _)| key == kind);
        for (place, (key, _)) in kinds.iter().enumerate() {
            if !KINDS.contains(key) {
                let meant = nearest(key, KINDS.into_iter().filter(absent));
                self.refuse(
                    key,
                    key,
                    Fault::error("lists.unknown_column").with("found", *key).suggest(meant),
                );
            } else if kinds.iter().take(place).any(|(earlier, _)| earlier == key) {
                self.refuse(key, key, Fault::error("lists.duplicate_column").with("found", *key));
            }
        }
        for kind in KINDS.iter().filter(|kind| absent(kind)) {
            self.refuse(text, kind, Fault::error("lists.missing_column").with("name", *kind));
        }
        for (key, value) in kinds {
            if let Value::Number(_) = value {
                self.refuse(key, key, Fault::error("lists.no_days").with("name", *key));
            }
        }
        let of = |wanted: &str| {
            let (_, value) = kinds.iter().find(|(key, _)| *key == wanted)?;
            if let Value::Days(days) = value { Some(days.as_slice()) } else { None }
        };
        if of(WEEKDAY_OFF).is_some_and(<[_]>::is_empty) {
            self.report(text, WEEKDAY_OFF, Fault::warning("lists.year_without_holidays").with("year", &year));
        }
        let weekday_off = self.days(year, WEEKDAY_OFF, of(WEEKDAY_OFF).unwrap_or_default());
        let weekend_on = self.days(year, WEEKEND_ON, of(WEEKEND_ON).unwrap_or_default());
        CalendarYear { year, weekday_off, weekend_on }
    }

    /// The days of one kind, sorted: their order means nothing.
    fn days(&mut self, year: u16, kind: &str, texts: &[&str]) -> Vec<CivilDay> {
        let max = CalendarYear::EXCEPTIONS_MAX;
        if let Some(beyond) = texts.get(max) {
            let fault = Fault::error("lists.too_many_days").with("year", &year).with("max", &max);
            self.refuse(beyond, kind, fault);
            return Vec::new();
        }
        let mut days = Vec::new();
        for text in texts {
            let Some(day) = self.day(year, kind, text) else { continue };
            if days.contains(&day) {
                self.refuse(text, kind, Fault::error("lists.duplicate_day").with("found", &day));
            }
            days.push(day);
        }
        days.sort_unstable();
        days
    }

    fn day(&mut self, year: u16, kind: &str, text: &str) -> Option<CivilDay> {
        let Ok(day) = text.parse::<CivilDay>() else {
            let fault = Fault::error("lists.bad_date").with("found", text).suggest(meant_day(text));
            self.refuse(text, kind, fault);
            return None;
        };
        if day.year() != year {
            let fault = Fault::error("lists.day_of_other_year").with("found", &day).with("year", &year);
            self.refuse(text, kind, fault);
        }
        if day.weekday().is_weekend() != (kind == WEEKEND_ON) {
            let code = if kind == WEEKEND_ON { "lists.no_weekend_day" } else { "lists.no_weekday" };
            self.refuse(text, kind, Fault::error(code).with("found", &day));
        }
        Some(day)
    }
}

fn year_number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|year: &u16| text.len() == 4 && year.to_string() == text)
}
