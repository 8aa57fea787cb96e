//! What an estimate is made of.

use std::time::Duration;

use adf_types::{ImageSource, Policy, Strategy, Surge};

use super::past::Past;
use crate::aws::{GroupPace, HealthCheck, LaunchHook, TargetPace};

/// Everything that the length of a deploy follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub policy: Policy,
    /// `run.interval` and `run.passes` of adf.toml: how the agent decides that an instance is healthy.
    pub probe_interval: Duration,
    pub probe_passes: u32,
    /// The group's name, for commands.
    pub group: String,
    /// Instances that the deploy ends with.
    pub capacity: u32,
    /// Instances that there are now; none makes it a first deploy, which has no canary and no watch.
    pub old: u32,
    /// The group's maximum; `None` where nobody asked.
    pub max: Option<u32>,
    /// `None` for an app without a load balancer.
    pub balancer: Option<Balancer>,
    /// `None` where nobody asked.
    pub pace: Option<GroupPace>,
    pub hooks: Option<Vec<LaunchHook>>,
    pub image: Image,
    /// What booting took the instances that serve now.
    pub boots: Vec<Boot>,
    /// The last deploys, newest first.
    pub past: Vec<Past>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balancer {
    pub check: HealthCheck,
    pub pace: TargetPace,
}

/// One instance's time from the agent's start to healthy, and how it came by its image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Boot {
    pub took: Duration,
    pub source: Option<ImageSource>,
}

/// Who has to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Image {
    /// The release is an image, or its image is recorded: everybody pulls.
    Known,
    /// The canary builds and pushes, the fleet pulls: instances that run now did so.
    BuiltOnce,
    /// Nothing says that there is an image repository.
    BuiltEach,
}

impl Facts {
    /// There is no fleet yet that a canary or a watch would protect.
    pub fn is_first(&self) -> bool {
        self.old == 0
    }

    /// Whether the whole old fleet stands by until the watch ends.
    pub fn stands_by(&self) -> bool {
        self.policy.strategy == Strategy::Surge && self.policy.surge == Surge::ALL
    }

    /// Instances that start at once, at most.
    pub fn batch(&self) -> u32 {
        let surge = if self.is_first() { self.capacity } else { self.policy.surge.of(self.capacity) };
        let part = |parts: Vec<u32>| parts.into_iter().max().unwrap_or(surge);
        if self.refreshes() { surge.min(part(self.policy.checkpoints.parts(self.capacity))) } else { surge }
    }

    /// How often instances are started, one batch after the other.
    pub fn batches(&self) -> u32 {
        if self.refreshes() {
            return self.policy.checkpoints.starts(self.capacity, self.batch());
        }
        self.capacity.div_ceil(self.batch().max(1))
    }

    /// Whether the fleet is replaced by Auto Scaling's instance refresh, for which a first deploy has no instances.
    pub fn refreshes(&self) -> bool {
        self.policy.strategy == Strategy::Refresh && !self.is_first()
    }

    /// Checkpoints at which the refresh stands still before the whole fleet is replaced.
    pub fn checkpoints(&self) -> u32 {
        let checkpoints = if self.refreshes() { self.policy.checkpoints.of(self.capacity).len() } else { 0 };
        u32::try_from(checkpoints).unwrap_or(u32::MAX)
    }

    /// Whether a canary passes only with users' requests.
    pub fn counts_requests(&self) -> bool {
        let judging = &self.policy.judging;
        judging.canary_target_group.is_some() && judging.min_requests > 0
    }

    pub fn has_canary(&self) -> bool {
        self.policy.canary && !self.is_first()
    }
}
