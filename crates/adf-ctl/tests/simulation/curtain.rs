//! The end of a world: everything has settled, and what is left is one release, whole, and nothing else.

use std::time::Duration;

use adf_ctl::deploy::Ended;
use adf_local::model::LifecycleState;
use adf_types::{DeployRecord, Outcome, Step};
use tokio::time::{Instant, sleep};

use crate::account::{app, config_name, name};
use crate::fate::Fate;
use crate::operators::{Operators, Said};
use crate::oracle::Group;
use crate::scenario::{Errand, Happening, RELEASES, Scenario, Turn, Weather};
use crate::stage::Stage;

pub(crate) async fn fall(operators: &Operators, scenario: &Scenario, before: &Group) {
    let stage = &operators.stage;
    let current = stage.store().current(&app()).await.expect("readable");
    let deploys = stage.store().deploys(&app(), 20).await.expect("readable");
    closed(stage, scenario, &deploys);
    let settled = settled(stage, scenario.first && current.is_none()).await;
    stage.check("the group settles", settled, || format!("{:?}", stage.group()));
    let group = stage.group();
    let Some(current) = current else {
        let empty = group.members.is_empty() && group.desired == 0;
        stage.check("a first deploy that fails leaves nothing", empty, || format!("{group:?}"));
        return;
    };
    let release = current.current;
    let one = group.members.iter().all(|m| m.release.as_ref() == Some(&release));
    stage.check("the fleet runs the current release", one, || format!("current is {release}: {group:?}"));
    let next = group.starts.as_ref() == Some(&release);
    stage.check("the group launches the current release", next, || format!("{release}: {group:?}"));
    let edges = (group.min, group.max) == (before.min, before.max);
    stage.check("minimum and maximum are as before", edges, || format!("{before:?} {group:?}"));
    let wanted = sizes(scenario, &deploys);
    stage.check("desired capacity is as it should be", wanted.contains(&group.desired), || {
        format!("one of {wanted:?}: {group:?}")
    });
    stage.overlays().await;
    // A release that fell ill after its deploy had succeeded: whoever deploys it again is right to try.
    if group.members.iter().any(|member| is_ill(stage, &member.id)) {
        return;
    }
    // Until nothing that AWS shows is from before.
    sleep(scenario.sky.describe_lag).await;
    proof(operators, release.as_str()).await;
    restorable(stage).await;
}

/// Rule 8: what clean-up took away comes back, whole.
async fn restorable(stage: &Stage) {
    let store = stage.store();
    for release in RELEASES.map(name) {
        let restored = store.restore_overlay(&app(), &release).await.map(|_| ());
        let config = store.read_config(&app(), &release).await;
        let only = config.as_ref().ok().and_then(|config| config.get(&config_name("ONLY")));
        stage.check("every release can be restored", only == Some(release.as_str()), || {
            format!("the Overlay of {release} is {only:?} after {restored:?}")
        });
    }
}

fn closed(stage: &Stage, scenario: &Scenario, deploys: &[DeployRecord]) {
    for deploy in deploys {
        stage.check("every deploy ends closed", !deploy.is_open(), || format!("{deploy:#?}"));
        let first = deploy.from.is_none();
        let failed = matches!(deploy.outcome, Some(Outcome::Failed { .. }));
        // It fell ill when the old instances were being terminated already: that is said, and nothing more is removed.
        let late = deploy.step == Step::Cleanup && scenario.fates[&deploy.to].fate != Fate::Well;
        // A restart changes no release, however it ends.
        let defined = first || late || deploy.is_restart();
        stage.check("a deploy ends in a defined release", defined || !failed, || {
            format!("{:?}", deploy.outcome)
        });
    }
}

/// By its release, not by what happened to the machine.
fn is_ill(stage: &Stage, instance: &str) -> bool {
    stage.engine(instance).and_then(|engine| engine.answers()) == Some(false)
}

async fn settled(stage: &Stage, empty: bool) -> bool {
    let begun = Instant::now();
    while !stage.oracle.is_replaced(begun) {
        let group = stage.group();
        let calm = group
            .members
            .iter()
            .all(|m| m.state == LifecycleState::InService && (m.target || is_ill(stage, &m.id)));
        let whole = group.members.len() == group.desired as usize || empty;
        if calm && whole && group.strangers.is_empty() {
            return true;
        }
        sleep(Duration::from_secs(1)).await;
    }
    false
}

/// What desired capacity may be at the end: as at the start, or as somebody set it meanwhile.
fn sizes(scenario: &Scenario, deploys: &[DeployRecord]) -> std::ops::RangeInclusive<u32> {
    let scaled = scenario.happenings.iter().filter_map(|(_, what)| match what {
        Happening::Scale(percent) => Some((scenario.fleet * percent).div_ceil(100)),
        _ => None,
    });
    let all: Vec<u32> =
        scaled.chain([scenario.fleet]).chain(deploys.iter().map(|d| d.progress.capacity)).collect();
    let (least, most) = (all.iter().min(), all.iter().max());
    // What somebody sets while a restart has some out of service is what serves without those.
    let resting =
        deploys.iter().filter_map(|d| d.progress.restart.as_ref()).map(|restart| restart.batch).max();
    *least.unwrap_or(&0)..=*most.unwrap_or(&0) + resting.unwrap_or(0)
}

/// Whoever comes next gets the lock and is told that the release serves; then the lock is free.
async fn proof(operators: &Operators, release: &str) {
    let stage = &operators.stage;
    let release = RELEASES.into_iter().find(|known| *known == release).expect("a release");
    let errand = Errand::Deploy(release);
    let turn = Turn { who: "eve", after: Duration::ZERO, errand, dies: None, skew: 0 };
    let said = Box::pin(operators.turn(&turn, Weather::default())).await;
    let serving = matches!(&said, Said::Done(ended) if matches!(**ended, Ended::Serving { .. }));
    stage.check("the next operator is told what serves", serving, || match said {
        Said::Refused(reason) => reason,
        Said::Failed(error) => error.to_string(),
        Said::Answered => "only answered".to_owned(),
        Said::Died => "died".to_owned(),
        Said::Done(ended) => format!("{ended:?}"),
    });
    let lock = stage.store().lock(&app()).await.expect("readable");
    stage.check("the lock is free at the end", lock.is_none(), || format!("{lock:?}"));
}
