//! `/etc/adf/agent.toml`: what the AMI tells the agent. Every key is optional, an unknown key is an error.
//!
//! Neighbours: `cli` names the file, every stage reads the result. What an app wants is not here but in
//! the release's own `adf.toml`.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use adf_archive::PublicKey;
use adf_types::Repository;
use jiff::SignedDuration;
use serde::{Deserialize, Deserializer};

/// Where the file is on an AMI.
pub const DEFAULT_PATH: &str = "/etc/adf/agent.toml";

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The address on which the app's port is published.
    pub bind: IpAddr,
    /// The lock and the last receipt.
    pub run_dir: PathBuf,
    /// What must survive a reboot: the last receipt.
    pub state_dir: PathBuf,
    /// Images are named `<image_prefix>/<app>:<release>-<digest>`.
    pub image_prefix: String,
    pub config_table: String,
    pub state_table: String,
    /// Where the image that was built of a release is pushed to, and pulled from by the instances after it.
    pub image_repository: Option<Repository>,
    /// The hosts that https releases and their redirects may come from; empty: every host.
    pub allowed_hosts: Vec<String>,
    /// How long an instance may take from the agent's start to Serving.
    #[serde(deserialize_with = "duration")]
    pub boot_timeout: Duration,
    /// An app that has been unhealthy for so long is reported to its group, which replaces the instance. Zero is never.
    #[serde(deserialize_with = "duration")]
    pub replace_unhealthy_after: Duration,
    /// Whether a release may be fetched without a digest from a URL that names a branch or `latest`.
    pub allow_mutable_urls: bool,
    /// Where it is given, a release is built only with a minisign signature of this key.
    #[serde(deserialize_with = "public_key")]
    pub minisign_public_key: Option<PublicKey>,
    /// Keeps containers and build steps away from instance metadata.
    pub block_imds: bool,
    /// What Docker's disk must have free before a build, in MiB.
    pub min_free_disk_mib: u64,
    /// How many releases of the app keep their images on this host, the one that runs included.
    pub keep_images: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            run_dir: "/run/adf".into(),
            state_dir: "/var/lib/adf".into(),
            image_prefix: "adf".to_owned(),
            config_table: "adf-config".to_owned(),
            state_table: "adf-state".to_owned(),
            image_repository: None,
            allowed_hosts: Vec::new(),
            boot_timeout: Duration::from_mins(10),
            replace_unhealthy_after: Duration::ZERO,
            allow_mutable_urls: false,
            minisign_public_key: None,
            block_imds: true,
            min_free_disk_mib: 2048,
            keep_images: 2,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("cannot read {path}; name an existing file with --config, or leave the option out")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}: {problem}")]
    Parse { path: PathBuf, problem: String },
}

impl Settings {
    /// Reads `path`; without one, the default file if it exists, else the defaults.
    pub fn load(path: Option<&Path>) -> Result<Self, SettingsError> {
        let default = Path::new(DEFAULT_PATH);
        if path.is_none() && !default.exists() {
            return Ok(Self::default());
        }
        let path = path.unwrap_or(default);
        let text = std::fs::read_to_string(path)
            .map_err(|source| SettingsError::Read { path: path.to_owned(), source })?;
        let wrong =
            |problem: &str| SettingsError::Parse { path: path.to_owned(), problem: problem.to_owned() };
        let settings: Self = toml::from_str(&text).map_err(|e| wrong(e.to_string().trim_end()))?;
        if settings.minisign_public_key.is_some() && settings.image_repository.is_some() {
            return Err(wrong(
                "minisign_public_key and image_repository exclude each other: an image that another instance pushed \
                 carries no signature; leave one of them out",
            ));
        }
        Ok(settings)
    }

    /// The address that probes of the app go to: the published one, loopback when that is every address.
    pub fn probe_address(&self) -> IpAddr {
        match self.bind {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
            other => other,
        }
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed: SignedDuration = text.parse().map_err(|_| {
        serde::de::Error::custom(format!("\"{}\" is not a duration; write 30s or 5m", text.escape_debug()))
    })?;
    Duration::try_from(parsed).map_err(|_| serde::de::Error::custom(format!("{text} is negative")))
}

fn public_key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PublicKey>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let key = PublicKey::from_base64(text.trim());
    key.map(Some).map_err(|_| {
        serde::de::Error::custom(
            "it is not a minisign public key; give the second line of minisign.pub, RW...",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Settings, SettingsError> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("agent.toml");
        std::fs::write(&path, text).expect("written");
        Settings::load(Some(&path))
    }

    #[test]
    fn an_empty_file_is_all_defaults() {
        assert_eq!(load("").expect("valid"), Settings::default());
    }

    #[test]
    fn a_misspelt_key_is_an_error_that_names_it() {
        let error = load("bnid = \"127.0.0.1\"").expect_err("bnid").to_string();
        assert!(error.contains("bnid"), "{error}");
    }

    #[test]
    fn a_named_file_must_exist() {
        assert!(Settings::load(Some(Path::new("/nonexistent/agent.toml"))).is_err());
    }

    #[test]
    fn probes_of_an_app_on_every_address_go_to_loopback() {
        assert_eq!(Settings::default().probe_address().to_string(), "127.0.0.1");
        let bound = load("bind = \"127.77.1.4\"\nboot_timeout = \"90s\"").expect("valid");
        assert_eq!(bound.probe_address().to_string(), "127.77.1.4");
        assert_eq!(bound.boot_timeout.as_secs(), 90);
    }

    #[test]
    fn a_signing_key_is_read_at_the_start_or_refused_there() {
        let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
        let settings = load(&format!("minisign_public_key = \"{key}\"")).expect("a key");
        assert!(settings.minisign_public_key.is_some());
        let both = format!("minisign_public_key = \"{key}\"\nimage_repository = \"ghcr.io/acme/web\"");
        let error = load(&both).expect_err("an image has no signature").to_string();
        assert!(error.contains("minisign_public_key and image_repository exclude each other"), "{error}");
        let error = load("minisign_public_key = \"RWQ\"").expect_err("too short").to_string();
        assert!(
            error.contains("minisign_public_key") && error.contains("not a minisign public key"),
            "{error}"
        );
    }

    #[test]
    fn the_commented_defaults_that_are_installed_are_the_defaults() {
        let shipped = include_str!("../../../systemd/agent.toml");
        let uncommented: String =
            shipped.lines().filter_map(|l| l.strip_prefix("#= ")).flat_map(|l| [l, "\n"]).collect();
        assert!(!uncommented.is_empty());
        assert_eq!(load(&uncommented).expect("valid"), Settings::default());
    }
}
