//! EC2 user data: `KEY="value"` lines, valid as both shell and TOML; unquoted values as in 2013.
//!
//! `RELEASE_URL` is the only key an instance needs. Parsing and printing live together so that what
//! `adf-ctl` writes into a launch template is what the agent reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::{AppName, DeployId, Digest, NameError, ReleaseName, ReleaseUrl, ReleaseUrlError};

/// What an instance is told at launch. Every key is optional here: tags may complete it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserData {
    pub release_url: Option<ReleaseUrl>,
    pub app: Option<AppName>,
    pub release: Option<ReleaseName>,
    pub release_digest: Option<Digest>,
    pub deploy: Option<DeployId>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserDataError {
    #[error("E123 user data is {form}; ADF reads KEY=\"value\" lines; it starts with: {start}")]
    Form {
        form: &'static str,
        /// Its first bytes, escaped and without values.
        start: String,
    },
    #[error("E123 user data line {line} is not KEY=\"value\": {start}")]
    Line { line: usize, start: String },
    #[error("E124 {key} is given twice in user data (lines {first} and {second})")]
    Twice { key: String, first: usize, second: usize },
    #[error("{key} in user data: {source}")]
    Url { key: &'static str, source: ReleaseUrlError },
    #[error("{key} in user data: {problem}")]
    Value { key: &'static str, problem: String },
}

/// What EC2 takes as user data.
const LONGEST: usize = 16 * 1024;

/// How much of user data in another form an error shows, and how much of one word of it.
const START: usize = 64;
const LONGEST_WORD: usize = 20;

const KEYS: [&str; 5] = ["RELEASE_URL", "APP", "RELEASE", "RELEASE_DIGEST", "DEPLOY"];

impl UserData {
    /// Parses raw user data. Lines of other keys are left alone: they are the owner's own.
    pub fn parse(raw: &[u8]) -> Result<Self, UserDataError> {
        Self::from_pairs(&pairs(text(raw)?)?)
    }

    /// The same keys from instance tags.
    pub fn from_tags<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, UserDataError> {
        let known = tags.into_iter().filter(|(k, _)| KEYS.contains(k));
        Self::from_pairs(&known.map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
    }

    /// Keys of `self` win; `other` fills what is absent.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            release_url: self.release_url.or(other.release_url),
            app: self.app.or(other.app),
            release: self.release.or(other.release),
            release_digest: self.release_digest.or(other.release_digest),
            deploy: self.deploy.or(other.deploy),
        }
    }

    /// The keys that both have, with different values.
    pub fn differing(&self, other: &Self) -> Vec<&'static str> {
        fn differ<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
            a.zip(b).is_some_and(|(a, b)| a != b)
        }
        let differ = [
            ("RELEASE_URL", differ(self.release_url.as_ref(), other.release_url.as_ref())),
            ("APP", differ(self.app.as_ref(), other.app.as_ref())),
            ("RELEASE", differ(self.release.as_ref(), other.release.as_ref())),
            ("RELEASE_DIGEST", differ(self.release_digest.as_ref(), other.release_digest.as_ref())),
            ("DEPLOY", differ(self.deploy.as_ref(), other.deploy.as_ref())),
        ];
        differ.into_iter().filter(|(_, differ)| *differ).map(|(key, _)| key).collect()
    }

    /// The text for a launch template.
    pub fn render(&self) -> String {
        let values = [
            ("APP", self.app.as_ref().map(ToString::to_string)),
            ("RELEASE", self.release.as_ref().map(ToString::to_string)),
            ("RELEASE_URL", self.release_url.as_ref().map(ToString::to_string)),
            ("RELEASE_DIGEST", self.release_digest.as_ref().map(ToString::to_string)),
            ("DEPLOY", self.deploy.as_ref().map(ToString::to_string)),
        ];
        let mut text = String::new();
        for (key, value) in values.into_iter().filter_map(|(k, v)| Some((k, v?))) {
            let _ = writeln!(text, "{key}=\"{value}\"");
        }
        text
    }

    fn from_pairs(pairs: &BTreeMap<String, String>) -> Result<Self, UserDataError> {
        let get = |key: &str| pairs.get(key).filter(|v| !v.is_empty());
        let name = |key| move |e: NameError| UserDataError::Value { key, problem: e.to_string() };
        Ok(Self {
            release_url: get("RELEASE_URL")
                .map(|v| v.parse().map_err(|source| UserDataError::Url { key: "RELEASE_URL", source }))
                .transpose()?,
            app: get("APP").map(|v| v.parse().map_err(name("APP"))).transpose()?,
            release: get("RELEASE").map(|v| v.parse().map_err(name("RELEASE"))).transpose()?,
            release_digest: get("RELEASE_DIGEST")
                .map(|v| v.parse::<Digest>())
                .transpose()
                .map_err(|e| UserDataError::Value { key: "RELEASE_DIGEST", problem: e.to_string() })?,
            deploy: get("DEPLOY").map(|v| v.parse().map_err(name("DEPLOY"))).transpose()?,
        })
    }
}

