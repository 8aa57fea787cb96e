//! What a process costs, read from the kernel.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::failure::{Failure, Result, While};

/// Memory of a process in KiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// `VmHWM`: the most that was ever resident.
    pub(crate) peak: u64,
    /// `VmRSS`: what is resident now.
    pub(crate) now: u64,
    /// `RssAnon`: what of it no other process could share.
    pub(crate) own: u64,
}

pub(crate) fn memory(process: u32) -> Result<Memory> {
    let path = format!("/proc/{process}/status");
    let text = fs::read_to_string(&path).while_(&path)?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let number =
            line.and_then(|line| line.trim_start_matches(':').trim().strip_suffix(" kB")?.parse().ok());
        number.ok_or_else(|| Failure::new(format!("{path} has no {name}")))
    };
    Ok(Memory { peak: field("VmHWM")?, now: field("VmRSS")?, own: field("RssAnon")? })
}

/// How often a second the process's threads went to sleep by themselves, over `window`: each is one wake-up.
pub(crate) async fn wakeups(process: u32, window: Duration) -> Result<f64> {
    let before = switches(process)?;
    tokio::time::sleep(window).await;
    let count = switches(process)?.saturating_sub(before);
    Ok(f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / window.as_secs_f64())
}

fn switches(process: u32) -> Result<u64> {
    let tasks = format!("/proc/{process}/task");
    let mut all = 0;
    for task in fs::read_dir(&tasks).while_(&tasks)?.flatten() {
        // A thread may end between the listing and the reading.
        let text = fs::read_to_string(Path::new(&task.path()).join("status")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        all += line.and_then(|line| line.trim().parse::<u64>().ok()).unwrap_or_default();
    }
    Ok(all)
}
