//! Replacing by instance refresh.

use adf_types::{LogEntry, Outcome, Step, Strategy};

use super::tables::{OLDS, acts, back, decide, news, olds, turns_back, waits};
use super::*;
use crate::aws::{RefreshState, RefreshStatus};
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
