//! The watchdog: systemd is told that the main loop turns, by the main loop itself.
//!
//! The rule: [`Pulse::beat`] is called where the loop has turned and nowhere else, so that a loop that hangs misses its
//! beat and systemd starts the agent again (`WatchdogSec=` in adf-agent.service). Long steps of the loop are
//! awaited through [`Pulse::during`]: they have limits of their own, and the loop is awake while they wait.

use std::time::Duration;

use tokio::time::Instant;

use crate::world::systemd;

/// Twice within systemd's limit, as its manual advises.
const BEATS_PER_LIMIT: u32 = 2;

#[derive(Debug)]
pub(super) struct Pulse {
    /// Nothing when systemd did not ask for it.
    every: Option<Duration>,
    last: Instant,
    tell: fn(),
}

impl Pulse {
    pub(super) fn of_systemd() -> Self {
        Self::new(systemd::watchdog_limit(), systemd::alive)
    }

    fn new(limit: Option<Duration>, tell: fn()) -> Self {
        Self { every: limit.map(|limit| limit / BEATS_PER_LIMIT), last: Instant::now(), tell }
    }

    /// Resolves when the next beat is due.
    pub(super) async fn due(&self) {
        match self.every {
            Some(every) => tokio::time::sleep_until(self.last + every).await,
            None => std::future::pending().await,
        }
    }

    /// The loop has turned.
    pub(super) fn beat(&mut self) {
        if self.every.is_some_and(|every| self.last.elapsed() >= every) {
            self.last = Instant::now();
            (self.tell)();
        }
    }

    /// Awaits one long step, beating meanwhile.
    pub(super) async fn during<T>(&mut self, step: impl Future<Output = T>) -> T {
        let mut step = std::pin::pin!(step);
        loop {
            tokio::select! {
                biased;
                done = &mut step => return done,
                () = self.due() => self.beat(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    static BEATS: AtomicU32 = AtomicU32::new(0);

    fn count() {
        BEATS.fetch_add(1, Ordering::Relaxed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_turns_beats_and_one_that_is_stuck_does_not() {
        let mut pulse = Pulse::new(Some(Duration::from_mins(1)), count);
        for _ in 0..60 {
            tokio::time::sleep(Duration::from_secs(5)).await;
            pulse.beat();
        }
        assert_eq!(BEATS.swap(0, Ordering::Relaxed), 10, "every 30 s in five minutes");
        pulse.during(tokio::time::sleep(Duration::from_secs(301))).await;
        assert_eq!(BEATS.swap(0, Ordering::Relaxed), 10, "a long step does not trip the watchdog");
        tokio::time::sleep(Duration::from_mins(5)).await; // the loop hangs
        assert_eq!(BEATS.load(Ordering::Relaxed), 0, "nothing else beats for it");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_watchdog_nothing_wakes_up() {
        let pulse = Pulse::new(None, || panic!("nobody asked"));
        assert!(tokio::time::timeout(Duration::from_hours(1), pulse.due()).await.is_err());
    }
}
