//! Config from a file.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::dotenv::{self, DotenvError};
use crate::set::{Assignment, AssignmentError};

/// Why a file cannot be imported. No value is repeated: it may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}, {error}")]
    Dotenv { path: PathBuf, error: DotenvError },
    #[error("{path} is not one JSON object of names and texts, at line {line}, column {column}")]
    Json { path: PathBuf, line: usize, column: usize },
    #[error("{path} has no names")]
    Empty { path: PathBuf },
    #[error("{path}: {error}")]
    Name { path: PathBuf, error: AssignmentError },
}

/// Reads a `.env` file or a JSON object, which it is if it begins with a brace; `-` is the standard input.
pub fn read(path: &Path) -> Result<Vec<Assignment>, ImportError> {
    let failed = |source| ImportError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().lock().read_to_string(&mut text).map_err(failed)?;
    } else {
        text = std::fs::read_to_string(path).map_err(failed)?;
    }
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<Vec<Assignment>, ImportError> {
    let path = if path == Path::new("-") { Path::new("the standard input") } else { path };
    // Windows programs begin a file with a mark of its encoding.
    let text = text.trim_start_matches('\u{feff}');
    let pairs = if text.trim_start().starts_with(['{', '[']) {
        let object: Pairs = serde_json::from_str(text).map_err(|error| ImportError::Json {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
        })?;
        object.0
    } else {
        dotenv::parse(text).map_err(|error| ImportError::Dotenv { path: path.to_owned(), error })?
    };
    let assignment = |(name, value): (String, String)| {
        let name = name.parse().map_err(AssignmentError::Name);
        name.map(|name| Assignment { name, value })
            .map_err(|error| ImportError::Name { path: path.to_owned(), error })
    };
    let assignments: Vec<_> = pairs.into_iter().map(assignment).collect::<Result<_, _>>()?;
    // The end of a pipe whose beginning failed must not look like success.
    if assignments.is_empty() {
        return Err(ImportError::Empty { path: path.to_owned() });
    }
    Ok(assignments)
}

/// The members of a JSON object in their order, a name that comes twice twice: for whoever refuses that.
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of names and texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, String> {
        let read = parse(Path::new("prod.env"), text).map_err(|error| error.to_string())?;
        Ok(read.into_iter().map(|a| (a.name.to_string(), a.value)).collect())
    }

    #[test]
    fn a_file_is_json_when_it_begins_with_a_brace() {
        let wanted = Ok(vec![("A".to_owned(), "1\n2".to_owned()), ("B".to_owned(), String::new())]);
        assert_eq!(read(" {\"A\": \"1\\n2\", \"B\": \"\"}"), wanted);
        assert_eq!(read("A=\"1\\n2\"\nB=\n"), wanted);
    }

    #[test]
    fn a_name_that_comes_twice_is_not_lost_here() {
        let twice = vec![("A".to_owned(), "1".to_owned()), ("A".to_owned(), "2".to_owned())];
        assert_eq!(read("{\"A\": \"1\", \"A\": \"2\"}"), Ok(twice));
    }

    #[test]
    fn an_encoding_mark_is_no_part_of_a_name_and_a_list_is_no_config() {
        assert_eq!(read("\u{feff}{\"A\": \"1\"}"), Ok(vec![("A".to_owned(), "1".to_owned())]));
        assert!(read("[{\"Name\": \"A\"}]").is_err_and(|told| told.contains("not one JSON object")));
        for empty in ["", "{}", "# nothing\n"] {
            assert_eq!(read(empty), Err("prod.env has no names".to_owned()));
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_without_its_value() {
        let told = |text| read(text).expect_err("wrong");
        assert_eq!(told("A=1\nhunter2"), "prod.env, line 2: there is no \"=\" in it; write NAME=value");
        assert_eq!(
            told("{\"A\": 5}"),
            "prod.env is not one JSON object of names and texts, at line 1, column 7"
        );
        let name = told("DB-PASS=hunter2");
        assert!(
            name.starts_with("prod.env: E153 config name \"DB-PASS\"") && !name.contains("hunter2"),
            "{name}"
        );
    }
}
