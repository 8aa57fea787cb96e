//! The end of an instance: announced by EC2, by its group, or by SIGTERM; and a Docker that goes away for a while.

use std::time::Duration;

use adf_agent::exit::Exit;
use adf_types::InstanceState;

use crate::fakes::{A_WHILE, Event, Plan, Ran, docker_down, play};

const SPOT: &str = "meta-data/spot/instance-action";
const REBALANCE: &str = "meta-data/events/recommendations/rebalance";
const TARGET: &str = "meta-data/autoscaling/target-lifecycle-state";

/// Metadata says so from then on.
fn announced(at: u64, path: &'static str, document: &'static str) -> (Duration, Event) {
    let event: Event = Box::new(move |plan, _| {
        plan.metadata.insert(path, document.to_owned());
    });
    (Duration::from_secs(at), event)
}

fn notice(ran: &Ran) -> &str {
    ran.last().notice.as_deref().unwrap_or_default()
}

fn first(ran: &Ran, state: &InstanceState) -> u64 {
    let position = ran.receipts.iter().position(|r| r.state == *state).expect("such a receipt");
    ran.times("receipt")[position].as_secs()
}

#[tokio::test(start_paused = true)]
async fn fault_43_told_to_stop_during_a_build_it_reports_abandons_and_starts_nothing_more() {
    let plan = Plan { build_takes: Duration::from_secs(100), ..Plan::default() };
    let ran = play(plan, Duration::from_secs(10)).await;
    assert_eq!((ran.exit, ran.count("Abandon"), ran.find("create")), (Exit::Stopped, 1, None));
    assert_eq!(ran.find("build completes"), None);
    assert_eq!(notice(&ran), "I183 interrupted during the boot: told to stop");
    assert_eq!(
        (first(&ran, &InstanceState::Draining), ran.last().state.clone()),
        (10, InstanceState::Stopped)
    );
    assert!(ran.took.as_secs() < 15, "{:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn fault_43_a_spot_notice_during_a_build_does_the_same_within_five_seconds() {
    let events = vec![announced(12, SPOT, "{\"action\": \"terminate\", \"time\": \"2017-09-18T08:22:00Z\"}")];
    let plan = Plan { build_takes: Duration::from_secs(100), events, ..Plan::default() };
    let ran = play(plan, A_WHILE).await;
    assert_eq!((ran.exit, ran.count("Abandon"), ran.find("create")), (Exit::Stopped, 1, None));
    let told = notice(&ran);
    assert!(
        told.starts_with("I183 interrupted during the boot: spot interruption: EC2 will terminate"),
        "{told}"
    );
    assert!(first(&ran, &InstanceState::Draining) <= 17 && ran.took.as_secs() <= 17, "{:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn fault_43_a_table_that_does_not_answer_delays_the_end_by_five_seconds_and_no_more() {
    let plan = Plan { build_takes: Duration::from_secs(100), receipts_refused: true, ..Plan::default() };
    let ran = play(plan, Duration::from_secs(10)).await;
    assert_eq!((ran.exit, ran.count("Abandon")), (Exit::Stopped, 1));
    assert!(ran.took.as_secs() <= 20, "{:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn fault_43_a_spot_notice_drains_an_app_that_serves() {
    let events = vec![announced(30, SPOT, "{\"action\": \"stop\"}")];
    let ran = play(Plan { events, ..Plan::default() }, A_WHILE).await;
    assert_eq!(
        (ran.exit, ran.count("stop new 20s"), ran.last().state.clone()),
        (Exit::Stopped, 1, InstanceState::Stopped)
    );
    assert_eq!(notice(&ran), "I183 spot interruption: EC2 will stop this instance in 120 s");
    assert!(first(&ran, &InstanceState::Draining) <= 35);
    let settled = ran.times("stop new")[0].as_secs() - first(&ran, &InstanceState::Draining);
    assert_eq!(settled, 5, "the load balancer gets a moment to send nothing new");
    assert_eq!(ran.find("Abandon"), None, "it was in service");
}

#[tokio::test(start_paused = true)]
async fn fault_43_told_to_stop_it_drains_within_the_apps_grace_and_never_longer_than_ninety_seconds() {
    for (grace, stop) in [("45s", "stop new 45s"), ("10m", "stop new 90s")] {
        let archive = crate::fakes::release(&format!("[run]\nport = 1\nstop_grace = \"{grace}\"\n"));
        let ran = play(Plan { archive, ..Plan::default() }, A_WHILE).await;
        assert_eq!((ran.count(stop), ran.exit), (1, Exit::Stopped), "{:?}", ran.calls);
        assert_eq!((ran.last().state.clone(), notice(&ran)), (InstanceState::Stopped, ""));
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_that_terminates_the_instance_waits_until_it_has_drained() {
    let (at, terminated) = announced(30, TARGET, "Terminated");
    let waits: Event = Box::new(move |plan, agent| {
        terminated(plan, agent);
        plan.group = Some("Terminating:Wait");
    });
    let plan = Plan {
        events: vec![(at, waits)],
        terminating_hook: true,
        heartbeat: Duration::from_secs(30),
        stop_takes: Duration::from_secs(45),
        ..Plan::default()
    };
    let ran = play(plan, Duration::from_mins(10)).await;
    assert_eq!(
        (ran.exit, ran.count("Continue web adf-terminate"), ran.find("Abandon")),
        (Exit::Stopped, 1, None)
    );
    assert!(ran.at("stop new") < ran.at("Continue web adf-terminate"));
    let beats = ran.count("heartbeat adf-terminate");
    assert!((4..=5).contains(&beats), "{beats} heartbeats, one each 10 s of 50 s");
    assert!(notice(&ran).starts_with("I183 the Auto Scaling group takes this instance out of service"));
    assert!(ran.took.as_secs() < 90, "it does not wait for SIGTERM: {:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn a_group_without_a_terminating_hook_is_told_nothing() {
    let (at, terminated) = announced(30, TARGET, "Terminated");
    let ran = play(Plan { events: vec![(at, terminated)], ..Plan::default() }, Duration::from_mins(10)).await;
    assert_eq!((ran.exit, ran.count("Continue"), ran.count("stop new 20s")), (Exit::Stopped, 1, 1));
    assert!(ran.took.as_secs() < 60, "{:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn a_rebalance_recommendation_is_said_once_and_the_app_serves_on() {
    let events = vec![announced(30, REBALANCE, "{\"noticeTime\": \"2026-01-01T00:00:00Z\"}")];
    let ran = play(Plan { events, ..Plan::default() }, Duration::from_mins(5)).await;
    assert_eq!(
        notice(&ran),
        "I191 EC2 recommends to replace this Spot instance since 2026-01-01T00:00:00Z; it goes on serving"
    );
    assert_eq!((ran.took.as_secs(), ran.count("stop new")), (300, 1), "only the end of the test stops it");
}

#[tokio::test(start_paused = true)]
async fn standby_and_metadata_that_talks_nonsense_change_nothing() {
    let events =
        vec![announced(30, TARGET, "Standby"), announced(31, SPOT, "<html>"), announced(32, REBALANCE, "?")];
    let ran = play(Plan { events, ..Plan::default() }, Duration::from_mins(5)).await;
    assert_eq!((ran.took.as_secs(), ran.count("stop new")), (300, 1));
}

fn docker(at: u64, change: impl Fn(&mut Plan) + Send + 'static) -> (Duration, Event) {
    (Duration::from_secs(at), Box::new(move |plan, _| change(plan)))
}

#[tokio::test(start_paused = true)]
async fn a_docker_that_restarts_and_stops_the_container_gets_it_started_at_once_and_counted() {
    let gone = docker(20, |plan| {
        plan.docker_down = true;
        plan.probes_then = Err("connection refused".into());
    });
    let back = docker(30, |plan| {
        plan.docker_down = false;
        plan.probes_then = Ok(());
        plan.containers.iter_mut().for_each(|c| c.running = false);
    });
    let ran = play(Plan { events: vec![gone, back], ..Plan::default() }, A_WHILE).await;
    let reasons: Vec<&str> = ran
        .receipts
        .iter()
        .filter_map(|r| match &r.state {
            InstanceState::Unhealthy { reason } => Some(reason.as_str()),
            _ => None,
        })
        .collect();
    assert!(reasons[0].ends_with("gave connection refused, 3 probes in a row"), "{reasons:?}");
    assert!(
        reasons.contains(&"E101 Docker restarted and stopped the container; starting it again now"),
        "{reasons:?}"
    );
    let restarted = ran.times("start new")[1].as_secs();
    assert!((30..=31).contains(&restarted), "{restarted}");
    let serving = ran.receipts.iter().rfind(|r| r.is_serving()).expect("serves again");
    assert_eq!((serving.restarts, ran.count("start new"), ran.count("create")), (1, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_docker_that_restarts_and_keeps_the_container_changes_nothing() {
    let events =
        vec![docker(20, |plan| plan.docker_down = true), docker(40, |plan| plan.docker_down = false)];
    let ran = play(Plan { events, ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.count("start new"), ran.last().restarts), (1, 0));
    assert!(ran.receipts.iter().all(|r| !matches!(r.state, InstanceState::Unhealthy { .. })));
    assert!(ran.last().probes.passed > 50, "the app was asked all the time");
}

#[tokio::test(start_paused = true)]
async fn fault_01_a_docker_that_starts_late_is_asked_on_the_documented_schedule_and_status_says_so() {
    let pings = std::iter::repeat_with(docker_down).take(7).collect();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(None));
    let look = seen.clone();
    let event: Event =
        Box::new(move |_, agent| *look.lock().expect("not poisoned") = Some(agent.reporter.living()));
    let plan = Plan { pings, events: vec![(Duration::from_secs(20), event)], ..Plan::default() };
    let ran = play(plan, Duration::from_mins(2)).await;
    let asked: Vec<u128> = ran.times("docker ping").iter().map(Duration::as_millis).collect();
    assert_eq!(asked, [0, 500, 1500, 3500, 7500, 15_500, 30_500, 45_500]);
    assert_eq!(ran.count("Continue"), 1);
    let living = seen.lock().expect("not poisoned").clone().expect("asked");
    let trouble = living.trouble.expect("it waits for Docker");
    assert_eq!(
        (living.stage, trouble.what.as_str(), trouble.problem.as_str()),
        (
            Some(adf_types::Stage::Claim),
            "Docker",
            "E101 Docker is not answering on /var/run/docker.sock: no such file; check: systemctl status docker"
        )
    );
    assert!(trouble.next_try.is_some());
}

#[tokio::test(start_paused = true)]
async fn fault_01_a_docker_that_never_answers_ends_the_boot_at_its_limit_and_says_so() {
    let pings = std::iter::repeat_with(docker_down).take(1000).collect();
    let ran = play(Plan { pings, ..Plan::default() }, Duration::from_hours(1)).await;
    let (reason, _) = ran.failure();
    assert_eq!(
        reason,
        "E190 the boot did not finish within its 600 s (boot_timeout in agent.toml); last: Docker: \
         E101 Docker is not answering on /var/run/docker.sock: no such file; check: systemctl status docker"
    );
    assert_eq!((ran.exit, ran.find("create"), ran.count("Abandon")), (Exit::Permanent, None, 1));
    assert!((600..610).contains(&ran.took.as_secs()), "{:?}", ran.took);
}
