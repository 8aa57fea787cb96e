//! The report at the end: where the time went, what the requests came to, what each instance proves.

use serde_json::Value;
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Padding, Style};

use super::checks::{Check, cleaned, short};
use super::ctl::Done;
use super::story::Told;

pub(super) fn print(told: &Told, checks: &[Check]) {
    println!("\nTime per step, seconds\n{}", steps(told));
    println!("Requests\n{}", requests(told));
    println!("Receipts of all instances\n{}", receipts(told));
    let cleaned = cleaned(told);
    println!("Config that was cleaned up\n{}", rows([""; 1], cleaned.into_iter().map(|name| [name])));
    println!("Where the seconds went\n{}", chapters(told));
    println!("What must hold");
    for check in checks {
        println!("{} {}: {}", if check.holds { "✓" } else { "✗" }, check.what, check.evidence);
    }
}

fn steps(told: &Told) -> String {
    let deploys = [&told.first, &told.undone, &told.second];
    let mut names: Vec<&str> = Vec::new();
    for entry in deploys.iter().flat_map(|deploy| log(deploy)) {
        let name = entry["step"].as_str().unwrap_or_default();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let line = |name: &str| {
        let times =
            deploys.map(|deploy| seconds_in(deploy, name).map_or("-".to_owned(), |s| format!("{s:.1}")));
        let [first, undone, second] = times;
        [name.to_owned(), first, undone, second]
    };
    let total = deploys.map(|deploy| format!("{:.1}", deploy.seconds));
    let [first, undone, second] = total;
    let total = ["the whole command".to_owned(), first, undone, second];
    let lines = names.into_iter().map(line).chain([total]);
    rows(["STEP", "DEPLOY v1", "v2, ROLLED BACK", "v2"], lines)
}

/// The deploy's own log: one entry for each thing it did.
fn log(deploy: &Done) -> impl Iterator<Item = &Value> {
    deploy.json["log"].as_array().into_iter().flatten()
}

/// What a deploy spent in a step, from its log.
fn seconds_in(deploy: &Done, step: &str) -> Option<f64> {
    let entries = log(deploy).filter(|entry| entry["step"] == step);
    entries
        .filter_map(|entry| Some(instant(&entry["finished_at"])? - instant(&entry["started_at"])?))
        .reduce(|a, b| a + b)
}

/// Seconds since midnight of an RFC 3339 timestamp in UTC; a demo at midnight shows one odd figure.
fn instant(timestamp: &Value) -> Option<f64> {
    let time = timestamp.as_str()?.split_once('T')?.1.strip_suffix('Z')?;
    let parts = time.splitn(3, ':').map(|part| part.parse::<f64>().ok());
    parts.collect::<Option<Vec<_>>>().map(|parts| parts.iter().fold(0.0, |sum, part| sum * 60.0 + part))
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

    use super::{Done, seconds_in};

    #[test]
    fn a_step_takes_what_all_its_log_entries_took() {
        let log = json!({"log": [
            {"step": "replace", "started_at": "2026-01-01T10:00:59.5Z", "finished_at": "2026-01-01T10:01:01Z"},
            {"step": "watch", "started_at": "2026-01-01T10:01:01Z", "finished_at": null},
            {"step": "replace", "started_at": "2026-01-01T10:01:02Z", "finished_at": "2026-01-01T10:01:04Z"},
        ]});
        let deploy = Done { code: 0, json: log, seconds: 9.0 };
        assert_eq!(seconds_in(&deploy, "replace"), Some(3.5));
        assert_eq!(seconds_in(&deploy, "watch"), None);
    }
}
