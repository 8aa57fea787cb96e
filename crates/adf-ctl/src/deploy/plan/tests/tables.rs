//! One situation, one decision.

use adf_types::{
    CanaryTraffic, Direction, InstanceState, LogEntry, OperatorRequest, Outcome, ProbeCounts, RaisedMax,
    Step, Verdict,
};

use super::*;
use crate::deploy::judge::alarms::Seen;
use crate::deploy::plan::{Action, Decision, Wait, next_step};

pub(super) const OLDS: [&str; 3] = ["a", "b", "c"];

pub(super) fn olds() -> Vec<Member> {
    OLDS.iter().map(|name| healthy(name, OLD)).collect()
}

pub(super) fn news() -> Vec<Member> {
    ["x", "y", "z"].iter().map(|name| healthy(name, NEW)).collect()
}

pub(super) fn both() -> Vec<Member> {
    olds().into_iter().chain(news()).collect()
}

pub(super) fn decide(fleet: &Fleet, record: &DeployRecord, seconds: u64) -> Decision {
    next_step(fleet, record, at(seconds))
}

pub(super) fn acts(fleet: &Fleet, record: &DeployRecord) -> Action {
    match decide(fleet, record, 0) {
        Decision::Act(action) => action,
        other => panic!("expected an action, got {other:?}"),
    }
}

pub(super) fn waits(fleet: &Fleet, record: &DeployRecord, seconds: u64) -> Wait {
    match decide(fleet, record, seconds) {
        Decision::Wait(wait) => wait,
        other => panic!("expected a wait, got {other:?}"),
    }
}

pub(super) fn turns_back(fleet: &Fleet, record: &DeployRecord, seconds: u64) -> String {
    match decide(fleet, record, seconds) {
        Decision::Act(Action::TurnBack { reason, .. }) => reason,
        other => panic!("expected to turn back, got {other:?}"),
    }
}

pub(super) fn back(step: Step) -> DeployRecord {
    DeployRecord {
        direction: Direction::Back { reason: "why".to_owned(), cause: adf_types::Cause::Operator },
        ..record(step, &OLDS)
    }
}

#[test]
fn a_template_version_comes_before_the_canary() {
    let mut record = record(Step::Template, &OLDS);
    assert_eq!(acts(&fleet(OLD, 3, olds()), &record), Action::CreateTemplateVersion);
    record.progress.template_version = Some(NEW);
    assert_eq!(acts(&fleet(OLD, 3, olds()), &record), Action::Enter(Step::Canary));
}

#[test]
fn a_first_deploy_and_a_deploy_without_canary_go_straight_to_promote() {
    let mut first = record(Step::Template, &[]);
    first.progress.template_version = Some(NEW);
    assert_eq!(acts(&fleet(OLD, 0, vec![]), &first), Action::Enter(Step::Promote));
    let mut without = record(Step::Template, &OLDS);
    without.progress.template_version = Some(NEW);
    without.policy.canary = false;
    assert_eq!(acts(&fleet(OLD, 3, olds()), &without), Action::Enter(Step::Promote));
}

#[test]
fn the_canary_meets_no_user_before_it_says_that_it_is_healthy() {
    let record = record(Step::Canary, &OLDS);
    let mut fleet = fleet(OLD, 3, olds());
    assert_eq!(acts(&fleet, &record), Action::LaunchCanary);
    fleet.canary = Some(canary(InstanceState::Booting { stage: Stage::Health }, None));
    assert!(waits(&fleet, &record, 0).what.contains("stage health"));
    fleet.canary = Some(canary(InstanceState::Serving, None));
    assert_eq!(acts(&fleet, &record), Action::RegisterCanary(id("canary")));
    fleet.canary = Some(canary(InstanceState::Serving, Some(TargetState::Initial)));
    waits(&fleet, &record, 0);
    fleet.canary = Some(canary(InstanceState::Serving, Some(TargetState::Healthy)));
    assert_eq!(acts(&fleet, &record), Action::Enter(Step::Judge));
}

