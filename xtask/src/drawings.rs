//! The drawings in the documents: boot stages and deploy steps, generated from the enums of adf-types.
//!
//! The rule: a drawing is never edited by hand. `cargo xtask drawings` writes it, `cargo xtask tidy` refuses a
//! drawing that says something else than the enum. To add one: a line in [`DRAWINGS`] and its two markers.

use std::fs;
use std::path::PathBuf;

use crate::failure::{Failure, Result, While};
use crate::workspace;

struct Drawing {
    /// The word in the markers `<!-- drawing: NAME -->` and `<!-- end of NAME -->`.
    name: &'static str,
    /// The enum, and the file that holds it.
    enumeration: &'static str,
    source: &'static str,
    pages: &'static [&'static str],
    /// Variants that are no part of the line.
    apart: &'static [&'static str],
}

const DRAWINGS: [Drawing; 2] = [
    Drawing {
        name: "boot",
        enumeration: "Stage",
        source: "crates/adf-types/src/stage.rs",
        pages: &["ARCHITECTURE.md"],
        apart: &[],
    },
    Drawing {
        name: "deploy",
        enumeration: "Step",
        source: "crates/adf-types/src/deploy.rs",
        pages: &["ARCHITECTURE.md", "docs/deploy.md"],
        apart: &["restart"],
    },
];

/// Every document that has drawings.
const PAGES: [&str; 2] = ["ARCHITECTURE.md", "docs/deploy.md"];

/// A variant's name in the enum, and its documentation.
type Variant = (String, String);

pub(crate) fn write() -> Result<()> {
    PAGES.iter().try_for_each(|page| fs::write(path(page), redrawn(page, &read(page)?)?).while_(page))
}

/// What is wrong with the drawings, one sentence each.
pub(crate) fn violations() -> Result<Vec<String>> {
    let mut stale = Vec::new();
    for page in PAGES {
        let text = read(page)?;
        if redrawn(page, &text)? != text {
            stale.push(format!("{page}: a drawing differs from its enum; run `cargo xtask drawings`"));
        }
    }
    Ok(stale)
}

fn path(page: &str) -> PathBuf {
    workspace::root().join(page)
}

fn read(page: &str) -> Result<String> {
    fs::read_to_string(path(page)).while_(page)
}

fn redrawn(page: &str, text: &str) -> Result<String> {
    let drawings = DRAWINGS.iter().filter(|drawing| drawing.pages.contains(&page));
    drawings.into_iter().try_fold(text.to_owned(), |text, drawing| {
        let source = fs::read_to_string(workspace::root().join(drawing.source)).while_(drawing.source)?;
        let mut variants = variants(&source, drawing.enumeration);
        variants.retain(|(name, _)| !drawing.apart.contains(&name.as_str()));
        if variants.is_empty() {
            return Err(Failure::new(format!("{}: no enum {}", drawing.source, drawing.enumeration)));
        }
        replaced(page, &text, drawing.name, &draw(&variants))
    })
}

/// Puts `drawing` between the markers of `name`.
fn replaced(page: &str, text: &str, name: &str, drawing: &str) -> Result<String> {
    let start = format!("<!-- drawing: {name} -->\n");
    let end = format!("<!-- end of {name} -->");
    let missing = || Failure::new(format!("{page} has no markers `{}` and `{end}`", start.trim()));
    let (before, rest) = text.split_once(&start).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&end).ok_or_else(missing)?;
    Ok(format!("{before}{start}{drawing}{end}{after}"))
}

/// The enum's variants in their order, with the first line of each one's documentation.
fn variants(source: &str, enumeration: &str) -> Vec<Variant> {
    let head = format!("pub enum {enumeration} {{");
    let body = source.lines().skip_while(|line| *line != head).skip(1).take_while(|line| *line != "}");
    let mut documentation = String::new();
    let mut variants = Vec::new();
    for line in body.map(str::trim) {
        if let Some(text) = line.strip_prefix("/// ") {
            documentation = format!("{documentation} {text}");
        } else if let Some(name) = line.strip_suffix(',') {
            variants.push((name.to_lowercase(), std::mem::take(&mut documentation).trim().to_owned()));
        }
    }
    variants
}

fn draw(variants: &[Variant]) -> String {
    let names: Vec<_> = variants.iter().map(|(name, _)| name.as_str()).collect();
    let rows: Vec<_> = variants.iter().map(|(name, what)| format!("| `{name}` | {what} |\n")).collect();
    format!("```text\n{}\n```\n\n| | |\n| --- | --- |\n{}", names.join(" ─▶ "), rows.concat())
}

#[cfg(test)]
mod tests {
    use super::{draw, replaced, variants};

    const SOURCE: &str = "/// Steps.\npub enum Step {\n    /// First\n    /// of all.\n    Look,\n    /// Then.\n    Act,\n}\n";

    #[test]
    fn a_drawing_holds_the_variants_in_their_order_with_what_they_mean() {
        let drawing = draw(&variants(SOURCE, "Step"));
        assert!(drawing.contains("look ─▶ act"), "{drawing}");
        assert!(drawing.contains("| `look` | First of all. |\n| `act` | Then. |\n"), "{drawing}");
    }

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let page = "a\n<!-- drawing: x -->\nold\n<!-- end of x -->\nb\n";
        let new = replaced("PAGE.md", page, "x", "new\n").expect("has markers");
        assert_eq!(new, "a\n<!-- drawing: x -->\nnew\n<!-- end of x -->\nb\n");
    }

    #[test]
    fn a_page_without_markers_is_a_failure() {
        assert!(replaced("PAGE.md", "a\n", "x", "new\n").is_err());
    }
}
