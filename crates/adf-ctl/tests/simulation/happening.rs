//! What happens to the group beside the deploy.

use std::sync::Arc;
use std::time::Duration;

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
    if let Happening::Scale(percent) = what {
        return scale(stage, scenario.fleet, percent);
    }
    let Some(victim) = victim(stage, nth) else { return };
    stage.trace.tell("the world", format!("{what:?} {victim}"));
    stage.oracle.killed(&victim);
    stage.cloud.model(|model, now| match what {
        Happening::Kill => {
            stage.tally(|tally| tally.fault("instance killed"));
            let _ = model.terminate_instances(std::slice::from_ref(&victim), now);
            model.instance_halted(&victim, now);
        }
        Happening::Terminate => {
            stage.tally(|tally| tally.fault("instance terminated by somebody"));
            let _ = model.terminate_instances(std::slice::from_ref(&victim), now);
        }
        Happening::Spot => {
            stage.tally(|tally| tally.fault("Spot interruption"));
            let _ = model.interrupt_spot(&victim, now);
        }
        Happening::Scale(_) => {}
    });
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
