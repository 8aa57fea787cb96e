//! A text as it was played against the text as it is in the folder.

use std::fmt::Write as _;

use similar::TextDiff;

use super::FOLDER;
use super::act;
use super::script::{Script, What};

/// Plays a text; fails with the difference, or, where the environment says `UPDATE_DEPLOYS`, writes it anew.
pub(super) fn compare(file: &str) {
    let path = format!("{FOLDER}/{file}");
    let is = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let script = Script::read(&is).unwrap_or_else(|error| panic!("{path}:{}: {}", error.line, error.why));
    let blocks = act::play(&path, &script);
    let played = render(&script, &blocks);
    if played == is {
        return;
    }
    if std::env::var_os("UPDATE_DEPLOYS").is_some() {
        return std::fs::write(&path, played).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let diff = TextDiff::from_lines(&is, &played);
    let diff = diff.unified_diff().context_radius(3).header(&path, "as it was played").to_string();
    panic!(
        "{file} was played otherwise than it is written. If it should be so: UPDATE_DEPLOYS=1, see \
         tests/deploys/README.md\n{diff}"
    );
}

/// The script with what was said below each line.
fn render(script: &Script, blocks: &[(usize, String)]) -> String {
    let mut text = String::new();
    for line in &script.lines {
        let _ = writeln!(text, "{}", line.text);
        if matches!(line.what, What::Cue(..)) {
            text.extend(blocks.iter().filter(|(number, _)| *number == line.number).map(|(_, b)| b.as_str()));
        }
    }
    text
}
