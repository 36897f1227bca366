//! What other systems leave in a text: entities of HTML once or twice encoded, odd spaces, markup, full-width letters.
//!
//! Promises: what is mended comes back together with what was mended, so that it is told; what cannot be mended with
//! certainty is refused with what was probably meant. Knows nothing of columns.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::finding::Fault;

/// From full-width to ASCII, as in U+FF11 and U+0031.
const FULL_WIDTH: RangeInclusive<char> = '\u{FF01}'..='\u{FF5E}';
const FULL_WIDTH_OFFSET: u32 = 0xFEE0;
/// How often a text is decoded: systems that exchange lists encode what another has encoded already.
const ROUNDS: usize = 2;
/// Characters of an entity between `&` and `;`.
const ENTITY_CHARS_MAX: usize = 10;
/// The entities that are met in lists.
const ENTITIES: [(&str, char); 26] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{A0}'),
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("ldquo", '\u{201C}'),
    ("rdquo", '\u{201D}'),
    ("lsquo", '\u{2018}'),
    ("rsquo", '\u{2019}'),
    ("laquo", '\u{AB}'),
    ("raquo", '\u{BB}'),
    ("hellip", '\u{2026}'),
    ("mdash", '\u{2014}'),
    ("ndash", '\u{2013}'),
    ("middot", '\u{B7}'),
    ("bull", '\u{2022}'),
    ("times", '\u{D7}'),
    ("deg", '\u{B0}'),
    ("permil", '\u{2030}'),
    ("le", '\u{2264}'),
    ("ge", '\u{2265}'),
    ("yen", '\u{A5}'),
    ("sect", '\u{A7}'),
];

/// A text, and the warnings about what was mended in it.
pub(super) struct Mended<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) faults: Vec<Fault>,
}

/// Mends a text, or says why it cannot be.
pub(super) fn mended(raw: &str) -> Result<Mended<'_>, Fault> {
    let mut faults = Vec::new();
    let decoded = decoded(raw)?;
    if let Cow::Owned(text) = &decoded {
        faults.push(Fault::warning("lists.entities").with("found", raw).with("read_as", text.trim()));
    }
    if let Some(bare) = without_markup(&decoded) {
        return Err(Fault::error("lists.markup").with("found", raw).suggest(Some(bare)));
    }
    let trimmed = trimmed(&decoded);
    if trimmed.len() != decoded.len() {
        faults.push(Fault::warning("lists.stray_space").with("read_as", trimmed));
    }
    let text = match spaced(trimmed) {
        Some(text) => {
            faults.push(Fault::warning("lists.odd_space").with("read_as", &text));
            Cow::Owned(text)
        }
        None => match &decoded {
            Cow::Borrowed(whole) => Cow::Borrowed(self::trimmed(whole)),
            Cow::Owned(_) => Cow::Owned(trimmed.to_owned()),
        },
    };
    if let Some(bad) = text.chars().find(|&it| is_invisible(it)) {
        let meant: String = text.chars().filter(|&it| !is_invisible(it)).collect();
        let character = format!("U+{:04X}", u32::from(bad));
        let meant = Some(meant).filter(|_| !is_private(bad));
        return Err(Fault::error("lists.control_character").with("character", &character).suggest(meant));
    }
    Ok(Mended { text, faults })
}

/// Full-width ASCII made narrow.
pub(super) fn narrowed(text: &str) -> String {
    let narrow = |wide: char| {
        let code = u32::from(wide).saturating_sub(FULL_WIDTH_OFFSET);
        if FULL_WIDTH.contains(&wide) { char::from_u32(code).unwrap_or(wide) } else { wide }
    };
    text.chars().map(narrow).collect()
}

/// Entities as what they stand for; what is still one afterwards is refused.
fn decoded(raw: &str) -> Result<Cow<'_, str>, Fault> {
    let mut text = Cow::Borrowed(raw);
    for _ in 0..ROUNDS {
        match decoded_once(&text) {
            Some(once) => text = Cow::Owned(once),
            None => break,
        }
    }
    match entity(&text) {
        Some(left) => Err(Fault::error("lists.unknown_entity").with("found", left)),
        None => Ok(text),
    }
}

fn decoded_once(text: &str) -> Option<String> {
    let mut decoded = String::with_capacity(text.len());
    let (mut rest, mut any) = (text, false);
    while let Some((before, found)) = rest.split_once('&') {
        decoded.push_str(before);
        if let Some((character, name)) =
            begins_with_entity(found).and_then(|name| Some((character(name)?, name)))
        {
            any = true;
            decoded.push(character);
            rest = found.get(name.len().saturating_add(1)..).unwrap_or_default();
        } else {
            decoded.push('&');
            rest = found;
        }
    }
    decoded.push_str(rest);
    any.then_some(decoded)
}

