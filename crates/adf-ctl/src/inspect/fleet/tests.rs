//! What a row says of an instance whose sources disagree.

use adf_types::{ProbeCounts, Stage};

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn receipt(state: InstanceState, seconds_ago: i64) -> Receipt {
    Receipt {
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
        agent_version: "0.1.0".to_owned(),
        boot_id: None,
        state,
        timings: Vec::new(),
        probes: ProbeCounts::default(),
        restarts: 0,
        notice: None,
        updated_at: NOW - SignedDuration::from_secs(seconds_ago),
    }
}

/// The row of a member that the group and the load balancer call well.
fn row(receipt: Receipt) -> Row {
    let id = receipt.instance.clone();
    let member = MemberState {
        id: id.clone(),
        lifecycle: Lifecycle::InService,
        template_version: Some(1),
        protected: false,
    };
    let targets = BTreeMap::from([(id, TargetState::Healthy)]);
    rows(&[member], &targets, &[receipt], NOW).remove(0)
}

#[test]
fn fault_60_an_instance_that_was_last_heard_minutes_ago_is_stale_and_not_serving() {
    let row = row(receipt(InstanceState::Serving, 250));
    assert!(row.stale);
    assert_eq!(row.state.as_deref(), Some("stale, last heard 4 min ago (serving)"));
    assert_eq!(row.lifecycle, Some("in service"), "what the group says stands beside it");
}

#[test]
fn an_instance_that_was_heard_three_minutes_ago_is_not_stale() {
    let row = row(receipt(InstanceState::Serving, 180));
    assert_eq!((row.stale, row.state.as_deref()), (false, Some("serving")));
}

#[test]
fn a_long_build_is_no_silence_and_a_last_word_stays_true() {
    let building = row(receipt(InstanceState::Booting { stage: Stage::Prepare }, 600));
    assert_eq!((building.stale, building.state.as_deref()), (false, Some("booting: prepare, for 10 min")));
    let failed =
        InstanceState::Failed { stage: Stage::Health, reason: "E171".to_owned(), log_tail: Vec::new() };
    let failed = row(receipt(failed, 600));
    assert_eq!((failed.stale, failed.state.as_deref()), (false, Some("failed in health: E171")));
}

#[test]
fn ages_are_said_as_people_say_them() {
    let said = [-5, 0, 119, 120, 7_199, 7_200, 200_000].map(|s| ago(SignedDuration::from_secs(s)));
    assert_eq!(said, ["0 s", "0 s", "119 s", "2 min", "119 min", "2 h", "2 days"]);
}
