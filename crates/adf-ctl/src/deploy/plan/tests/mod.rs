//! The planner against tables of situations, and against a whole group that misbehaves.

mod ends;
mod operators;
mod promises;
mod refreshes;
mod restarts;
mod rooms;
mod simulator;
mod tables;

use std::time::Duration;

use adf_types::{
    DeployRecord, InstanceId, InstanceState, Policy, ProbeCounts, Progress, Receipt, ReleaseName, Stage,
    Step, Strategy, Surge,
};
use jiff::Timestamp;

use crate::aws::{Lifecycle, MachineState, TargetState};
use crate::deploy::fleet::{Canary, Fleet, Member};

/// The version that the fleet runs at the start, and the deploy's own.
const OLD: u64 = 1;
const NEW: u64 = 2;

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn at(seconds: u64) -> Timestamp {
    super::wait::after(START, Duration::from_secs(seconds))
}

fn id(name: &str) -> InstanceId {
    format!("i-{name}").parse().expect("a valid id")
}

fn release(version: u64) -> ReleaseName {
    format!("v{version}").parse().expect("a valid name")
}

fn policy() -> Policy {
    Policy {
        strategy: Strategy::Surge,
        surge: Surge::ALL,
        checkpoints: adf_types::Checkpoints::default(),
        checkpoint_delay: Duration::ZERO,
        canary: true,
        bake: Duration::from_secs(30),
        min_probes: 20,
        judging: adf_types::Judging::default(),
        watch: Duration::from_mins(1),
        deadline: Duration::from_mins(5),
        boot_timeout: Duration::from_mins(2),
    }
}

/// A deploy of three instances that has got as far as `step`.
pub(in crate::deploy) fn record(step: Step, old: &[&str]) -> DeployRecord {
    DeployRecord {
        id: "d-1".parse().expect("a valid id"),
        app: "web".parse().expect("a valid name"),
        group: "web".to_owned(),
        from: Some(release(OLD)),
        to: release(NEW),
        owner: "ann".to_owned(),
        policy: policy(),
        started_at: START,
        step,
        direction: adf_types::Direction::Forward,
        progress: Progress {
            capacity: 3,
            old: old.iter().map(|name| id(name)).collect(),
            old_template_version: Some(OLD),
            template_version: (step > Step::Template).then_some(NEW),
            // So that a situation is about one thing; protection has tests of its own.
            protected: ["a", "b", "c", "x", "y", "z"].map(id).to_vec(),
            ..Progress::default()
        },
        log: Vec::new(),
        outcome: None,
        finished_at: None,
    }
}

fn receipt(instance: &InstanceId, version: u64, state: InstanceState) -> Receipt {
    Receipt {
        instance: instance.clone(),
        app: "web".parse().expect("a valid name"),
        release: release(version),
        release_digest: None,
        deploy: (version == NEW).then(|| "d-1".parse().expect("a valid id")),
        image_id: None,
        image_source: None,
        image_fallback: None,
        image_builder: None,
        config_hash: None,
        ami: None,
        agent_version: "0".to_owned(),
        boot_id: None,
        state,
        timings: Vec::new(),
        probes: ProbeCounts::default(),
        restarts: 0,
        notice: None,
        updated_at: START,
    }
}

fn failed(reason: &str) -> InstanceState {
    let log_tail = vec!["panicked at main.rs:1".to_owned()];
    InstanceState::Failed { stage: Stage::Health, reason: reason.to_owned(), log_tail }
}

fn healthy(name: &str, version: u64) -> Member {
    let id = id(name);
    Member {
        lifecycle: Lifecycle::InService,
        template_version: Some(version),
        target: Some(TargetState::Healthy),
        accepted: true,
        receipt: Some(receipt(&id, version, InstanceState::Serving)),
        protected: false,
        silent: false,
        id,
    }
}

fn standby(name: &str) -> Member {
    Member { lifecycle: Lifecycle::Standby, target: None, ..healthy(name, OLD) }
}

fn booting(name: &str, version: u64) -> Member {
    let id = id(name);
    Member {
        lifecycle: Lifecycle::Pending,
        template_version: Some(version),
        target: None,
        accepted: false,
        receipt: Some(receipt(&id, version, InstanceState::Booting { stage: Stage::Prepare })),
        protected: false,
        silent: false,
        id,
    }
}

fn canary(state: InstanceState, target: Option<TargetState>) -> Canary {
    let id = id("canary");
    Canary { machine: Some(MachineState::Running), target, receipt: Some(receipt(&id, NEW, state)), id }
}

/// A group of three, with room for six.
fn fleet(template_version: u64, desired: u32, members: Vec<Member>) -> Fleet {
    Fleet {
        desired,
        min: 0,
        max: 6,
        template_version: Some(template_version),
        balanced: true,
        drain: Duration::from_secs(30),
        members,
        canary: None,
        gone: Vec::new(),
        requested: None,
        evidence: crate::deploy::judge::Evidence::default(),
        current: None,
        refresh: None,
        launch_trouble: None,
    }
}