/// The first thing that looks like an entity, with its ampersand and semicolon.
fn entity(text: &str) -> Option<&str> {
    text.match_indices('&').find_map(|(at, _)| {
        let after = text.get(at.saturating_add(1)..)?;
        let end = begins_with_entity(after)?.len().saturating_add(2);
        text.get(at..at.saturating_add(end))
    })
}

/// The name of the entity whose ampersand stands in front of `text`.
fn begins_with_entity(text: &str) -> Option<&str> {
    let (name, _) = text.split_once(';')?;
    let is_name = |name: &str| name.starts_with(|it: char| it.is_ascii_alphabetic());
    let bare = name.strip_prefix('#').unwrap_or(name);
    let of_letters = !bare.is_empty() && bare.chars().all(|it| it.is_ascii_alphanumeric());
    (name.len() <= ENTITY_CHARS_MAX && of_letters && (name.starts_with('#') || is_name(name))).then_some(name)
}

fn character(name: &str) -> Option<char> {
    let Some(number) = name.strip_prefix('#') else {
        return ENTITIES.iter().find(|(known, _)| *known == name).map(|&(_, character)| character);
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code)
}

/// The text without tags such as `<br/>`, if it has any.
fn without_markup(text: &str) -> Option<String> {
    let mut bare = String::new();
    let (mut rest, mut any) = (text, false);
    while let Some((before, after)) = rest.split_once('<') {
        bare.push_str(before);
        let is_tag = after.starts_with(|it: char| it.is_ascii_alphabetic() || matches!(it, '/' | '!'));
        if let Some((_, after)) = after.split_once('>').filter(|_| is_tag) {
            any = true;
            bare.push(' ');
            rest = after;
        } else {
            bare.push('<');
            rest = after;
        }
    }
    bare.push_str(rest);
    any.then(|| bare.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|it: char| it.is_whitespace() || it == '\u{FEFF}')
}

/// Tabs, spaces that do not break and the like as plain spaces, if there are any; line breaks stay.
fn spaced(text: &str) -> Option<String> {
    let odd = |it: char| {
        it != ' '
            && it != '\n'
            && it != '\u{3000}'
            && it.is_whitespace()
            && !matches!(it, '\u{2028}' | '\u{2029}')
    };
    text.contains(odd).then(|| text.replace(odd, " "))
}

/// Controls, marks that change the direction or show nothing, what stands for a broken character, and characters of
/// which every machine has its own.
fn is_invisible(it: char) -> bool {
    (it.is_control() && it != '\n')
        || matches!(it, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}')
        || matches!(it, '\u{FEFF}' | '\u{FFFD}')
        || is_private(it)
}

/// A rare character that somebody drew for their own machine: another shows something else there.
fn is_private(it: char) -> bool {
    matches!(it, '\u{E000}'..='\u{F8FF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(raw: &str) -> String {
        match mended(raw) {
            Ok(it) => {
                let faults = it.faults.into_iter().map(|fault| fault.code());
                std::iter::once(it.text.into_owned())
                    .chain(faults.map(str::to_owned))
                    .collect::<Vec<_>>()
                    .join(" ")
            }
            Err(fault) => format!("{} {:?}", fault.code(), fault.suggestion()),
        }
    }

    #[test]
    fn entities_are_decoded_twice_and_no_more() {
        assert_eq!(seen("A&B；甲&乙;丙"), "A&B；甲&乙;丙");
        assert_eq!(seen("《建筑法》&lt;节选&gt;"), "《建筑法》<节选> lists.entities");
        assert_eq!(seen("&amp;ldquo;甲&amp;rdquo;"), "\u{201C}甲\u{201D} lists.entities");
        assert_eq!(seen("&#30002;&#x4E59;"), "甲乙 lists.entities");
        assert_eq!(seen("&amp;amp;ldquo;"), "lists.unknown_entity None");
        assert_eq!(seen("&nosuch;"), "lists.unknown_entity None");
    }

    #[test]
    fn markup_is_refused_with_what_is_left_without_it() {
        assert_eq!(seen("<p>申请表</p>"), "lists.markup Some(\"申请表\")");
        assert_eq!(seen("&lt;br/&gt;甲&lt;br&gt;乙"), "lists.markup Some(\"甲 乙\")");
        assert_eq!(seen("面积<200平方米>100"), "面积<200平方米>100");
    }

    #[test]
    fn odd_spaces_become_plain_ones() {
        assert_eq!(seen(" 甲\t乙\u{A0}丙\u{3000}"), "甲 乙 丙 lists.stray_space lists.odd_space");
        assert_eq!(seen("甲\u{3000}乙"), "甲\u{3000}乙");
        assert_eq!(seen("&amp;nbsp;甲"), "甲 lists.entities lists.stray_space");
    }

    #[test]
    fn what_cannot_be_seen_is_refused() {
        assert_eq!(seen("建\u{7}房"), "lists.control_character Some(\"建房\")");
        assert_eq!(seen("建\u{200B}房"), "lists.control_character Some(\"建房\")");
        assert_eq!(seen("张\u{E863}"), "lists.control_character None");
    }
}
