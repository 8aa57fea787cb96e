//! What a deploy takes, and what mends it, from facts alone.

use std::time::Duration;

use adf_types::{ImageSource, Policy, Step, Strategy};

use super::facts::{Balancer, Boot, Facts, Image};
use super::{Estimate, From, Obstacle, Past, Plan, estimate};
use crate::aws::{GroupPace, HealthCheck, LaunchHook, TargetPace};
use crate::printer::Text as _;

mod batches;
mod logs;

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// As a record has it; what it does not say is the default of whatever a policy says besides.
pub(crate) fn policy(bake: &str, deadline: &str) -> Policy {
    let policy = serde_json::json!({
        "strategy": "surge", "canary": true, "bake": bake, "min_probes": 20, "watch": "5m", "deadline": deadline,
        "boot_timeout": "10m",
    });
    serde_json::from_value(policy).expect("a policy")
}

/// Ten instances as `adf-ctl init` sets them up, that pulled their image.
fn facts() -> Facts {
    let check = HealthCheck { arn: "arn:web".into(), interval: secs(5), timeout: secs(2), passes: 2 };
    let pace = TargetPace { drain: secs(30), slow_start: Duration::ZERO };
    Facts {
        policy: policy("1m", "5m"),
        probe_interval: secs(1),
        probe_passes: 3,
        group: "web".to_owned(),
        capacity: 10,
        old: 10,
        max: Some(20),
        balancer: Some(Balancer { check, pace }),
        pace: Some(GroupPace { grace: Duration::ZERO, balancer_judges: false }),
        hooks: Some(vec![LaunchHook { name: "adf-launch".into(), heartbeat: secs(900) }]),
        image: Image::Known,
        boots: Vec::new(),
        past: Vec::new(),
    }
}

fn balancer(facts: &mut Facts) -> &mut Balancer {
    facts.balancer.as_mut().expect("behind a load balancer")
}

fn row(estimate: &Estimate, step: Step, word: &str) -> (f64, From) {
    let found = estimate.rows.iter().find(|row| row.step == step && row.what.contains(word));
    let row = found.unwrap_or_else(|| panic!("no row of {step} with {word}: {:#?}", estimate.rows));
    (row.seconds, row.from.clone())
}

/// numbers.md's budget with nothing measured: calls 5, canary 35 + 10 + 3 + 10, bake 60, fleet 80 + 10 + 3 + 10.
#[test]
fn without_a_measurement_the_path_is_made_of_settings_and_assumptions() {
    let estimate = estimate(&facts());
    assert!((estimate.promise_seconds - 226.0).abs() < 0.01, "{estimate:#?}");
    assert!((estimate.whole_seconds - 226.0 - 300.0 - 30.0 - 5.0).abs() < 0.01, "{estimate:#?}");
    assert!(estimate.fits && estimate.mends.is_empty() && estimate.warnings.is_empty(), "{estimate:#?}");
    assert_eq!(row(&estimate, Step::Replace, "10 instances boot"), (93.0, From::Assumed));
}

#[test]
fn the_slower_of_bake_and_wanted_probes_counts_and_is_named() {
    let mut facts = facts();
    facts.policy.min_probes = 90;
    let (seconds, from) = row(&estimate(&facts), Step::Judge, "observed");
    assert!((seconds - 90.0).abs() < 0.01);
    assert_eq!(from, From::Setting("deploy.min_probes and run.interval of adf.toml".into()));
}

#[test]
fn a_canary_that_is_judged_on_requests_takes_the_minutes_that_cloudwatch_takes() {
    let mut facts = facts();
    facts.policy.judging.canary_target_group = Some("web-canary".to_owned());
    assert_eq!(row(&estimate(&facts), Step::Judge, "CloudWatch"), (135.0, From::Assumed));
    facts.policy.bake = secs(300);
    assert!((row(&estimate(&facts), Step::Judge, "observed").0 - 300.0).abs() < 0.01, "the bake is longer");
    facts.policy.bake = secs(60);
    facts.policy.judging.min_requests = 0;
    assert!(
        (row(&estimate(&facts), Step::Judge, "observed").0 - 60.0).abs() < 0.01,
        "no request is asked for"
    );
}

#[test]
fn a_long_deregistration_delay_holds_back_a_refresh_and_breaks_its_deadline() {
    let mut facts = facts();
    facts.policy.strategy = Strategy::Refresh;
    facts.policy.surge = "100%".parse().expect("a share");
    balancer(&mut facts).pace.drain = secs(300);
    let estimate = estimate(&facts);
    assert!(!estimate.fits);
    let mend = &estimate.mends[0];
    assert_eq!(mend.why, "deregistration delay 300 s alone breaks the deadline of 300 s");
    assert!(
        mend.mend.ends_with("--attributes Key=deregistration_delay.timeout_seconds,Value=30"),
        "{mend:?}"
    );
    assert!(mend.mend.contains("--target-group-arn arn:web"), "{mend:?}");
    assert_eq!(estimate.mends.len(), 1, "with it the deploy fits: {estimate:#?}");
}

