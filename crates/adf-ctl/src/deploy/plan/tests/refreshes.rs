//! Replacing by instance refresh.

use adf_types::{Checkpoints, LogEntry, Outcome, Step, Strategy, Waiting};

use super::tables::{OLDS, acts, back, decide, news, olds, turns_back, waits};
use super::*;
use crate::aws::{RefreshState, RefreshStatus, TargetState};
use crate::deploy::judge::alarms::Seen;
use crate::deploy::plan::{Action, Decision};

fn refreshing(mut record: DeployRecord) -> DeployRecord {
    record.policy.strategy = Strategy::Refresh;
    let intent = Action::StartRefresh { version: NEW }.intent();
    let entry = LogEntry {
        step: Step::Replace,
        intent,
        started_at: START,
        finished_at: Some(START),
        result: Some("refresh r".to_owned()),
        waiting: None,
    };
    record.log.push(entry);
    record
}

fn latest(status: RefreshStatus, version: u64) -> RefreshState {
    let word = format!("{status:?}");
    let template_version = Some(version);
    RefreshState { id: "r".to_owned(), status, word, template_version, percent: 40, reason: None }
}

fn with(template_version: u64, members: Vec<Member>, refresh: RefreshState) -> Fleet {
    Fleet { refresh: Some(refresh), ..fleet(template_version, 3, members) }
}

#[test]
fn the_group_is_never_updated_first() {
    let mut promote = record(Step::Promote, &OLDS);
    promote.policy.strategy = Strategy::Refresh;
    assert_eq!(acts(&fleet(OLD, 3, olds()), &promote), Action::Enter(Step::Replace));
    let replace = DeployRecord { step: Step::Replace, ..promote };
    assert_eq!(acts(&fleet(OLD, 3, olds()), &replace), Action::StartRefresh { version: NEW });
}

#[test]
fn a_refresh_is_followed_to_its_end_and_its_failure_turns_back() {
    let record = refreshing(record(Step::Replace, &OLDS));
    let going = with(OLD, olds(), latest(RefreshStatus::Going, NEW));
    assert!(waits(&going, &record, 1).what.contains("40 % done"));
    let done = with(NEW, news(), latest(RefreshStatus::Successful, NEW));
    assert_eq!(acts(&done, &record), Action::MarkReplaced);
    let failed = with(OLD, olds(), latest(RefreshStatus::Ended, NEW));
    assert!(turns_back(&failed, &record, 1).contains("did not succeed"));
    // Two batches of at most two minutes each.
    assert!(turns_back(&going, &record, 240).contains("deploy.boot_timeout"));
}

#[test]
fn an_older_refresh_is_not_taken_for_ours() {
    let mut replace = record(Step::Replace, &OLDS);
    replace.policy.strategy = Strategy::Refresh;
    let before = with(OLD, olds(), latest(RefreshStatus::Successful, OLD));
    assert_eq!(acts(&before, &replace), Action::StartRefresh { version: NEW });
}

#[test]
fn on_the_way_back_the_refresh_turns_and_one_that_has_ended_is_undone_by_another() {
    let record = refreshing(back(Step::Replace));
    let going = with(OLD, olds(), latest(RefreshStatus::Going, NEW));
    assert_eq!(acts(&going, &record), Action::TurnRefresh);
    let turning = with(OLD, olds(), latest(RefreshStatus::Stopping, NEW));
    assert!(matches!(decide(&turning, &record, 1), Decision::Wait(_)));
    let ended = with(NEW, news(), latest(RefreshStatus::Successful, NEW));
    assert_eq!(acts(&ended, &record), Action::StartRefresh { version: OLD });
    let undone = with(OLD, olds(), latest(RefreshStatus::RolledBack, NEW));
    assert!(matches!(decide(&undone, &record, 1), Decision::Finish(Outcome::RolledBack { .. })));
}

