//! SIGHUP: the config read anew, the container replaced or kept, never neither.

use std::time::Duration;

use adf_agent::failure::Kind;
use adf_agent::world::TableError;
use adf_types::{Config, InstanceState};

use crate::fakes::{Event, Plan, Ran, play};

const AT: Duration = Duration::from_secs(30);

fn reload(change: impl Fn(&mut Plan) + Send + 'static) -> Vec<(Duration, Event)> {
    let event: Event = Box::new(move |plan, agent| {
        change(plan);
        agent.reload.notify_one();
    });
    vec![(AT, event)]
}

fn hash(value: &str) -> adf_types::ConfigHash {
    let config: Config = [("FOO".parse().expect("a name"), value.to_owned())].into_iter().collect();
    config.hash()
}

async fn reloaded(plan: Plan) -> Ran {
    play(plan, Duration::from_mins(5)).await
}

fn notice(ran: &Ran) -> &str {
    ran.last().notice.as_deref().expect("a notice")
}

#[tokio::test(start_paused = true)]
async fn the_same_config_changes_nothing() {
    let ran = reloaded(Plan { events: reload(|_| {}), ..Plan::default() }).await;
    assert_eq!((ran.count("config web v1"), ran.count("create"), ran.count("stop new")), (2, 1, 1));
    assert_eq!(notice(&ran), "I185 reloaded: the config has not changed");
}

#[tokio::test(start_paused = true)]
async fn a_new_config_gets_a_new_container_and_the_old_one_serves_until_that_exists() {
    let events = reload(|plan| plan.config = Ok(vec![("FOO", "new")]));
    let ran = reloaded(Plan { events, ..Plan::default() }).await;
    let order =
        ["create adf-web-i-0abc-", "stop new 20s", "start new2", "remove new"].map(|call| ran.at(call));
    assert!(order.is_sorted(), "{order:?}: {:#?}", ran.calls);
    let config = ran.calls.iter().rposition(|c| c.starts_with("config")).expect("read twice");
    assert!(config < order[0], "the new config is complete first");
    let probed = ran.calls[order[2]..order[3]].iter().filter(|c| *c == "probe passes").count();
    assert_eq!(probed, 3, "the old container is removed when the new one is healthy");
    assert_eq!(notice(&ran), "I185 reloaded: the app runs with the new config");
    let serving = ran.receipts.iter().rfind(|r| r.is_serving()).expect("serves");
    assert_eq!((serving.config_hash.clone(), serving.restarts), (Some(hash("new")), 0));
    assert_eq!((ran.count("Continue"), ran.count("fetch"), ran.count("build begins")), (1, 1, 1));
    assert_eq!(ran.count("stop new2"), 1, "the end of the test drains the new one");
}

#[tokio::test(start_paused = true)]
async fn a_new_config_that_does_not_work_gives_way_to_the_old_one() {
    let mut events = reload(|plan| {
        plan.config = Ok(vec![("FOO", "broken")]);
        plan.probes_then = Err("500".to_owned());
    });
    // When the grace period is over the old one runs again, and answers.
    events.push((AT + Duration::from_secs(75), Box::new(|plan, _| plan.probes_then = Ok(()))));
    let ran = reloaded(Plan { events, ..Plan::default() }).await;
    let order = ["stop new 20s", "start new2", "remove new2"].map(|call| ran.at(call));
    let again = ran.calls.iter().rposition(|c| c == "start new").expect("started again");
    assert!(order.is_sorted() && order[2] < again, "{:#?}", ran.calls);
    assert!(ran.find("remove new").is_none_or(|at| ran.calls[at] == "remove new2"), "the old one stays");
    let told = notice(&ran);
    assert!(
        told.starts_with(
            "W185 not reloaded, the app runs again with its old config: E171 http://127.0.0.1:8080/ gave 500"
        ),
        "{told}"
    );
    let serving = ran.receipts.iter().rfind(|r| r.is_serving()).expect("serves again");
    assert_eq!(serving.config_hash, Some(hash("hunter2")));
    let between: Vec<_> = ran
        .receipts
        .iter()
        .filter(|r| matches!(&r.state, InstanceState::Unhealthy { reason } if reason.starts_with("I185")))
        .collect();
    assert!(!between.is_empty(), "nobody is told that it serves meanwhile");
}

#[tokio::test(start_paused = true)]
async fn a_config_that_cannot_be_read_leaves_the_app_alone() {
    let events = reload(|plan| {
        plan.config = Err(TableError { kind: Kind::Transient, message: "E151 not reachable".to_owned() });
    });
    let ran = reloaded(Plan { events, ..Plan::default() }).await;
    assert_eq!((ran.count("create"), ran.count("stop new"), ran.count("start new")), (1, 1, 1));
    assert_eq!(notice(&ran), "W185 not reloaded, the app goes on with its old config: E151 not reachable");
    let meanwhile = ran.times("probe").iter().filter(|t| (40..140).contains(&t.as_secs())).count();
    assert_eq!(meanwhile, 100, "the app is watched while the table is waited for");
    assert!(ran.receipts.iter().all(|r| !matches!(r.state, InstanceState::Unhealthy { .. })));
}
