//! What operators ask for while a deploy runs.

use adf_types::{InstanceState, OperatorRequest, ProbeCounts, Step, Verdict};

use super::tables::{OLDS, acts, both, decide, news, olds, turns_back, waits};
use super::*;
use crate::deploy::plan::{Action, Decision};

fn pause() -> OperatorRequest {
    OperatorRequest::Pause { by: "bob".to_owned(), limit: Duration::from_mins(10) }
}

fn promote(step: Step) -> OperatorRequest {
    OperatorRequest::Promote { by: "bob".to_owned(), step }
}

fn judged(passed: u64, state: InstanceState) -> Fleet {
    let mut fleet = fleet(OLD, 3, olds());
    let mut canary = canary(state, Some(TargetState::Healthy));
    canary.receipt.as_mut().expect("a receipt").probes = ProbeCounts { passed, failed: 0 };
    fleet.canary = Some(canary);
    fleet
}

#[test]
fn a_pause_is_noted_and_then_nothing_goes_forward() {
    for step in [Step::Template, Step::Promote, Step::Replace, Step::Watch] {
        let mut record = record(step, &OLDS);
        let mut fleet = fleet(if step > Step::Promote { NEW } else { OLD }, 6, both());
        record.progress.capacity = 6;
        fleet.requested = Some(pause());
        assert_eq!(acts(&fleet, &record), Action::Pause { by: "bob".to_owned() }, "{step}");
        record.progress.paused_at = Some(at(5));
        let wait = waits(&fleet, &record, 6);
        assert_eq!((wait.until, wait.limit), (at(605), "adf-ctl pause --for"), "{step}");
    }
}

#[test]
fn a_paused_deploy_goes_on_when_it_may_and_back_when_nobody_cares() {
    let mut record = record(Step::Replace, &OLDS);
    record.progress.paused_at = Some(at(5));
    let mut fleet = fleet(NEW, 6, both());
    fleet.requested = Some(OperatorRequest::Resume { by: "ann".to_owned() });
    assert_eq!(acts(&fleet, &record), Action::EndPause);
    fleet.requested = Some(pause());
    assert!(turns_back(&fleet, &record, 605).contains("bob paused it"));
}

#[test]
fn a_pause_does_not_hold_back_what_speaks_against_the_release() {
    let mut record = record(Step::Watch, &OLDS);
    record.progress.paused_at = Some(at(0));
    record.progress.replaced_at = Some(at(0));
    let mut members: Vec<_> = OLDS.iter().map(|name| standby(name)).chain(news()).collect();
    members[4].receipt = Some(receipt(&id("y"), NEW, InstanceState::Unhealthy { reason: "503".to_owned() }));
    let mut fleet = fleet(NEW, 3, members);
    fleet.requested = Some(pause());
    assert!(turns_back(&fleet, &record, 1).contains("503"));
    fleet.requested = Some(OperatorRequest::Rollback { by: "bob".to_owned(), reason: "5xx".to_owned() });
    assert!(turns_back(&fleet, &record, 1).contains("bob asked for it"));
}

#[test]
fn a_pause_in_cleanup_is_too_late() {
    let record = record(Step::Cleanup, &OLDS);
    let mut fleet = fleet(NEW, 3, news());
    fleet.requested = Some(pause());
    assert_eq!(acts(&fleet, &record), Action::SetCurrent);
}

#[test]
fn a_promoted_canary_passes_on_an_operators_word_unless_something_speaks_against_it() {
    let record = record(Step::Judge, &OLDS);
    let mut fleet = judged(2, InstanceState::Serving);
    assert!(matches!(decide(&fleet, &record, 1), Decision::Wait(_)));
    fleet.requested = Some(promote(Step::Judge));
    let Action::RecordVerdict(Verdict::Pass { evidence }) = acts(&fleet, &record) else {
        panic!("not promoted")
    };
    assert_eq!(evidence, "bob promoted it before the bake was over: 0 of 2 probes failed");
    let mut ill = judged(2, InstanceState::Unhealthy { reason: "503".to_owned() });
    ill.requested = Some(promote(Step::Judge));
    assert!(matches!(acts(&ill, &record), Action::RecordVerdict(Verdict::Fail { .. })));
}

#[test]
fn promoting_ends_the_step_it_was_asked_for_and_no_other() {
    let mut record = record(Step::Watch, &OLDS);
    record.progress.replaced_at = Some(at(0));
    let members: Vec<_> = OLDS.iter().map(|name| standby(name)).chain(news()).collect();
    let mut fleet = fleet(NEW, 3, members);
    fleet.requested = Some(promote(Step::Judge));
    assert!(waits(&fleet, &record, 1).what.contains("watch"));
    fleet.requested = Some(promote(Step::Watch));
    assert_eq!(acts(&fleet, &record), Action::Enter(Step::Cleanup));
}