#[test]
fn the_way_back_of_a_refresh_that_took_too_long_has_as_much_time_again() {
    let mut record = refreshing(back(Step::Replace));
    let turned = LogEntry {
        intent: Action::TurnRefresh.intent(),
        started_at: at(241),
        finished_at: Some(at(241)),
        result: Some("rolling back".to_owned()),
        ..record.log.last().expect("begun").clone()
    };
    record.log.push(turned);
    let turning = with(OLD, olds(), latest(RefreshStatus::Stopping, NEW));
    waits(&turning, &record, 480);
    match decide(&turning, &record, 481) {
        Decision::Finish(Outcome::Failed { reason, .. }) => {
            assert!(reason.contains("boot_timeout"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

/// A refresh of [`refreshing`] that stands still at 1 % and 50 %, 40 s each.
fn with_checkpoints(mut record: DeployRecord) -> DeployRecord {
    record.policy.checkpoints = Checkpoints::usual();
    record.policy.checkpoint_delay = Duration::from_secs(40);
    refreshing(record)
}

fn at_percent(percent: u32) -> RefreshState {
    RefreshState { percent, ..latest(RefreshStatus::Going, NEW) }
}

/// One instance is new, and two are not.
fn one_is_new() -> Vec<Member> {
    vec![healthy("x", NEW), healthy("a", OLD), healthy("b", OLD)]
}

#[test]
fn a_checkpoint_is_shown_until_the_next_part_starts() {
    let record = with_checkpoints(record(Step::Replace, &OLDS));
    let before = waits(&with(OLD, one_is_new(), at_percent(0)), &record, 30);
    assert_eq!((before.what.as_str(), before.kind), ("instance refresh r: 0 % done", Waiting::Instances));
    let at = waits(&with(OLD, one_is_new(), at_percent(33)), &record, 60);
    assert!(at.what.contains("at its checkpoint 1%, to go on by itself after 40 s: 1 of 3"), "{}", at.what);
    assert_eq!(at.kind, Waiting::Configured);
    let next = [vec![booting("y", NEW)], one_is_new()].concat();
    let after = waits(&with(OLD, next, at_percent(33)), &record, 100);
    assert_eq!((after.what.as_str(), after.kind), ("instance refresh r: 33 % done", Waiting::Instances));
    let two = vec![healthy("x", NEW), healthy("y", NEW), healthy("a", OLD)];
    assert!(waits(&with(OLD, two, at_percent(66)), &record, 130).what.contains("checkpoint 50%"));
}

/// Fault 55: the canary was well, and what was replaced first is not.
#[test]
fn whatever_speaks_against_the_release_turns_the_refresh_before_the_rest_of_the_fleet_has_it() {
    let record = with_checkpoints(record(Step::Replace, &OLDS));
    let ill = |change: fn(&mut Member)| {
        let mut members = one_is_new();
        change(&mut members[0]);
        turns_back(&with(OLD, members, at_percent(33)), &record, 60)
    };
    let said = ill(|m| {
        let state = InstanceState::Unhealthy { reason: "E171 503".to_owned() };
        m.receipt.as_mut().expect("a receipt").state = state;
    });
    assert!(said.contains("during the instance refresh, i-x became unhealthy: E171 503"), "{said}");
    let said = ill(|m| m.receipt.as_mut().expect("a receipt").restarts = 1);
    assert!(said.contains("i-x restarted its container"), "{said}");
    let said = ill(|m| m.target = Some(TargetState::Unhealthy { reason: "Target.Timeout".to_owned() }));
    assert!(said.contains("i-x is unhealthy for the load balancer: Target.Timeout"), "{said}");
    let mut fleet = with(OLD, one_is_new(), at_percent(33));
    for _ in 0..3 {
        fleet.evidence.alarms.add("web-5xx", Seen::Firing("Threshold Crossed".to_owned()));
    }
    let said = turns_back(&fleet, &record, 60);
    assert!(said.contains("alarm web-5xx fires"), "{said}");
}

/// Without a launch hook an instance is registered before its app is there.
#[test]
fn a_load_balancer_that_has_not_let_an_instance_in_yet_speaks_against_nothing() {
    let record = with_checkpoints(record(Step::Replace, &OLDS));
    let mut members = one_is_new();
    let reason = "Target.FailedHealthChecks".to_owned();
    (members[0].target, members[0].accepted) = (Some(TargetState::Unhealthy { reason }), false);
    waits(&with(OLD, members, at_percent(0)), &record, 60);
}

#[test]
fn an_old_instance_that_falls_ill_speaks_against_nothing() {
    let record = with_checkpoints(record(Step::Replace, &OLDS));
    let mut members = one_is_new();
    members[1].target = Some(TargetState::Unhealthy { reason: "Target.Timeout".to_owned() });
    waits(&with(OLD, members, at_percent(33)), &record, 60);
}

/// Starts of 1, 1 and 1 instances and one more, two minutes each; 40 s at 1 %, 50 % and, if AWS waits there, 100 %.
#[test]
fn the_limit_counts_a_start_for_each_part_and_the_delay_of_each_checkpoint() {
    let record = with_checkpoints(record(Step::Replace, &OLDS));
    let going = with(OLD, one_is_new(), at_percent(33));
    waits(&going, &record, 4 * 120 + 3 * 40 - 1);
    let said = turns_back(&going, &record, 4 * 120 + 3 * 40);
    assert!(said.contains("deploy.boot_timeout for each of 4 batches"), "{said}");
    assert!(said.contains("deploy.checkpoint_delay for each of 3 checkpoints"), "{said}");
}

#[test]
fn the_way_back_shows_no_checkpoints() {
    let record = with_checkpoints(back(Step::Replace));
    let turning = RefreshState { percent: 33, ..latest(RefreshStatus::Stopping, NEW) };
    assert_eq!(waits(&with(OLD, one_is_new(), turning), &record, 60).what, "instance refresh r: 33 % done");
}
