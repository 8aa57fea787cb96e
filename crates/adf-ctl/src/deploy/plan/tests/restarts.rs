//! Rebooting in place.

use adf_types::{Cause, Direction, LogEntry, LoweredMin, OperatorRequest, Outcome, Restart};
use uuid::Uuid;

use super::tables::{OLDS, acts, decide, olds, turns_back, waits};
use super::*;
use crate::deploy::plan::{Action, Decision};

fn boot(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// Of three instances, one at a time; some were told, in their first boot.
fn restart(told: &[&str]) -> DeployRecord {
    let mut record = record(Step::Restart, &OLDS);
    record.progress.template_version = None;
    let told = told.iter().map(|name| (id(name), Some(boot(1)))).collect();
    record.progress.restart = Some(Restart { batch: 1, told, lowered_min: None });
    record
}

fn booted(member: Member, number: u128) -> Member {
    let receipt = member.receipt.map(|receipt| Receipt { boot_id: Some(boot(number)), ..receipt });
    Member { receipt, ..member }
}

fn with(first: Member) -> Fleet {
    let others = olds().into_iter().skip(1).map(|member| booted(member, 1));
    let desired = if first.is(Lifecycle::Standby) { 2 } else { 3 };
    fleet(OLD, desired, [first].into_iter().chain(others).collect())
}

fn called(record: &mut DeployRecord, action: &Action, result: Option<&str>) {
    record.log.push(LogEntry {
        step: Step::Restart,
        intent: action.intent(),
        started_at: START,
        finished_at: result.map(|_| START),
        result: result.map(str::to_owned),
        waiting: None,
    });
}

fn reboot(number: u128) -> Action {
    Action::Reboot([(id("a"), Some(boot(number)))].into())
}

#[test]
fn one_leaves_service_reboots_and_returns_before_the_next() {
    let serves = with(booted(healthy("a", OLD), 1));
    assert_eq!(acts(&serves, &restart(&[])), Action::EnterStandby(vec![id("a")]));
    let leaving = Member { lifecycle: Lifecycle::EnteringStandby, ..booted(healthy("a", OLD), 1) };
    assert!(waits(&with(leaving), &restart(&[]), 1).what.contains("1 instances to leave"));
    assert_eq!(acts(&with(booted(standby("a"), 1)), &restart(&[])), reboot(1));

    let mut told = restart(&["a"]);
    called(&mut told, &reboot(1), Some("1 were told"));
    assert!(waits(&with(booted(standby("a"), 1)), &told, 5).what.contains("to come back from a reboot"));
    assert_eq!(acts(&with(booted(standby("a"), 2)), &told), Action::ExitStandby(vec![id("a")]));
    let checked = Member { target: Some(TargetState::Initial), ..booted(healthy("a", OLD), 2) };
    assert!(waits(&with(checked), &told, 5).what.contains("0 of 3 do"));
    assert_eq!(acts(&with(booted(healthy("a", OLD), 2)), &told), Action::EnterStandby(vec![id("b")]));
    let all = restart(&["a", "b", "c"]);
    let done = fleet(OLD, 3, olds().into_iter().map(|member| booted(member, 2)).collect());
    assert_eq!(decide(&done, &all, 1), Decision::Finish(Outcome::Succeeded));
}

#[test]
fn a_call_that_may_not_have_arrived_is_made_again_and_one_that_did_is_not() {
    let stands_by = with(booted(standby("a"), 1));
    for result in [None, Some("failed: no answer")] {
        let mut record = restart(&["a"]);
        called(&mut record, &reboot(1), result);
        assert_eq!(decide(&stands_by, &record, 9), Decision::Act(reboot(1)), "{result:?}");
    }
    let mut record = restart(&["a"]);
    called(&mut record, &reboot(1), None);
    assert_eq!(acts(&with(booted(standby("a"), 2)), &record), Action::ExitStandby(vec![id("a")]));
}

#[test]
fn the_groups_minimum_makes_room_first_and_comes_back_last() {
    let lowered = LoweredMin { from: 3, to: 2 };
    let tight = Fleet { min: 3, ..with(booted(healthy("a", OLD), 1)) };
    assert_eq!(acts(&tight, &restart(&[])), Action::LowerMin(lowered));
    let mut all = restart(&["a", "b", "c"]);
    all.progress.restart.as_mut().expect("a restart").lowered_min = Some(lowered);
    let done = fleet(OLD, 3, olds().into_iter().map(|member| booted(member, 2)).collect());
    assert_eq!(acts(&done, &all), Action::RestoreMin(lowered));
}

#[test]
fn one_that_does_not_come_back_or_gives_up_ends_the_restart() {
    let record = restart(&["a"]);
    let late = turns_back(&with(booted(standby("a"), 1)), &record, 120);
    assert!(late.contains("did not come back") && late.contains("deploy.boot_timeout"), "{late}");
    let mut gave_up = booted(standby("a"), 2);
    gave_up.receipt.as_mut().expect("a receipt").state = failed("E171 503");
    assert!(turns_back(&with(gave_up), &record, 1).contains("failed at stage health"));
    let mut silent = booted(healthy("a", OLD), 2);
    silent.target = Some(TargetState::Unhealthy { reason: "503".to_owned() });
    assert!(turns_back(&with(silent), &record, 120).contains("does not serve within"));
}

fn turned(mut record: DeployRecord, cause: Cause) -> DeployRecord {
    record.direction = Direction::Back { reason: "it went wrong".to_owned(), cause };
    record
}

#[test]
fn on_the_way_back_what_serves_returns_and_what_is_lost_is_replaced() {
    let record = turned(restart(&["a"]), Cause::Release);
    let back = with(booted(standby("a"), 2));
    assert_eq!(acts(&back, &record), Action::ExitStandby(vec![id("a")]));
    let never_told = turned(restart(&[]), Cause::Operator);
    assert_eq!(acts(&with(booted(standby("a"), 1)), &never_told), Action::ExitStandby(vec![id("a")]));
    assert!(matches!(
        decide(&with(booted(healthy("a", OLD), 1)), &never_told, 1),
        Decision::Finish(Outcome::RolledBack { .. })
    ));

    let mut gave_up = booted(standby("a"), 2);
    gave_up.receipt.as_mut().expect("a receipt").state = failed("E171 503");
    assert_eq!(acts(&with(gave_up.clone()), &record), Action::SetDesired { instances: 3 });
    let mut asked = record.clone();
    asked.progress.desired = Some(3);
    let wanted = Fleet { desired: 3, ..with(gave_up) };
    assert_eq!(acts(&wanted, &asked), Action::Terminate { ids: vec![id("a")], decrement: false });
    let gone = fleet(OLD, 3, olds().into_iter().skip(1).collect());
    match decide(&gone, &asked, 1) {
        Decision::Finish(Outcome::Failed { serving, .. }) => {
            assert!(serving.contains("serves on 2 instances; 1 of 3 were rebooted"), "{serving}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_aws_refused_to_reboot_returns_at_once() {
    let mut record = turned(restart(&["a"]), Cause::Aws);
    called(&mut record, &reboot(1), Some("refused: UnauthorizedOperation"));
    assert_eq!(acts(&with(booted(standby("a"), 1)), &record), Action::ExitStandby(vec![id("a")]));
}

#[test]
fn an_operator_stops_a_restart_between_two_calls() {
    let request = OperatorRequest::Rollback { by: "ann".to_owned(), reason: "enough".to_owned() };
    let asked = Fleet { requested: Some(request), ..with(booted(standby("a"), 1)) };
    assert!(turns_back(&asked, &restart(&["a"]), 1).contains("ann asked for it: enough"));
}
