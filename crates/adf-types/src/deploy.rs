//! The record of a deploy: what moves an app from one release to another, and how far it got.
//!
//! The rule: whoever reads this record and looks at AWS can go on where the last operator stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{AppName, Checkpoints, InstanceId, Judging, NameError, ReleaseName, Strategy, Surge, Verdict};

/// `d-` and a time-ordered id, so that deploys sort by start.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeployId(ReleaseName);

impl DeployId {
    pub fn new() -> Self {
        let id = format!("d-{}", Uuid::now_v7().simple());
        Self(id.parse().expect("d- and hexadecimal digits make a name"))
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Default for DeployId {
    fn default() -> Self {
        Self::new()
    }
}

impl FromStr for DeployId {
    type Err = NameError;

    fn from_str(s: &str) -> Result<Self, NameError> {
        s.parse().map(Self)
    }
}

impl TryFrom<String> for DeployId {
    type Error = NameError;

    fn try_from(s: String) -> Result<Self, NameError> {
        s.parse()
    }
}

impl From<DeployId> for String {
    fn from(id: DeployId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for DeployId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One step of a deploy. The order of the variants is the order of a deploy; a restart has one step of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Instances are rebooted in place, some at a time.
    Restart,
    /// Everything that can be checked before anything is touched.
    Preflight,
    /// A numbered launch template version that starts the new release.
    Template,
    /// One fresh instance of the new release, registered with the target group.
    Canary,
    /// The canary is judged on hard facts, probes, users' requests and alarms.
    Judge,
    /// The group's template version is set: from here a scale-out starts the new release.
    Promote,
    /// New instances beside the old; then the old go to Standby.
    Replace,
    /// The old instances stand by; a rollback takes seconds.
    Watch,
    /// Old instances, the canary and config that only the old release used are removed.
    Cleanup,
}

impl Step {
    /// The steps of a deploy.
    pub const ALL: [Self; 8] = [
        Self::Preflight,
        Self::Template,
        Self::Canary,
        Self::Judge,
        Self::Promote,
        Self::Replace,
        Self::Watch,
        Self::Cleanup,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Preflight => "preflight",
            Self::Template => "template",
            Self::Canary => "canary",
            Self::Judge => "judge",
            Self::Promote => "promote",
            Self::Replace => "replace",
            Self::Watch => "watch",
            Self::Cleanup => "cleanup",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What adf.toml and the command line said when the deploy began; fixed from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub strategy: Strategy,
    /// How many more instances than the group's capacity there may be at once, in percent of it. At 100 the old
    /// fleet stands by until the watch ends; below, each part of it is terminated when its successors serve.
    #[serde(default)]
    pub surge: Surge,
    /// Where an instance refresh stands still, and for how long. Nowhere in a record from before there were any.
    #[serde(default)]
    pub checkpoints: Checkpoints,
    #[serde(default, with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub checkpoint_delay: Duration,
    /// Whether one instance is tried first. Never done for a first deploy: there is no fleet to protect.
    pub canary: bool,
    /// How long the canary is observed at least.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub bake: Duration,
    /// How many probes the canary must have answered at least.
    pub min_probes: u64,
    /// What else the canary is judged on.
    #[serde(default)]
    pub judging: Judging,
    /// How long the old instances stand by after the replacement.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub watch: Duration,
    /// The promise: from start to every server serving. Exceeding it is said, not fatal.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub deadline: Duration,
    /// How long any one wait for instances may take.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub boot_timeout: Duration,
}

/// Which way a deploy moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "direction", rename_all = "lowercase")]
pub enum Direction {
    Forward,
    /// Back to the release before, and why.
    Back {
        reason: String,
        #[serde(default)]
        cause: Cause,
    },
}

/// What kind of thing turned a deploy back: it decides what helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// An instance of the new release, or the load balancer, said that it is not well.
    #[default]
    Release,
    /// Too little was seen to let the canary pass.
    Evidence,
    /// An instance that never wrote a receipt.
    Silence,
    /// The group could not launch instances.
    Launch,
    /// AWS refused a call, took it without effect, or took too long.
    Aws,
    /// Somebody asked for it.
    Operator,
}

/// How far a deploy got: everything its next step needs that AWS does not tell.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Instances that the group is to have when the deploy ends.
    pub capacity: u32,
    /// The fleet at the start: what is replaced, and what a rollback brings back.
    pub old: Vec<InstanceId>,
    /// The group's template version at the start.
    pub old_template_version: Option<u64>,
    /// The template version of the new release.
    pub template_version: Option<u64>,
    pub canary: Option<InstanceId>,
    /// Whether users' requests go to the canary's own target group; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary_traffic: Option<CanaryTraffic>,
    pub verdict: Option<Verdict>,
    /// When every server ran the new release: the watch counts from here.
    pub replaced_at: Option<Timestamp>,
    /// Since when an operator keeps the deploy where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_at: Option<Timestamp>,
    /// The desired capacity that the deploy last gave the group: what differs from it is somebody else's scaling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<u32>,
    /// The group's maximum size, while the deploy needs more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised_max: Option<RaisedMax>,
    /// Instances that the deploy protects from scale-in while both fleets run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protected: Vec<InstanceId>,
    /// Present in the record of a restart, which moves the app to no other release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<Restart>,
    /// Overlay config that clean-up took out of the live set, as `web@v1/NAME`.
    pub cleaned_config: Vec<String>,
}

/// A maximum size that makes room for two fleets, and the one that comes back afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaisedMax {
    pub from: u32,
    pub to: u32,
}

/// Instances, and the boot that each was in.
pub type Boots = BTreeMap<InstanceId, Option<Uuid>>;

/// How far a rolling restart got.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Restart {
    /// How many instances that serve are out of service at once.
    pub batch: u32,
    /// The instances that were told to reboot, each with the boot that it was in.
    pub told: Boots,
    /// Those that were called back into service.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub called_back: BTreeSet<InstanceId>,
    /// The group's minimum size, while fewer than that are in service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowered_min: Option<LoweredMin>,
}

