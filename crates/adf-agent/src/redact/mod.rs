//! Secret values kept out of everything that leaves the agent.
//!
//! There is one [`Redactor`] in the process, because a panic and a log line know no other place to ask. It
//! [learns](learn) the values as soon as the config is read, before anything is done with them. Every way out
//! goes through it:
//!
//! | way out | where |
//! | --- | --- |
//! | log lines, to stderr and to the journal | [`Redacting`] around the layer that writes them |
//! | a line of a build or of a container | [`crate::log::printable`] |
//! | receipts, in the run folder and in the table | [`crate::report::Reporter::update`] |
//! | `systemctl status` | [`crate::world::systemd`] |
//! | last words, `status`, `check`, and other plain lines | [`text`] in `cli.rs` and `run.rs` |
//! | panics | [`crate::harden`] |
//!
//! The rule: a value that is a secret is shown as [`MASK`], in each of the forms of `forms.rs`. To add a way
//! out: pass it through [`text`], and look for the sentinel there in the tests.

mod forms;
mod layer;
mod policy;

use std::borrow::Cow;
use std::sync::{PoisonError, RwLock};

use adf_types::Config;
use aho_corasick::{AhoCorasick, MatchKind};
use zeroize::Zeroizing;

pub use layer::Redacting;
pub use policy::SHORTEST;

/// What stands in a secret's place.
pub const MASK: &str = "[redacted]";

/// Values, and the automaton that finds them.
#[derive(Default)]
pub struct Redactor {
    values: Vec<Zeroizing<String>>,
    finder: Option<AhoCorasick>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} values)", self.values.len())
    }
}

impl Redactor {
    /// Adds values; what was known stays known, because a container of the last config may still write.
    pub fn learn<'a>(&mut self, values: impl IntoIterator<Item = &'a str>) {
        let before = self.values.len();
        for value in values.into_iter().filter(|value| value.len() >= SHORTEST) {
            if !self.values.iter().any(|known| known.as_str() == value) {
                self.values.push(Zeroizing::new(value.to_owned()));
            }
        }
        if self.values.len() == before {
            return;
        }
        let patterns = self.values.iter().flat_map(|value| forms::forms(value));
        // Patterns of ordinary length cannot fail to build; if they did, nothing may be shown at all.
        self.finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(patterns).ok();
    }

    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match &self.finder {
            None if self.values.is_empty() => Cow::Borrowed(text),
            None => Cow::Borrowed(MASK),
            Some(finder) if finder.is_match(text) => {
                let mut shown = String::with_capacity(text.len());
                finder.replace_all_with(text, &mut shown, |_, _, shown| {
                    shown.push_str(MASK);
                    true
                });
                Cow::Owned(shown)
            }
            Some(_) => Cow::Borrowed(text),
        }
    }
}

/// The process's own.
static REDACTOR: RwLock<Option<Redactor>> = RwLock::new(None);

/// Learns the secrets of a config, see `policy.rs` for which values those are.
pub fn learn(config: &Config) {
    let mut redactor = REDACTOR.write().unwrap_or_else(PoisonError::into_inner);
    redactor.get_or_insert_default().learn(policy::secrets(config));
    drop(redactor);
    for name in policy::too_short(config) {
        tracing::warn!(
            "W153 the secret {name} is shorter than {SHORTEST} characters and cannot be kept out of logs; \
             set a longer one"
        );
    }
}

/// Learns one secret that is no value of the config: part of one, or a login that was given for a while.
pub fn learn_value(value: &str) {
    let mut redactor = REDACTOR.write().unwrap_or_else(PoisonError::into_inner);
    redactor.get_or_insert_default().learn([value]);
}

/// `text` with every known secret masked.
pub fn text(text: &str) -> Cow<'_, str> {
    let redactor = REDACTOR.read().unwrap_or_else(PoisonError::into_inner);
    match redactor.as_ref() {
        Some(redactor) => redactor.text(text),
        None => Cow::Borrowed(text),
    }
}

/// The same for a text that is kept.
pub fn owned(kept: String) -> String {
    match text(&kept) {
        Cow::Borrowed(_) => kept,
        Cow::Owned(masked) => masked,
    }
}

#[cfg(test)]
mod tests;
