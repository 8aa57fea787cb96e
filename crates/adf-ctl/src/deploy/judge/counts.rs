//! What counts of successes and failures say, at any time: pure arithmetic, nothing of AWS, no clock.
//!
//! All of it is one idea, testing by betting (Shafer 2021; Ramdas, Grünwald, Vovk and Shafer, "Game-theoretic
//! statistics and safe anytime-valid inference", 2023). A gambler bets, at odds that are fair if the hypothesis is
//! true, that it is not. If it is true then her capital exceeds 100 times the stake at any time, ever, with a chance
//! of at most 1 % (Ville's inequality). So it may be looked at every second, and as long as one likes, which is what a
//! test at a fixed size does not allow. Her stake is spread over several alternatives, and what they come to is added.
//!
//! | hypothesis | what is bet on | where |
//! | --- | --- | --- |
//! | the canary fails no more often than the fleet | each failure of either side is the canary's | [`Comparison`] |
//! | the rate is at most r, at least r | each trial fails, does not | [`above`], [`below`] |
//! | no hypothesis: which rates are not yet refuted | both | [`bounds`] |
//!
//! The rule: capital is kept as a logarithm, because an obvious regression would overflow it.

/// Things that were tried and how many of them failed: requests and 5xx answers, health probes and failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trials {
    pub all: u64,
    pub failed: u64,
}

impl Trials {
    /// From 0 to 1; without trials 0.
    pub fn rate(self) -> f64 {
        if self.all == 0 { 0.0 } else { number(self.failed) / number(self.all) }
    }

    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self { all: self.all + more.all, failed: self.failed + more.failed }
    }
}

/// Both sides over the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Period {
    pub canary: Trials,
    pub fleet: Trials,
}

/// How many times the tolerated rate the canary's may be, and the part of the stake that is on it. Most is on what a
/// faulty release looks like, two to five times; 100 is for a fleet without failures.
const RATIOS: [(f64, f64); 7] =
    [(1.25, 0.10), (1.5, 0.15), (2.0, 0.20), (3.0, 0.25), (5.0, 0.15), (10.0, 0.10), (100.0, 0.05)];

/// The capital of a bet against "the canary fails no more often than the fleet", period by period.
///
/// Within a period each failure is the canary's with the share that its requests have, if both fail equally often:
/// with 50 of 500 requests, one in ten. That is the conditional test of two rates; given how many failures there are
/// in all, the canary's are hypergeometric, for which the odds of independent draws are on the safe side (Hoeffding
/// 1963, theorem 4). With a tolerance its hypothesis is about odds p/(1-p), which for rates of a few percent are the
/// rates. As each period is held against itself, a fault that hits both sides alike is no evidence, whenever it comes.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The canary's odds of failing may be so many times the fleet's; at least 1.
    tolerated: f64,
    logs: [f64; RATIOS.len()],
}

impl Comparison {
    /// With 0.1 the canary may fail a tenth more often than the fleet.
    pub fn tolerating(increase: f64) -> Self {
        Self { tolerated: 1.0 + increase, logs: RATIOS.map(|(_, stake)| stake.ln()) }
    }

    pub fn add(&mut self, period: &Period) {
        let (canary, fleet) = (number(period.canary.all) * self.tolerated, number(period.fleet.all));
        let ours = number(period.canary.failed);
        let failures = ours + number(period.fleet.failed);
        if canary == 0.0 || fleet == 0.0 || failures == 0.0 {
            return;
        }
        for (log, (ratio, _)) in self.logs.iter_mut().zip(RATIOS) {
            *log += ours * ratio.ln() - failures * ((ratio * canary + fleet) / (canary + fleet)).ln();
        }
    }

    /// The logarithm of the capital; the stake was 1.
    pub fn capital(&self) -> f64 {
        log_of_sum(&self.logs)
    }
}

/// Alternatives to "the rate is at most r", as multiples of r.
const HIGHER: [(f64, f64); 7] =
    [(1.1, 0.15), (1.25, 0.15), (1.5, 0.2), (2.0, 0.2), (4.0, 0.1), (10.0, 0.1), (50.0, 0.1)];

/// The same to "at least r". The largest part is on no failure at all, which is what a healthy canary shows.
const LOWER: [(f64, f64); 6] = [(0.9, 0.1), (0.8, 0.15), (0.65, 0.15), (0.5, 0.15), (0.25, 0.15), (0.0, 0.3)];

/// The logarithm of the capital of a bet against "the rate is at most `rate`".
pub fn above(trials: Trials, rate: f64) -> f64 {
    bet(trials, rate, &HIGHER)
}

/// The logarithm of the capital of a bet against "the rate is at least `rate`".
pub fn below(trials: Trials, rate: f64) -> f64 {
    bet(trials, rate, &LOWER)
}

fn bet<const N: usize>(trials: Trials, rate: f64, alternatives: &[(f64, f64); N]) -> f64 {
    let (failed, passed) = (number(trials.failed), number(trials.all.saturating_sub(trials.failed)));
    let logs = alternatives.map(|(factor, stake)| {
        let other = rate * factor;
        if other >= 1.0 {
            return f64::NEG_INFINITY;
        }
        // Zero times the logarithm of zero is zero here: nothing was lost on what did not happen.
        let on_failures = if failed == 0.0 { 0.0 } else { failed * factor.ln() };
        stake.ln() + on_failures + passed * ((1.0 - other) / (1.0 - rate)).ln()
    });
    log_of_sum(&logs)
}

/// Halvings of the interval from 0 to 1: to within a ten-millionth.
const HALVINGS: u32 = 24;

/// The lowest and the highest rate that are not refuted. Each misses the true one, at any time ever, with a chance of at
/// most `error`: a confidence sequence, one for each side.
pub fn bounds(trials: Trials, error: f64) -> (f64, f64) {
    let refuted = -error.ln();
    let lowest = highest_where(|rate| above(trials, rate) >= refuted);
    let highest = 1.0 - highest_where(|rate| below(trials, 1.0 - rate) >= refuted);
    (lowest, highest)
}

/// Where a fact that is so for small numbers and not for large ones ends, between 0 and 1.
fn highest_where(is_so: impl Fn(f64) -> bool) -> f64 {
    let (mut so, mut not) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(so, not);
        if is_so(middle) { so = middle } else { not = middle }
    }
    so
}

fn log_of_sum<const N: usize>(logs: &[f64; N]) -> f64 {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest + logs.iter().map(|log| (log - largest).exp()).sum::<f64>().ln()
}

#[expect(clippy::cast_precision_loss, reason = "counts of a deploy are far below 2^52")]
fn number(count: u64) -> f64 {
    count as f64
}
