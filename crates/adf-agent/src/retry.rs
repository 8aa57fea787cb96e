//! Retry schedules: which delays, how often, and the one loop that follows them.
//!
//! Neighbours: stages call [`retry`] around one outside call; the reporter keeps the last trouble so that a
//! stage that runs out of time says what it was waiting for. The rule: every schedule is a named constant
//! with its real delays beside it, and every loop ends.

use std::time::Duration;

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

    /// The delay after the `failed`th failure, as it is waited.
    pub fn pause(&self, failed: u32) -> Duration {
        let delay = self.delay(failed);
        if self.jitter { delay.mul_f64(0.1 + 0.9 * fastrand::f64()) } else { delay }
    }
}

/// Calls `attempt` until it succeeds, fails permanently, the schedule is used up, or the outside system asks for more
/// time than the boot has left.
pub async fn retry<T, E: Fault>(
    schedule: &Schedule,
    reporter: &Reporter,
    mut attempt: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, E> {
    let mut tries = Tries::new(schedule);
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if !tries.again(reporter, &error).await {
            return Err(error);
        }
    }
}

/// How far a schedule is used up, for loops that follow more than one.
#[derive(Debug)]
pub struct Tries<'a> {
    schedule: &'a Schedule,
    failed: u32,
}

impl<'a> Tries<'a> {
    pub fn new(schedule: &'a Schedule) -> Self {
        Self { schedule, failed: 0 }
    }

    /// Counts a failure; waits and returns true if there is to be another try.
    pub async fn again(&mut self, reporter: &Reporter, error: &impl Fault) -> bool {
        let Self { schedule, failed } = self;
        *failed += 1;
        let asked = error.retry_after();
        let in_vain = asked.is_some_and(|asked| asked > reporter.left());
        if error.kind() == Kind::Permanent || *failed >= schedule.tries || in_vain {
            return false;
        }
        let delay = asked.unwrap_or_else(|| schedule.pause(*failed));
        reporter.retrying(schedule.what, error, delay);
        tracing::warn!(
            what = schedule.what,
            tried = *failed,
            of = schedule.tries,
            ?delay,
            "{error}; trying again"
        );
        tokio::time::sleep(delay).await;
        true
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
    struct No(Kind, Option<Duration>);

    impl Fault for No {
        fn kind(&self) -> Kind {
            self.0
        }

        fn retry_after(&self) -> Option<Duration> {
            self.1
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
            Err(No(Kind::Transient, None))
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
            Err(No(Kind::Permanent, None))
        })
        .await;
        assert!(result.is_err());
        assert_eq!(calls, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn fault_20_a_wait_that_was_asked_for_is_kept_exactly() {
        let start = tokio::time::Instant::now();
        let mut waits = [37, 90].into_iter();
        retry(&SCHEDULE, &Reporter::detached(), async || match waits.next() {
            Some(seconds) => Err(No(Kind::Transient, Some(Duration::from_secs(seconds)))),
            None => Ok(()),
        })
        .await
        .expect("the third try");
        assert_eq!(start.elapsed().as_secs(), 37 + 90);
    }

    #[tokio::test(start_paused = true)]
    async fn fault_20_a_wait_that_the_boot_has_no_time_for_is_not_begun() {
        let (mut calls, start) = (0, tokio::time::Instant::now());
        let result: Result<(), No> = retry(&SCHEDULE, &Reporter::detached(), async || {
            calls += 1;
            Err(No(Kind::Transient, Some(Duration::from_hours(1))))
        })
        .await;
        assert!(result.is_err());
        assert_eq!((calls, start.elapsed().as_secs()), (1, 0));
    }
}
