//! What the agent remembers over a restart, and that it lives well without.

use std::time::Duration;

use adf_agent::exit::Exit;
use adf_types::InstanceState;

use crate::fakes::{Plan, play_in};

const A_WHILE: Duration = Duration::from_mins(1);

#[tokio::test(start_paused = true)]
async fn fault_30_a_receipt_that_did_not_reach_the_table_is_delivered_first_after_the_next_start() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let down = play_in(&dir, Plan { receipts_refused: true, ..Plan::default() }, A_WHILE).await;
    assert!(down.receipts.is_empty(), "the table took {:?}", down.receipts);
    assert_eq!(down.exit, Exit::Stopped, "an app is not given up for a receipt");
    assert!(down.find("Continue").is_some(), "the group is told all the same");

    let up = play_in(&dir, Plan::default(), A_WHILE).await;
    let states: Vec<_> = up.receipts.iter().map(|receipt| &receipt.state).collect();
    assert_eq!(states[0], &InstanceState::Stopped, "what ended the run before: {states:?}");
    assert!(matches!(states[1], InstanceState::Booting { .. }), "then this one's own, in order: {states:?}");
    assert!(up.receipts.windows(2).all(|pair| pair[0].updated_at <= pair[1].updated_at));
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_was_delivered_is_not_sent_again() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    play_in(&dir, Plan::default(), A_WHILE).await;
    let again = play_in(&dir, Plan::default(), A_WHILE).await;
    assert!(
        matches!(again.receipts[0].state, InstanceState::Booting { .. }),
        "{:?}",
        again.receipts[0].state
    );
}

#[tokio::test(start_paused = true)]
async fn fault_40_a_state_that_is_not_readable_does_not_keep_the_app_from_starting() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let state = dir.path().join("state");
    std::fs::create_dir_all(&state).expect("made");
    for damage in [&b"sha256:0\n{}"[..], b"", b"\0\0\0\0", b"{\"schema\": 1}"] {
        std::fs::write(state.join("state.json"), damage).expect("written");
        let ran = play_in(&dir, Plan::default(), A_WHILE).await;
        assert!(ran.receipts.iter().any(adf_types::Receipt::is_serving), "{damage:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn fault_41_the_state_that_came_with_the_ami_is_another_instances() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let baked = Plan { receipts_refused: true, instance: "i-0ba4ed", ..Plan::default() };
    play_in(&dir, baked, A_WHILE).await;
    let ran = play_in(&dir, Plan::default(), A_WHILE).await;
    assert!(
        ran.receipts.iter().all(|receipt| receipt.instance.as_str() == "i-0abc"),
        "{:?}",
        ran.receipts[0]
    );
    assert!(ran.receipts.iter().any(adf_types::Receipt::is_serving));
}

#[tokio::test(start_paused = true)]
async fn restarts_are_counted_over_the_agents_own_restart() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let exited = adf_agent::world::ContainerState::Exited { code: 1, out_of_memory: false };
    let states = (0..4).map(|_| adf_agent::world::ContainerState::Running).chain([exited]).collect();
    let first = play_in(&dir, Plan { states, ..Plan::default() }, A_WHILE).await;
    assert_eq!(first.last().restarts, 1);
    let second = play_in(&dir, Plan::default(), A_WHILE).await;
    assert_eq!(second.last().restarts, 1);
}