/// A minimum size that lets instances leave service, and the one that comes back afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoweredMin {
    pub from: u32,
    pub to: u32,
}

/// Users' requests to a canary that has a target group of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CanaryTraffic {
    /// It has its share, and its requests count from here.
    Since(Timestamp),
    /// It has none any more.
    Ended,
}

/// One line of a deploy's log. A line without `result` is an intent whose outcome nobody recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    pub step: Step,
    /// What was to be done, in words.
    pub intent: String,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub result: Option<String>,
    /// Set when the line is a wait rather than a call: the rest of a step's time is the controller's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
}

/// What a deploy waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Waiting {
    /// Instances that boot and become healthy.
    Instances,
    /// A time that somebody configured: bake, watch, deregistration delay.
    Configured,
    /// A change of state that AWS makes in its own time: to Standby, to terminated.
    Aws,
    /// An operator who paused the deploy.
    Operator,
}

/// How a deploy ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    Succeeded,
    /// The old release serves: again, or still if it was never taken out of service.
    RolledBack {
        reason: String,
    },
    /// Stopped without moving on or back; `serving` says what runs.
    Failed {
        reason: String,
        serving: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployRecord {
    pub id: DeployId,
    pub app: AppName,
    pub group: String,
    pub from: Option<ReleaseName>,
    pub to: ReleaseName,
    /// Who started it, from STS.
    pub owner: String,
    pub policy: Policy,
    pub started_at: Timestamp,
    pub step: Step,
    pub direction: Direction,
    pub progress: Progress,
    pub log: Vec<LogEntry>,
    pub outcome: Option<Outcome>,
    pub finished_at: Option<Timestamp>,
}

impl DeployRecord {
    pub fn is_open(&self) -> bool {
        self.outcome.is_none()
    }

    /// Whether this is a restart, which keeps the release.
    pub fn is_restart(&self) -> bool {
        self.progress.restart.is_some()
    }
}

/// What another operator asks of the process that drives a deploy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "lowercase")]
pub enum OperatorRequest {
    /// Go back to the release before. Nothing takes this back.
    Rollback { by: String, reason: String },
    /// Go no further, for at most this long. What speaks against the release still turns the deploy back.
    Pause {
        by: String,
        #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
        limit: Duration,
    },
    /// Go on after a pause.
    Resume { by: String },
    /// Enough was seen: the rest of this step's time is not waited for.
    Promote { by: String, step: Step },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_start() {
        let first = DeployId::new();
        std::thread::yield_now();
        assert!(first < DeployId::new());
    }

    #[test]
    fn a_policy_and_a_progress_of_before_the_judges_settings_are_read_as_their_defaults() {
        let policy = r#"{"strategy":"surge","canary":true,"bake":"1m","min_probes":20,"watch":"5m",
            "deadline":"5m","boot_timeout":"10m"}"#;
        let policy: Policy = serde_json::from_str(policy).expect("a policy");
        assert_eq!(policy.judging, Judging::default());
        assert_eq!((policy.checkpoints.of(1000).len(), policy.checkpoint_delay), (0, Duration::ZERO));
        let partly = r#"{"alarms":["web-5xx"]}"#;
        let partly: Judging = serde_json::from_str(partly).expect("settings");
        assert_eq!((partly.alarms.len(), partly.min_requests), (1, Judging::default().min_requests));
        let progress = r#"{"capacity":3,"old":[],"old_template_version":1,"template_version":2,"canary":"i-1",
            "verdict":{"verdict":"pass","evidence":"60 of 60"},"replaced_at":null,"cleaned_config":[]}"#;
        let progress: Progress = serde_json::from_str(progress).expect("a progress");
        assert_eq!(progress.canary_traffic, None);
    }

    #[test]
    fn what_is_recorded_of_a_canarys_traffic_is_read_back() {
        for traffic in [CanaryTraffic::Since(Timestamp::UNIX_EPOCH), CanaryTraffic::Ended] {
            let text = serde_json::to_string(&traffic).expect("JSON");
            assert_eq!(serde_json::from_str::<CanaryTraffic>(&text).expect(&text), traffic);
        }
    }

    #[test]
    fn steps_are_listed_in_their_order() {
        assert!(Step::ALL.is_sorted());
    }
}
