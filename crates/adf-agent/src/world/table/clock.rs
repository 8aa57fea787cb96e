//! A host whose clock is off: AWS refuses what it signs (fault 36).
//!
//! The SDK already signs by AWS's clock once an answer told it; what is refused all the same passes when the host has
//! synchronised its time, which on EC2 takes seconds after the network is up.

use std::time::Duration;

use adf_store::StoreError;
use tokio::time::Instant;

use crate::world::systemd;

/// How long the host gets to synchronise its clock. Time at EC2 is one hop away; two minutes are a broken setup.
const SYNC: Duration = Duration::from_mins(2);

/// How often the call is tried meanwhile.
const PAUSE: Duration = Duration::from_secs(10);

/// Makes `call`, again and again while it fails because of the clock, for at most [`SYNC`].
pub(super) async fn in_time<T, F>(mut call: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let deadline = Instant::now() + SYNC;
    loop {
        match call().await {
            Err(StoreError::ClockSkew { minutes, .. }) if Instant::now() < deadline => {
                let side = if minutes > 0 { "behind" } else { "ahead of" };
                let told =
                    format!("E160 the host clock is {} min {side} AWS; waiting for time sync", minutes.abs());
                tracing::warn!("{told}");
                systemd::status(&told);
                tokio::time::sleep(PAUSE).await;
            }
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;

    async fn after(failures: u32) -> (Result<(), StoreError>, u32, u64) {
        let (mut calls, began) = (0, Instant::now());
        let result = in_time(|| {
            calls += 1;
            let what = "read web".to_owned();
            ready(if calls > failures { Ok(()) } else { Err(StoreError::ClockSkew { what, minutes: 14 }) })
        });
        (result.await, calls, began.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn fault_36_a_clock_that_is_set_within_two_minutes_is_waited_for() {
        let (result, calls, seconds) = after(3).await;
        assert!(result.is_ok());
        assert_eq!((calls, seconds), (4, 30));
    }

    #[tokio::test(start_paused = true)]
    async fn fault_36_a_clock_that_stays_off_ends_the_wait_after_two_minutes() {
        let (result, calls, seconds) = after(u32::MAX).await;
        let error = result.expect_err("still off");
        assert_eq!(error.to_string(), "E160 cannot read web: the host clock is 14 min behind AWS");
        assert!(!error.is_transient(), "waiting longer does not help");
        assert_eq!((calls, seconds), (13, 120));
    }

    #[tokio::test(start_paused = true)]
    async fn any_other_error_is_not_waited_for() {
        let app = "web".parse().expect("a name");
        let error = StoreError::Changing { app, reads: 5 };
        let mut once = Some(error);
        let result: Result<(), _> = in_time(|| ready(Err(once.take().expect("called once")))).await;
        assert!(result.is_err());
    }
}
