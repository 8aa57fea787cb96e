//! Canaries that users' requests and alarms decide about, with the real SDK.

use adf_config::report::Explain;
use adf_ctl::aws::create::NewTargetGroup;
use adf_ctl::deploy::DeployOptions;
use adf_ctl::exit::ExitCode;
use adf_types::{DeployRecord, Health, Outcome, Step, Verdict};

use crate::cloudwatch::{Alarm, Front, Users, WEIGHT};
use crate::world::{CAPACITY, World, closed, name};

const OWN: &str = "canary_target_group = \"web-canary\"\n";
const ALARMS: &str = "alarms = [\"web-5xx\"]\n";

/// v1 serves; the canary's target group is there, and users do as they are told.
async fn with(users: Users, settings: &str) -> (World, Front) {
    let world = World::serving().await;
    let aws = &world.context.aws;
    let zone = world.cloud.model(|model, _| {
        model.network().subnet_of_zone("us-east-1a").map(|subnet| subnet.id.clone()).expect("a subnet")
    });
    let vpc = aws.vpc_of(&zone).await.expect("a subnet's VPC");
    let new = NewTargetGroup {
        name: "web-canary",
        port: 8080,
        vpc: &vpc,
        health: &Health::default(),
        drain_seconds: 5,
    };
    let (canary, _) = aws.ensure_target_group(&new).await.expect("target group");
    let fleet = aws.target_group("web").await.expect("readable").expect("made");
    let balancer = fleet.balancer_arn.expect("a listener uses it");
    // It makes the target group used, so that its health is checked; requests come through the shared rule.
    aws.ensure_listener(&balancer, 81, &canary).await.expect("listener");
    world.say(settings);
    let front = Front::new(&world.cloud, users, &fleet.arn, &canary);
    (world.through(&front.sdk_config()), front)
}

fn judged(record: &DeployRecord) -> &Verdict {
    record.progress.verdict.as_ref().expect("judged")
}

async fn turned_back(users: Users, settings: &str) -> String {
    let (world, front) = Box::pin(with(users, settings)).await;
    let record = world.deploy("v2").await;
    let Some(Outcome::RolledBack { reason }) = record.outcome.clone() else { panic!("{record:#?}") };
    assert!(record.step <= Step::Judge, "the group was not promoted");
    assert_eq!(front.weights().last(), Some(&0), "nothing is sent to an empty target group");
    world.assert_only("v1").await;
    reason
}

#[tokio::test(start_paused = true)]
async fn a_canary_gets_one_instances_share_until_it_leaves_and_passes_on_its_requests() {
    let (world, front) = Box::pin(with(Users::content(), OWN)).await;
    let record = world.deploy("v2").await;
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    let Verdict::Pass { evidence } = judged(&record) else { panic!("{record:#?}") };
    assert!(evidence.contains("requests ended in 5xx (0.40 %), of the fleet's"), "{evidence}");
    assert!(evidence.contains("could have been missed"), "{evidence}");
    assert_eq!(front.weights(), [0, WEIGHT / CAPACITY, 0]);
    world.assert_only("v2").await;
    assert!(world.lowest() >= 3, "only {} were healthy", world.lowest());
    assert!(front.counted() <= 20, "CloudWatch was asked {} times", front.counted());
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_fails_more_requests_than_the_fleet_turns_the_deploy_back() {
    let reason = turned_back(Users { canary_errors: 90.0, ..Users::content() }, OWN).await;
    assert!(reason.contains("canary failed: ") && reason.contains("of the fleet's 18 of 4500"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn some_against_none_is_no_pass() {
    let users = Users { canary_errors: 1.0, fleet_errors: 0.0, ..Users::content() };
    let reason = turned_back(users, OWN).await;
    assert!(reason.contains("canary"), "{reason}");
    assert!(reason.contains("of the fleet's 0 of"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn users_who_leave_make_it_inconclusive() {
    let reason = turned_back(Users { leave_after: -60, ..Users::content() }, OWN).await;
    assert!(reason.starts_with("E207 canary inconclusive: "), "{reason}");
    assert!(reason.contains("0 of 300 requests"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn fault_54_an_alarm_without_data_is_inconclusive() {
    let settings = format!("{OWN}{ALARMS}");
    let reason =
        turned_back(Users { alarm_then: Alarm::Is("INSUFFICIENT_DATA"), ..Users::content() }, &settings)
            .await;
    assert!(reason.contains("E207 canary inconclusive: no data for alarm web-5xx"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn an_alarm_that_fires_fails_the_canary_within_a_minute() {
    let settings = format!("{OWN}{ALARMS}");
    let reason = turned_back(Users { alarm_then: Alarm::Is("ALARM"), ..Users::content() }, &settings).await;
    assert!(reason.contains("alarm web-5xx fires in 3 of 3 looks: Threshold Crossed"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn what_would_turn_every_deploy_back_is_refused_before_anything_is_touched() {
    let both = format!("{OWN}{ALARMS}");
    for (alarm, told) in [(Alarm::Is("ALARM"), "fires already"), (Alarm::Absent, "there is no alarm web-5xx")]
    {
        let (world, _) = Box::pin(with(Users { alarm, ..Users::content() }, &both)).await;
        let error = world.try_deploy("v2").await.expect_err("refused");
        assert_eq!(error.exit_code(), ExitCode::Refused, "{error}");
        assert!(error.to_string().contains(told), "{error}");
    }
    let (world, front) = Box::pin(with(Users::content(), OWN)).await;
    front.set_weight(5);
    let error = world.try_deploy("v2").await.expect_err("requests fail already");
    assert!(error.to_string().contains("in which no instance is"), "{error}");
    world.say("canary_target_group = \"nowhere\"\n");
    let error = world.through(&front.sdk_config()).try_deploy("v2").await.expect_err("no such group");
    assert!(error.to_string().contains("no target group nowhere"), "{error}");
    world.assert_only("v1").await;
}

#[tokio::test(start_paused = true)]
async fn an_alarm_that_fires_is_in_the_way_of_neither_a_rollback_nor_the_release_that_is_to_end_it() {
    let users = Users { alarm: Alarm::Is("ALARM"), ..Users::content() };
    let (world, _) = Box::pin(with(users, ALARMS)).await;
    let ending = DeployOptions { alarms: false, ..DeployOptions::of(name("v2")) };
    let record = closed(world.deploy_with(&ending).await.expect("a driven deploy"));
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    let record = closed(world.rollback().await.expect("a rollback"));
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    world.assert_only("v1").await;
}
