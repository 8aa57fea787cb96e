//! The report at the end: where the time went, what the requests came to, what each instance proves.

use serde_json::Value;
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Padding, Style};

use super::checks::{Check, cleaned, short};
use super::story::Told;
use crate::ctl::Done;

/// `peak` is the most memory that an agent had, in MiB.
pub(super) fn print(told: &Told, peak: Option<f64>, checks: &[Check]) {
    println!("\nTime per step, seconds\n{}", steps(told));
    println!("Requests\n{}", requests(told));
    println!("The agent\n{}", agent(told, peak));
    println!("Receipts of all instances\n{}", receipts(told));
    let cleaned = cleaned(told);
    println!("Config that was cleaned up\n{}", rows([""; 1], cleaned.into_iter().map(|name| [name])));
    println!("Where the seconds went\n{}", chapters(told));
    println!("What must hold");
    for check in checks {
        println!("{} {}: {}", if check.holds { "✓" } else { "✗" }, check.what, check.evidence);
    }
}

/// What each deploy spent in each step; of the last, also what it waited for and what was the controller's own.
fn steps(told: &Told) -> String {
    let deploys = [&told.first, &told.undone, &told.second];
    let mut names: Vec<&str> = Vec::new();
    // The last one had every step; the one before it had a rollback as well.
    for row in deploys.iter().rev().flat_map(|deploy| step_times(deploy)) {
        let name = row["step"].as_str().unwrap_or_default();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let line = |name: &str| {
        let [first, undone, second] = deploys.map(|deploy| spent(deploy, name, "seconds"));
        let [instances, configured, aws, own] = WAITED.map(|what| spent(&told.second, name, what));
        [name.to_owned(), first, undone, second, instances, configured, aws, own]
    };
    let header = ["STEP", "v1", "v2, ROLLED BACK", "v2", "OF IT: INSTANCES", "CONFIGURED", "AWS", "OWN"];
    let [first, undone, second] = deploys.map(|deploy| format!("{:.1}", deploy.seconds));
    let [instances, configured, aws, own] = WAITED.map(|what| format!("{:.1}", total(&told.second, what)));
    let whole = ["the whole command".to_owned(), first, undone, second, instances, configured, aws, own];
    rows(header, names.into_iter().map(line).chain([whole]))
}

/// What a deploy waited for, as `adf-ctl deploy --json` names it, and what it did itself.
const WAITED: [&str; 4] = ["waiting_for_instances", "waiting_configured", "waiting_for_aws", "own"];

fn step_times(deploy: &Done) -> impl Iterator<Item = &Value> {
    deploy.json["steps"].as_array().into_iter().flatten()
}

/// Seconds of a step; `-` for a step that a deploy did not have.
fn spent(deploy: &Done, step: &str, what: &str) -> String {
    let times: Vec<_> =
        step_times(deploy).filter(|row| row["step"] == step).filter_map(|row| row[what].as_f64()).collect();
    if times.is_empty() { "-".to_owned() } else { format!("{:.1}", times.iter().sum::<f64>()) }
}

fn total(deploy: &Done, what: &str) -> f64 {
    step_times(deploy).filter_map(|row| row[what].as_f64()).sum()
}

fn requests(told: &Told) -> String {
    let counts = &told.counts;
    let answers =
        counts.answers.iter().map(|(release, count)| [format!("answered by {release}"), count.to_string()]);
    let latency = [0.5, 0.99, 1.0].map(|share| format!("{:.1} ms", counts.latency(share))).join(" / ");
    let lines = [["sent".to_owned(), counts.sent.to_string()]].into_iter().chain(answers).chain([
        ["failed".to_owned(), counts.failed.to_string()],
        ["median / 99 % / slowest".to_owned(), latency],
    ]);
    rows(["", "REQUESTS"], lines)
}

/// From the agent's start to a healthy app, on instances that built their image and on those that had it.
fn agent(told: &Told, peak: Option<f64>) -> String {
    let slowest = |deploy: &Done| {
        let instances = deploy.json["instances"].as_array().into_iter().flatten();
        let slowest = instances.filter_map(|instance| instance["boot_seconds"].as_f64()).reduce(f64::max);
        slowest.map_or("-".to_owned(), |seconds| format!("{seconds:.1} s"))
    };
    let lines = [
        ("start to healthy, image built (v1)", slowest(&told.first)),
        ("start to healthy, image there (v2 the second time)", slowest(&told.second)),
        ("peak memory", peak.map_or("-".to_owned(), |peak| format!("{peak:.0} MiB"))),
    ];
    rows(["", "SLOWEST"], lines.map(|(name, value)| [name.to_owned(), value]))
}

fn receipts(told: &Told) -> String {
    let instances = told.status["instances"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |row: &Value| {
        let boot = row["boot_seconds"].as_f64().map_or("-".to_owned(), |s| format!("{s:.1} s"));
        let ids =
            [text(&row["instance"]), text(&row["lifecycle"]), text(&row["release"]), text(&row["state"])];
        let [instance, group, release, state] = ids;
        [instance, group, release, state, short(&row["image"]), short(&row["config_hash"]), boot]
    };
    rows(
        ["INSTANCE", "GROUP", "RELEASE", "STATE", "IMAGE", "CONFIG", "START TO HEALTHY"],
        instances.map(line),
    )
}

fn chapters(told: &Told) -> String {
    let total: f64 = told.chapters.iter().map(|(_, seconds)| seconds).sum();
    let all = told.chapters.iter().copied().chain([("all of it", total)]);
    rows(["", "SECONDS"], all.map(|(name, seconds)| [name.to_owned(), format!("{seconds:.1}")]))
}

fn rows<const N: usize>(header: [&str; N], lines: impl IntoIterator<Item = [String; N]>) -> String {
    let mut builder = Builder::default();
    if header.iter().any(|cell| !cell.is_empty()) {
        builder.push_record(header);
    }
    for line in lines {
        builder.push_record(line);
    }
    let mut table = builder.build();
    table.with(Style::blank()).with(Padding::new(2, 1, 0, 0));
    table.modify(Columns::new(1..), Alignment::left());
    table.to_string().lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Done, spent, total};

    #[test]
    fn a_step_that_was_done_twice_takes_what_both_times_took() {
        let steps = json!({"steps": [
            {"step": "replace", "seconds": 1.5, "own": 0.5},
            {"step": "rollback", "seconds": 7.0, "own": 1.0},
            {"step": "replace", "seconds": 2.0, "own": 0.0},
        ]});
        let deploy = Done { code: 0, json: steps, seconds: 9.0 };
        assert_eq!(spent(&deploy, "replace", "seconds"), "3.5");
        assert_eq!(spent(&deploy, "watch", "seconds"), "-");
        assert!((total(&deploy, "own") - 1.5).abs() < 1e-9);
    }
}
