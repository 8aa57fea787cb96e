//! What must hold for the demo to have succeeded, each with the evidence it was judged by.

use serde_json::Value;

use super::story::{CAPACITY, ONLY_V1, RESTARTED, Told};

#[derive(Debug)]
pub(super) struct Check {
    pub(super) what: &'static str,
    pub(super) holds: bool,
    pub(super) evidence: String,
}

impl Check {
    fn new(what: &'static str, holds: bool, evidence: impl Into<String>) -> Self {
        Self { what, holds, evidence: evidence.into() }
    }
}

pub(super) fn all(told: &Told) -> Vec<Check> {
    vec![
        no_failed_request(told),
        rate_was_kept(told),
        rolled_back(told),
        second_answers(told),
        restarted_answers(told),
        receipts(told),
        config_cleaned(told),
        lock_free(told),
    ]
}

fn no_failed_request(told: &Told) -> Check {
    let counts = &told.counts;
    let mut evidence = format!("{} sent, {} answered, {} failed", counts.sent, counts.ok(), counts.failed);
    for failure in &counts.failures {
        evidence = format!("{evidence}\n    {failure}");
    }
    let all_answered = counts.failed == 0 && counts.ok() == counts.sent && counts.sent > 0;
    Check::new("zero failed requests over the whole run", all_answered, evidence)
}

#[expect(clippy::cast_precision_loss, reason = "some ten thousand requests")]
fn rate_was_kept(told: &Told) -> Check {
    let rate = told.counts.sent as f64 / told.load_seconds;
    let evidence = format!("{rate:.0} requests/s over {:.1} s", told.load_seconds);
    Check::new("the load was at least 200 requests/s", rate >= 200.0, evidence)
}

fn rolled_back(told: &Told) -> Check {
    let (v1, v2) = (told.after_rollback.of("v1"), told.after_rollback.of("v2"));
    let codes = format!("deploy exited {}, rollback {}", told.undone.code, told.rollback.code);
    let evidence = format!("{codes}; afterwards v1 gave {v1} answers, v2 {v2}");
    Check::new("the rollback brought v1 back", v1 > 0 && v2 == 0 && told.after_rollback.failed == 0, evidence)
}

fn second_answers(told: &Told) -> Check {
    let (v1, v2) = (told.after_second.of("v1"), told.after_second.of("v2"));
    let evidence = format!("after the second deploy v2 gave {v2} answers with its config, v1 {v1}");
    Check::new("answers carry v2 and its config", v2 > 0 && v1 == 0, evidence)
}

fn restarted_answers(told: &Told) -> Check {
    let (old, new) = (told.after_restart.of("v2"), told.after_restart.of(RESTARTED));
    let evidence =
        format!("after {:.1} s of restart {new} answers with it, {old} without", told.restart.seconds);
    Check::new("a restart brought new config to every server", new > 0 && old == 0, evidence)
}

fn receipts(told: &Told) -> Check {
    let verify = &told.verify;
    let instances = verify["instances"].as_array().map(Vec::as_slice).unwrap_or_default();
    let image = &verify["image"];
    let config = &verify["config_hash"];
    let same = |instance: &Value| {
        instance["release"] == "v2" && instance["image"] == *image && instance["config_hash"] == *config
    };
    let many = u64::try_from(instances.len()).is_ok_and(|many| many == CAPACITY);
    let known = image.is_string() && config.is_string();
    let holds = verify["proven"] == true && many && known && instances.iter().all(same);
    let evidence = format!("{} receipts, image {}, config {}", instances.len(), short(image), short(config));
    Check::new("every instance has a receipt for v2, same image, same config", holds, evidence)
}

fn config_cleaned(told: &Told) -> Check {
    let cleaned = cleaned(told);
    let list = |part: &str| told.v1_config[part].as_array().into_iter().flatten();
    let live = list("config").any(|item| item["name"] == ONLY_V1);
    let restorable = list("cleaned").any(|name| name == ONLY_V1);
    let gone = !live && restorable;
    let named = cleaned.iter().any(|name| name.contains(ONLY_V1));
    let evidence =
        format!("cleaned: {}", if cleaned.is_empty() { "nothing".to_owned() } else { cleaned.join(", ") });
    Check::new("config that only v1 used is gone from the live set", gone && named, evidence)
}

fn lock_free(told: &Told) -> Check {
    let status = &told.status;
    let free = status["app"].is_string() && status["lock"].is_null() && status["deploy"].is_null();
    Check::new("the lock is free and no deploy is open", free, format!("lock: {}", status["lock"]))
}

/// The config that the last deploy took out of the live set.
pub(super) fn cleaned(told: &Told) -> Vec<String> {
    let names = told.second.json["progress"]["cleaned_config"].as_array();
    names.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The first twelve digits of an image id or a hash.
pub(super) fn short(value: &Value) -> String {
    let text = value.as_str().unwrap_or("none");
    text.rsplit(':').next().unwrap_or(text).chars().take(12).collect()
}
