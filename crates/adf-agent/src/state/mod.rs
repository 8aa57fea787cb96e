//! What the agent remembers over a restart: the last receipt, and whether the state table has it.
//!
//! Neighbours: `report` keeps it and reads it back, `file.rs` writes it whole or not at all. The rule: it is a
//! cache. Identity comes from metadata, what runs from Docker's labels, config from the table; a state that is
//! missing, damaged or another instance's costs nothing but a warning.

mod file;

use std::path::{Path, PathBuf};

use adf_types::{InstanceId, Receipt};
use serde::{Deserialize, Serialize};

pub use file::StateFileError;

/// The form of the file. A newer agent may add fields to it and keep the number: unknown fields are kept.
const SCHEMA: u32 = 1;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    schema: u32,
    /// Whose state it is: an AMI may have been made of an instance that had one.
    instance: InstanceId,
    /// The last one that was written.
    pub receipt: Receipt,
    /// Whether the state table has that receipt.
    pub delivered: bool,
    /// What a newer agent wrote, for when it comes back.
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

/// Where the state is, and how it is read and written.
#[derive(Debug, Clone)]
pub struct Memory {
    path: PathBuf,
}

impl Memory {
    pub fn new(state_dir: &Path) -> Self {
        Self { path: state_dir.join("state.json") }
    }

    /// What was remembered of this instance. Whatever is wrong with the file is said and then forgotten; a
    /// damaged one is kept beside, for whoever wants to know why.
    pub fn recall(&self, instance: &InstanceId) -> Option<State> {
        let state: State = match file::read(&self.path) {
            Ok(found) => found?,
            Err(error) => {
                let kept = file::set_aside(&self.path);
                tracing::warn!("W180 {error}; rebuilt from Docker's labels{kept}");
                return None;
            }
        };
        if state.schema > SCHEMA {
            tracing::warn!(
                "W181 {} was written by a newer agent (schema {}); not used",
                self.path.display(),
                state.schema
            );
            return None;
        }
        if state.instance != *instance {
            tracing::warn!(
                "W181 {} is of {}, this is {instance}; not used",
                self.path.display(),
                state.instance
            );
            return None;
        }
        Some(state)
    }

    /// Remembers `receipt`; keeps what a newer agent had added.
    pub fn remember(&self, receipt: &Receipt, delivered: bool) -> Result<(), StateFileError> {
        let earlier: Option<State> = file::read(&self.path).ok().flatten();
        let rest = earlier.filter(|earlier| earlier.instance == receipt.instance).map(|earlier| earlier.rest);
        let state = State {
            schema: SCHEMA,
            instance: receipt.instance.clone(),
            receipt: receipt.clone(),
            delivered,
            rest: rest.unwrap_or_default(),
        };
        file::write(&self.path, &state)
    }
}

#[cfg(test)]
mod tests {
    use adf_types::{InstanceState, ProbeCounts, Stage};
    use proptest::prelude::*;

    use super::*;

    fn receipt(instance: &str) -> Receipt {
        Receipt {
            instance: instance.parse().expect("an id"),
            app: "web".parse().expect("a name"),
            release: "v1".parse().expect("a name"),
            release_digest: None,
            deploy: None,
            image_id: None,
            image_source: None,
            image_fallback: None,
            image_builder: None,
            config_hash: None,
            ami: None,
            agent_version: "1".into(),
            boot_id: None,
            state: InstanceState::Booting { stage: Stage::Claim },
            timings: Vec::new(),
            probes: ProbeCounts::default(),
            restarts: 3,
            notice: None,
            updated_at: "2026-01-01T00:00:00Z".parse().expect("a time"),
        }
    }

    fn remembered() -> (tempfile::TempDir, Memory) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let memory = Memory::new(&dir.path().join("state"));
        memory.remember(&receipt("i-1"), false).expect("written");
        (dir, memory)
    }

    fn id(text: &str) -> InstanceId {
        text.parse().expect("an id")
    }

    #[test]
    fn what_is_remembered_is_recalled() {
        let (_dir, memory) = remembered();
        let state = memory.recall(&id("i-1")).expect("a state");
        assert_eq!((state.receipt.restarts, state.delivered), (3, false));
    }

    #[test]
    fn fault_41_the_state_of_another_instance_is_not_used() {
        let (_dir, memory) = remembered();
        assert_eq!(memory.recall(&id("i-2")), None);
        memory.remember(&receipt("i-2"), true).expect("written");
        assert!(memory.recall(&id("i-2")).expect("a state").delivered);
    }

    #[test]
    fn fault_41_what_a_newer_agent_added_is_kept_and_a_newer_form_is_not_used() {
        let (_dir, memory) = remembered();
        let mut newer = memory.recall(&id("i-1")).expect("a state");
        newer.rest.insert("quarantine".into(), "soon".into());
        file::write(&memory.path, &newer).expect("written");
        memory.remember(&receipt("i-1"), true).expect("written");
        assert_eq!(memory.recall(&id("i-1")).expect("a state").rest["quarantine"], "soon");
        newer.schema = SCHEMA + 1;
        file::write(&memory.path, &newer).expect("written");
        assert_eq!(memory.recall(&id("i-1")), None);
    }

    proptest! {
        #[test]
        fn fault_40_a_state_cut_or_changed_anywhere_is_set_aside_and_never_believed(at in 0_usize..2000, bit in 0_u8..8, cut: bool) {
            let (dir, memory) = remembered();
            let mut bytes = std::fs::read(&memory.path).expect("written before");
            let at = at % bytes.len();
            if cut { bytes.truncate(at) } else { bytes[at] ^= 1 << bit }
            std::fs::write(&memory.path, &bytes).expect("written");
            prop_assert_eq!(memory.recall(&id("i-1")), None);
            let kept = std::fs::read_dir(dir.path().join("state")).expect("a folder").flatten();
            let kept = kept.filter(|entry| entry.file_name().to_string_lossy().contains(".corrupt-")).count();
            prop_assert_eq!(kept, 1);
        }
    }
}
