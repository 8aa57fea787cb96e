//! A status as an operator reads it: what first, details after.

use adf_types::{InstanceState, Receipt, Stage};
use jiff::{SpanRound, Timestamp, Unit};

use super::{Living, Status};

/// `now` is for "since": how long is what one wants to know.
pub fn text(status: &Status, now: Timestamp) -> String {
    let mut lines = Vec::new();
    match status {
        Status::Agent(living) => {
            lines.push(format!("agent     {} (pid {})", living.agent_version, living.pid));
            if let Some(receipt) = &living.receipt {
                lines.extend(who(receipt));
            }
            lines.push(format!("state     {}", doing(living)));
            lines.push(format!("since     {}", since(living.since, now)));
            lines.extend(details(living, now));
            if let Some(receipt) = &living.receipt {
                lines.extend(what(receipt));
            }
            lines.extend(delivery(living, now));
        }
        Status::Receipt { receipt } => {
            lines.push("agent     not running; this is its last receipt".to_owned());
            lines.extend(who(receipt));
            lines.push(format!("state     {} (last known)", state(&receipt.state)));
            lines.extend(what(receipt));
            lines.push(format!("updated   {}", since(receipt.updated_at, now)));
        }
    }
    lines.join("\n")
}

fn who(receipt: &Receipt) -> [String; 2] {
    [format!("instance  {}", receipt.instance), format!("app       {} {}", receipt.app, receipt.release)]
}

/// The stage while it boots, then the receipt's state.
fn doing(living: &Living) -> String {
    match (&living.receipt, living.stage) {
        (Some(receipt), _) => state(&receipt.state),
        (None, Some(stage)) => format!("booting ({stage})"),
        (None, None) => "starting".to_owned(),
    }
}

fn details(living: &Living, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(trouble) = &living.trouble {
        lines.push(format!("trouble   {}: {}", trouble.what, trouble.problem));
        lines.push(format!("tried     {}", since(trouble.at, now)));
        lines.extend(trouble.next_try.map(|at| format!("next try  {}", at_time(at, now))));
    }
    if let Some(at) = living.next_restart {
        lines.push(format!("restart   {}", at_time(at, now)));
    }
    if let Some(container) = &living.container {
        lines.push(format!("container {}", short(container)));
    }
    lines
}

fn what(receipt: &Receipt) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(notice) = &receipt.notice {
        lines.push(format!("notice    {notice}"));
    }
    if let Some(image) = &receipt.image_id {
        lines.push(format!("image     {image}"));
    }
    if let Some(hash) = &receipt.config_hash {
        lines.push(format!("config    {}", hash.short()));
    }
    let times: Vec<String> =
        receipt.timings.iter().map(|t| format!("{} {:.1}s", t.stage, t.seconds())).collect();
    if !times.is_empty() {
        lines.push(format!("boot      {}", times.join(", ")));
    }
    if receipt.timings.iter().any(|t| t.stage == Stage::Health) {
        let (probes, restarts) = (&receipt.probes, receipt.restarts);
        lines.push(format!("probes    {} passed, {} failed", probes.passed, probes.failed));
        lines.push(format!("restarts  {restarts}"));
    }
    lines
}

fn delivery(living: &Living, now: Timestamp) -> Option<String> {
    let delivered = living.delivery.as_ref()?;
    let last = delivered.last.map_or_else(|| "not yet".to_owned(), |at| since(at, now));
    Some(match &delivered.problem {
        Some(problem) => format!("receipt   last written {last}; now: {problem}"),
        None => format!("receipt   last written {last}"),
    })
}

fn state(state: &InstanceState) -> String {
    match state {
        InstanceState::Booting { stage } => format!("booting ({stage})"),
        InstanceState::Serving => "serving".to_owned(),
        InstanceState::Unhealthy { reason } => format!("unhealthy: {reason}"),
        InstanceState::Failed { stage, reason, .. } => format!("failed in {stage}: {reason}"),
        InstanceState::Draining => "draining".to_owned(),
        InstanceState::Stopped => "stopped".to_owned(),
    }
}

/// As `docker ps` shows it.
fn short(container: &str) -> &str {
    container.get(..12).unwrap_or(container)
}

/// `2026-01-01T00:00:00Z (5m 3s ago)`
fn since(at: Timestamp, now: Timestamp) -> String {
    format!("{} ({} ago)", seconds(at), span(at, now))
}

