//! The words of ADF as validated types.
//!
//! Neighbours: every other crate reads this one; it reads none of them. It does no I/O, knows no AWS and
//! no clock. A raw string becomes one of these types once, at the edge, and is trusted from there on.
//!
//! | word | type |
//! | --- | --- |
//! | App | [`AppName`] |
//! | Release | [`ReleaseName`], [`ReleaseRecord`], [`ReleaseUrl`], [`Digest`]; [`ImageRef`], [`Repository`] |
//! | Config | [`ConfigName`], [`ConfigValue`], [`Config`], [`ConfigHash`], [`ConfigRules`]; [`AgentName`] |
//! | Instance | [`InstanceId`] |
//! | Receipt | [`Receipt`], its [`Stage`]s and [`ImageSource`] |
//! | Verdict | [`Verdict`] |
//! | Deploy | [`DeployRecord`], its [`Step`]s, [`Policy`] with its [`Judging`], [`Percent`]s and [`Checkpoints`], and [`Outcome`] |
//!
//! To add a word: a file of its own, a validated constructor (`FromStr`), serde through that constructor,
//! and a property test that what is printed parses to the same value.

mod adf_toml;
mod checkpoints;
mod config;
mod deploy;
mod digest;
mod expected_status;
mod image_ref;
mod judging;
mod mutable_url;
mod name;
mod percent;
mod receipt;
mod release;
mod release_url;
mod stage;
mod strategy;
mod user_data;
mod verdict;

pub use adf_toml::{
    AdfToml, AdfTomlError, AppSection, BuildSection, ConfigSection, DeploySection, Health, RunSection,
};
pub use checkpoints::{Checkpoint, Checkpoints, CheckpointsError};
pub use config::{
    AgentName, BadValue, Config, ConfigHash, ConfigName, ConfigNameError, ConfigRules, ConfigValue,
    MissingConfig, Pattern, RuleError, SecretDelivery, TakesOver, TooLarge, ValueRule,
};
pub use deploy::{
    Boots, CanaryTraffic, Cause, DeployId, DeployRecord, Direction, LogEntry, LoweredMin, OperatorRequest,
    Outcome, Policy, Progress, RaisedMax, Restart, Step, Waiting,
};
pub use digest::{Digest, DigestError, TreeHasher};
pub use expected_status::ExpectedStatus;
pub use image_ref::{ImageRef, ImageRefError, Repository};
pub use judging::Judging;
pub use name::{AppName, InstanceId, NameError, ReleaseName};
pub use percent::{Percent, PercentError};
pub use receipt::{Builder, ImageSource, InstanceState, ProbeCounts, Receipt, StageTiming};
pub use release::{ReleaseImage, ReleaseRecord};
pub use release_url::{ReleaseUrl, ReleaseUrlError, public_url};
pub use stage::Stage;
pub use strategy::{Strategy, Surge, SurgeError};
pub use user_data::{UserData, UserDataError};
pub use verdict::Verdict;
