//! Config from a file.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

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
    let pairs = if text.trim_start().starts_with('{') {
        let object: BTreeMap<String, String> = serde_json::from_str(text).map_err(|error| {
            ImportError::Json { path: path.to_owned(), line: error.line(), column: error.column() }
        })?;
        object.into_iter().collect()
    } else {
        dotenv::parse(text).map_err(|error| ImportError::Dotenv { path: path.to_owned(), error })?
    };
    let assignment = |(name, value): (String, String)| {
        let name = name.parse().map_err(AssignmentError::Name);
        name.map(|name| Assignment { name, value })
            .map_err(|error| ImportError::Name { path: path.to_owned(), error })
    };
    pairs.into_iter().map(assignment).collect()
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
        assert_eq!(read(" {\"B\": \"\", \"A\": \"1\\n2\"}"), wanted);
        assert_eq!(read("A=\"1\\n2\"\nB=\n"), wanted);
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
