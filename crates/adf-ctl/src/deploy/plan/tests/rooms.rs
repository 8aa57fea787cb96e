//! What the group is given for the time of two fleets, and what scaling does meanwhile.

use adf_types::{RaisedMax, Step};

use super::tables::{OLDS, acts, back, both, decide, news, olds, turns_back, waits};
use super::*;
use crate::deploy::fleet::LaunchTrouble;
use crate::deploy::plan::{Action, Decision};

#[test]
fn a_maximum_that_is_too_low_is_raised_and_comes_back() {
    let mut record = record(Step::Replace, &OLDS);
    let mut tight = Fleet { max: 4, ..fleet(NEW, 3, olds()) };
    let raised = RaisedMax { from: 4, to: 6 };
    assert_eq!(acts(&tight, &record), Action::RaiseMax(raised));
    record.progress.raised_max = Some(raised);
    tight.max = 6;
    assert_eq!(acts(&tight, &record), Action::SetDesired { instances: 6 });
    let stood_by = OLDS.iter().map(|name| standby(name)).chain(news()).collect();
    let done = Fleet { max: 6, ..fleet(NEW, 3, stood_by) };
    assert_eq!(acts(&done, &record), Action::RestoreMax(RaisedMax { from: 4, to: 4 }));
}

#[test]
fn a_maximum_that_somebody_set_meanwhile_is_theirs() {
    let mut record = record(Step::Replace, &OLDS);
    record.progress.raised_max = Some(RaisedMax { from: 4, to: 6 });
    let stood_by: Vec<_> = OLDS.iter().map(|name| standby(name)).chain(news()).collect();
    let changed = Fleet { max: 9, ..fleet(NEW, 3, stood_by.clone()) };
    assert_eq!(acts(&changed, &record), Action::RestoreMax(RaisedMax { from: 9, to: 9 }));
    let five = stood_by.into_iter().chain(["u", "v"].map(|name| healthy(name, NEW))).collect();
    let scaled = Fleet { max: 6, ..fleet(NEW, 5, five) };
    record.progress.capacity = 5;
    let down = Action::RestoreMax(RaisedMax { from: 4, to: 5 });
    assert_eq!(acts(&scaled, &record), down, "desired capacity would fall with it");
}

#[test]
fn both_fleets_are_protected_while_they_run_and_only_by_us() {
    let mut record = record(Step::Replace, &OLDS);
    record.progress.protected.clear();
    let mut members = olds();
    members[1].protected = true;
    assert_eq!(acts(&fleet(NEW, 3, members.clone()), &record), Action::Protect(vec![id("a"), id("c")]));
    record.progress.protected = vec![id("a"), id("c")];
    assert_eq!(acts(&fleet(NEW, 3, members), &record), Action::SetDesired { instances: 6 });

    record.progress.protected = vec![id("x")];
    let mut members: Vec<_> = OLDS.iter().map(|name| standby(name)).chain(news()).collect();
    for member in &mut members {
        member.protected = true;
    }
    assert_eq!(acts(&fleet(NEW, 3, members), &record), Action::Unprotect(vec![id("x")]));
}

#[test]
fn a_part_of_the_fleet_at_a_time_leaves_as_its_successors_serve() {
    let mut record = record(Step::Replace, &OLDS);
    record.policy.surge = "34%".parse().expect("a share");
    // A third of three, rounded up, is two.
    assert_eq!(acts(&fleet(NEW, 3, olds()), &record), Action::SetDesired { instances: 5 });
    let two: Vec<_> = olds().into_iter().chain(news().into_iter().take(2)).collect();
    let leave = Action::Terminate { ids: vec![id("a"), id("b")], decrement: true };
    assert_eq!(acts(&fleet(NEW, 5, two), &record), leave);
    let rest: Vec<_> = olds().into_iter().skip(2).chain(news().into_iter().take(2)).collect();
    assert_eq!(acts(&fleet(NEW, 3, rest), &record), Action::SetDesired { instances: 4 });
}

