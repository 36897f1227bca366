//! Writing elements: every tag that is opened is closed, every text and attribute is escaped.

use std::fmt::Display;

/// The attributes of an element.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a dyn Display)];

/// Elements written so far.
#[derive(Debug, Default)]
pub(super) struct Markup {
    text: String,
}

impl Markup {
    /// An element with something in it.
    pub(super) fn element(
        &mut self,
        tag: &'static str,
        attributes: Attributes<'_>,
        inside: impl FnOnce(&mut Self),
    ) {
        self.begin(tag, attributes);
        self.text.push('>');
        inside(self);
        self.text.push_str("</");
        self.text.push_str(tag);
        self.text.push('>');
    }

    /// An element with nothing in it: a shape, or one of those of HTML that never have anything in them.
    pub(super) fn empty(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.begin(tag, attributes);
        self.text.push_str("/>");
    }

    /// An element with words in it.
    pub(super) fn words(&mut self, tag: &'static str, attributes: Attributes<'_>, words: &str) {
        self.element(tag, attributes, |inside| inside.say(words));
    }

    /// Words.
    pub(super) fn say(&mut self, words: &str) {
        words.chars().for_each(|letter| self.letter(letter));
    }

    /// The program's own style sheet: nothing in it is escaped.
    pub(super) fn style(&mut self, sheet: &'static str) {
        self.element("style", &[], |inside| inside.text.push_str(sheet));
    }

    /// The whole document.
    pub(super) fn document(self) -> String {
        format!("<!DOCTYPE html>\n{}\n", self.text)
    }

    /// What was written.
    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn begin(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.text.push('<');
        self.text.push_str(tag);
        for (name, value) in attributes {
            self.text.push(' ');
            self.text.push_str(name);
            self.text.push_str("=\"");
            self.say(&value.to_string());
            self.text.push('"');
        }
    }

    fn letter(&mut self, letter: char) {
        match letter {
            '&' => self.text.push_str("&amp;"),
            '<' => self.text.push_str("&lt;"),
            '>' => self.text.push_str("&gt;"),
            '"' => self.text.push_str("&quot;"),
            '\'' => self.text.push_str("&#39;"),
            '\n' | '\t' => self.text.push(letter),
            // Signs that are no text, such as those that colour a terminal.
            other if other.is_control() => self.text.push('\u{fffd}'),
            other => self.text.push(other),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Elements that HTML closes by itself.
    const VOID: [&str; 2] = ["meta", "br"];

    /// What is wrong with a text of elements: a thing from elsewhere, a tag that is not closed, a loose sign.
    pub(in crate::page) fn flaw(text: &str) -> Option<String> {
        let foreign = ["http", "//", "NaN", "url(", "@import", "<script"];
        let met = foreign.into_iter().find(|it| text.contains(it)).map(ToOwned::to_owned);
        met.or_else(|| unclosed(text.trim_start_matches("<!DOCTYPE html>")))
    }

    fn unclosed(mut rest: &str) -> Option<String> {
        let mut open: Vec<&str> = Vec::new();
        while let Some((words, tail)) = rest.split_once('<') {
            if words.contains('>') {
                return Some(format!("a loose > in {words}"));
            }
            let Some((tag, after)) = tail.split_once('>') else { return Some(format!("no end of {tail}")) };
            rest = after;
            let wrong = tag_flaw(tag, &mut open);
            if wrong.is_some() {
                return wrong;
            }
        }
        (!open.is_empty() || rest.contains('>')).then(|| format!("{open:?} not closed before {rest}"))
    }

    fn tag_flaw<'a>(tag: &'a str, open: &mut Vec<&'a str>) -> Option<String> {
        if let Some(closed) = tag.strip_prefix('/') {
            return (open.pop() != Some(closed)).then(|| format!("{closed} is not what is open"));
        }
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        let whole = !name.is_empty() && tag.matches('"').count().is_multiple_of(2);
        let listens = tag.split_whitespace().any(|it| it.starts_with("on") && it.contains('='));
        if !whole || listens || tag.contains("=\"\"") {
            return Some(format!("no tag of ours: {tag}"));
        }
        if !tag.ends_with('/') {
            open.push(name);
            return None;
        }
        let may = VOID.contains(&name) || open.contains(&"svg");
        (!may).then(|| format!("{tag} has nothing in it"))
    }

    #[test]
    fn text_and_attributes_are_escaped() {
        let mut markup = Markup::default();
        markup.words("p", &[("title", &"a\"b'<")], "<b>&\u{1b}[1m\n");
        assert_eq!(markup.text(), "<p title=\"a&quot;b&#39;&lt;\">&lt;b&gt;&amp;\u{fffd}[1m\n</p>");
        assert_eq!(flaw(markup.text()), None);
    }

    #[test]
    fn elements_lie_in_each_other() {
        let mut markup = Markup::default();
        markup.element("svg", &[("width", &7)], |svg| {
            svg.empty("rect", &[("x", &1)]);
            svg.words("text", &[], "a");
        });
        assert_eq!(markup.text(), "<svg width=\"7\"><rect x=\"1\"/><text>a</text></svg>");
        assert_eq!(flaw(markup.text()), None);
    }

    #[test]
    fn every_flaw_is_seen() {
        let flawed = [
            "<p>",
            "<p><b></p></b>",
            "</p>",
            "<p>a > b</p>",
            "<p",
            "<p a=\"></p>",
            "<div/>",
            "<svg><path d=\"\"/></svg>",
            "<svg><path d=\"NaN\"/></svg>",
            "<a href=\"http://example.org\">a</a>",
            "<p onclick=\"a\">b</p>",
            "<style>@import a</style>",
        ];
        for text in flawed {
            assert!(flaw(text).is_some(), "{text}");
        }
    }
}
