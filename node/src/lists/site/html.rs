//! As much of HTML as the pages need. Every text goes through [`escaped`].

use crate::texts::{Lang, Texts};

/// A text that is nothing but text, between tags and within quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A name of a file that every file system takes and no two codes share, also where capitals do not count.
pub(super) fn file_name(code: &str) -> String {
    let mut name = String::new();
    for byte in code.bytes() {
        match byte {
            b'A'..=b'Z' | b'0'..=b'9' | b'-' => name.push(char::from(byte)),
            other => name.extend(["_".to_owned(), format!("{other:02X}")]),
        }
    }
    name
}

/// A link.
pub(super) fn link(to: &str, text: &str) -> String {
    format!("<a href=\"{}\">{}</a>", escaped(to), escaped(text))
}

/// A list in columns.
pub(super) fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.map(|item| format!("<li>{item}</li>\n")).collect();
    format!("<ul class=\"columns\">\n{}</ul>\n", items.concat())
}

/// A table: the headings, then rows whose cells are HTML already.
pub(super) fn table(headings: &[String], rows: &[Vec<String>]) -> String {
    let row = |cells: &[String], tag: &str| -> String {
        let cells: Vec<_> = cells.iter().map(|cell| format!("<{tag}>{cell}</{tag}>")).collect();
        format!("<tr>{}</tr>\n", cells.concat())
    };
    let body: Vec<_> = rows.iter().map(|cells| row(cells, "td")).collect();
    format!("<table>\n<thead>{}</thead>\n<tbody>\n{}</tbody>\n</table>\n", row(headings, "th"), body.concat())
}

/// Both languages, Chinese first.
pub(super) struct Speech {
    zh: Texts,
    en: Texts,
}

impl Speech {
    pub(super) fn new() -> Self {
        Self { zh: Texts::new(Lang::Zh), en: Texts::new(Lang::En) }
    }

    /// A text of the site, with the English one behind it.
    pub(super) fn say(&self, key: &str, params: &[(&str, &str)]) -> String {
        both(&self.zh.say(key, params), &self.en.say(key, params))
    }

    /// A stable word of the protocol.
    pub(super) fn word(&self, kind: &str, word: &str) -> String {
        both(&self.zh.word(kind, word), &self.en.word(kind, word))
    }

    /// The halls of a tier in an area.
    pub(super) fn within(&self, area: &str, tier: &str) -> String {
        let of =
            |texts: &Texts| texts.say("site.within", &[("area", area), ("tier", &texts.word("tier", tier))]);
        both(&of(&self.zh), &of(&self.en))
    }

    /// Chinese only, for titles of windows.
    pub(super) fn plain(&self, key: &str) -> String {
        escaped(&self.zh.say(key, &[]))
    }
}

fn both(zh: &str, en: &str) -> String {
    format!("{}<span lang=\"en\">{}</span>", escaped(zh), escaped(en))
}

/// A whole page. `up` leads to the first page, `main` is HTML already.
pub(super) fn page(speech: &Speech, (up, title, date): (&str, &str, &str), main: &str) -> String {
    let links = [
        ("index", "site.all"),
        ("halls", "site.halls"),
        ("delegations", "site.delegations"),
        ("shared", "site.shared"),
    ];
    let item =
        |(page, key): &(&str, &str)| format!("<a href=\"{up}{page}.html\">{}</a>\n", speech.say(key, &[]));
    let nav = links.iter().map(item).collect::<Vec<_>>().concat();
    let footer = speech.say("site.footer", &[("date", date)]);
    format!(
        "<!DOCTYPE html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<link rel=\"stylesheet\" href=\"{up}site.css\">\n</head>\n<body>\n<nav>\n{nav}</nav>\n\
         <main>\n{main}</main>\n<footer>{footer}</footer>\n</body>\n</html>\n",
        escaped(title)
    )
}