fn with_its_own_target_group(step: Step) -> DeployRecord {
    let mut record = record(step, &OLDS);
    record.policy.judging.canary_target_group = Some("web-canary".to_owned());
    record
}

#[test]
fn a_canary_with_a_target_group_of_its_own_gets_requests_once_it_is_healthy_there() {
    let mut record = with_its_own_target_group(Step::Canary);
    let mut fleet = fleet(OLD, 3, olds());
    fleet.canary = Some(canary(InstanceState::Serving, Some(TargetState::Initial)));
    waits(&fleet, &record, 0);
    fleet.canary = Some(canary(InstanceState::Serving, Some(TargetState::Healthy)));
    assert_eq!(acts(&fleet, &record), Action::StartCanaryTraffic);
    record.progress.canary_traffic = Some(CanaryTraffic::Since(at(0)));
    assert_eq!(acts(&fleet, &record), Action::Enter(Step::Judge));
}

#[test]
fn before_a_canary_leaves_its_target_group_nothing_is_sent_to_it_any_more() {
    let direction = Direction::Back { reason: "why".to_owned(), cause: adf_types::Cause::Operator };
    let mut record = DeployRecord { direction, ..with_its_own_target_group(Step::Judge) };
    let mut fleet = fleet(OLD, 3, olds());
    fleet.canary = Some(canary(InstanceState::Serving, Some(TargetState::Healthy)));
    assert_eq!(acts(&fleet, &record), Action::DeregisterCanary(id("canary")), "it never had any");
    let begun = LogEntry {
        step: Step::Canary,
        intent: Action::StartCanaryTraffic.intent(),
        started_at: START,
        finished_at: None,
        result: None,
        waiting: None,
    };
    record.log.push(begun);
    assert_eq!(acts(&fleet, &record), Action::EndCanaryTraffic, "whether it had any nobody recorded");
    record.progress.canary_traffic = Some(CanaryTraffic::Since(at(0)));
    assert_eq!(acts(&fleet, &record), Action::EndCanaryTraffic);
    fleet.canary = Some(canary(InstanceState::Serving, None));
    assert_eq!(acts(&fleet, &record), Action::EndCanaryTraffic, "even when it left by itself");
    record.progress.canary_traffic = Some(CanaryTraffic::Ended);
    fleet.canary = Some(canary(InstanceState::Serving, Some(TargetState::Healthy)));
    assert_eq!(acts(&fleet, &record), Action::DeregisterCanary(id("canary")));
    let cleaning = DeployRecord {
        direction: Direction::Forward,
        progress: Progress { canary_traffic: Some(CanaryTraffic::Since(at(0))), ..record.progress.clone() },
        ..with_its_own_target_group(Step::Cleanup)
    };
    let current = adf_store::CurrentRelease { current: release(NEW), previous: None };
    fleet.current = Some(current);
    assert_eq!(acts(&fleet, &cleaning), Action::EndCanaryTraffic);
}

fn entering(name: &str, target: TargetState) -> Member {
    Member { lifecycle: Lifecycle::EnteringStandby, target: Some(target), ..standby(name) }
}

/// The deregistration delay is not the deploy's time: nobody is sent a request by then.
#[test]
fn old_instances_that_only_drain_are_replaced_and_those_that_may_get_requests_are_not() {
    let mut members: Vec<_> = OLDS.iter().map(|name| entering(name, TargetState::Draining)).collect();
    members.extend(news());
    let mut fleet = fleet(NEW, 3, members);
    assert_eq!(acts(&fleet, &record(Step::Replace, &OLDS)), Action::MarkReplaced);
    fleet.members[1].target = Some(TargetState::Healthy);
    waits(&fleet, &record(Step::Replace, &OLDS), 1);
    // Without a load balancer nothing tells but Standby itself.
    fleet.balanced = false;
    fleet.members.iter_mut().for_each(|m| m.target = None);
    waits(&fleet, &record(Step::Replace, &OLDS), 1);
}

