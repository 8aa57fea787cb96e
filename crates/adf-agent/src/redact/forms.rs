//! The forms in which a value may turn up: as it is, one line of it, and the encodings that programs print.
//!
//! | form | why |
//! | --- | --- |
//! | each line of a value with several | logs are cut into lines |
//! | JSON, Rust and shell escapes | structured logs, `Debug` output |
//! | percent encoding, upper and lower case, `+` for a space | URLs |
//! | hexadecimal, both cases | dumps |
//! | base64, both alphabets, at each of the three alignments | `Authorization: Basic`, Kubernetes, JWTs |
//! | the password of a URL by itself | clients print the parts |

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::SHORTEST;

/// All patterns of a value; none is shorter than [`SHORTEST`].
pub(super) fn forms(value: &str) -> Vec<String> {
    let mut all = Vec::new();
    for part in parts(value) {
        let json = unquoted(&serde_json::to_string(&part).unwrap_or_default());
        all.push(json.replace('/', "\\/"));
        all.push(json);
        all.push(unquoted(&format!("{part:?}")));
        all.push(part.escape_debug().to_string());
        all.push(part.escape_default().to_string());
        all.push(part.replace('\'', "'\\''"));
        for kept in UNRESERVED {
            let encoded = percent(&part, kept);
            all.push(encoded.replace("%20", "+"));
            all.push(lower_escapes(&encoded));
            all.push(encoded);
        }
        all.push(hex(part.as_bytes()));
        all.push(hex(part.as_bytes()).to_ascii_uppercase());
        all.extend(base64_alignments(part.as_bytes()));
        all.push(part);
    }
    all.retain(|form| form.len() >= SHORTEST);
    all.sort_unstable();
    all.dedup();
    all
}

/// The value, its lines, and the password in it when it is a URL.
fn parts(value: &str) -> Vec<String> {
    let mut parts = vec![value.to_owned()];
    parts.extend(value.lines().map(str::trim).filter(|line| line.len() < value.len()).map(str::to_owned));
    let url = url::Url::parse(value).ok();
    parts.extend(url.and_then(|url| url.password().map(str::to_owned)));
    parts.retain(|part| part.len() >= SHORTEST);
    parts
}

/// What is left as it is besides letters and digits: by RFC 3986, in a form, by JavaScript.
const UNRESERVED: [&[u8]; 3] = [b"-._~", b"-._*", b"-._~!'()*"];

fn percent(text: &str, kept: &[u8]) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// `%2F` as `%2f`; a literal `%` is itself encoded, so what follows one is always an escape.
fn lower_escapes(encoded: &str) -> String {
    let mut escape = 0;
    encoded
        .chars()
        .map(|c| {
            escape = if c == '%' { 3 } else { escape };
            let shown = if escape > 0 { c.to_ascii_lowercase() } else { c };
            escape = u8::saturating_sub(escape, 1);
            shown
        })
        .collect()
}

/// What stands between the quotes.
fn unquoted(text: &str) -> String {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Inside of a longer base64 text a value begins at one of three places in a group of three bytes. What does
/// not depend on the neighbours is the pattern: the characters whose six bits are all the value's.
fn base64_alignments(value: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    for shift in 0..3 {
        let mut padded = vec![0; shift];
        padded.extend_from_slice(value);
        let from = (shift * 8).div_ceil(6);
        let to = padded.len() * 8 / 6;
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = engine.encode(&padded);
            all.extend(text.get(from..to).map(str::to_owned));
        }
    }
    all
}
