//! One situation, one finding.

use std::collections::BTreeMap;
use std::time::Duration;

use adf_types::{InstanceState, Judging, Policy, ProbeCounts, Receipt, Verdict};
use jiff::Timestamp;

use crate::aws::{MachineState, TargetState};
use crate::deploy::fleet::Canary;
use crate::deploy::judge::alarms::{AlarmLooks, Seen};
use crate::deploy::judge::counts::{Period, Trials};
use crate::deploy::judge::traffic::{Minutes, Traffic};
use crate::deploy::judge::{Evidence, Finding, traffic, verdict};

const BAKE: Duration = Duration::from_mins(1);
const LIMIT: Duration = Duration::from_mins(5);
const SECOND: Duration = Duration::from_secs(1);

fn judging() -> Judging {
    Judging { canary_target_group: Some("web-canary".to_owned()), ..Judging::default() }
}

fn policy(judging: Judging) -> Policy {
    Policy {
        strategy: adf_types::Strategy::Surge,
        surge: adf_types::Surge::ALL,
        checkpoints: adf_types::Checkpoints::default(),
        checkpoint_delay: Duration::ZERO,
        canary: true,
        bake: BAKE,
        min_probes: 20,
        judging,
        watch: Duration::from_mins(5),
        deadline: Duration::from_mins(5),
        boot_timeout: Duration::from_mins(10),
    }
}

fn canary(passed: u64, failed: u64) -> Canary {
    let receipt = Receipt {
        instance: "i-1".parse().expect("an id"),
        app: "web".parse().expect("a name"),
        release: "v2".parse().expect("a name"),
        release_digest: None,
        deploy: None,
        image_id: None,
        image_source: None,
        image_fallback: None,
        image_builder: None,
        config_hash: None,
        ami: None,
        agent_version: "0".to_owned(),
        boot_id: None,
        state: InstanceState::Serving,
        timings: Vec::new(),
        probes: ProbeCounts { passed, failed },
        restarts: 0,
        notice: None,
        updated_at: Timestamp::UNIX_EPOCH,
    };
    Canary {
        id: receipt.instance.clone(),
        machine: Some(MachineState::Running),
        target: Some(TargetState::Healthy),
        receipt: Some(receipt),
    }
}

fn trials(failed: u64, all: u64) -> Trials {
    Trials { all, failed }
}

fn requests(canary: Trials, fleet: Trials) -> Evidence {
    let traffic = Traffic { periods: vec![Period { canary, fleet }], stopped: None };
    Evidence { traffic: Some(traffic), ..Evidence::default() }
}

fn judged(evidence: &Evidence, judging: Judging, observed: Duration) -> Option<Verdict> {
    verdict(&canary(60, 0), evidence, &policy(judging), observed)
}

fn inconclusive(verdict: Option<Verdict>) -> String {
    let Some(Verdict::Inconclusive { reason }) = verdict else { panic!("{verdict:?}") };
    reason
}

#[test]
fn a_pass_says_what_was_seen_and_what_it_could_have_missed() {
    let evidence = requests(trials(12, 3_000), trials(117, 27_000));
    assert_eq!(judged(&evidence, judging(), BAKE.saturating_sub(SECOND)), None, "the bake time is not over");
    let Some(Verdict::Pass { evidence }) = judged(&evidence, judging(), BAKE) else { panic!("no pass") };
    insta::assert_snapshot!(evidence, @"0 of 60 probes failed in 60 s, no restart, target healthy; a failure rate up to 5.0 % could have been missed (95 % confidence); 12 of 3000 requests ended in 5xx (0.40 %), of the fleet's 117 of 27000 (0.43 %); a 5xx rate up to 0.89 %, 0.57 points above the fleet's, could have been missed (95 % confidence)");
}

#[test]
fn more_5xx_than_the_fleets_fail_at_once_with_the_odds() {
    let evidence = requests(trials(30, 1_000), trials(90, 9_000));
    let verdict = judged(&evidence, judging(), Duration::from_secs(1));
    let Some(Verdict::Fail { reason }) = verdict else { panic!("{verdict:?}") };
    insta::assert_snapshot!(reason, @"30 of 1000 requests ended in 5xx (3.0 %), of the fleet's 90 of 9000 (1.0 %), which a release that is no worse shows once in 19022 deploys at most");
}