#[test]
fn the_way_back_of_a_part_of_the_fleet_makes_room_for_the_old() {
    let mut record = back(Step::Replace);
    record.policy.surge = "34%".parse().expect("a share");
    let one_old: Vec<_> = olds().into_iter().take(1).chain(news()).collect();
    // Two more olds are lacking; with three new ones in the group only one fits under 3 + 2.
    assert_eq!(acts(&fleet(OLD, 4, one_old.clone()), &record), Action::SetDesired { instances: 5 });
    let full: Vec<_> = one_old.into_iter().chain([healthy("b", OLD)]).collect();
    let leave = Action::Terminate { ids: vec![id("x"), id("y")], decrement: true };
    assert_eq!(acts(&fleet(OLD, 5, full), &record), leave, "three of five healthy ones are left");
}

#[test]
fn a_group_that_is_scaled_meanwhile_ends_with_its_new_size() {
    for step in [Step::Canary, Step::Judge, Step::Promote] {
        let record = record(step, &OLDS);
        assert_eq!(
            acts(&fleet(OLD, 5, olds()), &record),
            Action::Resize { instances: 5, desired: 5 },
            "{step}"
        );
    }
    let mut watch = record(Step::Watch, &OLDS);
    watch.progress.replaced_at = Some(at(0));
    let stood_by: Vec<_> = OLDS.iter().map(|name| standby(name)).chain(news()).collect();
    assert_eq!(acts(&fleet(NEW, 2, stood_by), &watch), Action::Resize { instances: 2, desired: 2 });
    // An answer of AWS from before the old ones went to Standby is no scaling.
    assert!(waits(&fleet(NEW, 6, both()), &watch, 1).what.contains("watch"));
}

#[test]
fn launches_that_cannot_work_end_a_deploy_at_once_and_a_full_zone_does_not() {
    let record = record(Step::Replace, &OLDS);
    let mut fleet = fleet(NEW, 6, olds());
    fleet.launch_trouble = Some(LaunchTrouble { reason: "E205 no capacity".to_owned(), lasting: false });
    assert!(waits(&fleet, &record, 0).what.ends_with("0 are; E205 no capacity"));
    fleet.launch_trouble = Some(LaunchTrouble { reason: "E205 no such image".to_owned(), lasting: true });
    assert!(turns_back(&fleet, &record, 0).contains("E205 no such image"));
}

#[test]
fn an_instance_that_is_not_heard_of_any_more_does_not_count() {
    let record = record(Step::Replace, &OLDS);
    let mut members = both();
    members[5].silent = true;
    assert!(waits(&fleet(NEW, 6, members), &record, 0).what.contains("2 are"));
}

#[test]
fn scaling_out_is_told_apart_from_what_the_deploy_asked_for() {
    let mut record = record(Step::Replace, &OLDS);
    record.progress.desired = Some(6);
    assert!(waits(&fleet(NEW, 6, olds()), &record, 0).what.contains("3 new instances"));
    let more = Action::Resize { instances: 5, desired: 8 };
    assert_eq!(acts(&Fleet { max: 9, ..fleet(NEW, 8, olds()) }, &record), more);
}

#[test]
fn a_scale_in_while_the_old_ones_leave_takes_nothing_from_the_new() {
    let record = record(Step::Replace, &OLDS);
    let members: Vec<_> = OLDS.iter().map(|name| standby(name)).chain(news()).collect();
    assert_eq!(acts(&fleet(NEW, 2, members), &record), Action::SetDesired { instances: 3 });
}

#[test]
fn what_replaced_a_lost_old_instance_is_one_too_many() {
    let record = record(Step::Replace, &OLDS);
    let mut members: Vec<_> = ["a", "b"].iter().map(|name| standby(name)).chain(news()).collect();
    members.push(booting("w", NEW));
    let away = Action::Terminate { ids: vec![id("w")], decrement: true };
    assert_eq!(acts(&fleet(NEW, 4, members), &record), away);
}

#[test]
fn protection_ends_after_what_the_group_will_cut_serves_or_its_time_is_over() {
    let mut record = record(Step::Replace, &OLDS);
    record.progress.protected = vec![id("x")];
    let mut members: Vec<_> = OLDS.iter().map(|name| standby(name)).chain(news()).collect();
    for member in &mut members {
        member.protected = true;
    }
    let mut one_more = healthy("extra", NEW);
    one_more.target = Some(TargetState::Initial);
    members.push(one_more);
    let fleet = fleet(NEW, 3, members);
    assert!(waits(&fleet, &record, 1).what.contains("all 4 instances to be healthy"));
    assert_eq!(decide(&fleet, &record, 120), Decision::Act(Action::Unprotect(vec![id("x")])));
}
