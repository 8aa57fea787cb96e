//! Health in a boot and while serving: passes in a row, exits, flapping, Docker's own judgement, workers.

use std::time::Duration;

use adf_agent::exit::Exit;
use adf_agent::world::{ContainerState, Healthcheck};
use adf_types::InstanceState;

use crate::fakes::{A_WHILE, LONG, Plan, Ran, archive, play, release};

fn exited(code: i64) -> ContainerState {
    ContainerState::Exited { code, out_of_memory: false }
}

fn running() -> ContainerState {
    ContainerState::Running
}

fn no() -> Result<(), String> {
    Err("503".to_owned())
}

fn unhealthy(ran: &Ran) -> Vec<String> {
    let mut reasons: Vec<String> = ran
        .receipts
        .iter()
        .filter_map(|r| match &r.state {
            InstanceState::Unhealthy { reason } => Some(reason.clone()),
            _ => None,
        })
        .collect();
    reasons.dedup();
    reasons
}

#[tokio::test(start_paused = true)]
async fn fault_37_a_container_that_exits_three_times_is_given_up_with_its_last_lines() {
    let ran = play(Plan { states: [exited(7), exited(7), exited(7)].into(), ..Plan::default() }, LONG).await;
    let (reason, tail) = ran.failure();
    assert!(reason.starts_with("E170 the container exited 7 three times in "), "{reason}");
    assert!(reason.ends_with("last line: panic: no database"), "{reason}");
    assert_eq!(tail, ["starting", "panic: no database"]);
    assert_eq!(ran.count("start new"), 3);
    assert_eq!((ran.find("Continue"), ran.count("Abandon"), ran.exit), (None, 1, Exit::Permanent));
}

#[tokio::test(start_paused = true)]
async fn fault_37_a_container_that_exits_once_in_a_boot_is_started_again_and_serves() {
    let ran = play(Plan { states: [exited(1)].into(), ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.count("start new"), ran.count("Continue"), ran.exit), (2, 1, Exit::Stopped));
}

#[tokio::test(start_paused = true)]
async fn fault_37_memory_is_named_with_its_limit() {
    let killed = || ContainerState::Exited { code: 137, out_of_memory: true };
    let states = || [killed(), killed(), killed()].into();
    let ran = play(Plan { states: states(), ..Plan::default() }, LONG).await;
    let reason = ran.failure().0;
    assert!(
        reason.starts_with(
            "E170 the container ran out of memory (killed by the host's kernel; exit code 137) three times"
        ),
        "{reason}"
    );
    let archive = release("[run]\nport = 8080\nmemory_mib = 256\n");
    let ran = play(Plan { archive, states: states(), ..Plan::default() }, LONG).await;
    assert!(
        ran.failure().0.contains("at its limit of 256 MiB, [run] memory_mib in adf.toml"),
        "{:?}",
        ran.failure()
    );
}

#[tokio::test(start_paused = true)]
async fn fault_37_a_crash_loop_while_serving_backs_off_and_starts_afresh_after_ten_good_minutes() {
    // Three looks while the boot counts its passes, then exits, one look each: after a start the next look exits.
    let mut states: Vec<_> = vec![running(), running(), running()];
    for wait in [10_usize, 20, 40] {
        // While it waits it is looked at each second.
        states.extend(std::iter::repeat_with(|| exited(1)).take(wait + 1));
    }
    // Well for eleven minutes, then one more exit.
    states.extend(std::iter::repeat_with(running).take(660));
    states.extend(std::iter::repeat_with(|| exited(2)).take(11));
    let ran = play(Plan { states: states.into(), ..Plan::default() }, Duration::from_mins(14)).await;
    let reasons = unhealthy(&ran);
    assert_eq!(
        reasons,
        [
            "E170 the container exited 1; starting it again in 10 s",
            "E170 the container exited 1; starting it again in 20 s",
            "E170 the container exited 1; starting it again in 40 s",
            "E170 the container exited 2; starting it again in 10 s",
        ]
    );
    assert_eq!(ran.gaps("start new")[1..3], [21, 41], "a second until the next look sees the exit");
    assert_eq!(ran.last().restarts, 4);
    assert_eq!(ran.count("Continue"), 1, "the group is told once");
}

