//! `adf.toml`: one optional file in the root of an app's repository, read by both sides.
//!
//! `adf-ctl` reads `[app]` and `[deploy]`, the agent `[build]` and `[run]`, both `[config]`. Unknown keys
//! are errors, because a misspelt key would silently mean its default.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer};

use crate::{
    AppName, Checkpoints, ConfigName, ConfigRules, ExpectedStatus, Judging, Percent, SecretDelivery,
    Strategy, Surge, ValueRule,
};

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdfToml {
    pub app: Option<AppSection>,
    pub deploy: DeploySection,
    pub build: BuildSection,
    pub run: RunSection,
    pub config: ConfigSection,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("E147 adf.toml: {0}")]
pub struct AdfTomlError(String);

impl AdfToml {
    pub fn parse(text: &str) -> Result<Self, AdfTomlError> {
        // The parser repeats lines of the file, and a message goes to terminals.
        let printable = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
        toml::from_str(text)
            .map_err(|e| AdfTomlError(e.to_string().trim_end().chars().map(printable).collect()))
    }
}

/// What an app is called in AWS. Names that are absent are the app's own name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSection {
    pub name: AppName,
    /// The Auto Scaling group.
    pub group: Option<String>,
    /// The launch template; its numbered versions are the app's releases.
    pub template: Option<String>,
    /// The target group; `none` for an app without a load balancer.
    pub target_group: Option<String>,
    /// The S3 bucket that release archives go to.
    pub bucket: Option<String>,
    pub region: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeploySection {
    pub strategy: Strategy,
    /// How much larger than its capacity the fleet may be while it is replaced.
    pub surge: Surge,
    /// Where an instance refresh stands still.
    pub checkpoints: Checkpoints,
    /// For how long.
    #[serde(deserialize_with = "checkpoint_delay")]
    pub checkpoint_delay: Duration,
    pub canary: bool,
    /// How long the canary is observed at least.
    #[serde(deserialize_with = "duration")]
    pub bake: Duration,
    pub min_probes: u64,
    // These six are `Judging`; flattening it here would let unknown keys pass.
    pub canary_target_group: Option<String>,
    pub alarms: Vec<String>,
    pub min_requests: u64,
    pub max_missed: Percent,
    pub tolerated_increase: Percent,
    pub tolerated_probe_failures: Percent,
    /// How long the old instances stand by.
    #[serde(deserialize_with = "duration")]
    pub watch: Duration,
    #[serde(deserialize_with = "duration")]
    pub deadline: Duration,
    /// How long any one wait for instances may take.
    #[serde(deserialize_with = "duration")]
    pub boot_timeout: Duration,
}

impl DeploySection {
    /// What a canary is judged on beside the hard facts.
    pub fn judging(&self) -> Judging {
        Judging {
            canary_target_group: self.canary_target_group.clone(),
            alarms: self.alarms.clone(),
            min_requests: self.min_requests,
            max_missed: self.max_missed,
            tolerated_increase: self.tolerated_increase,
            tolerated_probe_failures: self.tolerated_probe_failures,
        }
    }
}

