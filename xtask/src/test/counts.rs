//! Running tests and counting them.
//!
//! nextest's counts come from its `JUnit` report, the rest from the lines that cargo's own harness prints.
//! The rule: what was skipped or ignored is a failure, and a run that ends badly is at least one.

use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::ops::Add;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::failure::{Failure, Result, While};
use crate::{process, workspace};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
}

impl Counts {
    pub(super) const ONE_PASSED: Self = Self { passed: 1, failed: 0 };
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// Every unit and integration test of the workspace.
pub(super) fn nextest() -> Result<Counts> {
    let report = report();
    // What an earlier run left would be counted if this one ended before it writes its own.
    if report.exists() {
        fs::remove_file(&report).while_(report.display())?;
    }
    let mut command = workspace::cargo("nextest");
    let (ended_well, said) = run(command.args(["run", "--locked", "--workspace"]), Stream::Stderr)?;
    let text = fs::read_to_string(&report)
        .map_err(|_| Failure::new(format!("`{}` ended before it ran any test", process::line(&command))))?;
    let counts = from_junit(&text)? + skipped(&said);
    Ok(counts + unexplained(ended_well, counts))
}

/// Every example in the documentation.
pub(super) fn doc_tests() -> Result<Counts> {
    cargo_test(workspace::cargo("test").args(["--quiet", "--locked", "--workspace", "--doc"]))
}

/// A `cargo test` of any kind.
pub(super) fn cargo_test(command: &mut Command) -> Result<Counts> {
    let (ended_well, said) = run(command, Stream::Stdout)?;
    let counts = said.iter().filter_map(|line| from_libtest(line)).fold(Counts::default(), Add::add);
    Ok(counts + unexplained(ended_well, counts))
}

/// Where nextest's default profile writes, see .config/nextest.toml: below the repository, whatever
/// `CARGO_TARGET_DIR` says.
fn report() -> PathBuf {
    workspace::root().join("target/nextest/default/junit.xml")
}

/// A run that ended badly although no test failed is one failure of its own.
fn unexplained(ended_well: bool, counts: Counts) -> Counts {
    Counts { passed: 0, failed: u64::from(!ended_well && counts.failed == 0) }
}

/// Which of the two streams is read; it is shown as well.
#[derive(Debug, Clone, Copy)]
enum Stream {
    Stdout,
    Stderr,
}

/// Runs it, shows what it says as it says it, and returns whether it ended well and what it said.
fn run(command: &mut Command, stream: Stream) -> Result<(bool, Vec<String>)> {
    let program = process::line(command);
    match stream {
        Stream::Stdout => command.stdout(Stdio::piped()),
        Stream::Stderr => command.stderr(Stdio::piped()),
    };
    let mut child = command.spawn().while_(format_args!("`{program}` does not start"))?;
    let read: Option<Box<dyn Read>> = match stream {
        Stream::Stdout => child.stdout.take().map(|read| Box::new(read) as _),
        Stream::Stderr => child.stderr.take().map(|read| Box::new(read) as _),
    };
    let mut said = Vec::new();
    for line in BufReader::new(read.expect("it was just piped")).split(b'\n') {
        let line = String::from_utf8_lossy(&line.while_(&program)?).into_owned();
        eprintln!("{line}");
        said.push(line);
    }
    let status = child.wait().while_(&program)?;
    Ok((status.success(), said))
}

/// The totals in the report's first element.
fn from_junit(text: &str) -> Result<Counts> {
    let start = text.find("<testsuites ").ok_or_else(|| Failure::new("nextest's report has no totals"))?;
    let head = text[start..].split('>').next().unwrap_or_default();
    let number = |name: &str| -> Result<u64> {
        let value = head.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split('"').next());
        let value = value.and_then(|value| value.parse().ok());
        value.ok_or_else(|| Failure::new(format!("nextest's report does not say how many {name} there were")))
    };
    let failed = number("failures")? + number("errors")?;
    Ok(Counts { passed: number("tests")?.saturating_sub(failed), failed })
}

/// `N skipped` in nextest's summary: the report does not hold those.
fn skipped(said: &[String]) -> Counts {
    let summary = said.iter().rev().find(|line| line.contains("tests run:") || line.contains("test run:"));
    let number = summary.and_then(|line| {
        line.split([',', ':']).find_map(|part| part.trim().strip_suffix(" skipped")?.parse().ok())
    });
    Counts { passed: 0, failed: number.unwrap_or(0) }
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; ...`
fn from_libtest(line: &str) -> Option<Counts> {
    let (_, results) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |name: &str| -> Option<u64> {
        results.split("; ").find_map(|part| part.strip_suffix(name)?.trim().parse().ok())
    };
    Some(Counts { passed: number("passed")?, failed: number("failed")? + number("ignored")? })
}

#[cfg(test)]
mod tests {
    use super::{Counts, from_junit, from_libtest, skipped, unexplained};

    #[test]
    fn nextest_totals_are_read_from_its_report() {
        let text = r#"<?xml version="1.0"?><testsuites name="nextest-run" tests="12" failures="2" errors="1" uuid="x">
            <testsuite name="adf-types" tests="12" failures="0" errors="0"></testsuite></testsuites>"#;
        assert_eq!(from_junit(text).expect("a report"), Counts { passed: 9, failed: 3 });
    }

    #[test]
    fn a_report_without_totals_is_a_failure() {
        assert!(from_junit("<testsuites name=\"x\" tests=\"1\">").is_err());
    }

    #[test]
    fn a_skipped_test_is_a_failure() {
        let said = ["     Summary [   0.022s] 3 tests run: 3 passed (1 slow), 4 skipped".to_owned()];
        assert_eq!(skipped(&said), Counts { passed: 0, failed: 4 });
        let none = ["     Summary [   0.022s] 3 tests run: 3 passed, 0 skipped".to_owned()];
        assert_eq!(skipped(&none), Counts::default());
    }

    #[test]
    fn an_ignored_example_is_a_failure() {
        let line =
            "test result: ok. 3 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(from_libtest(line), Some(Counts { passed: 3, failed: 3 }));
        assert_eq!(from_libtest("running 3 tests"), None);
    }

    #[test]
    fn a_run_that_ends_badly_without_a_failed_test_is_one_failure() {
        let passed = Counts { passed: 3, failed: 0 };
        assert_eq!(unexplained(false, passed).failed, 1);
        assert_eq!(unexplained(true, passed).failed, 0);
        assert_eq!(unexplained(false, Counts { passed: 3, failed: 2 }).failed, 0);
    }
}
