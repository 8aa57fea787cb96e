//! What the agents on the instances and the load balancer's health checks would do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adf_ctl::context::Context;
use adf_local::cloud::Cloud;
use adf_local::model::groups::{ActionKey, HookResult};
use adf_local::model::{
    Instance, InstanceState as Machine, LifecycleState, Model, Probe, ProbeFailure, TargetState,
};
use adf_types::{InstanceState, ProbeCounts, Receipt, Stage, UserData};
use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;
use uuid::Uuid;

/// What instances of a release do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Well,
    /// Gives up while booting.
    GivesUp,
    /// Boots for ever.
    NeverHealthy,
    /// Serves, and becomes unhealthy this many seconds after it began to.
    IllAfter(i64),
    /// Serves, and its probes are never counted.
    Unprobed,
    /// Serves, and a probe fails.
    FailsAProbe,
    /// Serves until its machine is rebooted, and gives up then.
    IllOnceRebooted,
    /// Unhealthy until its machine is rebooted.
    IllUntilRebooted,
}

/// From running to healthy.
const BOOT: SignedDuration = SignedDuration::from_secs(4);

/// After so many probes the receipts stay as they are.
const PROBES: i64 = 10;

/// Between two looks of an agent; the load balancer checks as often.
const STEP: Duration = Duration::from_millis(500);

type Fates = Arc<Mutex<BTreeMap<String, Fate>>>;

/// Plays every agent and the load balancer for as long as the test runs. With `lowest` set, keeps the fewest
/// healthy targets there.
pub(crate) async fn run(cloud: Cloud, context: Context, fates: Fates, lowest: Arc<Mutex<Option<usize>>>) {
    let mut agents: BTreeMap<String, (Timestamp, Receipt)> = BTreeMap::new();
    loop {
        let now = cloud.now();
        let instances: Vec<Instance> = cloud.model(|model, _| model.instances().cloned().collect());
        for instance in instances {
            match instance.state {
                Machine::ShuttingDown => {
                    agents.remove(&instance.id);
                    cloud.model(|model, now| model.instance_halted(&instance.id, now));
                }
                Machine::Running => {
                    let Some(first) = receipt(&instance, now) else { continue };
                    let known = agents.get(&instance.id).filter(|(_, it)| it.boot_id == first.boot_id);
                    let (since, before) = known.cloned().unwrap_or((now, first));
                    let fate = fate(&fates, &instance);
                    let after = live(before.clone(), fate, now.duration_since(since));
                    if after != before || since == now {
                        context.store.put_receipt(&after).await.expect("written");
                    }
                    cloud.model(|model, now| answer_hook(model, &instance, &after, now));
                    agents.insert(instance.id.clone(), (since, after));
                }
                _ => {}
            }
        }
        cloud.model(|model, now| check(model, &agents, now));
        keep(&lowest, cloud.model(|model, _| healthy_targets(model)));
        sleep(STEP).await;
    }
}

fn keep(lowest: &Mutex<Option<usize>>, healthy: usize) {
    let mut lowest = lowest.lock().unwrap_or_else(PoisonError::into_inner);
    *lowest = lowest.map(|low| low.min(healthy));
}

fn fate(fates: &Fates, instance: &Instance) -> Fate {
    let fates = fates.lock().unwrap_or_else(PoisonError::into_inner);
    release_of(instance).and_then(|release| fates.get(&release).copied()).unwrap_or(Fate::Well)
}

pub(crate) fn release_of(instance: &Instance) -> Option<String> {
    user_data(instance)?.release.map(|release| release.to_string())
}

fn user_data(instance: &Instance) -> Option<UserData> {
    UserData::parse(instance.user_data.as_deref()?).ok()
}

/// The receipt of an agent that has just started; `None` without a release to run.
fn receipt(instance: &Instance, now: Timestamp) -> Option<Receipt> {
    let data = user_data(instance)?;
    Some(Receipt {
        instance: instance.id.parse().expect("EC2's id"),
        app: data.app?,
        release: data.release?,
        release_digest: data.release_digest,
        deploy: data.deploy,
        image_id: Some("sha256:1".to_owned()),
        image_source: None,
        image_fallback: None,
        image_builder: None,
        config_hash: None,
        ami: None,
        agent_version: "0".to_owned(),
        boot_id: Some(Uuid::from_u128(u128::from(instance.boots))),
        state: InstanceState::Booting { stage: Stage::Identify },
        timings: Vec::new(),
        probes: ProbeCounts::default(),
        restarts: 0,
        notice: None,
        updated_at: now,
    })
}

/// What the receipt says `age` after the machine began to run.
fn live(mut receipt: Receipt, fate: Fate, age: SignedDuration) -> Receipt {
    let serving = age - BOOT;
    let rebooted = receipt.boot_id > Some(Uuid::from_u128(1));
    receipt.state = match fate {
        _ if serving.is_negative() => InstanceState::Booting { stage: Stage::Prepare },
        Fate::IllUntilRebooted if !rebooted => InstanceState::Unhealthy { reason: "503".to_owned() },
        Fate::GivesUp | Fate::IllOnceRebooted if fate == Fate::GivesUp || rebooted => InstanceState::Failed {
            stage: Stage::Health,
            reason: "E170 container exited 1 three times".to_owned(),
            log_tail: vec!["cannot reach the database".to_owned()],
        },
        Fate::NeverHealthy => InstanceState::Booting { stage: Stage::Health },
        Fate::IllAfter(seconds) if serving.as_secs() >= seconds => {
            InstanceState::Unhealthy { reason: "503".to_owned() }
        }
        _ => InstanceState::Serving,
    };
    if receipt.is_serving() && fate != Fate::Unprobed {
        // As many as a canary needs: a receipt that changes each second is a write each second.
        receipt.probes.passed = u64::try_from(serving.as_secs().min(PROBES)).unwrap_or_default();
        receipt.probes.failed = u64::from(fate == Fate::FailsAProbe && serving.as_secs() >= 2);
    }
    receipt
}

fn answer_hook(model: &mut Model, instance: &Instance, receipt: &Receipt, now: Timestamp) {
    let waits = instance.lifecycle_state() == Some(LifecycleState::PendingWait);
    let result = match &receipt.state {
        InstanceState::Serving => HookResult::Continue,
        InstanceState::Failed { .. } => HookResult::Abandon,
        _ => return,
    };
    if let Some(group) = instance.group().filter(|_| waits) {
        let key = ActionKey::Instance(instance.id.clone());
        model.complete_lifecycle_action(group, "adf-launch", &key, result, now).expect("an open action");
    }
}

/// The load balancer checks every target.
fn check(model: &mut Model, agents: &BTreeMap<String, (Timestamp, Receipt)>, now: Timestamp) {
    let targets: Vec<_> = model
        .target_groups()
        .flat_map(|group| group.targets.keys().map(|key| (group.arn.clone(), key.clone())))
        .collect();
    for (arn, key) in targets {
        let well = agents.get(&key.id).is_some_and(|(_, receipt)| receipt.is_serving());
        let probe = if well { Probe::Passed } else { Probe::Failed { reason: ProbeFailure::Timeout } };
        model.health_checked(&arn, &key, probe, now);
    }
}

fn healthy_targets(model: &Model) -> usize {
    let targets = model.target_groups().flat_map(|group| group.targets.values());
    targets.filter(|target| target.state == TargetState::Healthy).count()
}
