//! `bundles.json`: what of several matters makes one thing for a citizen. Items are named by the codes of their matters.

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::catalogue::{Bundle, Choice, Condition, FormField, Item, Situation};
use hallmesh_protocol::ids::{BodyId, BundleCode, DivisionCode, MatterCode};
use hallmesh_protocol::record::Body;
use serde::{Deserialize, Serialize};

use super::authorities::Authorities;
use super::finding::{Fault, Findings};
use super::matters::unlisted_fault;
use super::nearest::nearest;
use super::place::Place;
use super::sheet::{Source, line_at, malformed};

/// Bundles of one file.
const BUNDLES_MAX: usize = 1_000;
/// Codes that a mistyped one is compared with.
const COMPARED_MAX: usize = 20_000;

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    bundles: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    code: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    area: Option<String>,
    lead: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lead_code: Option<String>,
    promised_days: u16,
    #[serde(default)]
    questions: Vec<QuestionEntry>,
    items: Vec<ItemEntry>,
    #[serde(default)]
    fields: Vec<FieldEntry>,
    #[serde(default)]
    source: String,
    #[serde(default)]
    verified: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuestionEntry {
    id: String,
    text: String,
    options: Vec<OptionEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OptionEntry {
    id: String,
    text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemEntry {
    matter: String,
    /// Such as `child=later`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    when: Vec<String>,
    /// Matters of this bundle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    after: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldEntry {
    name: String,
    label: String,
    #[serde(default = "yes")]
    required: bool,
    /// Matters of this bundle; all, if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    items: Vec<String>,
}

const fn yes() -> bool {
    true
}

/// Reads the bundles of an area; what is refused is among the findings. `matters` are those of the same import.
pub(super) fn read(
    source: &Source,
    area: DivisionCode,
    matters: Option<&BTreeSet<MatterCode>>,
    findings: &mut Findings,
) -> Vec<Body> {
    let file: File = match serde_json::from_str(&source.text) {
        Ok(file) => file,
        Err(error) => {
            let place = Place::line(&source.name, u64::try_from(error.line()).unwrap_or(1));
            findings.add(malformed(&error).at(&place, None));
            return Vec::new();
        }
    };
    if file.bundles.is_empty() || file.bundles.len() > BUNDLES_MAX {
        let fault = Fault::error("lists.bundle_count").with("max", &BUNDLES_MAX);
        findings.add(fault.at(&Place::line(&source.name, 1), None));
    }
    let names = file.bundles.iter().map(|entry| entry.lead.clone()).collect();
    let authorities = Authorities::new(area, names, BTreeMap::new());
    let (mut seen, mut bodies) = (BTreeSet::new(), Vec::new());
    for entry in &file.bundles {
        let mut reader = Reader { source, matters, code: &entry.code, sound: true, findings };
        if !seen.insert(&entry.code) {
            reader.refuse("code", Fault::error("lists.bundle_twice").with("found", &entry.code));
        }
        bodies.extend(reader.bundle(entry, area, &authorities).map(|it| Body::Bundle(Box::new(it))));
    }
    if matters.is_none() && !bodies.is_empty() {
        let fault = Fault::warning("lists.matters_not_checked");
        findings.add(fault.at(&Place::line(&source.name, 1), Some("matter")));
    }
    bodies
}

struct Reader<'a> {
    source: &'a Source,
    matters: Option<&'a BTreeSet<MatterCode>>,
    /// The bundle's code, by which its place is told.
    code: &'a str,
    sound: bool,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    /// Reports an error at the bundle that is being read.
    fn refuse(&mut self, key: &str, fault: Fault) {
        self.sound = false;
        let at = self.source.text.find(&format!("\"{}\"", self.code)).unwrap_or(0);
        let line = line_at(self.source.text.as_bytes(), at);
        self.findings.add(fault.at(&Place::line(&self.source.name, line), Some(key)));
    }

    fn bundle(&mut self, entry: &Entry, city: DivisionCode, authorities: &Authorities) -> Option<Bundle> {
        let code = self.parsed::<BundleCode>("code", &entry.code);
        let area = entry.area.as_ref().map_or(Some(city), |area| self.parsed::<DivisionCode>("area", area));
        let lead = entry.lead_code.as_ref().map_or_else(
            || Some(authorities.body(&entry.lead)),
            |code| self.parsed::<BodyId>("lead_code", code),
        );
        if let Some(area) = area.filter(|area| !city.covers(*area)) {
            let fault = Fault::error("lists.outside_city").with("found", &area).with("city", &city);
            self.refuse("area", fault);
        }
        let items: Vec<Option<Item>> = entry.items.iter().map(|item| self.item(item, entry)).collect();
        let fields: Vec<FormField> = entry.fields.iter().map(|field| self.field(field, entry)).collect();
        let bundle = Bundle {
            code: code?,
            name: entry.name.clone(),
            area: area?,
            lead: lead?,
            lead_name: entry.lead.clone(),
            questions: entry.questions.iter().map(question).collect(),
            items: items.into_iter().collect::<Option<_>>()?,
            fields,
            promised_days: entry.promised_days,
            source: entry.source.clone(),
            verified: entry.verified,
        };
        self.checked(bundle)
    }

    fn parsed<T: std::str::FromStr>(&mut self, key: &str, text: &str) -> Option<T> {
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.refuse(key, Fault::error("lists.bundle_code").with("found", text));
        }
        parsed
    }

    fn item(&mut self, item: &ItemEntry, entry: &Entry) -> Option<Item> {
        let matter = self.parsed::<MatterCode>("matter", &item.matter);
        if let (Some(matter), Some(known)) = (&matter, self.matters)
            && !known.contains(matter)
        {
            let codes = known.iter().take(COMPARED_MAX).map(MatterCode::as_str);
            let fault = Fault::error("lists.unknown_matter").with("found", &item.matter);
            self.refuse("matter", fault.suggest(nearest(&item.matter, codes)));
        }
        let when: Vec<Option<Condition>> = item.when.iter().map(|it| self.condition(it)).collect();
        let after = self.places("after", &item.after, entry);
        Some(Item { matter: matter?, when: when.into_iter().collect::<Option<_>>()?, after })
    }

    fn condition(&mut self, text: &str) -> Option<Condition> {
        let read = text.split_once('=').map(|(question, option)| Condition {
            question: question.trim().to_owned(),
            option: option.trim().to_owned(),
        });
        if read.is_none() {
            self.refuse("when", Fault::error("lists.bundle_condition").with("found", text));
        }
        read
    }

    fn field(&mut self, field: &FieldEntry, entry: &Entry) -> FormField {
        let items = if field.items.is_empty() {
            (0..entry.items.len()).filter_map(|place| u8::try_from(place).ok()).collect()
        } else {
            self.places("items", &field.items, entry)
        };
        FormField { name: field.name.clone(), label: field.label.clone(), required: field.required, items }
    }

    /// The places of items that are named by their matters.
    fn places(&mut self, key: &str, named: &[String], entry: &Entry) -> Vec<u8> {
        let mut places = Vec::new();
        for name in named {
            let found = entry.items.iter().position(|item| item.matter == *name);
            if let Some(place) = found.and_then(|place| u8::try_from(place).ok()) {
                places.push(place);
            } else {
                let near = nearest(name, entry.items.iter().map(|item| item.matter.as_str()));
                self.refuse(key, Fault::error("lists.bundle_item").with("found", name).suggest(near));
            }
        }
        places
    }

    fn checked(&mut self, bundle: Bundle) -> Option<Bundle> {
        if let Err(unlisted) = bundle.check() {
            self.refuse("code", unlisted_fault(unlisted));
        }
        let fits = Body::Bundle(Box::new(bundle.clone())).encode().len() <= BUNDLE_BYTES_MAX;
        if !fits {
            self.refuse("code", Fault::error("lists.bundle_too_large").with("max", &BUNDLE_BYTES_MAX));
        }
        self.sound.then_some(bundle)
    }
}

