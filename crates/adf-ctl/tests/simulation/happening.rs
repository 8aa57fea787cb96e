//! What happens to the group beside the deploy.

use std::sync::Arc;
use std::time::Duration;

use adf_local::model::groups::{RefreshPreferences, RefreshRequest};
use adf_local::model::{InstanceState, LifecycleState};
use tokio::time::sleep;

use crate::dice::Dice;
use crate::scenario::{Happening, Scenario};
use crate::stage::Stage;

pub(crate) async fn all(stage: Arc<Stage>, scenario: Scenario) {
    let mut happenings = scenario.happenings.clone();
    happenings.sort_by_key(|(at, _)| *at);
    let mut before = Duration::ZERO;
    for (nth, (at, what)) in (0..).zip(happenings) {
        sleep(at.saturating_sub(before)).await;
        before = at;
        happen(&stage, &scenario, what, nth);
    }
}

fn happen(stage: &Stage, scenario: &Scenario, what: Happening, nth: u64) {
    match what {
        Happening::Scale(percent) => scale(stage, scenario.fleet, percent),
        Happening::Rebalance(zone) => rebalance(stage, zone),
        Happening::Refresh => refresh(stage, scenario),
        Happening::NoLaunch(zone, fault, lasts) => {
            stage.trace.tell("the world", format!("{what:?}"));
            stage.tally(|tally| tally.fault("launches fail"));
            stage.cloud.model(|model, now| model.fail_launches(zone, fault, now + lasts));
        }
        _ => befall(stage, what, nth),
    }
}

/// What happens to one instance.
fn befall(stage: &Stage, what: Happening, nth: u64) {
    let Some(victim) = victim(stage, nth) else { return };
    stage.trace.tell("the world", format!("{what:?} {victim}"));
    if let Happening::Flap(lasts) = what {
        stage.tally(|tally| tally.fault("target flaps"));
        if let Some(engine) = stage.engine(&victim) {
            engine.flap(lasts);
        }
        return;
    }
    stage.oracle.killed(&victim);
    let fault = stage.cloud.model(|model, now| match what {
        Happening::Kill => {
            let _ = model.terminate_instances(std::slice::from_ref(&victim), now);
            model.instance_halted(&victim, now);
            "instance killed"
        }
        Happening::Terminate => {
            let _ = model.terminate_instances(std::slice::from_ref(&victim), now);
            "instance terminated by somebody"
        }
        Happening::Spot => {
            let _ = model.interrupt_spot(&victim, now);
            "Spot interruption"
        }
        _ => {
            let _ = model.set_status_check(&victim, false, now);
            "status check fails"
        }
    });
    stage.tally(|tally| tally.fault(fault));
}

/// One instance after the other, so only where they are few.
fn refresh(stage: &Stage, scenario: &Scenario) {
    const FEW: u32 = 3;
    let preferences = RefreshPreferences {
        min_healthy: 100,
        max_healthy: Some(200),
        warmup: Some(Duration::from_secs(15)),
        ..RefreshPreferences::default()
    };
    let started = stage.cloud.model(|model, now| {
        let small = scenario.fleet <= FEW && model.group("web").is_some_and(|group| group.desired > 0);
        let request = RefreshRequest { preferences, ..RefreshRequest::default() };
        small.then(|| model.start_instance_refresh("web", request, now).ok()).flatten()
    });
    if let Some(id) = started {
        stage.trace.tell("the world", "somebody starts an instance refresh");
        stage.tally(|tally| tally.fault("foreign instance refresh"));
        stage.oracle.foreign(id);
    }
}

fn rebalance(stage: &Stage, zone: Option<&str>) {
    let moves = stage.cloud.model(|model, now| model.rebalance_zones("web", zone, now).unwrap_or_default());
    if moves > 0 {
        stage.oracle.moved();
        stage.trace.tell("the world", format!("moves {moves} instances to other zones"));
        stage.tally(|tally| tally.fault("zones rebalanced"));
    }
}

fn scale(stage: &Stage, fleet: u32, percent: u32) {
    let desired = (fleet * percent).div_ceil(100);
    let done = stage.cloud.model(|model, now| {
        let group = model.group("web").expect("founded");
        // Scaling an empty group is not beside a deploy.
        if group.desired == 0 || desired > group.max || desired < group.min {
            return false;
        }
        model.set_desired_capacity("web", desired, false, now).is_ok()
    });
    if done {
        stage.trace.tell("the world", format!("sets desired capacity to {desired}"));
        stage.tally(|tally| tally.fault("desired capacity set by somebody"));
        stage.oracle.scaled(desired);
    }
}

/// Any member that serves.
fn victim(stage: &Stage, nth: u64) -> Option<String> {
    let serving: Vec<String> = stage.cloud.model(|model, _| {
        let serves = |state| state == LifecycleState::InService;
        let members = model
            .members("web")
            .filter(|(instance, member)| serves(member.state) && instance.state == InstanceState::Running);
        members.map(|(instance, _)| instance.id.clone()).collect()
    });
    (!serving.is_empty()).then(|| Dice::at(stage.seed, "victim", nth).pick(&serving))
}
