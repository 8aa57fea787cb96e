//! An agent that is started again while its app runs.

use adf_agent::exit::Exit;
use adf_agent::failure::Kind;
use adf_agent::world::{Container, TableError};

use crate::fakes::{LONG, Plan, play};

#[tokio::test(start_paused = true)]
async fn fault_30_an_app_that_runs_goes_on_when_the_release_record_cannot_be_read() {
    let labels = [("adf.instance", "i-0abc"), ("adf.app", "web"), ("adf.release", "v1")];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let runs = Container { id: "left".into(), labels, running: true };
    let silent = TableError { kind: Kind::Transient, message: "E151 not reachable".into() };
    let plan = Plan {
        containers: vec![runs],
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
