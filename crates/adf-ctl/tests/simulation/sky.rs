//! What a seed makes of AWS itself: each point where its documentation is silent, and its weather.
//!
//! Neighbours: `scenario` draws here, `stage` lets the weather come when the operators begin. Faults of a connection are
//! not here but in [`crate::scenario::Weather`].

use std::time::Duration;

use adf_local::model::weather::Throttling;
use adf_local::model::{ExitOverMax, Settings, StandbyTermination, Weather};

use crate::dice::Dice;

/// Each point where AWS's documentation is silent is decided by the seed.
pub(crate) fn settings(dice: &mut Dice) -> Settings {
    Settings {
        boot_delay: dice.seconds(1, 8),
        asg_reaction: dice.seconds(1, 10),
        halt_limit: dice.seconds(5, 40),
        launch_retry: dice.seconds(10, 60),
        impaired_wait: dice.seconds(60, 300),
        refresh_pace: dice.seconds(1, 15),
        terminating_hook_overlaps_drain: dice.chance(0.5),
        standby_waits_for_drain: dice.chance(0.5),
        standby_termination: dice
            .pick(&[StandbyTermination::OutsideDesired, StandbyTermination::CountedInDesired]),
        exit_over_max: dice.pick(&[ExitOverMax::Refused, ExitOverMax::CutSurplus]),
        ec2_termination_runs_hooks: dice.chance(0.5),
        abandoned_launch_runs_hooks: dice.chance(0.5),
        first_pass_is_healthy: dice.chance(0.5),
        request_tags_join_template_tags: dice.chance(0.5),
        changed_token_is_refused: dice.chance(0.5),
        fail_open_to_initial: dice.chance(0.5),
        rebalance_respects_protection: dice.chance(0.5),
        refresh_min_rounds_up: dice.chance(0.5),
        refresh_max_rounds_up: dice.chance(0.5),
        refresh_may_exceed_max: dice.chance(0.5),
        refresh_waits_for_targets: dice.chance(0.5),
        suspended_refresh_times_out: dice.chance(0.5),
        ..Settings::default()
    }
}

/// Half of all seeds have a clear sky.
pub(crate) fn weather(dice: &mut Dice) -> Weather {
    if dice.chance(0.5) {
        return Weather::default();
    }
    let describe_lag = dice.pick(&[0, 0, 2, 5, 10]);
    Weather {
        describe_lag: Duration::from_secs(describe_lag),
        changes_lag: describe_lag > 0 && dice.chance(0.5),
        short_pages: dice.chance(0.3),
        throttling: Throttling { buckets: dice.chance(0.15), ..Throttling::default() },
        launch_failures: dice.pick(&[0, 0, 5, 20]),
        boot_jitter: dice.pick(&[Duration::ZERO, Duration::from_secs(10)]),
        slow_boots: dice.pick(&[0, 10]),
        reaction_jitter: dice.pick(&[Duration::ZERO, Duration::from_secs(10), Duration::from_secs(50)]),
        ..Weather::default()
    }
}