impl Default for DeploySection {
    fn default() -> Self {
        let judging = Judging::default();
        Self {
            strategy: Strategy::Surge,
            surge: Surge::ALL,
            checkpoints: Checkpoints::usual(),
            checkpoint_delay: Duration::from_secs(30),
            canary: true,
            bake: Duration::from_mins(1),
            min_probes: 20,
            canary_target_group: judging.canary_target_group,
            alarms: judging.alarms,
            min_requests: judging.min_requests,
            max_missed: judging.max_missed,
            tolerated_increase: judging.tolerated_increase,
            tolerated_probe_failures: judging.tolerated_probe_failures,
            watch: Duration::from_mins(5),
            deadline: Duration::from_mins(5),
            boot_timeout: Duration::from_mins(10),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BuildSection {
    /// The stage of a multi-stage Dockerfile to build.
    pub target: Option<String>,
    /// Build arguments.
    pub args: BTreeMap<String, String>,
    /// `linux/arm64`; absent: the host's own.
    pub platform: Option<String>,
    /// Config that `RUN --mount=type=secret,id=NAME` is given while the image is built, and that stays in no layer.
    pub secrets: Vec<ConfigName>,
}

/// How the container is run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunSection {
    /// The port the app listens on, inside and outside. Absent: the image's only EXPOSE; none for a worker.
    pub port: Option<u16>,
    pub health: Health,
    /// Time between two probes.
    #[serde(deserialize_with = "duration")]
    pub interval: Duration,
    /// What one probe may take.
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    /// Consecutive passes that make an instance healthy.
    pub passes: u32,
    /// How long a started container may take to become healthy.
    #[serde(deserialize_with = "duration")]
    pub grace: Duration,
    /// Time between SIGTERM and SIGKILL.
    #[serde(deserialize_with = "duration")]
    pub stop_grace: Duration,
    /// Memory limit in MiB. Absent: what the host has, less what Docker and the agent need.
    pub memory_mib: Option<u32>,
    pub pids: u32,
    /// Whether a small init is process 1 and the app its child. It reaps orphans and passes SIGTERM on; an image that
    /// brings an init of its own (s6, systemd) must be process 1 itself.
    pub init: bool,
}

impl Default for RunSection {
    fn default() -> Self {
        Self {
            port: None,
            health: Health::default(),
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(2),
            passes: 3,
            grace: Duration::from_mins(1),
            stop_grace: Duration::from_secs(20),
            memory_mib: None,
            pids: 4096,
            init: true,
        }
    }
}

/// What tells that the app is well.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase", tag = "type")]
pub enum Health {
    /// A GET that answers with `status`.
    Http {
        path: String,
        #[serde(default)]
        status: ExpectedStatus,
    },
    /// A connection that opens.
    Tcp,
    /// The image's own HEALTHCHECK, as Docker judges it.
    Docker,
    /// Staying up. What a worker without a port has anyway.
    Running,
}

impl Default for Health {
    fn default() -> Self {
        Self::Http { path: "/".to_owned(), status: ExpectedStatus::default() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigSection {
    /// Names without which the app must not start.
    pub required: Vec<ConfigName>,
    /// How the app is given the values that were stored as secrets.
    pub secrets: SecretDelivery,
    /// Names that change which code a container's programs load, `PATH` or `LD_PRELOAD`, and that config may
    /// set all the same.
    pub allow_names: Vec<ConfigName>,
    /// What values may be: `LOG_LEVEL = { one_of = ["debug", "info"] }`, `PORT = { pattern = "[0-9]+" }`.
    pub values: BTreeMap<ConfigName, ValueRule>,
}

impl ConfigSection {
    /// The part that a release's record keeps.
    pub fn rules(&self) -> ConfigRules {
        ConfigRules {
            required: self.required.clone(),
            allow_names: self.allow_names.clone(),
            values: self.values.clone(),
        }
    }
}

/// `30s`, `5m`, `1h30m`: jiff's friendly form, not negative.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed: SignedDuration = text.parse().map_err(|_| {
        serde::de::Error::custom(format!("\"{}\" is not a duration; write 30s or 5m", text.escape_debug()))
    })?;
    Duration::try_from(parsed)
        .map_err(|_| serde::de::Error::custom(format!("the duration {text} is negative")))
}

/// The longest that AWS takes.
const LONGEST_DELAY: Duration = Duration::from_hours(48);

fn checkpoint_delay<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let delay = duration(deserializer)?;
    if delay > LONGEST_DELAY {
        return Err(serde::de::Error::custom("an instance refresh waits 48h at a checkpoint at most"));
    }
    Ok(delay)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_all_defaults() {
        assert_eq!(AdfToml::parse(""), Ok(AdfToml::default()));
    }

    #[test]
    fn every_key_is_read() {
        let toml = AdfToml::parse(
            r#"
            [app]
            name = "web"
            group = "web-prod"
            bucket = "releases"
            [deploy]
            bake = "30s"
            checkpoints = ["5%", "50%"]
            checkpoint_delay = "2m"
            watch = "5m"
            canary_target_group = "web-canary"
            alarms = ["web-5xx", "web-latency"]
            min_requests = 1000
            max_missed = "0.5%"
            tolerated_increase = "10%"
            tolerated_probe_failures = "1%"
            [build]
            target = "final"
            args = { BASE = "node:22-slim" }
            platform = "linux/arm64"
            secrets = ["NPM_TOKEN"]
            [run]
            port = 8080
            health = { type = "http", path = "/healthz" }
            grace = "1m30s"
            [config]
            required = ["FOO"]
            secrets = "files"
            allow_names = ["PATH"]
            [config.values]
            LOG_LEVEL = { one_of = ["debug", "info"] }
            LISTEN = { pattern = "[0-9]+" }
            "#,
        )
        .expect("valid");
        assert_eq!(
            toml.run.health,
            Health::Http { path: "/healthz".into(), status: ExpectedStatus::default() }
        );
        assert_eq!(toml.run.grace, Duration::from_secs(90));
        let percent = |text: &str| text.parse().expect("a share");
        let judging = Judging {
            canary_target_group: Some("web-canary".to_owned()),
            alarms: vec!["web-5xx".to_owned(), "web-latency".to_owned()],
            min_requests: 1000,
            max_missed: percent("0.5%"),
            tolerated_increase: percent("10%"),
            tolerated_probe_failures: percent("1%"),
        };
        assert_eq!(toml.deploy.judging(), judging);
        assert_eq!(
            (toml.deploy.checkpoints.parts(100), toml.deploy.checkpoint_delay.as_secs()),
            (vec![5, 45, 50], 120)
        );
        assert_eq!(toml.build.secrets[0].as_str(), "NPM_TOKEN");
        assert_eq!(toml.build.platform.as_deref(), Some("linux/arm64"));
        assert_eq!(toml.config.required[0].as_str(), "FOO");
        assert_eq!(toml.config.secrets, SecretDelivery::Files);
        assert_eq!(toml.config.allow_names[0].as_str(), "PATH");
        assert_eq!(toml.config.rules().values.len(), 2);
    }

    #[test]
    fn health_is_http_tcp_dockers_own_or_running() {
        let health =
            |value: &str| AdfToml::parse(&format!("[run]\nhealth = {value}\n")).map(|toml| toml.run.health);
        assert_eq!(health("{ type = \"docker\" }"), Ok(Health::Docker));
        assert_eq!(health("{ type = \"running\" }"), Ok(Health::Running));
        assert_eq!(health("{ type = \"tcp\" }"), Ok(Health::Tcp));
        let Ok(Health::Http { status, .. }) =
            health("{ type = \"http\", path = \"/\", status = [200, \"301-302\"] }")
        else {
            panic!("not HTTP");
        };
        assert_eq!(status.to_string(), "200,301-302");
    }

    #[test]
    fn a_misspelt_key_is_an_error_that_names_it_and_the_line() {
        let error = AdfToml::parse("[run]\nprot = 80\n").expect_err("prot").to_string();
        assert!(error.contains("prot") && error.contains("line 2"), "{error}");
    }

    #[test]
    fn what_is_not_said_about_judging_is_its_default() {
        assert_eq!(AdfToml::default().deploy.judging(), Judging::default());
    }

    #[test]
    fn a_share_without_its_sign_is_an_error_that_shows_how_to_write_it() {
        for value in ["2", "0.02", "\"2\"", "\"200%\""] {
            let error = AdfToml::parse(&format!("[deploy]\nmax_missed = {value}\n")).expect_err(value);
            let error = error.to_string();
            assert!(error.contains("such as \"2%\"") && error.contains("line 2"), "{error}");
        }
    }

    #[test]
    fn checkpoints_that_aws_would_refuse_are_refused_here() {
        for (line, why) in [
            ("checkpoints = [\"50%\", \"10%\"]", "checkpoints ascend"),
            ("checkpoints = [\"10\"]", "write 25%"),
            ("checkpoint_delay = \"49h\"", "48h"),
        ] {
            let error = AdfToml::parse(&format!("[deploy]\n{line}\n")).expect_err(line).to_string();
            assert!(error.contains(why) && error.contains("line 2"), "{error}");
        }
    }

    #[test]
    fn a_duration_without_unit_is_an_error() {
        let error = AdfToml::parse("[deploy]\nbake = \"30\"\n").expect_err("no unit").to_string();
        assert!(error.contains("write 30s or 5m"), "{error}");
    }
}
