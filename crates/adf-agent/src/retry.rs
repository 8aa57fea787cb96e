//! Retry schedules: which delays, how often, and the one loop that follows them.
//!
//! Neighbours: stages call [`retry`] around one outside call; the reporter keeps the last trouble so that a
//! stage that runs out of time says what it was waiting for. The rule: every schedule is a named constant
//! with its real delays beside it, and every loop ends.

use std::time::Duration;

use rand::RngExt as _;

use crate::failure::{Fault, Kind};
use crate::report::Reporter;

/// Delays between tries: `first`, then each `factor` times the one before, at most `max`.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// What is being tried, in words for the log.
    pub what: &'static str,
    pub first: Duration,
    pub factor: f64,
    pub max: Duration,
    pub tries: u32,
    /// Full jitter, for systems that many instances call at once.
    pub jitter: bool,
}

impl Schedule {
    /// The delay after the `failed`th failure, before jitter; the first failure is 1.
    pub fn delay(&self, failed: u32) -> Duration {
        let exponent = i32::try_from(failed.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.first.as_secs_f64() * self.factor.powi(exponent);
        Duration::from_secs_f64(seconds.min(self.max.as_secs_f64()))
    }

    fn jittered(&self, failed: u32) -> Duration {
        let delay = self.delay(failed);
        if self.jitter { delay.mul_f64(rand::rng().random_range(0.1..=1.0)) } else { delay }
    }
}

/// Calls `attempt` until it succeeds, fails permanently, or the schedule is used up.
pub async fn retry<T, E: Fault>(
    schedule: &Schedule,
    reporter: &Reporter,
    mut attempt: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, E> {
    let mut failed = 0;
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        failed += 1;
        if error.kind() == Kind::Permanent || failed >= schedule.tries {
            return Err(error);
        }
        let delay = schedule.jittered(failed);
        reporter.trouble(schedule.what, &error);
        tracing::warn!(
            what = schedule.what,
            tried = failed,
            of = schedule.tries,
            ?delay,
            "{error}; trying again"
        );
        tokio::time::sleep(delay).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: Schedule = Schedule {
        what: "a test",
        first: Duration::from_secs(1),
        factor: 2.0,
        max: Duration::from_secs(5),
        tries: 4,
        jitter: false,
    };

    #[derive(Debug, thiserror::Error)]
    #[error("no")]
    struct No(Kind);

    impl Fault for No {
        fn kind(&self) -> Kind {
            self.0
        }
    }

    #[test]
    fn delays_grow_to_the_maximum() {
        let delays: Vec<u64> = (1..=5).map(|n| SCHEDULE.delay(n).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 5, 5]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_transient_error_is_tried_as_often_as_the_schedule_says() {
        let (mut calls, start) = (0, tokio::time::Instant::now());
        let result: Result<(), No> = retry(&SCHEDULE, &Reporter::detached(), async || {
            calls += 1;
            Err(No(Kind::Transient))
        })
        .await;
        assert!(result.is_err());
        assert_eq!((calls, start.elapsed().as_secs()), (4, 1 + 2 + 4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_permanent_error_is_not_tried_again() {
        let mut calls = 0;
        let result: Result<(), No> = retry(&SCHEDULE, &Reporter::detached(), async || {
            calls += 1;
            Err(No(Kind::Permanent))
        })
        .await;
        assert!(result.is_err());
        assert_eq!(calls, 1);
    }
}
