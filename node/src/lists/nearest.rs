//! What was probably meant: the nearest word by edit distance.

/// Characters of a word that are compared.
const COMPARED_MAX: usize = 40;

/// The candidate nearest to `found`, if one is near: half of it right, or one is the beginning of the other.
pub(super) fn nearest<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters =
        |word: &str| -> Vec<char> { word.chars().take(COMPARED_MAX).flat_map(char::to_lowercase).collect() };
    let found = letters(found);
    if found.is_empty() {
        return None;
    }
    let scored = candidates.into_iter().filter_map(|candidate| {
        let letters = letters(candidate);
        let distance = distance(&found, &letters);
        let begins = letters.starts_with(&found) || found.starts_with(&letters);
        let near = distance.saturating_mul(2) <= found.len().max(letters.len());
        (near || begins).then_some((distance, candidate))
    });
    scored.min_by_key(|&(distance, _)| distance).map(|(_, candidate)| candidate)
}

/// Levenshtein distance, row by row.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, letter) in (1_usize..).zip(from) {
        let mut current = vec![row];
        let mut left = row;
        for ((diagonal, up), other) in above.iter().zip(above.iter().skip(1)).zip(to) {
            let replaced = diagonal.saturating_add(usize::from(letter != other));
            left = replaced.min(up.saturating_add(1)).min(left.saturating_add(1));
            current.push(left);
        }
        above = current;
    }
    above.last().copied().unwrap_or(0)
}