/// `2026-01-01T00:00:00Z (in 20s)`
fn at_time(at: Timestamp, now: Timestamp) -> String {
    format!("{} (in {})", seconds(at), span(now, at))
}

fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Whole seconds; a clock that was set back shows as none.
fn span(from: Timestamp, to: Timestamp) -> String {
    let span = if to > from { to - from } else { jiff::Span::new() };
    let rounded = span.round(SpanRound::new().smallest(Unit::Second).largest(Unit::Hour));
    rounded.map_or_else(|_| "?".to_owned(), |span| format!("{span:#}"))
}

#[cfg(test)]
mod tests {
    use adf_types::{ConfigHash, ImageSource, ProbeCounts, StageTiming};

    use super::*;
    use crate::report::{Delivered, Trouble};

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn now() -> Timestamp {
        time("2026-01-01T10:00:00Z")
    }

    fn receipt() -> Receipt {
        let timing = |stage, millis| StageTiming { stage, millis };
        Receipt {
            instance: "i-0abc".parse().expect("an id"),
            app: "web".parse().expect("a name"),
            release: "v42".parse().expect("a name"),
            release_digest: None,
            deploy: None,
            image_id: Some("sha256:5f2a".to_owned()),
            image_source: Some(ImageSource::Built),
            image_fallback: None,
            image_builder: None,
            config_hash: None::<ConfigHash>,
            ami: None,
            agent_version: "0.1.0".to_owned(),
            boot_id: None,
            state: InstanceState::Serving,
            timings: vec![
                timing(Stage::Identify, 12),
                timing(Stage::Prepare, 41_250),
                timing(Stage::Health, 2_004),
            ],
            probes: ProbeCounts { passed: 912, failed: 3 },
            restarts: 1,
            notice: Some("I191 EC2 recommends to replace this Spot instance; it goes on serving".to_owned()),
            updated_at: time("2026-01-01T09:59:58Z"),
        }
    }

    fn living() -> Living {
        Living {
            pid: 712,
            agent_version: "0.1.0".to_owned(),
            stage: Some(Stage::Supervise),
            since: time("2026-01-01T07:55:00Z"),
            trouble: None,
            container: Some("0123456789abcdef0123".to_owned()),
            next_restart: None,
            delivery: Some(Delivered { last: Some(time("2026-01-01T09:59:58Z")), problem: None }),
            receipt: Some(receipt()),
        }
    }

    fn show(status: &Status) -> String {
        let json = serde_json::to_string_pretty(status).expect("serialises");
        assert_eq!(&serde_json::from_str::<Status>(&json).expect("reads back"), status);
        format!("{}\n\n{json}", text(status, now()))
    }

    #[test]
    fn a_serving_agent() {
        insta::assert_snapshot!(show(&Status::Agent(Box::new(living()))));
    }

    #[test]
    fn an_agent_that_waits_for_docker() {
        let trouble = Trouble {
            what: "Docker".to_owned(),
            problem: "E101 Docker is not answering on /var/run/docker.sock: no such file".to_owned(),
            at: time("2026-01-01T09:59:50Z"),
            next_try: Some(time("2026-01-01T10:00:05Z")),
        };
        let waiting = Living {
            stage: Some(Stage::Claim),
            since: time("2026-01-01T09:59:00Z"),
            trouble: Some(trouble),
            container: None,
            delivery: None,
            receipt: None,
            ..living()
        };
        insta::assert_snapshot!(show(&Status::Agent(Box::new(waiting))));
    }

    #[test]
    fn an_unhealthy_agent_with_a_restart_ahead_and_a_receipt_that_is_not_written() {
        let reason = "E170 the container exited 1; starting it again in 20 s".to_owned();
        let unhealthy = Living {
            since: time("2026-01-01T09:59:55Z"),
            next_restart: Some(time("2026-01-01T10:00:15Z")),
            delivery: Some(Delivered { last: None, problem: Some("E151 not reachable".to_owned()) }),
            receipt: Some(Receipt { state: InstanceState::Unhealthy { reason }, notice: None, ..receipt() }),
            ..living()
        };
        insta::assert_snapshot!(show(&Status::Agent(Box::new(unhealthy))));
    }

    #[test]
    fn without_an_agent_the_last_receipt() {
        let old =
            Receipt { state: InstanceState::Stopped, updated_at: time("2025-12-31T10:00:00Z"), ..receipt() };
        insta::assert_snapshot!(show(&Status::Receipt { receipt: Box::new(old) }));
    }
}