#[test]
fn none_on_the_fleet_and_some_on_the_canary_is_never_a_pass() {
    for (failed, all, fleet) in [(1, 1_000_000, 1_000_000), (1, 300, 1), (2, 3_000, 3_000)] {
        let evidence = requests(trials(failed, all), trials(0, fleet));
        assert_eq!(judged(&evidence, judging(), BAKE), None);
        let reason = inconclusive(judged(&evidence, judging(), LIMIT));
        assert!(reason.contains("0 of"), "{reason}");
    }
    let many = requests(trials(15, 1_000), trials(0, 1_000));
    assert!(matches!(judged(&many, judging(), Duration::ZERO), Some(Verdict::Fail { .. })));
}

#[test]
fn neither_time_alone_nor_requests_alone_are_enough() {
    let few = requests(trials(0, 299), trials(0, 9_000));
    assert_eq!(judged(&few, judging(), LIMIT.saturating_sub(SECOND)), None);
    assert!(inconclusive(judged(&few, judging(), LIMIT)).contains("299 of 300 requests"));
    let enough = requests(trials(0, 300), trials(0, 9_000));
    assert!(matches!(judged(&enough, judging(), BAKE), Some(Verdict::Pass { .. })));
}

#[test]
fn no_traffic_and_traffic_that_stopped_are_inconclusive() {
    let none = Evidence::default();
    assert!(inconclusive(judged(&none, judging(), LIMIT)).contains("no data"));
    let mut stopped = requests(trials(0, 30_000), trials(0, 90_000));
    stopped.traffic.as_mut().expect("some").stopped = Some("the canary had no request".to_owned());
    assert!(inconclusive(judged(&stopped, judging(), LIMIT)).contains("no request"));
}

#[test]
fn a_regression_that_could_be_missed_is_told_with_the_setting_that_allows_it() {
    // The same rate on both sides, but 310 requests cannot tell 1 % from 4 %.
    let evidence = requests(trials(3, 310), trials(90, 9_000));
    let reason = inconclusive(judged(&evidence, judging(), LIMIT));
    assert!(reason.contains("max_missed is 2%"), "{reason}");
    let lenient = Judging { max_missed: "10%".parse().expect("a share"), ..judging() };
    assert!(matches!(judged(&evidence, lenient, BAKE), Some(Verdict::Pass { .. })));
}

#[test]
fn a_suspect_canary_is_not_let_through_by_the_clock() {
    let evidence = requests(trials(14, 3_000), trials(45, 27_000));
    let generous = Judging { max_missed: "50%".parse().expect("a share"), ..judging() };
    assert_eq!(judged(&evidence, generous.clone(), LIMIT.saturating_sub(SECOND)), None);
    assert!(inconclusive(judged(&evidence, generous, LIMIT)).contains("once in"));
}

#[test]
fn requests_have_no_say_without_a_canary_target_group() {
    let verdict = judged(&Evidence::default(), Judging::default(), BAKE);
    assert!(matches!(verdict, Some(Verdict::Pass { .. })), "{verdict:?}");
}

#[test]
fn a_tolerated_share_of_probes_may_fail() {
    let with = |passed, failed, seconds| {
        let lenient =
            Judging { tolerated_probe_failures: "5%".parse().expect("a share"), ..Judging::default() };
        verdict(&canary(passed, failed), &Evidence::default(), &policy(lenient), Duration::from_secs(seconds))
    };
    assert!(matches!(with(59, 1, 60), Some(Verdict::Pass { .. })));
    assert_eq!(with(54, 6, 60), None, "10 % is more than 5 %, but of 60 probes it says little");
    assert!(matches!(with(54, 6, 120), Some(Verdict::Inconclusive { .. })));
    assert!(matches!(with(20, 20, 10), Some(Verdict::Fail { .. })));
}

fn alarms(seen: &[Seen]) -> AlarmLooks {
    let mut looks = AlarmLooks::default();
    for seen in seen {
        looks.add("web-5xx", seen.clone());
    }
    looks
}

