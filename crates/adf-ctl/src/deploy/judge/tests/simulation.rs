//! Many canaries under a load balancer, in virtual seconds: how often each verdict, and how soon.

use adf_types::{Judging, Percent};

use crate::deploy::judge::Finding;
use crate::deploy::judge::counts::{Period, Trials};
use crate::deploy::judge::traffic::Tally;

/// Requests a second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) canary: u64,
    pub(super) fleet: u64,
}

/// `deploy.bake` by default, and the judgement's limit with it.
pub(super) const BAKE: usize = 60;
const LIMIT: usize = 300;

/// Between two looks at CloudWatch.
const LOOK: usize = 15;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Fail { second: usize },
    Pass,
    Inconclusive,
}

/// A canary and the fleet, with a seed for each pair.
pub(super) struct Pair {
    load: Load,
    random: fastrand::Rng,
    canary: Binomial,
    fleet: Binomial,
}

impl Pair {
    /// A fleet that fails `rate` of its requests, and a canary that fails `times` as many.
    pub(super) fn new(load: Load, rate: f64, times: f64, seed: u64) -> Self {
        Self {
            load,
            random: fastrand::Rng::with_seed(seed),
            canary: Binomial::new(load.canary, rate * times),
            fleet: Binomial::new(load.fleet, rate),
        }
    }

    fn second(&mut self) -> Period {
        let Self { load, random, canary, fleet } = self;
        Period {
            canary: Trials { all: load.canary, failed: canary.draw(random) },
            fleet: Trials { all: load.fleet, failed: fleet.draw(random) },
        }
    }

    /// The second at which the counts alone fail the canary, looked at every second and never ended by a pass.
    pub(super) fn found(&mut self, seconds: usize) -> Option<usize> {
        let mut tally = Tally::under(&Judging::default());
        (1..=seconds).find(|_| {
            tally.add(&self.second());
            tally.fails()
        })
    }

    /// Whether something is so of the sums at any second.
    pub(super) fn any_second(&mut self, seconds: usize, mut so: impl FnMut(&Period) -> bool) -> bool {
        let mut sum = Period::default();
        (1..=seconds).any(|_| {
            let second = self.second();
            sum.canary = sum.canary.plus(second.canary);
            sum.fleet = sum.fleet.plus(second.fleet);
            so(&sum)
        })
    }

    /// A whole judgement with default settings: fails at any second, passes at a look after the bake time.
    pub(super) fn judged(&mut self) -> End {
        let judging = Judging::default();
        assert_eq!(judging.tolerated_increase, Percent::ZERO);
        let mut tally = Tally::under(&judging);
        for second in 1..=LIMIT {
            tally.add(&self.second());
            if tally.fails() {
                return End::Fail { second };
            }
            let looked = second >= BAKE && second % LOOK == 0;
            if looked && matches!(tally.finding(&judging), Finding::Passes(_)) {
                return End::Pass;
            }
        }
        End::Inconclusive
    }
}

/// How many of so many requests fail: drawn through the table of sums.
struct Binomial {
    sums: Vec<f64>,
}

impl Binomial {
    fn new(all: u64, rate: f64) -> Self {
        let number = |count: u64| f64::from(u32::try_from(count).expect("a small number"));
        let mut chance = (1.0 - rate).powf(number(all));
        let mut sum = 0.0;
        let sums = (0..all).map(|failed| {
            sum += chance;
            chance *= number(all - failed) / number(failed + 1) * rate / (1.0 - rate);
            sum
        });
        Self { sums: sums.collect() }
    }

    fn draw(&self, random: &mut fastrand::Rng) -> u64 {
        let point = random.f64();
        self.sums.partition_point(|sum| *sum < point) as u64
    }
}
