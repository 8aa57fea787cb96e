//! Looking at deploys and instances while things happen: history, logs, status that is watched.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use adf_config::report::Explain;
use adf_ctl::deploy::clock::Clock;
use adf_ctl::deploy::stop::Stop;
use adf_ctl::exit::ExitCode;
use adf_ctl::inspect::{self, Console, Logs};
use adf_ctl::printer::Text as _;
use adf_local::cloud::Scripted;
use adf_types::{DeployId, Outcome};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::agents::Fate;
use crate::world::{World, app};

async fn logs(world: &World) -> Logs {
    inspect::logs(&world.context, &[], false, world.cloud.now()).await.expect("readable")
}

#[tokio::test(start_paused = true)]
async fn the_history_compares_each_step_with_the_deploys_beside_it() {
    let world = World::serving().await;
    world.deploy("v2").await;
    let record = world.deploy("v3").await;
    let history = inspect::history(&world.context, 10, world.cloud.now()).await.expect("readable");
    let newest = &history.deploys[0];
    assert_eq!((history.deploys.len(), &newest.id), (3, &record.id));
    let watch = newest.steps.iter().find(|step| step.time.step == "watch").expect("a watch");
    assert!(watch.usual_seconds.is_some_and(|usual| (usual - 20.0).abs() < 2.0), "{watch:?}");
    let sum: f64 = newest.steps.iter().map(|step| step.time.seconds).sum();
    assert!((sum - newest.seconds).abs() < 0.01, "{sum} {newest:#?}");
    let text = history.text();
    assert!(text.contains("v2 -> v3  succeeded") && text.contains("every server ran v3 after"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn one_deploy_is_shown_with_every_line_of_its_log_and_an_unknown_one_is_not_found() {
    let world = World::serving().await;
    let record = world.deploy("v2").await;
    let one = inspect::one_deploy(&world.context, &record.id, 10, world.cloud.now()).await.expect("known");
    assert_eq!(one.log.len(), record.log.len());
    let text = one.text();
    assert!(text.contains("canary: pass") && text.contains("launch the canary"), "{text}");
    let unknown = inspect::one_deploy(&world.context, &DeployId::new(), 10, world.cloud.now()).await;
    assert_eq!(unknown.expect_err("unknown").exit_code(), ExitCode::NotFound);
}

#[tokio::test(start_paused = true)]
async fn where_all_is_well_there_are_no_logs_and_no_console_is_read() {
    let world = World::serving().await;
    world.deploy("v2").await;
    world.cloud.take_counts();
    let logs = logs(&world).await;
    assert!(
        logs.instances.is_empty() && logs.text().starts_with("every instance of web is well"),
        "{logs:#?}"
    );
    assert_eq!(world.cloud.take_counts().get("ec2:GetConsoleOutput"), None);
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_canary_reported_is_shown_after_it_is_gone() {
    let world = World::serving().await;
    world.fate("v2", Fate::GivesUp);
    let record = world.deploy("v2").await;
    assert!(matches!(record.outcome, Some(Outcome::RolledBack { .. })));
    let logs = logs(&world).await;
    let [log] = logs.instances.as_slice() else { panic!("{logs:#?}") };
    assert_eq!(Some(&log.instance), record.progress.canary.as_ref());
    assert!(log.why.contains(record.id.as_str()), "{log:?}");
    let text = log.text();
    assert!(
        text.contains("failed in health: E170") && text.contains("| cannot reach the database"),
        "{text}"
    );
}

/// While it boots it has no receipt, and what it prints is all there is; an operator need not wait for the deploy's end.
#[tokio::test(start_paused = true)]
async fn of_a_canary_that_is_silent_while_its_deploy_is_open_the_console_is_shown() {
    let settings = adf_local::model::Settings { boot_delay: Duration::from_mins(1), ..Default::default() };
    let world = World::serving_in(settings).await;
    let driver = world.start("v2");
    let launched = loop {
        sleep(Duration::from_secs(1)).await;
        let open = world.context.store.open_deploy(&app()).await.expect("readable");
        if let Some(canary) = open.and_then(|open| open.progress.canary) {
            break canary;
        }
    };
    world.cloud.model(|model, now| {
        model.set_console_output(launched.as_str(), "cloud-init: no route\n".to_owned(), now);
    });
    let logs = logs(&world).await;
    let canary = logs.instances.iter().find(|log| log.instance == launched).expect("of interest");
    assert!(canary.why.ends_with("which is open"), "{canary:?}");
    assert!(canary.text().contains("  | cloud-init: no route\n"), "{canary:?}");
    driver.abort();
}

/// The instance profile is wrong, so not even a receipt is written: only the console tells.
#[tokio::test(start_paused = true)]
async fn of_a_member_without_a_receipt_the_console_is_shown() {
    let world = World::serving().await;
    let store = &world.context.store;
    let silent = store.receipts(&app()).await.expect("readable").remove(0).instance;
    store.delete_receipt(&app(), &silent).await.expect("deleted");
    world.cloud.model(|model, now| {
        let printed = "kernel\r\nadf-agent: failed in claim: E151 \u{1b}[31mAccessDenied\r\n".to_owned();
        model.set_console_output(silent.as_str(), printed, now);
    });
    let logs = logs(&world).await;
    let [log] = logs.instances.as_slice() else { panic!("{logs:#?}") };
    assert_eq!((&log.instance, &log.state), (&silent, &None));
    let text = logs.text();
    assert!(text.contains("  | adf-agent: failed in claim: E151 \\u{1b}[31mAccessDenied\n"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_ec2_has_forgotten_has_no_console_and_no_access_is_said() {
    let world = World::serving().await;
    let forgotten = ["i-0123456789abcdef0".parse().expect("an id")];
    let gone = inspect::logs(&world.context, &forgotten, true, world.cloud.now()).await.expect("shown");
    assert_eq!(gone.instances[0].console, Some(Console::Nothing));
    world.cloud.script("ec2:GetConsoleOutput", 20, &Scripted::Unreachable);
    let unread = inspect::logs(&world.context, &forgotten, true, world.cloud.now()).await.expect("shown");
    assert!(matches!(unread.instances[0].console, Some(Console::Unreadable(_))), "{unread:#?}");
}

/// What a watch shows until it is stopped, and the calls it made.
async fn watched(world: &World, seconds: u64) -> Vec<String> {
    let (sender, receiver) = watch::channel(false);
    let shown: Arc<Mutex<Vec<String>>> = Arc::default();
    let (task, looks) = (world.clone(), Arc::clone(&shown));
    let watching = tokio::spawn(async move {
        let show = |text: &str| looks.lock().expect("no panic").push(text.to_owned());
        let clock = Clock::starting_at(task.cloud.now());
        inspect::watch(&task.context, clock, &mut Stop::when(receiver), show).await
    });
    sleep(Duration::from_secs(seconds)).await;
    sender.send(true).expect("it watches still");
    watching.await.expect("no panic").expect("Ctrl-C is no failure");
    let shown = shown.lock().expect("no panic");
    shown.clone()
}

#[tokio::test(start_paused = true)]
async fn a_watch_shows_what_changes_and_costs_two_describes_a_look() {
    let world = World::serving().await;
    // Every receipt is as it stays.
    sleep(Duration::from_secs(30)).await;
    world.cloud.take_counts();
    let still = watched(&world, 60).await;
    assert_eq!(still.len(), 1, "nothing changed: {still:#?}");
    let counts = world.cloud.take_counts();
    let describes: usize = counts.iter().filter(|(call, _)| call.contains(":Describe")).map(|(_, n)| n).sum();
    assert!((58..=62).contains(&describes), "30 looks of two calls: {counts:?}");

    let driver = world.start("v2");
    let moving = watched(&world, 30).await;
    assert!(moving.len() > 5, "{moving:#?}");
    assert!(moving.iter().any(|look| look.contains("\"step\":\"judge\"")), "{moving:#?}");
    driver.abort();
}

#[tokio::test(start_paused = true)]
async fn a_watch_looks_past_an_aws_that_does_not_answer_for_a_while() {
    let world = World::serving().await;
    world.cloud.script("autoscaling:DescribeAutoScalingGroups", 6, &Scripted::Unreachable);
    let shown = watched(&world, 60).await;
    assert!(shown.last().is_some_and(|look| look.contains("in service")), "{shown:#?}");
}

/// The world's agents stop renewing after a few probes, as if they had died.
#[tokio::test(start_paused = true)]
async fn fault_60_instances_that_fell_silent_are_stale_although_group_and_load_balancer_call_them_well() {
    let world = World::serving().await;
    sleep(Duration::from_mins(5)).await;
    let receipts = world.context.store.receipts(&app()).await.expect("readable");
    let newest = receipts.iter().map(|r| r.updated_at).max().unwrap_or(Timestamp::UNIX_EPOCH);
    assert!(world.cloud.now().duration_since(newest).as_mins() >= 3, "nobody renewed");
    let status = inspect::status(&world.context, world.cloud.now()).await.expect("readable");
    assert!(status.instances.iter().all(|row| row.stale), "{status:#?}");
    let text = status.text();
    assert!(text.contains("in service") && text.contains("stale, last heard"), "{text}");
    let proof = inspect::verify(&world.context, world.cloud.now()).await.expect("readable");
    assert!(!proof.proven, "a stale receipt proves nothing");
    let logs = logs(&world).await;
    assert_eq!(logs.instances.len(), 3, "their consoles may tell: {logs:#?}");
}
