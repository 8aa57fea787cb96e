//! The demo's processes, found as an operator would: their command line names the demo's folder.

use std::fmt;
use std::fs;
use std::path::Path;

/// A process that is running.
#[derive(Debug)]
pub(super) struct Process {
    id: u32,
    command: String,
    /// The most memory it ever had, in MiB.
    peak: Option<f64>,
}

/// Every process but this one whose command line names the folder.
pub(super) fn of(folder: &Path) -> Vec<Process> {
    let folder = folder.to_string_lossy().into_owned();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let id: u32 = entry.file_name().to_str()?.parse().ok()?;
            let command = fs::read(entry.path().join("cmdline")).ok()?;
            let command = String::from_utf8_lossy(&command).replace('\0', " ").trim().to_owned();
            let status = fs::read_to_string(entry.path().join("status")).ok()?;
            let ours = id != std::process::id() && command.contains(&folder);
            ours.then(|| Process { id, command, peak: peak(&status) })
        })
        .collect()
}

/// The most memory that any of the agents ever had, in MiB.
pub(super) fn agents_peak(folder: &Path) -> Option<f64> {
    let agents = of(folder).into_iter().filter(|process| process.command.contains("adf-agent run"));
    agents.filter_map(|agent| agent.peak).reduce(f64::max)
}

/// `VmHWM:     1234 kB` of `/proc/<id>/status`.
fn peak(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes / 1024.0)
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}: {}", self.id, self.command)
    }
}

#[cfg(test)]
mod tests {
    use super::peak;

    #[test]
    fn the_peak_is_read_from_what_the_kernel_says() {
        assert_eq!(peak("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 1024 kB\n"), Some(2.0));
        assert_eq!(peak("Name:\tkthreadd\n"), None);
    }
}