#[test]
fn a_surge_drains_in_the_watch_and_says_that_a_way_back_waits_for_it() {
    let mut facts = facts();
    balancer(&mut facts).pace.drain = secs(300);
    facts.policy.watch = secs(60);
    let estimate = estimate(&facts);
    assert!(estimate.fits, "{estimate:#?}");
    assert!((row(&estimate, Step::Watch, "finish their requests").0 - 240.0).abs() < 0.01);
    let (why, mend) = only_warning(&facts);
    assert!(why.starts_with("deregistration delay 300 s:"), "{why}");
    assert!(mend.ends_with("Value=30"), "{mend}");
}

/// What is recommended must be enough: done as told, the deploy fits.
#[test]
fn aws_own_defaults_are_mended_until_the_deploy_fits() {
    let mut facts = facts();
    let aws = balancer(&mut facts);
    (aws.check.interval, aws.check.passes) = (secs(30), 5);
    let mended = estimate(&facts).mends;
    assert_eq!(mended.len(), 1, "{mended:#?}");
    assert!(mended[0].mend.contains("--health-check-interval-seconds 5"), "{mended:#?}");
    assert!(mended[0].why.starts_with("5 health checks 30 s apart, 150 s of the 300 s"), "{mended:#?}");
    let aws = balancer(&mut facts);
    (aws.check.interval, aws.check.passes) = (secs(5), 2);
    assert!(estimate(&facts).fits);
}

#[test]
fn where_settings_are_not_enough_the_deadline_is_what_has_to_move() {
    let mut facts = facts();
    facts.policy.bake = secs(60);
    facts.policy.deadline = secs(120);
    let mends = estimate(&facts).mends;
    let last = mends.last().expect("it does not fit");
    assert_eq!(last.mend, "adf.toml: [deploy] deadline = \"4m\"");
    facts.policy.deadline = secs(240);
    assert!(estimate(&facts).fits, "what was advised is enough");
}

#[test]
fn instances_that_each_build_are_told_of_an_image_repository() {
    let mut facts = facts();
    facts.image = Image::BuiltEach;
    let estimate = estimate(&facts);
    assert!(
        (estimate.promise_seconds - 326.0).abs() < 0.01,
        "a build more for canary and fleet: {estimate:#?}"
    );
    let mends: Vec<&str> = estimate.mends.iter().map(|m| m.mend.as_str()).collect();
    assert!(mends[0].contains("image_repository"), "{mends:?}");
}

#[test]
fn a_build_that_was_measured_to_be_quick_is_not_what_breaks_the_deadline() {
    let mut facts = facts();
    facts.image = Image::BuiltEach;
    facts.past = vec![Past { fleet_start: Some(secs(36)), canary_checks: Some(secs(5)), ..Past::default() }];
    facts.policy.deadline = secs(60);
    let mends = estimate(&facts).mends;
    assert!(mends.iter().all(|mend| !mend.mend.contains("image_repository")), "{mends:#?}");
    facts.past[0].fleet_start = Some(secs(70));
    let mends = estimate(&facts).mends;
    assert!((mends[0].saves_seconds - 20.0).abs() < 0.01, "of 65 s a launch and a pull stay: {mends:#?}");
}

#[test]
fn the_fleet_pulls_what_the_canary_built() {
    let mut facts = facts();
    facts.image = Image::BuiltOnce;
    let estimate = estimate(&facts);
    assert!((row(&estimate, Step::Canary, "builds").0 - 98.0).abs() < 0.01);
    assert!((row(&estimate, Step::Replace, "pull").0 - 93.0).abs() < 0.01);
}

#[test]
fn what_instances_say_of_their_boot_is_better_than_an_assumption() {
    let mut facts = facts();
    let boot = |took, source| Boot { took: secs(took), source: Some(source) };
    let pulled = [boot(4, ImageSource::Pulled), boot(5, ImageSource::Pulled), boot(9, ImageSource::Pulled)];
    facts.boots = [pulled.as_slice(), &[boot(70, ImageSource::Built)]].concat();
    let pulling = estimate(&facts);
    assert_eq!(
        row(&pulling, Step::Canary, "boots"),
        (40.0, From::Receipts(3)),
        "the median, 35 s after its launch"
    );
    assert_eq!(row(&pulling, Step::Replace, "boot"), (89.0, From::Receipts(3)), "the slowest");
    facts.image = Image::BuiltOnce;
    let building = estimate(&facts);
    assert_eq!(
        row(&building, Step::Canary, "boots"),
        (105.0, From::Receipts(1)),
        "who builds tells of building"
    );
}

