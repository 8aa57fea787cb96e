//! docs/agent.md is what somebody has at 3 a.m.: it knows every code that an agent can show, and every key of agent.toml.
//!
//! A code is `E`, `W` or `I` and three digits from 100 to 199. The rule: what the sources say the page explains, and what the
//! page explains the sources say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::sources::Source;
use crate::failure::{Result, While};

const PAGE: &str = "docs/agent.md";
const SETTINGS: &str = "systemd/agent.toml";

/// Whose codes an agent can show.
const SHOWN: [&str; 4] =
    ["crates/adf-agent/src/", "crates/adf-archive/src/", "crates/adf-store/src/", "crates/adf-types/src/"];

pub(super) fn violations(root: &Path, sources: &[Source]) -> Result<Vec<String>> {
    let page = fs::read_to_string(root.join(PAGE)).while_(PAGE)?;
    let settings = fs::read_to_string(root.join(SETTINGS)).while_(SETTINGS)?;
    let mut all = codes_missing(&page, sources);
    all.extend(keys_missing(&page, &settings));
    Ok(all)
}

fn codes_missing(page: &str, sources: &[Source]) -> Vec<String> {
    let shown = sources.iter().filter(|source| SHOWN.iter().any(|folder| source.path.starts_with(folder)));
    let shown: BTreeSet<&str> = shown.flat_map(|source| said(&source.text)).collect();
    let explained: BTreeSet<&str> = rows(page).flat_map(codes).collect();
    let unexplained = shown.difference(&explained).map(|code| format!("{PAGE}: does not explain {code}"));
    let unknown = codes(page).collect::<BTreeSet<_>>();
    let unknown =
        unknown.difference(&shown).map(|code| format!("{PAGE}: names {code}, which no source says"));
    unexplained.chain(unknown).collect()
}

fn keys_missing(page: &str, settings: &str) -> Vec<String> {
    let explained: BTreeSet<&str> = rows(page).map(|row| row.trim_matches('`')).collect();
    let missing = keys(settings).filter(|key| !explained.contains(key));
    missing.map(|key| format!("{PAGE}: does not explain {key} of {SETTINGS}")).collect()
}

/// The first cell of each row of a table.
fn rows(page: &str) -> impl Iterator<Item = &str> {
    page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
}

/// The codes outside comments, which speak of codes that they do not show.
fn said(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(codes)
}

/// Every word of `text` that is a code.
fn codes(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| {
        let bytes = word.as_bytes();
        matches!(bytes, [b'E' | b'W' | b'I', b'1', rest @ ..] if rest.len() == 2 && rest.iter().all(u8::is_ascii_digit))
    })
}

/// `key = value` behind `#=`, where it is the default, or behind `#`, where there is none.
fn keys(settings: &str) -> impl Iterator<Item = &str> {
    settings.lines().filter_map(|line| {
        let line = line.strip_prefix("#= ").or_else(|| line.strip_prefix("# ")).unwrap_or(line);
        let (key, _) = line.split_once(" = ")?;
        key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_').then_some(key)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(text: &str) -> Source {
        Source { path: "crates/adf-agent/src/x.rs".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_code_is_explained_in_a_row_of_its_own_and_said_somewhere() {
        let page = "Some end with E102.\n| E101 | Docker | no |\n| W124, I183 | both | |\n";
        let said = "// E199 was dropped\n#[error(\"E101 no\")]\n\"W124 {x}\" \"(I183)\" \"E102\"\n";
        assert_eq!(codes_missing(page, &[agent(said)]), ["docs/agent.md: does not explain E102"]);
        assert_eq!(
            codes_missing(page, &[agent("\"E101\" \"E102\" \"I183\"")]),
            ["docs/agent.md: does not explain E102", "docs/agent.md: names W124, which no source says"]
        );
    }

    #[test]
    fn what_only_operators_see_and_what_is_no_code_does_not_count() {
        let cli = Source { path: "crates/adf-ctl/src/x.rs".to_owned(), text: "\"E101 no\"".to_owned() };
        let other = agent("\"E201 E1010 XE101 E10 fault_E101_x 0xE101\"");
        assert_eq!(codes_missing("", &[cli, other]), Vec::<String>::new());
    }

    #[test]
    fn every_key_of_the_settings_has_a_row_whether_it_has_a_default_or_not() {
        let settings = "# Prose with = in it.\n#= bind = \"0.0.0.0\"\n# signing_key = \"RW...\"\n";
        assert_eq!(keys(settings).collect::<Vec<_>>(), ["bind", "signing_key"]);
        let page = "| `bind` | \"0.0.0.0\" | the address |\n`signing_key` in prose\n";
        assert_eq!(
            keys_missing(page, settings),
            ["docs/agent.md: does not explain signing_key of systemd/agent.toml"]
        );
    }
}