fn firing() -> Seen {
    Seen::Firing("Threshold Crossed".to_owned())
}

fn no_data() -> Seen {
    Seen::NoData("INSUFFICIENT_DATA".to_owned())
}

#[test]
fn an_alarm_decides_after_three_of_five_looks() {
    use Seen::Quiet;
    let finding = |seen: &[Seen]| alarms(seen).finding("web-5xx");
    assert!(matches!(finding(&[Quiet]), Finding::Passes(_)));
    assert!(matches!(finding(&[firing(), firing()]), Finding::Lacks(_)));
    assert!(matches!(finding(&[firing(), Quiet, firing(), Quiet]), Finding::Passes(_)), "flapping twice");
    let Finding::Fails(reason) = finding(&[firing(), Quiet, firing(), Quiet, firing()]) else { panic!() };
    assert_eq!(reason, "alarm web-5xx fires in 3 of 5 looks: Threshold Crossed");
    let forgotten = [firing(), firing(), Quiet, Quiet, Quiet, Quiet, firing()];
    assert!(matches!(finding(&forgotten), Finding::Lacks(_)), "old looks have no say");
}

#[test]
fn an_alarm_without_data_is_inconclusive_and_named() {
    let watched = Judging { alarms: vec!["web-5xx".to_owned()], ..Judging::default() };
    let evidence = |seen: &[Seen]| Evidence { alarms: alarms(seen), ..Evidence::default() };
    for seen in [&[][..], &[no_data()], &[Seen::Quiet, no_data()]] {
        assert_eq!(judged(&evidence(seen), watched.clone(), BAKE), None);
        let reason = inconclusive(judged(&evidence(seen), watched.clone(), LIMIT));
        assert!(reason.starts_with("no data for alarm web-5xx"), "{reason}");
    }
    let quiet = judged(&evidence(&[no_data(), Seen::Quiet]), watched.clone(), BAKE);
    assert!(matches!(quiet, Some(Verdict::Pass { .. })), "{quiet:?}");
    let fires = judged(&evidence(&[firing(), firing(), firing()]), watched, Duration::from_secs(45));
    assert!(matches!(fires, Some(Verdict::Fail { .. })), "{fires:?}");
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("a small number")
}

fn minutes(counts: &[(i64, u64, u64)]) -> Minutes {
    counts.iter().map(|(minute, failed, all)| (at(minute * 60), trials(*failed, *all))).collect()
}

#[test]
fn minutes_count_from_the_canarys_own_on_and_from_the_second_look_at_them() {
    let canary = minutes(&[(9, 50, 50), (10, 1, 30), (11, 2, 60)]);
    let fleet = minutes(&[(9, 0, 500), (10, 3, 500), (11, 4, 500), (12, 5, 100)]);
    let since = at(10 * 60 + 30);
    let of = |seen: Option<i64>, now| {
        Traffic::of(&canary, &fleet, since, seen.map(|minute| at(minute * 60)), at(now))
    };
    assert_eq!(of(None, 690), Traffic::default(), "nothing was seen before");
    let first = Period { canary: trials(1, 30), fleet: trials(3, 500) };
    let second = Period { canary: trials(2, 60), fleet: trials(4, 500) };
    assert_eq!(of(Some(10), 700).periods, [first]);
    assert_eq!(of(Some(11), 760).periods, [first, second]);
    let third = of(Some(12), 790);
    assert_eq!(third.periods.len(), 3);
    assert!(third.stopped.expect("no canary").contains("the canary had no request in the newest minute"));
    assert!(of(Some(11), 660 + 241).stopped.expect("old").contains("no requests of the last 4 minutes"));
}

#[test]
fn a_load_balancer_that_never_reports_has_stopped() {
    let none = BTreeMap::new();
    assert_eq!(Traffic::of(&none, &none, at(0), None, at(240)).stopped, None);
    let stopped = Traffic::of(&none, &none, at(0), None, at(241));
    assert!(matches!(traffic::finding(Some(&stopped), &judging()), Finding::Lacks(_)));
    assert!(stopped.stopped.is_some());
}
