//! A secret in every form in which it may come, and every way out.

use std::io::Write;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use proptest::prelude::*;
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;

fn redactor(value: &str) -> Redactor {
    let mut redactor = Redactor::default();
    redactor.learn([value]);
    redactor
}

fn percent(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

proptest! {
    /// Whatever stands before and after it, and however it is encoded, nothing of the value is left.
    #[test]
    fn attack_a09_a_secret_is_masked_in_every_encoding(
        secret in "[ -~]{8,40}",
        before in "[a-z ]{0,7}",
        after in "[a-z ]{0,7}",
    ) {
        let redactor = redactor(&secret);
        let whole = format!("{before}{secret}{after}");
        let json = serde_json::to_string(&whole).expect("serialises");
        for shown in [
            whole.clone(),
            json,
            format!("{whole:?}"),
            format!("{before}{}{after}", percent(&secret)),
            hex::encode(&secret),
            hex::encode_upper(&secret),
        ] {
            prop_assert!(redactor.text(&shown).contains(MASK), "{}", shown);
            prop_assert!(!redactor.text(&shown).contains(&secret), "{}", shown);
        }
        for encoded in [STANDARD.encode(&whole), URL_SAFE.encode(&whole)] {
            let masked = redactor.text(&encoded).into_owned();
            prop_assert!(masked.contains(MASK), "{}", encoded);
            // Only characters that also hold bits of a neighbour are left: at most one on either side.
            let gone = encoded.len() + MASK.len() - masked.len();
            prop_assert!(gone * 6 + 2 * 6 >= secret.len() * 8, "{} of {}", gone, encoded);
        }
    }

    #[test]
    fn attack_a09_nothing_else_is_changed(text in "[a-z0-9 ]{0,60}") {
        prop_assert_eq!(redactor("A SECRET VALUE").text(&text), text.as_str());
    }
}

#[test]
fn each_line_of_a_key_in_several_lines_is_masked() {
    let key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n";
    assert_eq!(redactor(key).text("read kqhkiG9w0BAQEF from disk"), "read [redacted] from disk");
}

#[test]
fn the_password_of_a_url_is_masked_by_itself() {
    let redactor = redactor("postgres://web:correcthorse@db/web");
    assert_eq!(redactor.text("password correcthorse refused"), "password [redacted] refused");
}

#[test]
fn what_was_known_stays_known() {
    let mut redactor = redactor("first-secret");
    redactor.learn(["second-secret"]);
    assert_eq!(redactor.text("first-secret second-secret"), "[redacted] [redacted]");
}

#[test]
fn a_value_too_short_to_be_told_apart_is_left() {
    assert_eq!(redactor("12345").text("12345 tries"), "12345 tries");
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn attack_a08_no_field_of_an_event_or_span_shows_a_secret() {
    let secret =
        ("SENTINEL".parse().expect("a name"), adf_types::ConfigValue::secret("sentinel-of-the-layer"));
    learn(&[secret].into_iter().collect());
    let lines = Lines::default();
    let writer = lines.clone();
    let layer = tracing_subscriber::fmt::layer().json().with_writer(move || writer.clone());
    let subscriber = tracing_subscriber::registry().with(Redacting(layer));
    tracing::subscriber::with_default(subscriber, || {
        let value = "sentinel-of-the-layer";
        let span = tracing::info_span!("work", inside = value, later = tracing::field::Empty);
        span.record("later", value);
        let _entered = span.enter();
        tracing::warn!(field = value, ?value, number = 7, "said {value}");
        tracing::info!(number = 7, "harmless");
    });
    let text = String::from_utf8(lines.0.lock().expect("not poisoned").clone()).expect("text");
    assert!(!text.contains("sentinel-of-the-layer"), "{text}");
    assert!(text.contains("\"message\":\"said [redacted]\""), "{text}");
    assert!(
        text.contains("\"number\":7") && text.contains("harmless"),
        "an event without secrets keeps its types: {text}"
    );
    assert!(
        text.contains("\"inside\":\"[redacted]\"") && text.contains("\"later\":\"[redacted]\""),
        "{text}"
    );
}
