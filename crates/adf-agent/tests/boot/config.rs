//! Config that cannot be read, must not be used, or comes late.

use std::time::Duration;

use adf_agent::exit::Exit;
use adf_agent::failure::Kind;
use adf_agent::prepare::config::TABLE_SCHEDULE;
use adf_agent::world::TableError;

use crate::fakes::{Event, Plan, Ran, archive, play};

/// The boot's own limit, see `boot_timeout` in agent.toml.
const BOOT: Duration = Duration::from_mins(10);
const LONG: Duration = Duration::from_hours(1);

fn error(kind: Kind, message: &str) -> TableError {
    TableError { kind, message: message.to_owned() }
}

fn with_adf_toml(text: &str, config: Vec<(&'static str, &'static str)>) -> Plan {
    let files = [("Dockerfile", "FROM scratch\n"), ("adf.toml", text)];
    Plan { archive: archive(&files), config: Ok(config), ..Plan::default() }
}

fn refused(ran: &Ran, reason: &str) {
    let (said, _) = ran.failure();
    assert!(said.starts_with(reason), "{said}");
    assert_eq!((ran.exit, ran.find("create"), ran.find("Continue")), (Exit::Permanent, None, None));
    assert_eq!(ran.count("Abandon web adf-launch"), 1);
}

#[test]
fn fault_30_the_delays_between_reads_grow_to_twenty_seconds() {
    let seconds: Vec<u64> = (1..=7).map(|n| TABLE_SCHEDULE.delay(n).as_secs()).collect();
    assert_eq!(seconds, [1, 2, 4, 8, 16, 20, 20]);
}

#[tokio::test(start_paused = true)]
async fn fault_30_a_table_that_answers_after_minutes_is_waited_for() {
    let answers: Event = Box::new(|plan, _| plan.config = Ok(vec![("FOO", "late")]));
    let down = error(Kind::Transient, "E151 cannot read web in table adf-config: DynamoDB is not reachable");
    let events = vec![(Duration::from_mins(5), answers)];
    let ran = play(Plan { config: Err(down), events, ..Plan::default() }, BOOT).await;
    assert!(ran.at("config web v1") < ran.at("create adf-web-i-0abc FOO=late"));
    assert!((15..60).contains(&ran.count("config web v1")), "{} reads", ran.count("config web v1"));
    assert_eq!((ran.count("Continue"), ran.find("Abandon"), ran.exit), (1, None, Exit::Stopped));
}

#[tokio::test(start_paused = true)]
async fn fault_30_a_table_that_never_answers_ends_the_boot_with_its_limit_and_what_it_waited_for() {
    for (message, what) in [
        ("E150 cannot read web in table adf-config: DynamoDB throttled every attempt", "fault 29"),
        ("E151 cannot read web in table adf-config: DynamoDB is not reachable", "fault 30"),
        ("E155 cannot decrypt config web/STRIPE: KMS throttled every attempt", "fault 35"),
    ] {
        let plan = Plan { config: Err(error(Kind::Transient, message)), ..Plan::default() };
        let ran = play(plan, LONG).await;
        refused(&ran, "E190 the boot did not finish within its 600 s");
        assert!(ran.failure().0.ends_with(&format!("last: the config table: {message}")), "{what}");
        assert!(ran.took >= BOOT, "{what}: {:?}", ran.took);
    }
}

#[tokio::test(start_paused = true)]
async fn fault_35_a_secret_that_kms_refuses_to_decrypt_ends_the_boot_at_once() {
    let message =
        "E155 KMS refused to decrypt config web/STRIPE (AccessDeniedException): the role needs kms:Decrypt";
    let ran = play(Plan { config: Err(error(Kind::Permanent, message)), ..Plan::default() }, LONG).await;
    refused(&ran, message);
    assert_eq!(ran.count("config web v1"), 1, "the same answer would come again");
}

#[tokio::test(start_paused = true)]
async fn attack_a13_a_name_that_takes_the_container_over_never_reaches_one() {
    let config = vec![("FOO", "1"), ("LD_PRELOAD", "/tmp/evil.so")];
    let ran = play(with_adf_toml("[run]\nport = 8080\n", config.clone()), LONG).await;
    refused(&ran, "E153 config name LD_PRELOAD changes which code a container's programs load");
    assert!(!ran.failure().0.contains("evil"));
    let allowed = "[run]\nport = 8080\n[config]\nallow_names = [\"LD_PRELOAD\"]\n";
    let ran = play(with_adf_toml(allowed, config), Duration::from_mins(1)).await;
    assert!(ran.find("create adf-web-i-0abc FOO=1 LD_PRELOAD=/tmp/evil.so").is_some(), "{:?}", ran.calls);
}

#[tokio::test(start_paused = true)]
async fn fault_32_a_value_that_is_too_large_for_an_environment_never_reaches_a_container() {
    let large: &'static str = "x".repeat(200_000).leak();
    let ran = play(with_adf_toml("[run]\nport = 8080\n", vec![("BLOB", large)]), LONG).await;
    refused(&ran, "E153 config BLOB is 200005 bytes long; one environment variable can hold 131071");
}

#[tokio::test(start_paused = true)]
async fn what_the_agent_reads_for_itself_never_reaches_a_container() {
    let config = vec![("ADF_GITHUB_TOKEN", "ghp_sentinel"), ("FOO", "1")];
    let ran = play(with_adf_toml("[run]\nport = 8080\n", config), Duration::from_mins(1)).await;
    let created = &ran.calls[ran.at("create")];
    assert!(created.contains("FOO=1") && !created.contains("ghp_sentinel"), "{created}");
}

#[tokio::test(start_paused = true)]
async fn attack_a08_a_reason_that_repeats_a_secret_is_masked_in_the_receipt() {
    let plan = Plan {
        probes_then: Err("answered 500: bad token sentinel-of-receipts".to_owned()),
        ..with_adf_toml("[run]\nport = 8080\n", vec![("API_TOKEN", "sentinel-of-receipts")])
    };
    let ran = play(plan, LONG).await;
    assert!(ran.failure().0.contains("bad token [redacted] on "), "{}", ran.failure().0);
    let receipts = serde_json::to_string(&ran.receipts).expect("serialises");
    assert!(!receipts.contains("sentinel-of-receipts"), "{receipts}");
}