#[test]
fn the_watch_does_not_end_before_the_old_ones_could_come_back() {
    let mut record = record(Step::Watch, &OLDS);
    record.progress.replaced_at = Some(at(0));
    let mut members: Vec<_> = OLDS.iter().map(|name| standby(name)).collect();
    members[2] = entering("c", TargetState::Draining);
    members.extend(news());
    let mut fleet = fleet(NEW, 3, members);
    waits(&fleet, &record, 61);
    let reason = turns_back(&fleet, &record, 330);
    assert!(reason.contains("1 old instances did not leave within the target group's"), "{reason}");
    fleet.members[2] = standby("c");
    assert_eq!(decide(&fleet, &record, 61), Decision::Act(Action::Enter(Step::Cleanup)));
}

/// What a clean-up still finds in service is put to Standby, waited for, and terminated.
#[test]
fn a_clean_up_does_not_end_while_an_old_instance_is_on_its_way_out() {
    let mut members = vec![entering("a", TargetState::Draining)];
    members.extend(news());
    let mut fleet = fleet(NEW, 3, members);
    fleet.current = Some(adf_store::CurrentRelease { current: release(NEW), previous: Some(release(OLD)) });
    waits(&fleet, &record(Step::Cleanup, &OLDS), 1);
    match decide(&fleet, &record(Step::Cleanup, &OLDS), 330) {
        Decision::Finish(Outcome::Failed { reason, .. }) => {
            assert!(reason.contains("did not leave"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_alarm_that_fires_in_the_watch_turns_back_and_one_without_data_does_not() {
    let mut record = record(Step::Watch, &OLDS);
    record.progress.replaced_at = Some(at(100));
    let mut members: Vec<_> = OLDS.iter().map(|name| standby(name)).collect();
    members.extend(news());
    let mut fleet = fleet(NEW, 3, members);
    let look = |fleet: &mut Fleet, seen: Seen| fleet.evidence.alarms.add("web-5xx", seen);
    look(&mut fleet, Seen::NoData("INSUFFICIENT_DATA".to_owned()));
    look(&mut fleet, Seen::Firing("Threshold Crossed".to_owned()));
    look(&mut fleet, Seen::Firing("Threshold Crossed".to_owned()));
    waits(&fleet, &record, 101);
    look(&mut fleet, Seen::Firing("Threshold Crossed".to_owned()));
    let reason = turns_back(&fleet, &record, 101);
    assert!(reason.contains("alarm web-5xx fires in 3 of 4 looks: Threshold Crossed"), "{reason}");
}

#[test]
fn a_canary_that_gave_up_turns_the_deploy_back_with_its_last_lines() {
    let mut fleet = fleet(OLD, 3, olds());
    fleet.canary = Some(canary(failed("answered 500"), None));
    let reason = turns_back(&fleet, &record(Step::Canary, &OLDS), 1);
    assert!(reason.contains("stage health: answered 500\n  | panicked at main.rs:1"), "{reason}");
}

#[test]
fn a_canary_that_never_gets_healthy_hits_a_limit_that_has_a_name() {
    let mut fleet = fleet(OLD, 3, olds());
    fleet.canary = Some(canary(InstanceState::Booting { stage: Stage::Prepare }, None));
    waits(&fleet, &record(Step::Canary, &OLDS), 119);
    let reason = turns_back(&fleet, &record(Step::Canary, &OLDS), 120);
    assert!(reason.contains("deploy.boot_timeout") && reason.contains("stage prepare"), "{reason}");
}

#[test]
fn only_a_pass_leads_to_promote() {
    let fleet = fleet(OLD, 3, olds());
    let with = |verdict| {
        let mut record = record(Step::Judge, &OLDS);
        record.progress.verdict = Some(verdict);
        acts(&fleet, &record)
    };
    assert_eq!(with(Verdict::Pass { evidence: String::new() }), Action::Enter(Step::Promote));
    assert!(matches!(with(Verdict::Fail { reason: String::new() }), Action::TurnBack { .. }));
    assert!(matches!(with(Verdict::Inconclusive { reason: String::new() }), Action::TurnBack { .. }));
}

#[test]
fn the_group_is_promoted_before_it_grows() {
    let record = record(Step::Promote, &OLDS);
    assert_eq!(acts(&fleet(OLD, 3, olds()), &record), Action::SetGroupTemplate { version: NEW });
    assert_eq!(acts(&fleet(NEW, 3, olds()), &record), Action::Enter(Step::Replace));
}

#[test]
fn the_fleet_doubles_and_then_the_old_half_stands_by() {
    let record = record(Step::Replace, &OLDS);
    assert_eq!(acts(&fleet(NEW, 3, olds()), &record), Action::SetDesired { instances: 6 });
    let mut growing = olds();
    growing.extend([healthy("x", NEW), healthy("y", NEW), booting("z", NEW)]);
    assert!(waits(&fleet(NEW, 6, growing), &record, 0).what.ends_with("2 are"));
    let ids = OLDS.iter().map(|name| id(name)).collect();
    assert_eq!(acts(&fleet(NEW, 6, both()), &record), Action::EnterStandby(ids));
    let mut stood_by: Vec<_> = OLDS.iter().map(|name| standby(name)).collect();
    stood_by.extend(news());
    assert_eq!(acts(&fleet(NEW, 3, stood_by), &record), Action::MarkReplaced);
}

#[test]
fn an_instance_without_a_receipt_or_unhealthy_for_the_load_balancer_does_not_count() {
    let record = record(Step::Replace, &OLDS);
    for spoil in [
        (|m: &mut Member| m.receipt = None) as fn(&mut Member),
        |m| m.target = Some(TargetState::Initial),
        |m| m.target = None,
        |m| m.receipt.as_mut().expect("present").release = release(OLD),
    ] {
        let mut members = both();
        spoil(&mut members[5]);
        waits(&fleet(NEW, 6, members), &record, 0);
    }
}

#[test]
fn twenty_instances_stand_by_in_one_call() {
    let names: Vec<String> = (0..30).map(|n| format!("o{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut record = record(Step::Replace, &names);
    record.progress.capacity = 30;
    let old = names.iter().map(|name| healthy(name, OLD));
    let new = (0..30).map(|n| healthy(&format!("n{n}"), NEW));
    let mut fleet = fleet(NEW, 60, old.chain(new).collect());
    fleet.max = 60;
    assert!(matches!(acts(&fleet, &record), Action::EnterStandby(ids) if ids.len() == 20));
}

#[test]
fn an_instance_that_gave_up_ends_the_replacement_at_once_even_when_it_is_gone() {
    let record = record(Step::Replace, &OLDS);
    let mut fleet = fleet(NEW, 6, olds());
    fleet.gone.push(receipt(&id("x"), NEW, failed("exited 1")));
    assert!(turns_back(&fleet, &record, 1).contains("i-x failed at stage health: exited 1"));
}

#[test]
fn a_failure_of_another_deploy_is_not_ours() {
    let record = record(Step::Replace, &OLDS);
    let mut fleet = fleet(NEW, 6, olds());
    fleet.gone.push(Receipt { deploy: None, ..receipt(&id("x"), NEW, failed("exited 1")) });
    waits(&fleet, &record, 1);
}

#[test]
fn the_watch_ends_on_time_and_turns_back_on_hard_facts() {
    let mut record = record(Step::Watch, &OLDS);
    record.progress.replaced_at = Some(at(100));
    let mut members: Vec<_> = OLDS.iter().map(|name| standby(name)).collect();
    members.extend(news());
    let whole = fleet(NEW, 3, members.clone());
    assert_eq!(waits(&whole, &record, 159).limit, "deploy.watch");
    assert_eq!(decide(&whole, &record, 160), Decision::Act(Action::Enter(Step::Cleanup)));
    for spoil in [
        (|m: &mut Member| m.receipt.as_mut().expect("present").restarts = 1) as fn(&mut Member),
        |m| m.target = Some(TargetState::Unhealthy { reason: "Target.Timeout".to_owned() }),
        |m| {
            m.receipt.as_mut().expect("present").state =
                InstanceState::Unhealthy { reason: "503".to_owned() };
        },
    ] {
        let mut members = members.clone();
        spoil(&mut members[4]);
        assert!(turns_back(&fleet(NEW, 3, members), &record, 101).contains("i-y"));
    }
}

#[test]
fn an_instance_that_is_taken_away_in_the_watch_is_waited_for_to_be_replaced() {
    let mut record = record(Step::Watch, &OLDS);
    record.progress.replaced_at = Some(at(100));
    let mut members: Vec<_> = OLDS.iter().map(|name| standby(name)).collect();
    members.extend(news());
    members[4].target = Some(TargetState::Unhealthy { reason: "Target.Timeout".to_owned() });
    members[4].receipt.as_mut().expect("present").state = InstanceState::Draining;
    let less = fleet(NEW, 3, members);
    assert_eq!(waits(&less, &record, 159).limit, "deploy.watch");
    assert!(waits(&less, &record, 161).what.contains("3 instances to be healthy: 2 are"));
}

#[test]
fn a_request_turns_the_deploy_back_until_clean_up_begins() {
    let mut fleet = fleet(NEW, 6, both());
    fleet.requested = Some(OperatorRequest::Rollback { by: "bob".into(), reason: "slow".into() });
    assert_eq!(turns_back(&fleet, &record(Step::Replace, &OLDS), 0), "bob asked for it: slow");
    assert_eq!(acts(&fleet, &record(Step::Cleanup, &OLDS)), Action::SetCurrent);
}

#[test]
fn the_way_back_turns_the_template_first_then_returns_the_old_then_removes_the_new() {
    let record = back(Step::Watch);
    let ids: Vec<_> = OLDS.iter().map(|name| id(name)).collect();
    let new_ids: Vec<_> = ["x", "y", "z"].iter().map(|name| id(name)).collect();
    let mut members: Vec<_> = OLDS.iter().map(|name| standby(name)).collect();
    members.extend(news());
    assert_eq!(acts(&fleet(NEW, 3, members.clone()), &record), Action::SetGroupTemplate { version: OLD });
    assert_eq!(acts(&fleet(OLD, 3, members), &record), Action::ExitStandby(ids));
    let mut returning = both();
    returning[0].target = Some(TargetState::Initial);
    assert!(waits(&fleet(OLD, 6, returning), &record, 0).what.ends_with("2 do"));
    assert_eq!(acts(&fleet(OLD, 6, both()), &record), Action::Terminate { ids: new_ids, decrement: true });
    let end = Decision::Finish(Outcome::RolledBack { reason: "why".to_owned() });
    assert_eq!(decide(&fleet(OLD, 3, olds()), &record, 0), end);
}

#[test]
fn on_the_way_back_an_old_instance_that_died_is_launched_anew() {
    let members = vec![healthy("a", OLD), healthy("b", OLD), healthy("x", NEW), healthy("y", NEW)];
    assert_eq!(acts(&fleet(OLD, 4, members), &back(Step::Watch)), Action::SetDesired { instances: 5 });
}

#[test]
fn a_group_at_its_maximum_is_given_room_for_the_old_fleet() {
    let mut members: Vec<_> = OLDS.iter().map(|name| standby(name)).collect();
    members.extend(["u", "v", "w", "x", "y", "z"].iter().map(|name| healthy(name, NEW)));
    let action = acts(&fleet(OLD, 6, members), &back(Step::Watch));
    assert_eq!(action, Action::RaiseMax(RaisedMax { from: 6, to: 9 }));
}

#[test]
fn a_way_back_that_is_stuck_says_what_serves_and_removes_nothing() {
    let mut members = both();
    members[0].target = Some(TargetState::Unhealthy { reason: "Target.Timeout".to_owned() });
    let decision = decide(&fleet(OLD, 6, members), &back(Step::Watch), 120);
    let Decision::Finish(Outcome::Failed { reason, serving }) = decision else { panic!("{decision:?}") };
    assert!(reason.contains("deploy.boot_timeout"), "{reason}");
    assert_eq!(serving, "2 old and 3 new instances serve; nothing was removed");
}

#[test]
fn the_canary_of_a_failed_deploy_drains_before_it_is_terminated() {
    let record = back(Step::Judge);
    let mut fleet = fleet(OLD, 3, olds());
    let with =
        |target, machine| Some(Canary { machine: Some(machine), ..canary(InstanceState::Serving, target) });
    fleet.canary = with(Some(TargetState::Healthy), MachineState::Running);
    assert_eq!(acts(&fleet, &record), Action::DeregisterCanary(id("canary")));
    fleet.canary = with(Some(TargetState::Draining), MachineState::Running);
    assert!(waits(&fleet, &record, 0).limit.contains("deregistration delay"));
    fleet.canary = with(None, MachineState::Running);
    assert_eq!(acts(&fleet, &record), Action::TerminateCanary(id("canary")));
    fleet.canary = with(None, MachineState::Gone);
    let end = Decision::Finish(Outcome::RolledBack { reason: "why".to_owned() });
    assert_eq!(decide(&fleet, &record, 0), end);
}

#[test]
fn a_call_without_visible_effect_is_repeated_slowly_and_not_for_ever() {
    let mut record = record(Step::Canary, &OLDS);
    let mut fleet = fleet(OLD, 3, olds());
    fleet.canary = Some(canary(InstanceState::Serving, None));
    let register = Action::RegisterCanary(id("canary"));
    let called = LogEntry {
        step: Step::Canary,
        intent: register.intent(),
        started_at: START,
        finished_at: Some(START),
        result: Some("registered".to_owned()),
        waiting: None,
    };
    record.log.push(called.clone());
    waits(&fleet, &record, 2);
    assert_eq!(decide(&fleet, &record, 3), Decision::Act(register));
    record.log.extend(std::iter::repeat_n(called, 9));
    assert!(turns_back(&fleet, &record, 3).contains("without effect"));
}

#[test]
fn the_verdict_waits_for_bake_time_and_for_enough_probes() {
    let judged = |passed, failed, seconds| {
        let mut canary = canary(InstanceState::Serving, Some(TargetState::Healthy));
        canary.receipt.as_mut().expect("present").probes = ProbeCounts { passed, failed };
        let mut fleet = fleet(OLD, 3, olds());
        fleet.canary = Some(canary);
        decide(&fleet, &record(Step::Judge, &OLDS), seconds)
    };
    let verdict = |decision| match decision {
        Decision::Act(Action::RecordVerdict(verdict)) => verdict,
        other => panic!("expected a verdict, got {other:?}"),
    };
    assert!(matches!(judged(100, 0, 29), Decision::Wait(_)), "the bake time is not over");
    assert!(matches!(judged(19, 0, 89), Decision::Wait(_)), "too few probes");
    assert!(matches!(verdict(judged(19, 0, 90)), Verdict::Inconclusive { .. }));
    assert!(matches!(verdict(judged(0, 0, 90)), Verdict::Inconclusive { .. }));
    assert!(matches!(verdict(judged(100, 1, 1)), Verdict::Fail { .. }), "one failure is enough, at once");
    let Verdict::Pass { evidence } = verdict(judged(30, 0, 30)) else { panic!("a pass") };
    assert!(evidence.contains("up to 10.0 %"), "{evidence}");
}
