//! The cloud's clock: a start on the calendar plus tokio's time, so that a paused runtime is virtual time.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A clock that goes with tokio's time from `start` on.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Timestamp,
    origin: Instant,
}

impl Clock {
    pub fn starting_at(start: Timestamp) -> Self {
        Self { start, origin: Instant::now() }
    }

    pub fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.origin.elapsed()).unwrap_or(SignedDuration::MAX);
        self.start.saturating_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    /// The moment of tokio's time at which this clock shows `at`; now if that is past.
    pub fn instant_of(&self, at: Timestamp) -> Instant {
        let ahead = std::time::Duration::try_from(at.duration_since(self.start)).unwrap_or_default();
        self.origin + ahead
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_clock_goes_with_paused_time() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(clock.now().as_second(), 90);
        assert_eq!(clock.instant_of(clock.now()), Instant::now());
    }
}
