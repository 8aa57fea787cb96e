//! Where an instance refresh stands still, so that a release that only a part of the fleet finds bad does not get all of it.

use serde::{Deserialize, Serialize};

use crate::Surge;

/// Shares of the fleet after which an instance refresh waits, ascending. The whole fleet is always the last one, said or
/// not. Written `["1%", "10%", "50%"]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<Surge>", into = "Vec<Surge>")]
pub struct Checkpoints(Vec<Surge>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("checkpoints ascend, and {next} comes after {before}; write [\"1%\", \"10%\", \"50%\"]")]
pub struct CheckpointsError {
    before: Surge,
    next: Surge,
}

/// One checkpoint of a fleet of a certain size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    pub share: Surge,
    /// How many instances are new when it is reached.
    pub instances: u32,
}

impl Checkpoints {
    /// 1 %, 10 %, 50 %: as many as give a bad release away, before it is where it hurts.
    pub fn usual() -> Self {
        Self([1, 10, 50].map(Surge::of_percent).to_vec())
    }

    /// Those of a fleet of so many instances, the whole of it left out: of several that come to the same number of
    /// instances the first.
    pub fn of(&self, capacity: u32) -> Vec<Checkpoint> {
        let all = self.0.iter().map(|share| Checkpoint { share: *share, instances: share.of(capacity) });
        let mut kept: Vec<Checkpoint> = all.filter(|checkpoint| checkpoint.instances < capacity).collect();
        kept.dedup_by_key(|checkpoint| checkpoint.instances);
        kept
    }

    /// How many instances are replaced from one checkpoint to the next, the whole fleet being the last one.
    pub fn parts(&self, capacity: u32) -> Vec<u32> {
        let ends = self.of(capacity).into_iter().map(|checkpoint| checkpoint.instances).chain([capacity]);
        let mut before = 0;
        ends.map(|end| end - std::mem::replace(&mut before, end)).collect()
    }

    /// How often instances are started, one after the other, where at most so many start at once.
    pub fn starts(&self, capacity: u32, at_once: u32) -> u32 {
        self.parts(capacity).into_iter().map(|part| part.div_ceil(at_once.max(1))).sum()
    }
}

impl TryFrom<Vec<Surge>> for Checkpoints {
    type Error = CheckpointsError;

    fn try_from(shares: Vec<Surge>) -> Result<Self, CheckpointsError> {
        match shares.windows(2).find(|pair| pair[0] >= pair[1]) {
            Some(pair) => Err(CheckpointsError { before: pair[0], next: pair[1] }),
            None => Ok(Self(shares)),
        }
    }
}

impl From<Checkpoints> for Vec<Surge> {
    fn from(checkpoints: Checkpoints) -> Self {
        checkpoints.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instances(capacity: u32) -> Vec<u32> {
        Checkpoints::usual().of(capacity).into_iter().map(|checkpoint| checkpoint.instances).collect()
    }

    #[test]
    fn in_a_small_fleet_some_fall_together_and_one_of_one_has_none() {
        assert!(instances(1).is_empty());
        assert_eq!(instances(2), [1]);
        assert_eq!(instances(3), [1, 2]);
        assert_eq!(instances(10), [1, 5]);
        assert_eq!(instances(30), [1, 3, 15]);
        assert_eq!(instances(1000), [10, 100, 500]);
    }

    #[test]
    fn the_parts_are_the_fleet() {
        for capacity in 1..300 {
            let parts = Checkpoints::usual().parts(capacity);
            assert_eq!(parts.iter().sum::<u32>(), capacity);
            assert!(!parts.contains(&0), "{capacity}: {parts:?}");
        }
        assert_eq!(Checkpoints::default().parts(7), [7]);
    }

    #[test]
    fn a_part_that_is_larger_than_what_starts_at_once_takes_several_starts() {
        let usual = Checkpoints::usual();
        assert_eq!(usual.starts(10, 10), 3, "1, 4 and 5 instances");
        assert_eq!(usual.starts(10, 3), 1 + 2 + 2);
        assert_eq!(Checkpoints::default().starts(10, 3), 4);
    }

    #[test]
    fn what_does_not_ascend_is_refused() {
        let parse = |text: &str| serde_json::from_str::<Checkpoints>(text);
        for text in [r#"["10%","10%"]"#, r#"["50%","10%"]"#] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains("checkpoints ascend"), "{error}");
        }
        assert!(parse("[10]").is_err() && parse(r#"["0%"]"#).is_err());
    }

    #[test]
    fn what_is_written_is_read_back_and_the_whole_fleet_may_be_said() {
        let text = r#"["1%","50%","100%"]"#;
        let read: Checkpoints = serde_json::from_str(text).expect("valid");
        assert_eq!(serde_json::to_string(&read).expect("JSON"), text);
        assert_eq!(read.parts(4), [1, 1, 2]);
    }
}
