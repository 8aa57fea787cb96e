//! Canaries that do not pass: the old fleet is never touched.

use adf_types::{DeployRecord, Outcome, Step};

use crate::agents::Fate;
use crate::world::World;

async fn fails(fate: Fate) -> (DeployRecord, String) {
    let world = Box::pin(World::serving()).await;
    world.fate("v2", fate);
    let record = world.deploy("v2").await;
    let Some(Outcome::RolledBack { reason }) = record.outcome.clone() else { panic!("{record:#?}") };
    assert!(record.step <= Step::Judge, "the group was not promoted");
    world.assert_only("v1").await;
    assert!(world.lowest() >= 3, "only {} were healthy", world.lowest());
    (record, reason)
}

#[tokio::test(start_paused = true)]
async fn one_that_gives_up_ends_the_deploy_with_stage_reason_and_last_lines() {
    let (record, reason) = fails(Fate::GivesUp).await;
    assert!(reason.contains("stage health: E170"), "{reason}");
    assert!(reason.contains("| cannot reach the database"), "{reason}");
    let seconds = record.finished_at.expect("closed").duration_since(record.started_at).as_secs();
    assert!(seconds < 30, "a fact that is known after 5 s took {seconds} s");
}

#[tokio::test(start_paused = true)]
async fn one_that_never_gets_healthy_ends_at_a_limit_with_a_name() {
    let (_, reason) = fails(Fate::NeverHealthy).await;
    assert!(reason.contains("deploy.boot_timeout"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn too_few_probes_are_inconclusive_and_no_pass() {
    let (_, reason) = fails(Fate::Unprobed).await;
    assert!(reason.contains("canary inconclusive: 0 probes"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn a_single_failed_probe_is_no_pass() {
    let (_, reason) = fails(Fate::FailsAProbe).await;
    assert!(reason.contains("probes failed"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn one_that_falls_ill_is_no_pass() {
    let (_, reason) = fails(Fate::IllAfter(2)).await;
    assert!(reason.contains("unhealthy"), "{reason}");
}
