//! Which values are secrets.
//!
//! - What was stored as a secret, and what the agent reads for itself: always.
//! - A plain value, because tables of 2013 hold secrets in clear: when its name says so (`DB_PASSWORD`,
//!   `API_KEY`), when it is a URL with a password in it, or when it looks drawn at random (16 characters or
//!   more of letters and digits without a space). Other plain values are shown: masking `production` or
//!   `us-east-1` everywhere would make logs unreadable.
//! - Nothing shorter than [`SHORTEST`]: masking `1` would mask every line, and shows by its absence anyway.

use adf_types::{AgentName, Config, ConfigName};

/// The shortest value that is masked, in bytes.
pub const SHORTEST: usize = 6;

/// Parts of names whose values are secrets.
const SAYS_SO: [&str; 11] =
    ["PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "PRIVATE", "AUTH", "SALT", "DSN", "COOKIE", "SIGNATURE"];

/// From here on a value without spaces, with letters and digits, is taken for a random one.
const RANDOM: usize = 16;

pub(super) fn secrets(config: &Config) -> Vec<&str> {
    let plain = config.iter().filter(|(name, value)| says_so(name) || holds_password(value) || random(value));
    let own = AgentName::ALL.into_iter().filter_map(|name| config.for_agent(name));
    plain.chain(config.secrets()).map(|(_, value)| value).chain(own).collect()
}

/// Secrets that cannot be masked.
pub(super) fn too_short(config: &Config) -> Vec<&ConfigName> {
    config.secrets().filter(|(_, value)| value.len() < SHORTEST).map(|(name, _)| name).collect()
}

fn says_so(name: &ConfigName) -> bool {
    let name = name.as_str().to_ascii_uppercase();
    SAYS_SO.iter().any(|part| name.contains(part))
}

/// `postgres://web:hunter2@db/web`
fn holds_password(value: &str) -> bool {
    url::Url::parse(value).is_ok_and(|url| url.password().is_some())
}

fn random(value: &str) -> bool {
    value.len() >= RANDOM
        && !value.contains(char::is_whitespace)
        && !value.contains("://")
        && value.chars().filter(char::is_ascii_digit).count() >= 3
        && value.chars().filter(char::is_ascii_alphabetic).count() >= 3
        && value.chars().all(|c| c.is_ascii_alphanumeric() || "+/=_-".contains(c))
}

#[cfg(test)]
mod tests {
    use adf_types::ConfigValue;

    use super::*;

    #[test]
    fn what_is_a_secret_and_what_is_not() {
        let config: Config = [
            ("STRIPE", ConfigValue::secret("hunter2")),
            ("PIN", ConfigValue::secret("123")),
            ("DB_PASSWORD", ConfigValue::plain("correct horse")),
            ("DATABASE_URL", ConfigValue::plain("postgres://web:horse@db/web")),
            ("RANDOM", ConfigValue::plain("Zm9vYmFyYmF6MTIzNDU2")),
            ("ADF_GITHUB_TOKEN", ConfigValue::plain("ghp_123")),
            ("NODE_ENV", ConfigValue::plain("production")),
            ("REGION", ConfigValue::plain("us-east-1")),
            ("UPSTREAM", ConfigValue::plain("https://api-v2.example.com/v1")),
        ]
        .into_iter()
        .map(|(name, value)| (name.parse().expect("a name"), value))
        .collect();
        let mut found = secrets(&config);
        found.sort_unstable();
        let expected = [
            "123",
            "Zm9vYmFyYmF6MTIzNDU2",
            "correct horse",
            "ghp_123",
            "hunter2",
            "postgres://web:horse@db/web",
        ];
        assert_eq!(found, expected);
        assert_eq!(too_short(&config).len(), 1);
    }
}
