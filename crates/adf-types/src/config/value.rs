//! A value of config: may be a secret, so it is never printed, and its memory is wiped when it is dropped.

use std::fmt;

use zeroize::Zeroizing;

/// A value, and whether it was stored as a secret. `Debug` shows neither value nor length.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigValue {
    text: Zeroizing<String>,
    secret: bool,
}

impl ConfigValue {
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: Zeroizing::new(text.into()), secret: false }
    }

    pub fn secret(text: impl Into<String>) -> Self {
        Self { text: Zeroizing::new(text.into()), secret: true }
    }

    /// The value itself. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.text
    }

    pub fn is_secret(&self) -> bool {
        self.secret
    }
}

impl From<String> for ConfigValue {
    fn from(text: String) -> Self {
        Self::plain(text)
    }
}

impl fmt::Debug for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secret { "secret" } else { "value" })
    }
}
