//! Foreign text, made safe for a terminal.
//!
//! Config values, container logs and the reasons in receipts were written by somebody else. Shown as they
//! are, an escape sequence in them could rewrite what an operator reads. The rule: text output passes
//! through here, JSON output escapes by itself.

use std::borrow::Cow;

use adf_types::ConfigName;

/// `A, B`: names cannot hold anything that is unsafe.
pub fn joined(names: &[ConfigName]) -> String {
    names.iter().map(ConfigName::as_str).collect::<Vec<_>>().join(", ")
}

/// Replaces control characters, and the invisible ones that reorder text, by their escapes: `\u{1b}`, `\n`.
pub fn plain(foreign: &str) -> Cow<'_, str> {
    if foreign.contains(unsafe_to_show) {
        Cow::Owned(foreign.chars().flat_map(shown).collect())
    } else {
        Cow::Borrowed(foreign)
    }
}

fn shown(c: char) -> Vec<char> {
    if unsafe_to_show(c) { c.escape_default().collect() } else { vec![c] }
}

fn unsafe_to_show(c: char) -> bool {
    let reorders = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || reorders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_a14_an_escape_sequence_does_not_reach_the_terminal() {
        assert_eq!(plain("ok\u{1b}[2J\rgone\u{9b}1m"), "ok\\u{1b}[2J\\rgone\\u{9b}1m");
    }

    #[test]
    fn text_that_would_be_reordered_is_escaped() {
        assert_eq!(plain("a\u{202e}b"), "a\\u{202e}b");
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        assert!(matches!(plain("grüße \\ 'x' 日本"), Cow::Borrowed(_)));
    }
}
