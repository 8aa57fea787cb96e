//! What the players printed, added up.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

/// Counts by part and name; the seeds that broke a rule.
#[derive(Debug, Default)]
pub(super) struct Report {
    counts: BTreeMap<(String, String), u64>,
    /// By seed: which rule, and the story.
    failed: BTreeMap<u64, Vec<String>>,
}

impl Report {
    pub(super) fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    /// Lines of `tally PART NUMBER NAME` and `failed SEED ...` with a story below it, up to `end of SEED`.
    pub(super) fn take(&mut self, said: &str) {
        let mut story: Option<u64> = None;
        for line in said.lines() {
            if let Some(seed) =
                line.strip_prefix("failed ").and_then(|rest| rest.split(' ').next()?.parse().ok())
            {
                story = Some(seed);
            }
            if line.starts_with("end of ") {
                story = None;
            } else if let Some(seed) = story {
                self.failed.entry(seed).or_default().push(line.to_owned());
            } else if let Some((part, number, name)) = counted(line) {
                *self.counts.entry((part.to_owned(), name.to_owned())).or_default() += number;
            }
        }
    }

    pub(super) fn show(&self, took: Duration) -> ExitCode {
        for (part, title) in
            [("fault", "faults injected"), ("invariant", "invariants checked"), ("played", "played")]
        {
            let counts = self.counts.iter().filter(|((known, _), _)| known == part);
            let total: u64 = counts.clone().map(|(_, number)| number).sum();
            if part == "played" {
                println!("{title}");
            } else {
                println!("{title}: {total}");
            }
            for ((_, name), number) in counts {
                println!("  {number:>12}  {name}");
            }
        }
        let seeds = self.counts.get(&("played".to_owned(), "seeds".to_owned())).copied().unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = seeds as f64 / took.as_secs_f64();
        println!("{seeds} seeds in {:.0} s: {rate:.2} seeds/s", took.as_secs_f64());
        let Some((_, story)) = self.failed.first_key_value() else {
            println!("no rule was broken");
            return ExitCode::SUCCESS;
        };
        for line in story {
            println!("{line}");
        }
        if self.failed.len() > 1 {
            println!("all that failed:");
            self.failed.values().filter_map(|story| story.first()).for_each(|line| println!("{line}"));
        }
        ExitCode::FAILURE
    }
}

fn counted(line: &str) -> Option<(&str, u64, &str)> {
    let mut words = line.strip_prefix("tally ")?.splitn(3, ' ');
    Some((words.next()?, words.next()?.parse().ok()?, words.next()?))
}

#[cfg(test)]
mod tests {
    use super::Report;

    #[test]
    fn counts_of_several_processes_are_added_up() {
        let mut report = Report::default();
        report.take("running 1 test\ntally fault 3 lost answer\n");
        report.take("tally fault 4 lost answer\ntally played 2 seeds\n");
        assert_eq!(report.counts[&("fault".to_owned(), "lost answer".to_owned())], 7);
        assert!(!report.has_failed());
    }

    #[test]
    fn a_story_is_kept_up_to_its_end() {
        let mut report = Report::default();
        report.take("failed 7 a rule\n  1.000 ann dies\nend of 7\ntally played 1 seeds\n");
        assert_eq!(report.failed[&7], ["failed 7 a rule", "  1.000 ann dies"]);
        assert_eq!(report.counts.len(), 1);
    }
}