fn text(raw: &[u8]) -> Result<&str, UserDataError> {
    let text = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    let text = str::from_utf8(text).ok();
    match (form(raw, text), text) {
        (None, Some(text)) => Ok(text),
        (form, _) => Err(UserDataError::Form { form: form.unwrap_or("binary"), start: start(raw) }),
    }
}

/// What it is instead of lines; nothing when it may be lines.
fn form(raw: &[u8], text: Option<&str>) -> Option<&'static str> {
    if raw.starts_with(&[0x1f, 0x8b]) {
        return Some("gzip");
    }
    if raw.len() > LONGEST {
        return Some("longer than 16 KiB");
    }
    let Some(text) = text else { return Some("not UTF-8 text") };
    let start = text.trim_start().to_ascii_lowercase();
    if start.starts_with("content-type: multipart") || start.starts_with("mime-version:") {
        return Some("MIME multipart");
    }
    if start.starts_with("#cloud-config") {
        return Some("a cloud-config document");
    }
    text.contains(|c: char| c.is_control() && !c.is_whitespace()).then_some("binary")
}

/// The first line of the first bytes, printable: enough to recognise what it is. What may be a value is left out: all
/// that follows a `=`, and the end of long words.
fn start(raw: &[u8]) -> String {
    let shown = &raw[..raw.len().min(START)];
    let first_line = shown.split(|b| *b == b'\n').next().unwrap_or_default();
    let mut start = String::new();
    let mut word = 0;
    for byte in first_line {
        word = if byte.is_ascii_graphic() { word + 1 } else { 0 };
        if word == LONGEST_WORD {
            start.push('…');
        }
        if word < LONGEST_WORD {
            start.extend(byte.escape_ascii().map(char::from));
        }
        if *byte == b'=' {
            start.push('…');
            break;
        }
    }
    start
}

fn pairs(text: &str) -> Result<BTreeMap<String, String>, UserDataError> {
    let mut found: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for (index, raw) in text.lines().enumerate() {
        let line = raw.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number = index + 1;
        let malformed = || UserDataError::Line { line: number, start: redacted_start(line) };
        let (key, value) =
            line.strip_prefix("export ").unwrap_or(line).split_once('=').ok_or_else(malformed)?;
        let key = key.trim();
        if !KEYS.contains(&key) {
            continue;
        }
        let value = unquote(value.trim()).ok_or_else(malformed)?;
        if let Some((first, _)) = found.insert(key.to_owned(), (number, value)) {
            return Err(UserDataError::Twice { key: key.to_owned(), first, second: number });
        }
    }
    Ok(found.into_iter().map(|(k, (_, v))| (k, v)).collect())
}

/// A quoted value ends at its quote; what follows may only be a comment. No escapes: no key needs one.
fn unquote(value: &str) -> Option<String> {
    let Some(quote @ ('"' | '\'')) = value.chars().next() else {
        return (!value.contains(char::is_whitespace)).then(|| value.to_owned());
    };
    let (inner, rest) = value[1..].split_once(quote)?;
    let rest = rest.trim();
    (rest.is_empty() || rest.starts_with('#')).then(|| inner.to_owned())
}

