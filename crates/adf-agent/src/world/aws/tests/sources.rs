//! The calls as the sources have them: a new one without a line here, and so without a permission, fails.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The files that call an AWS SDK, and each call that they send, in order. The test beside this one makes all of them.
const SENT: [(&str, &[&str]); 3] = [
    ("world/fetch/s3.rs", &["get_object", "get_object"]),
    (
        "world/lifecycle/auto_scaling.rs",
        &[
            "describe_auto_scaling_instances",
            "describe_lifecycle_hooks",
            "complete_lifecycle_action",
            "record_lifecycle_action_heartbeat",
            "set_instance_health",
        ],
    ),
    ("world/registry/ecr.rs", &["get_authorization_token"]),
];

/// What `adf-store` is asked for, and by whom.
const ASKED: (&str, [&str; 5]) = (
    "world/table/store.rs",
    ["boot_config", "put_receipt", "put_release_image", "release_and_version", "release_image"],
);

/// Files that name these crates and send nothing: they make clients, hold them, read errors, or
/// have tests that do.
const SILENT: [&str; 4] =
    ["prepare/config.rs", "world/aws.rs", "world/fetch/fetcher.rs", "world/table/clock.rs"];

/// The files below `src` that name an AWS SDK or the store, less their tests.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&root).expect("below src").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("readable");
            let shipped = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
            if !name.contains("/tests/") && ["aws_sdk_", "adf_store"].iter().any(|c| shipped.contains(c)) {
                found.insert(name, shipped);
            }
        }
    }
    found
}

#[test]
fn every_call_in_the_sources_is_one_that_the_policy_is_tried_with() {
    let sources = sources();
    let mut known: Vec<&str> = SENT.iter().map(|(file, _)| *file).chain(SILENT).chain([ASKED.0]).collect();
    known.sort_unstable();
    assert_eq!(sources.keys().collect::<Vec<_>>(), known, "a file that calls AWS is listed here");
    for (file, calls) in SENT {
        let text = &sources[file];
        assert_eq!(text.matches(".send()").count(), calls.len(), "{file}: each call is listed here");
        for call in calls {
            let there = text.matches(&format!(".{call}()")).count();
            assert_eq!(there, calls.iter().filter(|c| *c == call).count(), "{file}: {call}");
        }
    }
    for file in SILENT.into_iter().chain([ASKED.0]) {
        assert!(!sources[file].contains(".send()"), "{file} sends nothing itself");
    }
}

#[test]
fn every_question_to_the_store_is_one_that_the_policy_is_tried_with() {
    let (file, known) = ASKED;
    let text = &sources()[file];
    let mut asked: Vec<&str> =
        text.split("self.store.").skip(1).filter_map(|rest| rest.split('(').next()).collect();
    asked.sort_unstable();
    assert_eq!(asked, known);
}
