//! Text with wildcards: `*` for any characters, `?` for one, `${*}` for the character itself.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

enum Piece {
    Any,
    One,
    Is(char),
}

/// Whether all of `text` is like `pattern`.
pub(super) fn like(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    matches(&pieces(pattern), &text)
}

/// A pattern without its wildcards: for operators that know none.
pub(super) fn equal(pattern: &str, text: &str) -> bool {
    let plain = pieces(pattern).into_iter().map(|piece| match piece {
        Piece::Any => '*',
        Piece::One => '?',
        Piece::Is(c) => c,
    });
    plain.eq(text.chars())
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let mut rest = pattern;
    let mut pieces = Vec::new();
    while let Some(first) = rest.chars().next() {
        let escaped = ["${*}", "${?}", "${$}"].into_iter().find(|escape| rest.starts_with(escape));
        pieces.push(match (escaped, first) {
            (Some(escape), _) => Piece::Is(escape.chars().nth(2).unwrap_or(first)),
            (None, '*') => Piece::Any,
            (None, '?') => Piece::One,
            (None, c) => Piece::Is(c),
        });
        rest = &rest[escaped.map_or(first.len_utf8(), str::len)..];
    }
    pieces
}

fn matches(pattern: &[Piece], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, _) => text.is_empty(),
        (Some((Piece::Any, rest)), _) => (0..=text.len()).any(|taken| matches(rest, &text[taken..])),
        (Some(_), None) => false,
        (Some((Piece::One, rest)), Some((_, text))) => matches(rest, text),
        (Some((Piece::Is(wanted), rest)), Some((c, text))) => wanted == c && matches(rest, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_anything_and_escaped_ones_for_themselves() {
        for (pattern, text) in
            [("web", "web"), ("web@*", "web@v1"), ("web@*", "web@"), ("w?b*", "web"), ("a${*}b${$}", "a*b$")]
        {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("web", "webshop"),
            ("web@*", "web2@v1"),
            ("web@*", "web#history"),
            ("w?b", "wb"),
            ("a${*}b", "axb"),
        ] {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn an_exact_comparison_knows_no_wildcard() {
        assert!(equal("web", "web") && equal("a${*}", "a*"));
        assert!(!equal("web@*", "web@v1"));
    }
}