/// The first word of a line that could not be read: enough to find it, too little to leak a value.
fn redacted_start(line: &str) -> String {
    let word: String = line.chars().take_while(|c| !c.is_whitespace() && *c != '=').take(24).collect();
    format!("{}…", word.escape_debug())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_form_of_2013_is_read() {
        let data = UserData::parse(b"RELEASE_URL=https://example.org/v1.tar.gz\nAPP=web\n").expect("valid");
        assert_eq!(data.app.expect("given").as_str(), "web");
    }

    #[test]
    fn quotes_comments_crlf_bom_export_and_foreign_keys_are_read() {
        let raw = b"\xef\xbb\xbf#!/bin/sh\r\nexport APP=\"web\" # the app\r\nMINE=a b\r\nRELEASE='v1'\r\n";
        let data = UserData::parse(raw).expect("valid");
        assert_eq!(data.app.expect("given").as_str(), "web");
        assert_eq!(data.release.expect("given").as_str(), "v1");
    }

    #[test]
    fn other_forms_are_named() {
        let form = |raw: &[u8]| UserData::parse(raw).expect_err("not lines").to_string();
        assert!(form(b"\x1f\x8b\x08").contains("gzip"));
        assert!(form(b"Content-Type: multipart/mixed; x").contains("MIME multipart"));
        assert!(form(b"#cloud-config\n").contains("cloud-config"));
        assert!(form(b"\xff\xfe").contains("UTF-8"));
        assert!(form(&vec![b'#'; LONGEST + 1]).contains("longer than 16 KiB"));
        assert!(form(b"APP=web\n\0").contains("binary"));
    }

    #[test]
    fn another_form_is_shown_without_what_may_be_a_value() {
        let raw = b"Content-Type: multipart/mixed; boundary=\"hunter2\"; token=abc\nAuthorization: hunter2";
        let error = UserData::parse(raw).expect_err("no lines").to_string();
        assert!(error.ends_with("it starts with: Content-Type: multipart/mixed; boundary=…"), "{error}");
        let error = UserData::parse(b"#cloud-config\npassword: hunter2\n").expect_err("no lines").to_string();
        assert!(error.ends_with("it starts with: #cloud-config"), "{error}");
    }

    #[test]
    fn differing_keys_are_those_that_both_give() {
        let parse = |text: &str| UserData::parse(text.as_bytes()).expect("valid");
        let (data, tags) = (parse("APP=web\nRELEASE=v1"), parse("APP=api\nRELEASE=v1\nDEPLOY=d-1"));
        assert_eq!(data.differing(&tags), ["APP"]);
    }

    #[test]
    fn a_key_given_twice_names_both_lines() {
        let error = UserData::parse(b"APP=a\n\nAPP=b\n").expect_err("twice");
        assert_eq!(error.to_string(), "E124 APP is given twice in user data (lines 1 and 3)");
    }

    #[test]
    fn a_line_that_is_no_pair_is_told_without_its_content() {
        let error = UserData::parse(b"hunter2 secret\n").expect_err("no pair");
        assert!(!error.to_string().contains("secret"));
    }

    #[test]
    fn user_data_wins_over_tags() {
        let tags =
            UserData::from_tags([("APP", "tagged"), ("RELEASE", "v2"), ("Name", "x y")]).expect("valid");
        let merged = UserData::parse(b"APP=web").expect("valid").or(tags);
        assert_eq!(merged.app.expect("given").as_str(), "web");
        assert_eq!(merged.release.expect("given").as_str(), "v2");
    }

    proptest! {
        #[test]
        fn what_is_rendered_parses_to_the_same(app in "[a-z][a-z0-9-]{0,20}", release in "v[0-9]{1,4}", bytes: [u8; 32]) {
            let data = UserData {
                release_url: Some(format!("s3://b/{app}/{release}.tar.gz").parse().expect("valid")),
                app: Some(app.parse().expect("valid")),
                release: Some(release.parse().expect("valid")),
                release_digest: Some(Digest::Sha256(bytes)),
                deploy: Some("d-1".parse().expect("valid")),
            };
            prop_assert_eq!(UserData::parse(data.render().as_bytes()), Ok(data));
        }

        #[test]
        fn no_input_panics(raw: Vec<u8>) {
            let _ = UserData::parse(&raw);
        }
    }
}
