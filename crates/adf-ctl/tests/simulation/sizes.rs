//! What a deploy costs as the fleet grows: calls a look, calls in all, memory.

use adf_types::Outcome;

use crate::play::{Played, play};
use crate::scenario::{Errand, Scenario, Turn, Weather};

/// What one size came to.
struct Row {
    fleet: u32,
    looks: u64,
    calls: u64,
    /// What was asked of EC2, Auto Scaling and Elastic Load Balancing.
    describes: u64,
    /// The same with the tables: everything but what changes something.
    reads: u64,
    /// The process's peak so far, MiB.
    memory: u64,
    seconds: u64,
}

fn deploy(fleet: u32, throttled: f64) -> Row {
    let cast = vec![vec![Turn::of("ann", Errand::Deploy("v2"))]];
    let mut scenario = Scenario::calm(1, fleet, cast);
    scenario.weather = Weather { throttled, ..Weather::default() };
    scenario.watched = fleet <= 10;
    let played = play(&scenario);
    assert!(played.violation.is_none(), "{}", played.story());
    let record = played.deploys.first().expect("a deploy");
    assert_eq!(record.outcome, Some(Outcome::Succeeded));
    row(fleet, &played)
}

const DESCRIBES: [&str; 5] = [
    "DescribeAutoScalingGroups",
    "DescribeInstanceRefreshes",
    "DescribeInstances",
    "DescribeScalingActivities",
    "DescribeTargetHealth",
];

fn row(fleet: u32, played: &Played) -> Row {
    let record = played.deploys.first().expect("a deploy");
    let calls = |names: &[&str]| {
        let counts =
            played.tally.played.iter().filter_map(|(name, n)| Some((name.strip_prefix("operator: ")?, *n)));
        counts.filter(|(name, _)| names.is_empty() || names.contains(name)).map(|(_, n)| n).sum::<u64>()
    };
    let seconds = record.finished_at.expect("closed").duration_since(record.started_at).as_secs();
    Row {
        fleet,
        looks: calls(&["DescribeAutoScalingGroups"]),
        describes: calls(&DESCRIBES),
        reads: calls(&DESCRIBES) + calls(&["Query", "GetItem"]),
        calls: calls(&[]),
        memory: peak(),
        seconds: u64::try_from(seconds).unwrap_or_default(),
    }
}

/// `VmHWM` of this process, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default();
    kib / 1024
}

fn show(rows: &[Row]) {
    println!(
        "| fleet | looks | Describe calls a look | calls a look | calls in all | peak MiB (agents and cloud included) | virtual s |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for Row { fleet, looks, describes, reads, calls, memory, seconds } in rows {
        #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
        let [asked, each] = [*describes, *reads].map(|calls| calls as f64 / *looks as f64);
        println!("| {fleet} | {looks} | {asked:.2} | {each:.2} | {calls} | {memory} | {seconds} |");
    }
}

#[test]
fn calls_of_a_look_do_not_grow_with_the_fleet_beyond_paging() {
    let rows = [1, 10, 100].map(|fleet| deploy(fleet, 0.0));
    show(&rows);
    let each = |row: &Row| row.reads / row.looks;
    assert!(rows.iter().all(|row| each(row) <= 6), "at most six calls a look up to a hundred instances");
    assert!(rows.iter().all(|row| row.describes <= 2 * row.looks), "at most two Describe calls a look");
}

/// A thousand with `cargo xtask sim --exhaustive`, which takes its time.
#[test]
fn a_large_fleet_is_deployed_though_three_calls_in_ten_are_throttled() {
    let fleet = if std::env::var_os("ADF_SIM_EXHAUSTIVE").is_some() { 1000 } else { 50 };
    show(&[deploy(fleet, 0.3)]);
}