#[tokio::test(start_paused = true)]
async fn fault_37_a_container_that_somebody_removed_is_made_again_with_the_config_as_it_is() {
    let gone: crate::fakes::Event = Box::new(|plan, _| plan.containers.clear());
    let plan = Plan { events: vec![(Duration::from_secs(20), gone)], ..Plan::default() };
    let ran = play(plan, A_WHILE).await;
    assert_eq!(
        unhealthy(&ran),
        ["E170 the container was removed by somebody else; starting it again in 10 s"]
    );
    assert_eq!((ran.count("create"), ran.count("config web v1"), ran.count("Continue")), (2, 2, 1));
    assert!((30..=31).contains(&ran.times("start new2")[0].as_secs()));
    let serving = ran.receipts.iter().rfind(|r| r.is_serving()).expect("serves again");
    assert_eq!(serving.restarts, 1);
}

#[tokio::test(start_paused = true)]
async fn fault_38_one_failed_probe_starts_the_count_again() {
    let probes = [Ok(()), Ok(()), no(), Ok(()), Ok(()), no()].into();
    let ran = play(Plan { probes, ..Plan::default() }, A_WHILE).await;
    let before = &ran.calls[..ran.at("Continue")];
    assert_eq!(before.iter().filter(|c| c.starts_with("probe")).count(), 9);
}

#[tokio::test(start_paused = true)]
async fn fault_38_an_app_that_never_becomes_healthy_is_abandoned_with_what_was_seen() {
    let ran = play(Plan { probes_then: no(), ..Plan::default() }, LONG).await;
    let (reason, tail) = ran.failure();
    assert_eq!(
        reason,
        "E171 http://127.0.0.1:8080/ gave 503 on 64 of 64 probes and never passed 3 in a row within 60 s; \
         look at the app's log, or change [run] health, port or grace in adf.toml"
    );
    assert_eq!(tail, ["starting", "panic: no database"]);
    assert_eq!((ran.find("Continue"), ran.count("Abandon"), ran.exit), (None, 1, Exit::Permanent));
    assert!(ran.at("stop new") < ran.at("receipt failed"), "a failed container does not go on running");
}

#[tokio::test(start_paused = true)]
async fn fault_38_an_app_that_passes_only_sometimes_is_not_continued() {
    let probes = std::iter::repeat_with(|| [Ok(()), Ok(()), no()]).take(400).flatten().collect();
    let ran = play(Plan { probes, ..Plan::default() }, LONG).await;
    let reason = ran.failure().0;
    assert!(
        reason.starts_with("E171 http://127.0.0.1:8080/ gave 503 on 23 of 69 probes and never"),
        "{reason}"
    );
    assert_eq!(ran.find("Continue"), None);
}

#[tokio::test(start_paused = true)]
async fn fault_38_passes_that_begin_within_the_grace_period_may_end_after_it() {
    // Probes at 0, 1, ... 60 s: the first pass is the last one in time.
    let probes = std::iter::repeat_with(no).take(60).collect();
    let ran = play(Plan { probes, ..Plan::default() }, Duration::from_secs(90)).await;
    assert_eq!((ran.count("Continue"), ran.exit), (1, Exit::Stopped));
}

#[tokio::test(start_paused = true)]
async fn fault_38_an_app_that_stops_answering_is_unhealthy_until_it_answers_three_times() {
    let probes =
        [Ok(()), Ok(()), Ok(()), no(), no(), no(), no(), Ok(()), Ok(()), no(), Ok(()), Ok(()), Ok(())];
    let ran = play(Plan { probes: probes.into(), ..Plan::default() }, A_WHILE).await;
    assert_eq!(unhealthy(&ran), ["E171 http://127.0.0.1:8080/ gave 503, 3 probes in a row"]);
    let states: Vec<bool> = ran.receipts.iter().map(adf_types::Receipt::is_serving).collect();
    let fell =
        ran.receipts.iter().position(|r| matches!(r.state, InstanceState::Unhealthy { .. })).expect("told");
    assert!(states[fell..].contains(&true), "healthy again");
    assert_eq!(ran.count("start new"), 1, "a container that runs is not restarted");
    assert_eq!(ran.last().probes.failed, 5);
}

