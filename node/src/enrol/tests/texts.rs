//! The text format, line by line.

use super::*;

const CONTENT: &[u8] = &[7; 100];

fn text() -> String {
    let headers =
        [("Hall", "620702000000-00".to_owned()), ("Name", "\u{7518}\u{5dde}\u{533a}: 1".to_owned())];
    armour::write(Kind::Card, &headers, CONTENT).unwrap()
}

fn read(text: &str) -> Result<Vec<u8>, ArmourError> {
    let opened = armour::read(text, Kind::Card)?;
    let headers =
        [("Hall", "620702000000-00".to_owned()), ("Name", "\u{7518}\u{5dde}\u{533a}: 1".to_owned())];
    opened.check_headers(&headers)?;
    Ok(opened.content.to_vec())
}

/// The text with one line replaced, counted from 1; none removes it.
fn with_line(number: usize, line: Option<&str>) -> String {
    let text = text();
    let lines = (1..).zip(text.lines());
    let lines = lines.filter_map(|(at, old)| if at == number { line } else { Some(old) });
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn damage(text: &str) -> (usize, Damage) {
    let why = read(text).unwrap_err();
    let ArmourError::Damaged { line, damage } = why else { panic!("{why:?}") };
    (line, damage)
}

#[test]
fn what_is_written_is_read() {
    let text = text();
    assert_eq!(text.lines().count(), 9);
    assert!(text.lines().all(|line| line.chars().count() <= 80));
    assert_eq!(read(&text).unwrap(), CONTENT);
    for kind in Kind::ALL {
        for length in [0, 15, 16, 17, 64, 200] {
            let content = vec![3; length];
            let text = armour::write(kind, &[], &content).unwrap();
            assert_eq!(*armour::read(&text, kind).unwrap().content, content);
        }
    }
}

#[test]
fn other_systems_line_ends_and_blank_lines_around_are_no_damage() {
    let text = text();
    for harmless in [
        text.replace('\n', "\r\n"),
        format!("\u{feff}{text}"),
        format!("\n\n{text}\n\n"),
        text.trim_end().to_owned(),
    ] {
        assert_eq!(read(&harmless).unwrap(), CONTENT);
    }
    // Lines are counted as an editor counts them.
    let damaged = format!("\n\n{}", with_line(5, Some("????")));
    assert_eq!(damage(&damaged), (7, Damage::Body));
}

#[test]
fn every_line_that_is_changed_is_told() {
    let text = text();
    let line = |number: usize| text.lines().nth(number - 1).unwrap();
    let swapped = |number: usize| format!("{}{}", &line(number)[1..], &line(number)[..1]);
    let cases = [
        (2, Some("Hall 620702000000-00"), (2, Damage::Header)),
        (2, Some("Hall: 620723000000-00"), (2, Damage::HeaderDiffers)),
        (2, None, (2, Damage::HeaderDiffers)),
        (3, Some("Name: \u{4e34}\u{6cfd}\u{53bf}"), (3, Damage::HeaderDiffers)),
        (3, None, (3, Damage::HeaderDiffers)),
        (4, Some("More: x"), (5, Damage::Header)),
        (4, None, (4, Damage::Header)),
        (5, Some("not base64!"), (5, Damage::Body)),
        (5, Some(&line(5)[..60]), (6, Damage::Sum)),
        (5, Some(&swapped(5)), (8, Damage::SumDiffers)),
        (6, Some(&swapped(6)), (8, Damage::SumDiffers)),
        (6, None, (7, Damage::SumDiffers)),
        (7, Some(&line(7)[1..]), (7, Damage::Body)),
        (7, None, (7, Damage::SumDiffers)),
        (8, Some("sha256: abc"), (8, Damage::Sum)),
        (8, Some("sha265: abc"), (8, Damage::Sum)),
        (8, Some(&line(8).to_uppercase().replace("SHA256", "sha256")), (8, Damage::Sum)),
        (8, None, (8, Damage::Sum)),
        (9, Some("-----END HALLMESH JOIN-----"), (9, Damage::End)),
        (9, None, (9, Damage::CutOff)),
    ];
    for (number, replacement, expected) in cases {
        assert_eq!(damage(&with_line(number, replacement)), expected, "line {number}: {replacement:?}");
    }
    assert_eq!(damage(&format!("{text}x\n")), (10, Damage::AfterEnd));
    let cut: String = text.lines().take(6).flat_map(|line| [line, "\n"]).collect();
    assert_eq!(damage(&cut), (7, Damage::CutOff));
    assert_eq!(damage(text.lines().next().unwrap()), (2, Damage::CutOff));
}

#[test]
fn a_changed_sum_is_told() {
    let other = "sha256: ".to_owned() + &"0".repeat(64);
    assert_eq!(damage(&with_line(8, Some(&other))), (8, Damage::SumDiffers));
}

#[test]
fn every_single_character_counts() {
    let text = text();
    for (place, old) in text.char_indices().filter(|(_, old)| *old != '\n') {
        let new = if old == 'A' { 'B' } else { 'A' };
        let changed = format!("{}{new}{}", &text[..place], &text[place + old.len_utf8()..]);
        assert!(read(&changed).is_err(), "{changed}");
    }
}

#[test]
fn a_text_of_another_kind_is_named() {
    let refused = armour::read(&text(), Kind::Join).unwrap_err();
    assert_eq!(refused, ArmourError::WrongKind { found: "CARD".to_owned(), expected: Kind::Join });
    assert_eq!(refused.params()["expected"], "JOIN");
    let unknown = with_line(1, Some("-----BEGIN HALLMESH \u{7}LETTER OF A VERY LONG NAME INDEED-----"));
    assert_eq!(
        read(&unknown),
        Err(ArmourError::WrongKind { found: "LETTEROFAVERYLONGNAMEIND".to_owned(), expected: Kind::Card })
    );
    // One kind renamed to another is not understood, checksum or not.
    assert_eq!(
        armour::read(&text().replace("CARD", "JOIN"), Kind::Join).unwrap_err(),
        ArmourError::Damaged { line: 5, damage: Damage::Content }
    );
    for nothing in ["", "\n", "hello", "-----BEGIN CERTIFICATE-----", "BEGIN HALLMESH CARD"] {
        assert_eq!(read(nothing), Err(ArmourError::NotOurs), "{nothing}");
    }
}

#[test]
fn nothing_is_read_or_written_without_a_bound() {
    let long = format!("{}{}", text(), " ".repeat(TEXT_MAX));
    assert!(matches!(read(&long), Err(ArmourError::TooLarge { max: TEXT_MAX, .. })));
    let content = vec![0; 300];
    assert!(matches!(armour::write(Kind::Key, &[], &content), Err(ArmourError::TooLarge { max: 256, .. })));
    let many = "A: b\n".repeat(9);
    let headers = text().replacen("Hall:", &format!("{many}Hall:"), 1);
    assert_eq!(damage(&headers), (10, Damage::Header));
    let largest = armour::write(Kind::Join, &[], &vec![0; hallmesh_protocol::limits::FRAME_MAX]).unwrap();
    assert!(largest.len() < TEXT_MAX);
    armour::read(&largest, Kind::Join).unwrap();
}

#[test]
fn the_sum_is_what_an_auditor_computes_from_the_decoded_lines() {
    let text = armour::write(Kind::Request, &[], b"abc").unwrap();
    let body = text.lines().nth(2).unwrap();
    let decoded = base64::decode(body).unwrap();
    assert!(decoded.starts_with(b"hallmesh/v1/file/request\0\0\0\0\0\0\0\0abc"));
    // printf 'hallmesh/v1/file/request\0\0\0\0\0\0\0\0abc' | sha256sum
    assert!(text.contains("sha256: 4fd4dce86da7db265346e0208781021a53c55932b48c260ea43d5dcb54901f34"));
}

#[test]
fn what_people_read_is_what_the_content_says() {
    let world = World::new();
    let county = world.home(COUNTY);
    let text = request(&county, &["/ip4/10.0.0.1/tcp/6207".to_owned()]).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "-----BEGIN HALLMESH REQUEST-----");
    assert_eq!(lines[1], "Hall: 620702000000-00");
    assert_eq!(lines[2], format!("Name: {}", county.name()));
    let read = read_request(&text).unwrap();
    assert_eq!(lines[3], format!("Fingerprint: {}", request_fingerprint(&read)));
    let shown = text.replace("Hall: 620702000000-00", "Hall: 620723000000-00");
    assert_eq!(read_request(&shown).unwrap_err().code(), "enrol.file.header_differs");
    let root = fs::read_to_string(world.root.join("root.hm")).unwrap();
    assert!(root.contains("\nHolders: 2 of 3\n"));
    assert!(root.contains(&format!("\nRoot: {}\n", world.founded.fingerprint)));
    let key = fs::read_to_string(world.root.join("holder-2.key")).unwrap();
    assert!(key.contains("\nSecret: holder 2\n"));
}

#[test]
fn a_content_that_is_whole_and_senseless_is_refused() {
    for content in [&b""[..], b"\x01", b"\xff\xff\xff", &[0; 70], &[1; 200]] {
        let refuse = |kind: Kind| armour::write(kind, &[], content).unwrap();
        assert_eq!(read_request(&refuse(Kind::Request)).unwrap_err().code(), "enrol.file.content");
        assert_eq!(Papers::read_card(&refuse(Kind::Card)).unwrap_err().code(), "enrol.file.content");
        assert_eq!(Papers::read_bundle(&refuse(Kind::Join)).unwrap_err().code(), "enrol.file.content");
    }
}
