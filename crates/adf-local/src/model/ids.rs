//! Identifiers and the model's only randomness, both from one seeded generator, so that a seed replays a run.

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

/// The generator.
#[derive(Debug)]
pub(super) struct Ids {
    rng: StdRng,
}

impl Ids {
    pub(super) fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed) }
    }

    /// `prefix-` and 17 hex digits, the shape of `i-`, `lt-`, `r-`.
    pub(super) fn resource(&mut self, prefix: &str) -> String {
        format!("{prefix}-0{:016x}", self.rng.next_u64())
    }

    /// 16 hex digits, the tail of a load balancing ARN.
    pub(super) fn arn_tail(&mut self) -> String {
        format!("{:016x}", self.rng.next_u64())
    }

    /// A version 4 UUID: lifecycle tokens, activities, group ARNs.
    pub(super) fn uuid(&mut self) -> String {
        let mut bytes = [0; 16];
        self.rng.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    /// A uniformly chosen index below `len`, which is not 0.
    pub(super) fn pick(&mut self, len: usize) -> usize {
        self.rng.random_range(0..len)
    }
}
