//! The weather's own generator.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Chance. Nothing is drawn for what cannot happen, so that calm weather leaves no trace.
#[derive(Debug)]
pub(in crate::model) struct Dice(StdRng);

impl Dice {
    pub(in crate::model) fn new(seed: u64) -> Self {
        // Another stream than the identifiers'.
        Self(StdRng::seed_from_u64(seed ^ 0x0057_4541_5448_4552))
    }

    /// Whether something of this many per cent happens.
    pub(in crate::model) fn happens(&mut self, per_cent: u32) -> bool {
        per_cent > 0 && self.0.random_range(0..100) < per_cent
    }

    /// From nothing to `most`, by the millisecond.
    pub(in crate::model) fn up_to(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        if most == 0 { Duration::ZERO } else { Duration::from_millis(self.0.random_range(0..=most)) }
    }

    /// An index below `len`, which is not 0.
    pub(in crate::model) fn below(&mut self, len: usize) -> usize {
        self.0.random_range(0..len)
    }
}
