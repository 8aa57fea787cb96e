//! What a source file may hold: its length, its first line, and which outside crates it may name.

use std::fs;
use std::path::Path;

use crate::failure::{Result, While};

/// Above this a file holds more than one thing.
const MAX_LINES: usize = 500;

#[derive(Debug)]
pub(super) struct Source {
    /// From the repository's root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

/// In the files below `within`, these crates are named only below `only_in`.
struct Fence {
    within: &'static str,
    only_in: &'static [&'static str],
    crates: &'static [&'static str],
}

const FENCES: [Fence; 2] = [
    Fence {
        within: "crates/adf-agent/src/",
        only_in: &["crates/adf-agent/src/world/"],
        crates: &["aws_", "bollard", "reqwest"],
    },
    Fence { within: "crates/adf-ctl/src/", only_in: &["crates/adf-ctl/src/aws/"], crates: &["aws_sdk_"] },
];

/// Every Rust file of the workspace.
pub(super) fn read(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for folder in ["crates", "xtask", "fuzz", "docs/examples/hello/src"] {
        collect(root, &root.join(folder), &mut sources)?;
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) -> Result<()> {
    for entry in fs::read_dir(folder).while_(folder.display())? {
        let path = entry.while_(folder.display())?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                collect(root, &path, sources)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).while_(path.display())?;
            let path = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            sources.push(Source { path, text });
        }
    }
    Ok(())
}

pub(super) fn violations(source: &Source) -> Vec<String> {
    let Source { path, text } = source;
    let mut all = Vec::new();
    let lines = text.lines().count();
    if lines > MAX_LINES {
        all.push(format!("{path}: {lines} lines, more than {MAX_LINES}; one verb, one file"));
    }
    if !text.starts_with("//!") {
        all.push(format!("{path}: does not open with `//!` and its purpose"));
    }
    for (number, line) in (1..).zip(text.lines()) {
        let code = line.trim_start();
        // Spelt in halves, so that this file does not break its own rule.
        if code.starts_with(concat!("#[", "ignore")) || code.starts_with(concat!("#[", "allow(")) {
            all.push(format!("{path}:{number}: `{code}`; a test runs, and a lint is expected with a reason"));
        }
        all.extend(FENCES.iter().filter_map(|fence| fence.broken_by(path, code)).map(|name| {
            format!("{path}:{number}: names `{name}`, which one folder keeps to itself; see ARCHITECTURE.md")
        }));
    }
    all
}

impl Fence {
    /// The crate that this line of this file names though it must not.
    fn broken_by(&self, path: &str, code: &str) -> Option<&'static str> {
        let outside =
            path.starts_with(self.within) && !self.only_in.iter().any(|inside| path.starts_with(inside));
        let found = self.crates.iter().find(|name| outside && names(code, name));
        found.copied()
    }
}

/// Whether a line of code names a crate, `name::` or `name...::` where it ends in `_`; comments do not count.
fn names(code: &str, name: &str) -> bool {
    if code.starts_with("//") {
        return false;
    }
    code.match_indices(name).any(|(start, _)| {
        let before = code[..start].chars().next_back();
        let rest = code[start + name.len()..].trim_start_matches(|c: char| name.ends_with('_') && word(c));
        !before.is_some_and(|c| word(c) || c == ':') && rest.starts_with("::")
    })
}

fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::{MAX_LINES, Source, violations};

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: format!("//! Purpose.\n{text}") }
    }

    #[test]
    fn only_its_folder_names_an_outside_crate() {
        let text = "use aws_sdk_ec2::Client;\n";
        assert_eq!(violations(&source("crates/adf-ctl/src/deploy/act.rs", text)).len(), 1);
        assert!(violations(&source("crates/adf-ctl/src/aws/ec2.rs", text)).is_empty());
        assert!(violations(&source("crates/adf-store/src/lock.rs", text)).is_empty());
    }

    #[test]
    fn a_path_in_the_middle_of_a_line_is_found() {
        let text = "fn f(x: &bollard::Docker) {}\n";
        assert_eq!(violations(&source("crates/adf-agent/src/boot.rs", text)).len(), 1);
    }

    #[test]
    fn a_comment_or_another_word_is_not_a_name() {
        let text = "// bollard::Docker\nuse crate::aws_names::X;\nlet my_bollard = 1;\n";
        assert_eq!(violations(&source("crates/adf-agent/src/boot.rs", text)), Vec::<String>::new());
    }

    #[test]
    fn a_test_that_is_not_run_is_refused() {
        let text = format!("#[{}]\n", "ignore");
        assert_eq!(violations(&source("crates/adf-types/src/x.rs", &text)).len(), 1);
    }

    #[test]
    fn a_file_that_is_too_long_or_says_no_purpose_is_refused() {
        let long = "\n".repeat(MAX_LINES);
        assert_eq!(violations(&source("crates/adf-types/src/x.rs", &long)).len(), 1);
        let silent = Source { path: "x.rs".to_owned(), text: "fn f() {}\n".to_owned() };
        assert_eq!(violations(&silent).len(), 1);
    }
}
