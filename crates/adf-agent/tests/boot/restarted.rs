//! An agent that is started again while its app runs.

use adf_agent::exit::Exit;
use adf_agent::failure::Kind;
use adf_agent::world::{Container, TableError};

use crate::fakes::{LONG, Plan, play};

fn left_running() -> Container {
    let labels = [("adf.instance", "i-0abc"), ("adf.app", "web"), ("adf.release", "v1")];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Container { id: "left".into(), labels, running: true }
}

#[tokio::test(start_paused = true)]
async fn an_app_that_runs_goes_on_when_its_config_cannot_be_used_any_more() {
    let denied = TableError { kind: Kind::Permanent, message: "E152 access denied".into() };
    let plan = Plan {
        containers: vec![left_running()],
        config: Err(denied),
        group: Some("InService"),
        ..Plan::default()
    };
    let ran = play(plan, LONG).await;
    assert_eq!((ran.exit, ran.find("stop left"), ran.find("remove left")), (Exit::Permanent, None, None));
    assert!(ran.failure().0.starts_with("E152 access denied"));
    let notice = ran.last().notice.as_deref().unwrap_or_default();
    assert!(notice.starts_with("W189 the agent is not started again by itself"), "{notice}");
}

#[tokio::test(start_paused = true)]
async fn fault_30_an_app_that_runs_goes_on_when_the_release_record_cannot_be_read() {
    let silent = TableError { kind: Kind::Transient, message: "E151 not reachable".into() };
    let plan = Plan {
        containers: vec![left_running()],
        record_refused: Some(silent),
        group: Some("InService"),
        ..Plan::default()
    };
    let ran = play(plan, LONG).await;
    assert_eq!((ran.exit, ran.find("stop left"), ran.count("Abandon")), (Exit::Transient, None, 0));
    let (reason, _) = ran.failure();
    assert!(reason.starts_with("E190 ") && reason.ends_with("E151 not reachable"), "{reason}");
    assert!(ran.last().notice.as_deref().is_some_and(|notice| notice.starts_with("W189 ")));
}
