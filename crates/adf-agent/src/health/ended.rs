//! A container that ended, in words.

use crate::start::Started;

/// How a container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    pub code: i64,
    /// The kernel's out-of-memory killer ended it.
    pub out_of_memory: bool,
}

impl Ended {
    /// `exited 1`; when memory was the reason, the limit it ran into.
    pub fn words(self, started: &Started) -> String {
        let Self { code, out_of_memory } = self;
        match (out_of_memory, started.run.memory_mib) {
            (false, _) => format!("exited {code}"),
            (true, Some(mib)) => format!(
                "ran out of memory (killed at its limit of {mib} MiB, [run] memory_mib in adf.toml; exit code {code})"
            ),
            (true, None) => format!("ran out of memory (killed by the host's kernel; exit code {code})"),
        }
    }
}

/// `once`, `twice`, `three times`, `4 times`.
pub fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        3 => "three times".to_owned(),
        more => format!("{more} times"),
    }
}