#[tokio::test(start_paused = true)]
async fn fault_38_flapping_while_serving_is_unhealthy() {
    let flapping = [no(), Ok(()), Ok(())].into_iter().cycle().take(30);
    let probes = [Ok(()), Ok(()), Ok(())].into_iter().chain(flapping).collect();
    let ran = play(Plan { probes, ..Plan::default() }, A_WHILE).await;
    assert_eq!(
        unhealthy(&ran),
        ["E171 http://127.0.0.1:8080/ is flapping: gave 503 and the like on 6 of the last 16 probes"]
    );
    assert!(
        ran.receipts.iter().rev().any(adf_types::Receipt::is_serving),
        "and healthy when it answers again"
    );
}

const BY_DOCKER: &str = "[run]\nport = 8080\nhealth = { type = \"docker\" }\n";

#[tokio::test(start_paused = true)]
async fn the_images_own_healthcheck_decides_when_adf_toml_says_so() {
    let healthchecks = [Healthcheck::Starting, Healthcheck::Starting, Healthcheck::Healthy].into();
    let ran = play(Plan { archive: release(BY_DOCKER), healthchecks, ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.count("Continue"), ran.find("probe")), (1, None), "the app itself is not asked");
}

#[tokio::test(start_paused = true)]
async fn a_healthcheck_that_fails_is_told_with_what_it_printed() {
    let healthchecks = [Healthcheck::Unhealthy { last: "curl: (7) refused".into() }].into();
    let ran = play(Plan { archive: release(BY_DOCKER), healthchecks, ..Plan::default() }, LONG).await;
    let reason = ran.failure().0;
    assert!(
        reason.starts_with(
            "E171 the image's HEALTHCHECK gave unhealthy (curl: (7) refused) on 64 of 64 probes"
        ),
        "{reason}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_image_without_the_healthcheck_that_adf_toml_names_is_refused_at_once() {
    let ran = play(Plan { archive: release(BY_DOCKER), ..Plan::default() }, LONG).await;
    assert!(ran.failure().0.starts_with("E174 adf.toml says [run] health = { type = \"docker\" }"));
    assert!(ran.took.as_secs() < 10, "{:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn a_worker_without_a_port_is_healthy_when_it_stays_up() {
    let archive =
        archive(&[("Dockerfile", "FROM scratch\n"), ("adf.toml", "[run]\npasses = 5\ninterval = \"2s\"\n")]);
    let ran = play(Plan { archive, ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.count("Continue"), ran.find("probe")), (1, None));
    let took = ran.times("Continue")[0].saturating_sub(ran.times("start new")[0]);
    assert_eq!(took.as_secs(), 8, "five looks, two seconds apart");
}

#[tokio::test(start_paused = true)]
async fn a_group_is_asked_to_replace_what_stays_unhealthy_only_where_agent_toml_says_so() {
    let probes = || [Ok(()), Ok(()), Ok(())].into();
    let plan = |after| Plan {
        probes: probes(),
        probes_then: no(),
        replace_unhealthy_after: after,
        ..Plan::default()
    };
    let ran = play(plan(Duration::ZERO), LONG).await;
    assert_eq!(ran.find("set unhealthy"), None);
    let ran = play(plan(Duration::from_mins(10)), LONG).await;
    assert_eq!(ran.count("set unhealthy i-0abc"), 1, "once");
    let after = ran.times("set unhealthy")[0];
    assert!((600..610).contains(&after.as_secs()), "{after:?}");
    assert!(ran.last().notice.as_deref().is_some_and(|n| n.starts_with("W187 unhealthy for 600 s")));
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_well_is_probed_calmly_after_a_quarter_of_an_hour() {
    let ran = play(Plan::default(), LONG).await;
    let probes = ran.times("probe");
    let in_minute = |minute: u64| probes.iter().filter(|t| t.as_secs() / 60 == minute).count();
    assert_eq!((in_minute(10), in_minute(30)), (60, 12));
    let polls = ran.times("imds meta-data/spot/instance-action");
    assert_eq!(polls.iter().filter(|t| t.as_secs() / 60 == 30).count(), 12);
}
