//! Seeds, played and judged.

use crate::play;
use crate::tally::Tally;

/// Plays a range of seeds; tells the first that breaks a rule.
pub(crate) fn all(from: u64, number: u64) {
    let mut tally = Tally::default();
    let began = std::time::Instant::now();
    for seed in from..from + number {
        let played = play::seed(seed);
        tally.add(&played.tally);
        if played.violation.is_some() {
            println!("{tally}");
            panic!("{}", played.story());
        }
    }
    println!("{tally}tally played {} milliseconds", began.elapsed().as_millis());
}

/// What `cargo xtask sim` asks for; without it a few seeds that nobody else plays.
#[test]
fn chosen_by_the_environment() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    all(number("ADF_SIM_FROM").unwrap_or(1_000_000), number("ADF_SIM_SEEDS").unwrap_or(5));
}

#[test]
fn the_same_seed_has_the_same_trace() {
    for seed in [1, 2, 3, 4, 5] {
        let (one, other) = (play::seed(seed), play::seed(seed));
        let different = one.trace.iter().zip(&other.trace).position(|(a, b)| a != b);
        if let Some(line) = different {
            panic!("seed {seed}, line {line}:\n{}\n{}", one.trace[line], other.trace[line]);
        }
        assert_eq!(one.trace.len(), other.trace.len(), "seed {seed}");
    }
}
