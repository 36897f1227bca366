//! As much of reading Rust as the rules need: no comments, no literals, names, blocks.

use std::collections::BTreeSet;

/// The code without comments and without what is inside literals; lines stay where they are.
pub(crate) fn bare(text: &str) -> String {
    let mut rest = text;
    let mut code = String::with_capacity(text.len());
    while let Some(first) = rest.chars().next() {
        let (length, keep) = match first {
            '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), false),
            '/' if rest.starts_with("/*") => (block_comment(rest), false),
            '"' => (string(rest), false),
            'r' | 'b' if raw_string(rest).is_some() && !ends_in_word(&code) => {
                (raw_string(rest).unwrap(), false)
            }
            '\'' => (character(rest).unwrap_or(1), character(rest).is_none()),
            other => (other.len_utf8(), true),
        };
        let (token, after) = rest.split_at(length);
        if keep {
            code.push_str(token);
        } else {
            code.extend(token.chars().filter(|c| *c == '\n'));
            // A literal is still something on its line.
            code.push_str(if first == '/' { " " } else { "\"\"" });
        }
        rest = after;
    }
    code
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0_usize);
    loop {
        let tail = &rest[at..];
        if tail.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if tail.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
        } else {
            at += tail.chars().next().map_or(0, char::len_utf8);
        }
        if depth == 0 || at >= rest.len() {
            return at;
        }
    }
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    let end = rest.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(rest.len(), |(at, _)| at + 1)
}

/// The length of a raw string, with or without `b`, if one begins here.
fn raw_string(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = after.chars().take_while(|c| *c == '#').count();
    let body = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(rest.len() - body.len() + length)
}

/// The length of a character literal; none for a lifetime.
fn character(rest: &str) -> Option<usize> {
    if rest.starts_with("'\\") {
        return rest[3..].find('\'').map(|at| at + 4);
    }
    let (at, _) = rest.char_indices().nth(2).filter(|(_, c)| *c == '\'')?;
    Some(at + 1)
}

fn ends_in_word(code: &str) -> bool {
    code.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// The code without its `#[cfg(test)]` modules.
pub(crate) fn without_tests(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some((before, after)) = rest.split_once("#[cfg(test)]") {
        kept.push_str(before);
        let item = after.find(['{', ';']).unwrap_or(after.len());
        let end = if after[item..].starts_with('{') { item + block(&after[item..]) } else { item + 1 };
        rest = &after[end.min(after.len())..];
    }
    kept.push_str(rest);
    kept
}

/// The length of the block that begins here, its brackets included.
fn block(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

pub(crate) fn code_lines(code: &str) -> usize {
    code.lines().filter(|line| !line.trim().is_empty()).count()
}

/// Name, number of parameters and code lines of each function that has a body or is declared.
pub(crate) fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let found = words(code, "fn").filter_map(|at| {
        let rest = code[at + 2..].trim_start();
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let after = &rest[name.len()..];
        let open = if name.is_empty() { None } else { outside_generics(after, |c| c == '(') }?;
        let length = block(&after[open..]);
        let parameters = parameters(&after[open + 1..open + length - 1]);
        let tail = &after[open + length..];
        let body = end_of_head(tail).map_or("", |at| &tail[at + 1..at + block(&tail[at..]) - 1]);
        Some((name, parameters, code_lines(body)))
    });
    found.collect()
}

/// Where the body begins, unless a semicolon ends the function first.
fn end_of_head(code: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(at),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

fn outside_generics(code: &str, wanted: impl Fn(char) -> bool) -> Option<usize> {
    let (mut depth, mut before) = (0_usize, ' ');
    for (at, c) in code.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if before != '-' => depth = depth.saturating_sub(1),
            c if depth == 0 && wanted(c) => return Some(at),
            _ => {}
        }
        before = c;
    }
    None
}

fn parameters(code: &str) -> usize {
    let (mut depth, mut before, mut list) = (0_usize, ' ', vec![String::new()]);
    for c in code.chars() {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '>' if before != '-' => depth -= 1,
            ',' if depth == 0 => list.push(String::new()),
            _ => list.last_mut().unwrap().push(c),
        }
        before = c;
    }
    let is_self =
        |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "self");
    list.iter().filter(|text| !text.trim().is_empty() && !is_self(text)).count()
}

/// Where a word stands by itself: not as a part of a longer one.
pub(crate) fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let (first, last) = (part(word.chars().next()), part(word.chars().next_back()));
    let alone = move |at: &usize| {
        let (before, after) = (text[..*at].chars().next_back(), text[at + word.len()..].chars().next());
        !(first && part(before) || last && part(after))
    };
    text.match_indices(word).map(|(at, _)| at).filter(alone)
}

pub(crate) fn names_after(code: &str, word: &str) -> Vec<String> {
    let name = |at: usize| {
        let rest = code[at + word.len()..].trim_start();
        rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    words(code, word).map(name).collect()
}

/// The modules that are named as `crate::module`.
pub(crate) fn crate_uses(code: &str) -> BTreeSet<String> {
    names_after(code, "crate::").into_iter().filter(|name| !name.is_empty()).collect()
}
