//! What the log of a deploy tells about the next one.

use adf_types::{DeployRecord, InstanceId, LogEntry, Outcome, Progress, Step, Waiting};
use jiff::{SignedDuration, Timestamp};

use super::{facts, secs};
use crate::deploy::plan::Action;
use crate::estimate::past::{median, past};

fn canary() -> InstanceId {
    "i-1".parse().expect("an id")
}

/// Lines of a log, each with its length in seconds.
fn deploy(outcome: Option<Outcome>, lines: &[(Step, String, Option<Waiting>, i64)]) -> DeployRecord {
    let mut now = Timestamp::UNIX_EPOCH;
    let entry = |(step, intent, waiting, seconds): &(Step, String, Option<Waiting>, i64)| {
        let started_at = now;
        now += SignedDuration::from_secs(*seconds);
        LogEntry {
            step: *step,
            intent: intent.clone(),
            started_at,
            finished_at: Some(now),
            result: Some("over".to_owned()),
            waiting: *waiting,
        }
    };
    let log = lines.iter().map(entry).collect();
    DeployRecord {
        id: adf_types::DeployId::new(),
        app: "web".parse().expect("a name"),
        group: "web".to_owned(),
        from: None,
        to: "v2".parse().expect("a name"),
        owner: "ann".to_owned(),
        policy: facts().policy,
        started_at: Timestamp::UNIX_EPOCH,
        step: Step::Cleanup,
        direction: adf_types::Direction::Forward,
        progress: Progress { canary: Some(canary()), ..Progress::default() },
        log,
        outcome,
        finished_at: Some(now),
    }
}

fn lines() -> Vec<(Step, String, Option<Waiting>, i64)> {
    let waits = |step, seconds| (step, "wait for it".to_owned(), Some(Waiting::Instances), seconds);
    vec![
        (Step::Canary, Action::LaunchCanary.intent(), None, 1),
        waits(Step::Canary, 40),
        (Step::Canary, Action::RegisterCanary(canary()).intent(), None, 1),
        waits(Step::Canary, 6),
        (Step::Canary, Action::Enter(Step::Judge).intent(), None, 0),
        (Step::Judge, "wait for the verdict".to_owned(), Some(Waiting::Configured), 60),
        (Step::Replace, Action::SetDesired { instances: 6 }.intent(), None, 2),
        waits(Step::Replace, 55),
        (Step::Watch, "wait for the watch".to_owned(), Some(Waiting::Configured), 300),
        (Step::Cleanup, "terminate".to_owned(), None, 3),
    ]
}

#[test]
fn launch_checks_and_own_time_are_told_apart() {
    let past = past(&[deploy(Some(Outcome::Succeeded), &lines())]);
    assert_eq!(past[0].canary_start, Some(secs(41)), "up to the registration");
    assert_eq!(past[0].canary_checks, Some(secs(7)), "from there to the judgement");
    assert_eq!(past[0].fleet_start, Some(secs(55)));
    assert_eq!(past[0].own, secs(4), "clean-up comes after the promise");
}

#[test]
fn a_deploy_that_failed_or_is_open_tells_nothing() {
    let back = Outcome::RolledBack { reason: "canary".to_owned() };
    assert!(past(&[deploy(Some(back), &lines()), deploy(None, &lines())]).is_empty());
}

#[test]
fn the_median_errs_on_the_long_side() {
    assert_eq!(median(vec![]), None);
    assert_eq!(median(vec![secs(9), secs(1), secs(2)]), Some(secs(2)));
    assert_eq!(median(vec![secs(9), secs(1), secs(2), secs(5)]), Some(secs(5)));
}
