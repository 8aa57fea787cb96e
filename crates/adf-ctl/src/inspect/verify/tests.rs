//! What proves and what does not.

use adf_types::{Config, InstanceState, ProbeCounts, Receipt, Stage};

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn id(number: u8) -> InstanceId {
    format!("i-{number}").parse().expect("an id")
}

fn config_hash(value: &str) -> ConfigHash {
    let pairs = [("FOO".parse().expect("a name"), value.to_owned())];
    pairs.into_iter().collect::<Config>().hash()
}

fn expected() -> Expected {
    Expected {
        app: "web".parse().expect("a name"),
        release: "v2".parse().expect("a name"),
        digest: Some(Digest::Sha256([7; 32])),
        config_hash: config_hash("now"),
        image: Some("sha256:aaaa".to_owned()),
    }
}

fn serving(number: u8) -> Receipt {
    Receipt {
        instance: id(number),
        app: "web".parse().expect("a name"),
        release: "v2".parse().expect("a name"),
        release_digest: Some(Digest::Sha256([7; 32])),
        deploy: None,
        image_id: Some("sha256:aaaa".to_owned()),
        image_source: None,
        image_fallback: None,
        image_builder: None,
        config_hash: Some(config_hash("now")),
        ami: None,
        agent_version: "0.1.0".to_owned(),
        boot_id: None,
        state: InstanceState::Serving,
        timings: Vec::new(),
        probes: ProbeCounts::default(),
        restarts: 0,
        notice: None,
        updated_at: NOW,
    }
}

fn problems(receipts: &[Receipt], now: Timestamp) -> Vec<String> {
    let proof = prove(expected(), &[id(1), id(2)], receipts, now);
    assert_eq!(proof.proven, proof.problems().is_empty());
    proof.problems()
}

#[test]
fn fresh_equal_receipts_of_all_prove() {
    let proof = prove(expected(), &[id(1), id(2)], &[serving(1), serving(2)], NOW);
    assert!(proof.proven);
    assert!(proof.summary().starts_with("proven: 2 of 2 in-service instances run web v2"));
}

#[test]
fn an_empty_fleet_proves_nothing() {
    let proof = prove(expected(), &[], &[serving(1)], NOW);
    assert_eq!(
        (proof.proven, proof.problems()),
        (false, vec!["no instance of web is in service".to_owned()])
    );
}

#[test]
fn silence_is_no_proof() {
    assert_eq!(problems(&[serving(1)], NOW), ["i-2 has no receipt"]);
}

#[test]
fn a_receipt_of_the_future_is_no_proof() {
    let ahead = Receipt { updated_at: NOW + SignedDuration::from_mins(10), ..serving(2) };
    let problems = problems(&[serving(1), ahead], NOW);
    assert_eq!(problems, ["i-2 has a clock that is 600 s ahead, so its receipt proves nothing about now"]);
}

#[test]
fn fault_60_a_receipt_of_more_than_three_minutes_ago_is_no_proof() {
    let later = NOW + SignedDuration::from_secs(181);
    let fresh = Receipt { updated_at: later, ..serving(1) };
    assert_eq!(
        problems(&[fresh, serving(2)], later),
        ["i-2 has a receipt of 181 s ago, which proves nothing about now"]
    );
}

#[test]
fn every_difference_is_named() {
    let other = Receipt {
        release: "v1".parse().expect("a name"),
        release_digest: None,
        image_id: Some("sha256:bbbb".to_owned()),
        config_hash: Some(config_hash("before")),
        state: InstanceState::Failed { stage: Stage::Health, reason: "503".to_owned(), log_tail: Vec::new() },
        ..serving(2)
    };
    let (old, new) = (config_hash("before"), config_hash("now"));
    assert_eq!(
        problems(&[serving(1), other], NOW),
        [
            "i-2 runs release v1, not v2".to_owned(),
            "i-2 is not serving: failed in health: 503".to_owned(),
            "i-2 did not verify the release's digest".to_owned(),
            "i-2 runs image bbbb, the others aaaa".to_owned(),
            format!("i-2 has config {}, the table {}", old.short(), new.short()),
        ]
    );
}

#[test]
fn the_image_that_most_run_is_the_expected_one() {
    let odd = Receipt { image_id: Some("sha256:zzzz".to_owned()), ..serving(3) };
    let outside = Receipt { image_id: Some("sha256:zzzz".to_owned()), ..serving(4) };
    let in_service = [id(1), id(2), id(3)];
    let receipts = [serving(1), serving(2), odd, outside.clone(), Receipt { instance: id(5), ..outside }];
    assert_eq!(most_common_image(&in_service, &receipts).as_deref(), Some("sha256:aaaa"));
}
