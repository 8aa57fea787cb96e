//! When a container that ended is started again (fault 37): after 10, 20, 40 … 300 s, from the start again after
//! 10 good minutes.

use std::time::Duration;

use tokio::time::Instant;

const FIRST: Duration = Duration::from_secs(10);
const LAST: Duration = Duration::from_mins(5);
const GOOD_AFTER: Duration = Duration::from_mins(10);

#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    started: Instant,
}

impl Backoff {
    pub(super) fn new(started: Instant) -> Self {
        Self { next: FIRST, started }
    }

    /// How long to wait after an end at `now`.
    pub(super) fn after_end(&mut self, now: Instant) -> Duration {
        if now.duration_since(self.started) >= GOOD_AFTER {
            self.next = FIRST;
        }
        let delay = self.next;
        self.next = (delay * 2).min(LAST);
        delay
    }

    pub(super) fn started(&mut self, now: Instant) {
        self.started = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_37_the_delays_double_to_five_minutes_and_start_again_after_ten_good_ones() {
        let mut now = Instant::now();
        let mut backoff = Backoff::new(now);
        let mut end_after = |seconds: u64| {
            now += Duration::from_secs(seconds);
            let delay = backoff.after_end(now);
            now += delay;
            backoff.started(now);
            delay.as_secs()
        };
        assert_eq!([1; 7].map(&mut end_after), [10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(end_after(599), 300, "not quite ten minutes");
        assert_eq!(end_after(600), 10);
    }
}
