//! How long the steps of a deploy take, with machines, builds and pulls as slow as numbers.md says.

use std::collections::BTreeMap;
use std::time::Duration;

use adf_ctl::deploy::timings;
use adf_types::{Outcome, Step};

use crate::play::play;
use crate::scenario::{Delivery, Errand, Pace, Scenario, Turn};

/// The promise: from a tag to every server.
const PROMISE: f64 = 300.0;

fn scenario(seed: u64, fleet: u32, delivery: Delivery) -> Scenario {
    let cast = vec![vec![Turn::of("ann", Errand::Deploy("v2"))]];
    let mut scenario = Scenario::calm(seed, fleet, cast);
    scenario.delivery = delivery;
    scenario.policy.bake = Duration::from_mins(1);
    scenario.policy.min_probes = 20;
    scenario.policy.watch = Duration::from_secs(30);
    scenario.policy.drain = 30;
    scenario.settings.boot_delay = Duration::from_secs(5);
    scenario.settings.asg_reaction = Duration::from_secs(5);
    scenario.pace =
        Pace { boot: (30.0, 55.0), slow: 10, wrong_clocks: 0, build: (30.0, 60.0), pull: (5.0, 12.0) };
    scenario
}

/// Seconds of each step, and until every server ran the release.
fn measure(seeds: u64, fleet: u32, delivery: Delivery) -> BTreeMap<String, Vec<f64>> {
    let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for seed in 1..=seeds {
        let played = play(&scenario(seed, fleet, delivery));
        assert!(played.violation.is_none(), "{}", played.story());
        let record = played.deploys.first().expect("a deploy");
        assert_eq!(record.outcome, Some(Outcome::Succeeded), "{}", played.story());
        for (place, step) in (1..).zip(timings::steps(record)) {
            all.entry(format!("{place} {}", step.step)).or_default().push(step.seconds);
        }
        let since = |until: jiff::Timestamp| until.duration_since(record.started_at).as_secs_f64();
        let serving = record.progress.replaced_at.map(since).expect("replaced");
        all.entry("every server".to_owned()).or_default().push(serving);
        all.entry("whole deploy".to_owned()).or_default().push(since(record.finished_at.expect("closed")));
    }
    all
}

fn show(fleet: u32, delivery: Delivery, all: &BTreeMap<String, Vec<f64>>) {
    println!("fleet of {fleet}, {delivery:?}");
    println!("| step | p50 s | p99 s | within 300 s |");
    println!("| --- | ---: | ---: | ---: |");
    for (step, seconds) in all {
        let within = seconds.iter().filter(|s| **s <= PROMISE).count();
        let percent = within * 100 / seconds.len();
        println!("| {step} | {:.0} | {:.0} | {percent} % |", quantile(seconds, 50), quantile(seconds, 99));
    }
}

fn quantile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() - 1) * percent / 100]
}

/// A release that is an image already. Where instances build first, some deploys miss the promise at these paces: `cargo
/// xtask sim --times` shows how many.
#[test]
fn half_of_all_deploys_of_an_image_serve_everywhere_within_five_minutes() {
    let seeds = std::env::var("ADF_SIM_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    let all = measure(seeds.unwrap_or(8), 10, Delivery::Image);
    show(10, Delivery::Image, &all);
    assert_eq!(all.len(), Step::ALL.len() + 2);
    let serving = quantile(&all["every server"], 50);
    assert!(serving <= PROMISE, "{serving} s");
    for delivery in seeds.map_or(&[][..], |_| &[Delivery::Archive, Delivery::Repository]) {
        show(10, *delivery, &measure(seeds.unwrap_or(1), 10, *delivery));
        // A hundred instances take ten times as long to play.
        show(100, *delivery, &measure((seeds.unwrap_or(1) / 10).max(1), 100, *delivery));
    }
}
