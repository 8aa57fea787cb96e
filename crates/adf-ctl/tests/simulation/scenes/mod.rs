//! Plain-text scenarios: a script that an operator reads, and what each of its commands says, to the letter.
//!
//! The texts are in `tests/deploys/`; the README there is their grammar. Each is played with the same stage, machines,
//! links and oracle as the seeds are, and by the whole command line: what was typed is parsed by clap, run by the
//! command's own function and printed by its own printer.
//!
//! | word | file | what |
//! | --- | --- | --- |
//! | script | `script`, `phrase` | the text, read; what no rule reads is an error with its line |
//! | world | `world` | what `given` makes of account, releases and weather |
//! | act | `act`, `events` | playing a script, line by line |
//! | person | `person` | one command of one operator, and their machine |
//! | paper | `paper` | what was said and when; ids made readable |
//! | golden | `golden` | the text as it is against the text as it should be |
//!
//! The rule: a text that is played twice is the same. To add one: a file in `tests/deploys/` and its line below.

mod act;
mod events;
mod golden;
mod paper;
mod person;
mod phrase;
mod script;
mod serving;
mod world;

/// The folder of the texts.
pub(crate) const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/deploys");

macro_rules! scenes {
    ($($name:ident: $file:literal;)*) => {
        const SCENES: &[&str] = &[$($file),*];

        $(
            #[test]
            fn $name() {
                golden::compare($file);
            }
        )*
    };
}

scenes! {
    a_release_goes_out: "01-a-release-goes-out.txt";
    the_container_exits_at_once: "02-the-container-exits-at-once.txt";
    the_laptop_dies_and_somebody_resumes: "03-the-laptop-dies-and-somebody-resumes.txt";
    rollback_while_the_old_stand_by: "04-rollback-while-the-old-stand-by.txt";
    rollback_after_the_end: "05-rollback-after-the-end.txt";
    the_bad_version_does_not_come_back: "06-the-bad-version-does-not-come-back.txt";
    a_fleet_that_cannot_double_is_refreshed: "07-a-fleet-that-cannot-double-is-refreshed.txt";
    the_canary_goes_last: "08-the-canary-goes-last.txt";
    a_rollback_leaves_what_is_healthy: "09-a-rollback-leaves-what-is-healthy.txt";
    nothing_is_left_of_a_failed_deploy: "10-nothing-is-left-of-a-failed-deploy.txt";
    errors_against_none_never_pass: "11-errors-against-none-never-pass.txt";
    too_little_seen_is_no_pass: "12-too-little-seen-is-no-pass.txt";
    config_is_read_whole_under_throttling: "13-config-is-read-whole-under-throttling.txt";
    a_build_that_fails_ends_in_seconds: "14-a-build-that-fails-ends-in-seconds.txt";
    a_scale_out_during_a_deploy: "15-a-scale-out-during-a-deploy.txt";
    an_instance_of_an_old_release_is_found: "16-an-instance-of-an-old-release-is-found.txt";
    two_operators: "17-two-operators.txt";
    the_laptop_sleeps: "18-the-laptop-sleeps.txt";
    a_refresh_that_is_not_ours: "19-a-refresh-that-is-not-ours.txt";
    no_capacity_for_a_while: "20-no-capacity-for-a-while.txt";
    no_capacity_at_all: "21-no-capacity-at-all.txt";
    instances_die_meanwhile: "22-instances-die-meanwhile.txt";
    credentials_expire: "23-credentials-expire.txt";
    dynamodb_is_away: "24-dynamodb-is-away.txt";
    a_dead_instance_in_standby: "25-a-dead-instance-in-standby.txt";
    pause_and_promote: "26-pause-and-promote.txt";
    ctrl_c: "27-ctrl-c.txt";
    the_first_deploy: "28-the-first-deploy.txt";
    a_first_deploy_that_fails: "29-a-first-deploy-that-fails.txt";
    a_fleet_of_one_without_room: "30-a-fleet-of-one-without-room.txt";
    a_drain_of_five_minutes: "31-a-drain-of-five-minutes.txt";
    lost_answers: "32-lost-answers.txt";
    breaking_a_lock: "33-breaking-a-lock.txt";
    mistyped: "34-mistyped.txt";
    built_once: "35-built-once.txt";
    a_machine_that_says_nothing: "36-a-machine-that-says-nothing.txt";
    an_illness_during_the_watch: "37-an-illness-during-the-watch.txt";
    config_of_the_old_release_goes: "38-config-of-the-old-release-goes.txt";
    a_bad_release_stops_at_the_first_checkpoint: "39-a-bad-release-stops-at-the-first-checkpoint.txt";
    a_quarter_at_a_time: "40-a-quarter-at-a-time.txt";
    a_full_launch_template: "41-a-full-launch-template.txt";
    no_way_back: "42-no-way-back.txt";
    a_suspended_process: "43-a-suspended-process.txt";
    new_config_by_a_restart: "60-new-config-by-a-restart.txt";
    a_restart_is_stopped: "61-a-restart-is-stopped.txt";
}

#[test]
fn every_text_is_played() {
    let entries = std::fs::read_dir(FOLDER).expect("the folder of the texts");
    let mut found: Vec<String> = entries
        .map(|entry| entry.expect("readable").file_name().into_string().expect("a plain name"))
        .filter(|name| std::path::Path::new(name).extension().is_some_and(|end| end == "txt"))
        .collect();
    found.sort();
    assert_eq!(found, SCENES, "each text of {FOLDER} has its line in scenes/mod.rs, in order");
}

/// The grammar is strict: a line that is not understood is an error that says which.
#[test]
fn a_line_that_nobody_understands_is_named() {
    let text = "# A title\n\ngiven v1 on 3 instances\ngiven v2 explodes\n\n$ adf-ctl status\n";
    let error = script::Script::read(text).expect_err("explodes");
    assert_eq!(error.line, 4, "{error:?}");
    let error = script::Script::read("# A title\n\ngiven v1 on 3 instances\n$ adf-ctl depoy v2\n");
    assert!(error.is_ok(), "what was mistyped at a terminal is clap's to tell");
    let error = script::Script::read("# A title\n\nat 1x: what serves\n").expect_err("1x");
    assert_eq!(error.line, 3, "{error:?}");
}