/// Bytes of one bundle as a record: signatures and counters take the rest of one.
const BUNDLE_BYTES_MAX: usize = super::MATTER_BYTES_MAX;

fn question(entry: &QuestionEntry) -> Situation {
    let option = |it: &OptionEntry| Choice { id: it.id.clone(), text: it.text.clone() };
    Situation {
        id: entry.id.clone(),
        text: entry.text.clone(),
        options: entry.options.iter().map(option).collect(),
    }
}

/// The file of bundles, which is read back to the same records; none if there are none.
pub(super) fn written(bodies: &[Body]) -> Option<String> {
    let bundles =
        bodies.iter().filter_map(|body| if let Body::Bundle(it) = body { Some(entry(it)) } else { None });
    let file = File { bundles: bundles.collect() };
    let text = serde_json::to_string_pretty(&file).ok().filter(|_| !file.bundles.is_empty())?;
    Some(format!("{text}\n"))
}

fn entry(bundle: &Bundle) -> Entry {
    let named = |places: &[u8]| -> Vec<String> {
        places.iter().filter_map(|place| Some(bundle.item(*place)?.matter.to_string())).collect()
    };
    let condition = |it: &Condition| format!("{}={}", it.question, it.option);
    Entry {
        code: bundle.code.to_string(),
        name: bundle.name.clone(),
        area: Some(bundle.area.to_string()),
        lead: bundle.lead_name.clone(),
        lead_code: Some(bundle.lead.to_string()),
        promised_days: bundle.promised_days,
        questions: bundle
            .questions
            .iter()
            .map(|it| QuestionEntry {
                id: it.id.clone(),
                text: it.text.clone(),
                options: it
                    .options
                    .iter()
                    .map(|it| OptionEntry { id: it.id.clone(), text: it.text.clone() })
                    .collect(),
            })
            .collect(),
        items: bundle
            .items
            .iter()
            .map(|it| ItemEntry {
                matter: it.matter.to_string(),
                when: it.when.iter().map(condition).collect(),
                after: named(&it.after),
            })
            .collect(),
        fields: bundle
            .fields
            .iter()
            .map(|it| FieldEntry {
                name: it.name.clone(),
                label: it.label.clone(),
                required: it.required,
                items: named(&it.items),
            })
            .collect(),
        source: bundle.source.clone(),
        verified: bundle.verified,
    }
}
