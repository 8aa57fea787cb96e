//! What happens beside the commands, and the words for it.

use std::time::Duration;

use adf_local::model::groups::{RefreshPreferences, RefreshRequest};
use adf_local::model::templates::TemplateKey;
use adf_local::model::weather::LaunchFault;
use adf_local::model::{InstanceState, LifecycleState};
use jiff::SignedDuration;

use super::phrase::{End, Event, Whom};
use crate::oracle::release_of;
use crate::stage::Stage;

/// Makes it happen and tells to whom; what happens to operators' machines is not for here.
pub(super) fn happen(stage: &Stage, event: &Event) -> String {
    match event {
        Event::Ends(whom, end) => ends(stage, whom, *end),
        Event::Desired(desired) => scale(stage, *desired),
        Event::Capacity(zone, lasts) => capacity(stage, zone.as_deref(), *lasts),
        Event::Refresh => refresh(stage),
        Event::Deletes(version) => delete(stage, *version),
        Event::Suspends(process) => suspend(stage, process),
        Event::Machine(..) => unreachable!("told to the person"),
    }
}

fn ends(stage: &Stage, whom: &Whom, end: End) -> String {
    let Some((victim, release)) = find(stage, whom) else { return "there is none".to_owned() };
    stage.oracle.killed(&victim);
    stage.cloud.model(|model, now| {
        let one = std::slice::from_ref(&victim);
        match end {
            End::Killed => {
                model.terminate_instances(one, now).expect("it runs");
                model.instance_halted(&victim, now);
            }
            End::Terminated => {
                model.terminate_instances(one, now).expect("it runs");
            }
            End::Spot => model.interrupt_spot(&victim, now).expect("it runs"),
        }
    });
    format!("{victim}, which runs {release}")
}

fn find(stage: &Stage, whom: &Whom) -> Option<(String, String)> {
    stage.cloud.model(|model, _| {
        let mut running = model.instances().filter(|instance| instance.state == InstanceState::Running);
        let release = |data: &Option<Vec<u8>>| {
            let release = data.as_ref().and_then(|data| release_of(data));
            release.map_or_else(|| "nothing".to_owned(), |release| release.to_string())
        };
        let found = running.find(|instance| {
            let lifecycle = instance.lifecycle_state();
            match whom {
                Whom::InService => lifecycle == Some(LifecycleState::InService),
                Whom::Of(wanted) => {
                    lifecycle == Some(LifecycleState::InService) && release(&instance.user_data) == *wanted
                }
                Whom::InStandby => lifecycle == Some(LifecycleState::Standby),
                Whom::Canary => lifecycle.is_none(),
            }
        });
        found.map(|instance| (instance.id.clone(), release(&instance.user_data)))
    })
}

fn scale(stage: &Stage, desired: u32) -> String {
    let answer = stage.cloud.model(|model, now| model.set_desired_capacity("web", desired, false, now));
    match answer {
        Ok(()) => {
            stage.oracle.scaled(desired);
            format!("desired capacity is {desired}")
        }
        Err(error) => format!("AWS refuses: {}", error.message),
    }
}

fn capacity(stage: &Stage, zone: Option<&str>, lasts: Duration) -> String {
    stage.cloud.model(|model, now| {
        let until = now + SignedDuration::try_from(lasts).expect("short");
        model.fail_launches(zone, LaunchFault::InsufficientCapacity, until);
    });
    "launches fail with InsufficientInstanceCapacity".to_owned()
}

fn refresh(stage: &Stage) -> String {
    // One that launches first: what AWS does by itself is not what is tried here.
    let preferences = RefreshPreferences { min_healthy: 100, max_healthy: Some(200), ..Default::default() };
    let request = RefreshRequest { preferences, ..RefreshRequest::default() };
    let answer = stage.cloud.model(|model, now| model.start_instance_refresh("web", request, now));
    match answer {
        Ok(id) => {
            // What it does to the fleet is AWS's doing, not a deploy's.
            stage.oracle.scaled(0);
            format!("instance refresh {id} begins")
        }
        Err(error) => format!("AWS refuses: {}", error.message),
    }
}

fn delete(stage: &Stage, version: u64) -> String {
    stage.cloud.model(|model, _| {
        let template = model.launch_templates().next().expect("there is one").id.clone();
        let answer = model.delete_template_versions(&TemplateKey::Id(template), &[version]);
        match answer {
            Ok(_) => format!("version {version} of the launch template is gone"),
            Err(error) => format!("AWS refuses: {}", error.message),
        }
    })
}

fn suspend(stage: &Stage, process: &str) -> String {
    let answer = stage.cloud.model(|model, _| model.suspend_processes("web", &[process.to_owned()]));
    match answer {
        Ok(()) => format!("the group does no {process} any more"),
        Err(error) => format!("AWS refuses: {}", error.message),
    }
}
