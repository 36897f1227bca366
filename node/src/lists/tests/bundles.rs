//! `bundles.json`.

use super::super::export::{Format, Part, write as export};
use super::super::sample::BUNDLES;
use super::*;
use crate::texts::{Lang, Texts};

fn import(bundles: &str) -> Import {
    let texts = ListTexts { matters: Some(MATTERS), bundles: Some(bundles), ..ListTexts::default() };
    import_text(&texts, city()).unwrap()
}

fn bundles_of(import: &Import) -> Vec<Body> {
    import.bodies.iter().filter(|body| matches!(body, Body::Bundle(_))).cloned().collect()
}

#[test]
fn the_sample_citys_bundles_are_read_and_are_marked_as_not_official() {
    let found = bundles_of(&import(BUNDLES));
    let bundles: Vec<_> =
        found.iter().map(|body| if let Body::Bundle(it) = body { it } else { panic!() }).collect();
    assert_eq!(bundles.iter().map(|it| it.code.as_str()).collect::<Vec<_>>(), ["newborn", "restaurant"]);
    assert!(bundles.iter().all(|it| !it.verified && it.source.contains("illustrative")));
    let newborn = bundles[0];
    let afters: Vec<_> = newborn.items.iter().map(|item| item.after.as_slice()).collect();
    assert_eq!(afters, [&[][..], &[0], &[], &[1], &[1]]);
    // What is entered in the household register is nothing for the card, and the bank nothing for the register.
    let reads = |item| newborn.fields_of(item).map(|field| field.name.as_str()).collect::<Vec<_>>();
    assert!(reads(1).contains(&"household") && !reads(4).contains(&"household"));
    assert!(reads(4).contains(&"bank") && !reads(1).contains(&"bank"));
}

#[test]
fn what_is_written_is_read_back_to_the_same_bundles() {
    let read = import(BUNDLES);
    let written = export(&read.bodies, Part::Bundles, Format::Json, &Texts::new(Lang::Zh)).unwrap();
    let again = import(std::str::from_utf8(&written).unwrap());
    assert_eq!(bundles_of(&again), bundles_of(&read));
    assert!(export(&read.bodies, Part::Bundles, Format::Csv, &Texts::new(Lang::Zh)).is_err());
    assert!(export(&[], Part::Bundles, Format::Json, &Texts::new(Lang::Zh)).is_err());
}

#[test]
fn each_mistake_is_named_with_its_line_and_nothing_is_imported() {
    let mistakes = [
        ("\"after\": [\"ZYL-X-021\"]", "\"after\": [\"ZYL-X-021\", \"ZYL-Z-020\"]", "lists.bundle_order"),
        ("\"after\": [\"ZYL-X-021\"]", "\"after\": [\"ZYL-X-02\"]", "lists.bundle_item"),
        ("born=outside", "born=nowhere", "lists.bundle_questions"),
        ("born=outside", "outside", "lists.bundle_condition"),
        ("{ \"matter\": \"ZYL-X-034\"", "{ \"matter\": \"ZYL-X-999\"", "lists.unknown_matter"),
        ("{ \"matter\": \"ZYL-X-034\"", "{ \"matter\": \"ZYL-X-021\"", "lists.bundle_items"),
        ("\"promised_days\": 20", "\"promised_days\": 0", "lists.bundle_promise"),
        ("\"name\": \"witness\"", "\"name\": \"household\"", "lists.bundle_form"),
        ("\"code\": \"restaurant\"", "\"code\": \"newborn\"", "lists.bundle_twice"),
        ("\"code\": \"newborn\"", "\"code\": \"new born\"", "lists.bundle_code"),
        ("\"area\": \"620700000000\"", "\"area\": \"620800000000\"", "lists.outside_city"),
        ("新生儿出生一件事", "", "lists.bad_name"),
        ("\"promised_days\": 20", "\"promised\": 20", "lists.json_shape"),
    ];
    for (right, wrong, code) in mistakes {
        let text = BUNDLES.replacen(right, wrong, 1);
        assert_ne!(text, BUNDLES, "{right}");
        let import = import(&text);
        let codes: Vec<_> = import.findings.iter().map(|finding| finding.code).collect();
        assert!(codes.contains(&code), "{wrong}: {codes:?}");
        assert!(import.is_refused() && import.bodies.is_empty(), "{wrong}");
        assert!(import.findings.iter().any(|finding| finding.file == "bundles.json" && finding.line > 1));
    }
}

#[test]
fn bundles_alone_are_read_and_it_is_said_that_their_matters_were_not_checked() {
    let texts = ListTexts { bundles: Some(BUNDLES), ..ListTexts::default() };
    let import = import_text(&texts, city()).unwrap();
    assert_eq!(import.findings.iter().map(|it| it.code).collect::<Vec<_>>(), ["lists.matters_not_checked"]);
    assert_eq!(import.bodies.len(), 2);
}
