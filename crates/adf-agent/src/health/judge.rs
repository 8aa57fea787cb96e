//! Is an app that serves still well? A decision over its last probes, without a clock and without calls.
//!
//! Unhealthy: 3 probes in a row failed, or more than 5 of the last 20 (flapping). Healthy again: K passes in a row,
//! the same K that the boot asks for; the window then starts empty, or old failures would count twice.

use std::collections::VecDeque;

/// Consecutive failed probes that make an app unhealthy.
const FAILED_IN_A_ROW: usize = 3;

/// More failures than [`FLAPPING`] among the last [`WINDOW`] probes make it unhealthy too.
const WINDOW: usize = 20;
const FLAPPING: usize = 5;

/// What a probe changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    Same,
    /// The app was well until now; why it is not.
    Unhealthy(String),
    Healthy,
}

#[derive(Debug)]
pub struct Judge {
    /// K.
    passes: usize,
    /// The last probes, the newest at the end; what a failed one saw.
    window: VecDeque<Option<String>>,
    unhealthy: bool,
}

impl Judge {
    /// Of an app that is well.
    pub fn new(passes: u32) -> Self {
        let passes = usize::try_from(passes).unwrap_or(usize::MAX).max(1);
        Self { passes, window: VecDeque::new(), unhealthy: false }
    }

    pub fn is_unhealthy(&self) -> bool {
        self.unhealthy
    }

    /// The container is known to be down: only passes make it well again.
    pub fn fell(&mut self) {
        self.unhealthy = true;
        self.window.clear();
    }

    pub fn take(&mut self, seen: &Result<(), String>) -> Turn {
        // An app that is down is measured by its last K probes, and K may be more than the window.
        if self.window.len() >= WINDOW.max(self.passes) {
            self.window.pop_front();
        }
        self.window.push_back(seen.as_ref().err().cloned());
        match self.unhealthy {
            true if self.row(Option::is_none) >= self.passes => {
                self.unhealthy = false;
                self.window.clear();
                Turn::Healthy
            }
            false => self.verdict(),
            true => Turn::Same,
        }
    }

    fn verdict(&mut self) -> Turn {
        let recent = self.window.len().min(WINDOW);
        let failed = self.window.iter().rev().take(WINDOW).flatten().count();
        let last = self.window.iter().rev().flatten().next().cloned().unwrap_or_default();
        let reason = if self.row(Option::is_some) >= FAILED_IN_A_ROW {
            format!("gave {last}, {FAILED_IN_A_ROW} probes in a row")
        } else if failed > FLAPPING {
            format!("is flapping: gave {last} and the like on {failed} of the last {recent} probes")
        } else {
            return Turn::Same;
        };
        self.unhealthy = true;
        Turn::Unhealthy(reason)
    }

    /// How many of the newest probes in a row are so.
    fn row(&self, so: impl Fn(&Option<String>) -> bool) -> usize {
        self.window.iter().rev().take_while(|seen| so(seen)).count()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judge(probes: &str) -> Vec<Turn> {
        let mut judge = Judge::new(3);
        let probe = |c| if c == '.' { Ok(()) } else { Err("503".to_owned()) };
        probes.chars().map(|c| judge.take(&probe(c))).collect()
    }

    #[test]
    fn three_failures_in_a_row_are_unhealthy_and_three_passes_are_healthy_again() {
        let turns = judge("..xx.xxx");
        assert!(turns[..7].iter().all(|t| *t == Turn::Same));
        assert_eq!(turns[7], Turn::Unhealthy("gave 503, 3 probes in a row".to_owned()));
        let turns = judge("xxx..x...");
        assert_eq!(turns[8], Turn::Healthy);
        assert_eq!(turns.iter().filter(|t| **t != Turn::Same).count(), 2);
    }

    #[test]
    fn fault_38_more_than_five_failures_of_twenty_are_flapping() {
        let turns = judge("x..x..x..x..x......");
        assert!(turns.iter().all(|t| *t == Turn::Same), "five of nineteen");
        let turns = judge("x..x..x..x..x..x");
        assert_eq!(
            turns[15],
            Turn::Unhealthy("is flapping: gave 503 and the like on 6 of the last 16 probes".to_owned())
        );
        let slow: String = "x....".repeat(40);
        assert!(judge(&slow).iter().all(|t| *t == Turn::Same), "one in five is not more than five of twenty");
    }

    #[test]
    fn old_failures_do_not_count_after_it_was_healthy_again() {
        let turns = judge("x.x.x.x.x.x...x.x.x");
        assert_eq!(turns.iter().filter(|t| matches!(t, Turn::Unhealthy(_))).count(), 1, "{turns:?}");
    }

    proptest! {
        #[test]
        fn verdicts_alternate_and_the_memory_is_bounded(probes in "[x.]{0,300}", passes in 0_u32..40) {
            let mut judge = Judge::new(passes);
            let mut well = true;
            for c in probes.chars() {
                let turn = judge.take(&if c == '.' { Ok(()) } else { Err("x".to_owned()) });
                match turn {
                    Turn::Same => {}
                    Turn::Unhealthy(_) => { prop_assert!(well); well = false; }
                    Turn::Healthy => { prop_assert!(!well); well = true; }
                }
                prop_assert_eq!(judge.is_unhealthy(), !well);
                prop_assert!(judge.window.len() <= 40);
            }
        }
    }
}
