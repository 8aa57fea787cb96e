//! What a list of deploys says about each of them.

use adf_types::{DeployRecord, Direction, LogEntry, Progress, Step, Waiting};
use jiff::SignedDuration;

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A deploy with a line for each step, so many seconds long; open without an outcome.
fn deploy(outcome: Option<Outcome>, lines: &[(Step, i64)]) -> DeployRecord {
    let mut at = NOW;
    let mut log = Vec::new();
    for (step, seconds) in lines {
        let started_at = at;
        at += SignedDuration::from_secs(*seconds);
        log.push(LogEntry {
            step: *step,
            intent: format!("do {step}"),
            started_at,
            finished_at: Some(at),
            result: Some("done".to_owned()),
            waiting: (*step == Step::Replace).then_some(Waiting::Instances),
        });
    }
    let replaced = log.iter().find(|entry| entry.step > Step::Replace).map(|entry| entry.started_at);
    DeployRecord {
        id: DeployId::new(),
        app: "web".parse().expect("a name"),
        group: "web".to_owned(),
        from: Some("v1".parse().expect("a name")),
        to: "v2".parse().expect("a name"),
        owner: "ann".to_owned(),
        policy: crate::estimate::tests::policy("0s", "100s"),
        started_at: NOW,
        step: lines.last().map_or(Step::Preflight, |(step, _)| *step),
        direction: Direction::Forward,
        progress: Progress { replaced_at: replaced, ..Progress::default() },
        log,
        finished_at: outcome.is_some().then_some(at),
        outcome,
    }
}

fn done(replace: i64) -> DeployRecord {
    deploy(Some(Outcome::Succeeded), &[(Step::Judge, 30), (Step::Replace, replace), (Step::Watch, 50)])
}

fn step<'a>(deploy: &'a PastDeploy, name: &str) -> &'a compare::Compared {
    deploy.steps.iter().find(|s| s.time.step == name).expect("a step")
}

#[test]
fn a_step_is_compared_with_the_median_of_the_other_deploys_that_went_well() {
    let back = Outcome::RolledBack { reason: "canary".to_owned() };
    let failed = deploy(Some(back), &[(Step::Judge, 30), (Step::Replace, 900)]);
    let all = compare::all(&[done(61), done(42), failed, done(40), done(38)], NOW);
    assert_eq!(step(&all[0], "replace").usual_seconds, Some(40.0));
    assert_eq!(step(&all[3], "replace").usual_seconds, Some(42.0), "itself is not counted");
    let text = all[0].text();
    assert!(text.contains("judge 30.0 s, replace 61.0 s (usually 40.0 s), watch 50.0 s"), "{text}");
}

#[test]
fn a_first_deploy_is_compared_with_nothing() {
    let all = compare::all(&[done(61)], NOW);
    assert_eq!(step(&all[0], "replace").usual_seconds, None);
    assert!(!all[0].text().contains("usually"));
}

#[test]
fn a_deploy_past_its_deadline_says_so_and_names_the_step_that_cost_most() {
    let all = compare::all(&[done(90), done(70)], NOW);
    let text = all[0].text();
    assert!(text.contains("past its deadline of 100 s by 20.0 s: replace cost most, 90.0 s"), "{text}");
    assert_eq!(all[0].promise_seconds, Some(120.0), "the watch does not count");
    assert_eq!(all[1].late, None, "100 s is in time");
}

#[test]
fn an_open_deploy_is_late_by_now_and_one_that_went_back_is_not() {
    let later = NOW + SignedDuration::from_secs(130);
    let open = deploy(None, &[(Step::Judge, 80)]);
    let one = compare::one(&open, &[], later);
    assert_eq!(one.late.as_ref().map(|late| late.step.as_str()), Some("judge"));
    assert!(one.text().contains("is open, at step judge  130.0 s"), "{}", one.text());
    let back = DeployRecord {
        direction: Direction::Back { reason: "ill".to_owned(), cause: adf_types::Cause::Release },
        ..open
    };
    assert_eq!(compare::one(&back, &[], later).late, None);
}

#[test]
fn attack_a14_the_reason_that_an_instance_wrote_is_made_safe_line_by_line() {
    let reason = "i-1 failed\n  | \u{1b}[2Jboom".to_owned();
    let back = deploy(Some(Outcome::RolledBack { reason }), &[(Step::Judge, 1)]);
    let text = compare::one(&back, &[], NOW).text();
    assert!(text.contains("  i-1 failed\n    | \\u{1b}[2Jboom\n"), "{text}");
}

#[test]
fn the_log_of_one_deploy_tells_when_what_how_long_and_whose() {
    let mut record = done(61);
    record.log[2].result = None;
    let text = timeline::of(&record, &[], NOW).text();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(lines.contains(&vec!["30.0", "replace", "61.0", "instances", "do", "replace", "done"]), "{text}");
    assert!(
        lines.contains(&vec!["91.0", "watch", "50.0", "own", "do", "watch", "not", "recorded"]),
        "{text}"
    );
}

#[test]
fn a_line_of_the_log_is_short_on_a_terminal_and_whole_in_json() {
    let mut record = done(61);
    record.log[0].intent = format!("turn back: {}\n  | a log line", "ü".repeat(100));
    let one = timeline::of(&record, &[], NOW);
    let text = one.text();
    assert!(
        text.contains(&format!("turn back: {}...", "ü".repeat(61))) && !text.contains("a log line"),
        "{text}"
    );
    assert_eq!(one.log[0].intent, record.log[0].intent);
}