#[test]
fn what_the_last_deploys_took_is_better_than_either() {
    let mut facts = facts();
    let past = |canary, fleet| Past {
        canary_start: Some(secs(canary)),
        canary_checks: Some(secs(4)),
        fleet_start: Some(secs(fleet)),
        own: secs(2),
    };
    facts.past = vec![past(40, 70), past(90, 64), past(44, 60)];
    let estimate = estimate(&facts);
    assert_eq!(row(&estimate, Step::Canary, "boots"), (44.0, From::LastDeploys(3)));
    assert_eq!(row(&estimate, Step::Replace, "boot"), (60.0, From::LastDeploys(3)), "without the checks");
    assert_eq!(row(&estimate, Step::Preflight, "calls"), (2.0, From::LastDeploys(3)));
    // 2 + 44 + 10 + 60 + 60 + 10 + 30
    assert!((estimate.promise_seconds - 186.0).abs() < 0.01, "{estimate:#?}");
}

#[test]
fn a_first_deploy_has_neither_canary_nor_watch_nor_anybody_to_drain() {
    let mut facts = facts();
    facts.old = 0;
    let estimate = estimate(&facts);
    let steps: Vec<Step> = estimate.rows.iter().map(|row| row.step).collect();
    assert_eq!(steps, [Step::Preflight, Step::Replace, Step::Replace]);
}

#[test]
fn an_app_without_a_load_balancer_waits_for_none() {
    let mut facts = facts();
    facts.balancer = None;
    let estimate = estimate(&facts);
    assert!(estimate.rows.iter().all(|row| !row.what.contains("balancer") && !row.what.contains("requests")));
}

fn only_warning(facts: &Facts) -> (String, String) {
    let mut warnings = estimate(facts).warnings;
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    let warning = warnings.remove(0);
    (warning.why, warning.mend)
}

#[test]
fn a_boot_timeout_below_what_instances_take_is_told_although_the_deadline_holds() {
    let mut facts = facts();
    facts.policy.boot_timeout = secs(60);
    let (why, mend) = only_warning(&facts);
    assert!(why.contains("deploy.boot_timeout is 60 s, and instances take about 103 s"), "{why}");
    assert_eq!(mend, "adf.toml: [deploy] boot_timeout = \"206s\"");
}

#[test]
fn a_group_that_would_replace_instances_before_their_first_check_is_told_of_grace() {
    let mut facts = facts();
    facts.pace = Some(GroupPace { grace: secs(5), balancer_judges: true });
    let (_, mend) = only_warning(&facts);
    assert!(mend.ends_with("--health-check-grace-period 20"), "{mend}");
}

#[test]
fn a_launch_hook_that_is_missing_or_too_short_is_told() {
    let mut facts = facts();
    facts.hooks = Some(Vec::new());
    assert!(only_warning(&facts).0.starts_with("the group has no launch hook"));
    facts.hooks = Some(vec![LaunchHook { name: "other".into(), heartbeat: secs(30) }]);
    let (why, mend) = only_warning(&facts);
    assert!(why.starts_with("launch hook other gives up on an instance after 30 s"), "{why}");
    assert!(
        mend.contains("--lifecycle-hook-name other") && mend.contains("--heartbeat-timeout 900"),
        "{mend}"
    );
}

#[test]
fn slow_start_is_told_and_not_counted() {
    let mut facts = facts();
    let before = estimate(&facts).promise_seconds;
    balancer(&mut facts).pace.slow_start = secs(60);
    assert!(only_warning(&facts).1.ends_with("Key=slow_start.duration_seconds,Value=0"));
    assert!((estimate(&facts).promise_seconds - before).abs() < 0.01);
}

fn plan(facts: &Facts) -> Plan {
    Plan {
        app: "web".parse().expect("a name"),
        from: Some("v41".parse().expect("a name")),
        release: "v42".parse().expect("a name"),
        capacity: facts.capacity,
        estimate: estimate(facts),
        obstacles: vec![Obstacle { reason: "group web is at its maximum".into(), mend: "aws ...".into() }],
    }
}

#[test]
fn a_plan_looks_like_this() {
    let mut facts = facts();
    balancer(&mut facts).pace = TargetPace { drain: secs(300), slow_start: secs(30) };
    facts.past = vec![Past { canary_start: Some(secs(41)), ..Past::default() }];
    insta::assert_snapshot!("plan", plan(&facts).text());
    insta::assert_json_snapshot!("plan_json", plan(&facts));
}
