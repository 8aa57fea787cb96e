//! Everything that a seed decides.
//!
//! The rule: nothing is drawn from a generator that two tasks share, because the order of their draws is the
//! scheduler's. A draw belongs to a place (who, what, the how-manieth), and the place alone decides it.

use std::time::Duration;

/// Draws for one place.
#[derive(Clone, Debug)]
pub(crate) struct Dice(fastrand::Rng);

impl Dice {
    pub(crate) fn at(seed: u64, place: &str, nth: u64) -> Self {
        // FNV-1a: the same on every machine and in every version of Rust.
        let bytes = seed.to_le_bytes().into_iter().chain(place.bytes()).chain(nth.to_le_bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut rng = fastrand::Rng::with_seed(hash);
        // Neighbouring seeds begin alike.
        rng.u64(..);
        rng.u64(..);
        Self(rng)
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.0.f64() < probability
    }

    /// From `low` to `high`, both included.
    pub(crate) fn number(&mut self, low: u64, high: u64) -> u64 {
        self.0.u64(low..=high)
    }

    pub(crate) fn small(&mut self, low: u32, high: u32) -> u32 {
        self.0.u32(low..=high)
    }

    pub(crate) fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.0.usize(..all.len())].clone()
    }

    pub(crate) fn seconds(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.number(low * 1000, high * 1000))
    }

    pub(crate) fn millis(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.number(low, high))
    }

    /// Lognormal: half of all draws below `median`, 95 % below `p95`.
    pub(crate) fn lognormal(&mut self, median: f64, p95: f64) -> Duration {
        /// Standard deviations that 95 % of all draws stay below.
        const P95: f64 = 1.645;
        let sigma = (p95 / median).ln() / P95;
        let (a, b) = (self.0.f64().max(f64::MIN_POSITIVE), self.0.f64());
        // Box and Muller.
        let normal = (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos();
        Duration::from_secs_f64(median * (sigma * normal).exp())
    }
}
