//! Two other readers of tar: GNU tar and Python's tarfile. What passes must look to them as it looks to us.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// An entry as a reader sees it: kind (`f`, `d`, `l`), path without `.` and doubled slashes, size, link target.
pub(crate) type Seen = (char, String, u64, String);

pub(crate) fn tidy(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}

/// What GNU tar lists, or what it says against the archive.
pub(crate) fn gnu_tar(archive: &Path) -> Result<Vec<Seen>, String> {
    let mut command = Command::new("tar");
    command.args([
        "--list",
        "--verbose",
        "--numeric-owner",
        "--full-time",
        "--quoting-style=literal",
        "--file",
    ]);
    let output = command.arg(archive).env("LC_ALL", "C.UTF-8").env("TZ", "UTC").output().expect("tar runs");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8(output.stdout).expect("only UTF-8 names pass");
    Ok(text.lines().map(gnu_line).collect())
}

/// `-rw-r--r-- 501/0     13 1970-01-01 00:00:00 web-v1/Dockerfile`
fn gnu_line(line: &str) -> Seen {
    let mut rest = line;
    let mut word = || {
        let (word, behind) = rest.trim_start().split_once(' ').expect("a column");
        rest = behind;
        word.to_owned()
    };
    let columns: Vec<String> = (0..5).map(|_| word()).collect();
    let kind = match columns[0].chars().next() {
        Some('-') => 'f',
        Some(other) => other,
        None => '?',
    };
    let size = columns[2].parse().expect("a size");
    match rest.split_once(" -> ") {
        Some((name, target)) if kind == 'l' => (kind, tidy(name), size, target.to_owned()),
        _ => (kind, tidy(rest), size, String::new()),
    }
}

const PYTHON: &str = r#"
import json, os, sys, tarfile
listings = {}
for name in sorted(os.listdir(sys.argv[1])):
    try:
        with tarfile.open(os.path.join(sys.argv[1], name)) as archive:
            listings[name] = [["f" if m.isreg() else "d" if m.isdir() else "l" if m.issym() else "?",
                               m.name, m.size, m.linkname if m.issym() else ""] for m in archive]
    except Exception as error:
        listings[name] = repr(error)
json.dump(listings, sys.stdout)
"#;

/// What Python lists of each file in a folder, or what it says against it.
pub(crate) fn python(folder: &Path) -> BTreeMap<String, Result<Vec<Seen>, String>> {
    let output = Command::new("python3").args(["-c", PYTHON]).arg(folder).output().expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listings: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&output.stdout).expect("what the script printed");
    let seen = |value: serde_json::Value| match serde_json::from_value::<Vec<Seen>>(value.clone()) {
        Ok(entries) => {
            Ok(entries.into_iter().map(|(k, name, size, to)| (k, tidy(&name), size, to)).collect())
        }
        Err(_) => Err(value.to_string()),
    };
    listings.into_iter().map(|(name, value)| (name, seen(value))).collect()
}
