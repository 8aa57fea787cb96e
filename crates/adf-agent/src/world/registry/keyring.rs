//! Who we are to a registry.
//!
//! The rule: a login goes to the very host that it was given for, and is never printed. An error about the secret tells
//! where it is wrong, never what it holds.

use std::collections::HashMap;
use std::sync::Arc;

use adf_types::{AgentName, ConfigValue};
use serde::Deserialize;

use super::{Ecr, EcrHost, RegistryError};
use crate::redact;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    pub username: String,
    pub password: ConfigValue,
}

/// Where logins come from: the instance's role for Amazon's registries, the secret for all others.
#[derive(Clone)]
pub struct Keyring {
    ecr: Arc<dyn Ecr>,
    /// `{"host": {"username": "...", "password": "..."}}`
    secret: Option<ConfigValue>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring").field("secret", &self.secret).finish_non_exhaustive()
    }
}

impl Keyring {
    pub fn new(ecr: Arc<dyn Ecr>, secret: Option<ConfigValue>) -> Self {
        Self { ecr, secret }
    }

    /// Whether the secret could matter for images of `host`.
    pub fn may_need_secret(host: &str) -> bool {
        EcrHost::parse(host).is_none()
    }

    /// Nothing for a registry that nobody gave a login for: many answer to everybody.
    pub async fn login(&self, host: &str) -> Result<Option<Credentials>, RegistryError> {
        let found = match (EcrHost::parse(host), &self.secret) {
            (Some(ecr), _) => Some(self.ecr.login(&ecr).await?),
            (None, Some(secret)) => from_secret(secret.expose(), host)?,
            (None, None) => None,
        };
        // The redactor knows the whole secret only, and no login of the role.
        if let Some(login) = &found {
            redact::learn_value(login.password.expose());
        }
        Ok(found)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    username: String,
    password: String,
}

fn from_secret(secret: &str, host: &str) -> Result<Option<Credentials>, RegistryError> {
    let entries: HashMap<String, Entry> =
        serde_json::from_str(secret).map_err(|e| RegistryError::Secret {
            name: AgentName::RegistryAuth,
            // Its own text repeats what it found there.
            place: format!("line {}, column {}", e.line(), e.column()),
        })?;
    let found = entries.into_iter().find(|(name, _)| same_host(name, host));
    Ok(found.map(|(_, entry)| Credentials {
        username: entry.username,
        password: ConfigValue::secret(entry.password),
    }))
}

/// Docker Hub has several names; `docker login` writes the one with the path.
fn same_host(given: &str, host: &str) -> bool {
    const HUB: [&str; 4] =
        ["docker.io", "index.docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"];
    given == host || (HUB.contains(&given) && HUB.contains(&host))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = r#"{"ghcr.io": {"username": "ann", "password": "hunter2"},
        "https://index.docker.io/v1/": {"username": "bob", "password": "hunter3"}}"#;

    fn login(host: &str) -> Option<String> {
        let login = from_secret(SECRET, host).expect("valid")?;
        Some(format!("{} {}", login.username, login.password.expose()))
    }

    #[test]
    fn a_login_is_for_its_own_host_only() {
        assert_eq!(login("ghcr.io").as_deref(), Some("ann hunter2"));
        assert_eq!(login("docker.io").as_deref(), Some("bob hunter3"));
        for other in ["ghcr.io.evil.example", "evil.example", "ghcr.io:5000", "io"] {
            assert_eq!(login(other), None, "{other}");
        }
    }

    #[test]
    fn fault_10_a_secret_that_is_not_understood_is_not_repeated() {
        for bad in [r#"{"ghcr.io": "hunter2"}"#, "hunter2", r#"{"ghcr.io": {"user": "hunter2"}}"#] {
            let error = from_secret(bad, "ghcr.io").expect_err("not a login").to_string();
            assert!(error.starts_with("E110 the secret ADF_REGISTRY_AUTH is not"), "{error}");
            assert!(error.contains("line 1, column ") && !error.contains("hunter2"), "{error}");
        }
    }

    struct NoEcr;

    #[async_trait::async_trait]
    impl Ecr for NoEcr {
        async fn login(&self, _: &EcrHost) -> Result<Credentials, RegistryError> {
            Ok(Credentials { username: "AWS".to_owned(), password: ConfigValue::secret("by-the-role") })
        }
    }

    #[tokio::test]
    async fn a_password_is_masked_from_when_it_is_used() {
        let keyring = Keyring::new(Arc::new(NoEcr), Some(ConfigValue::secret(SECRET)));
        keyring.login("ghcr.io").await.expect("valid").expect("a login");
        keyring.login("123456789012.dkr.ecr.eu-west-1.amazonaws.com").await.expect("valid").expect("a login");
        let line = redact::text("unauthorized: ann:hunter2 by-the-role");
        assert!(!line.contains("hunter2") && !line.contains("by-the-role"), "{line}");
    }

    #[test]
    fn nothing_prints_a_password() {
        let login = from_secret(SECRET, "ghcr.io").expect("valid");
        assert!(!format!("{login:?}").contains("hunter2"));
    }
}
