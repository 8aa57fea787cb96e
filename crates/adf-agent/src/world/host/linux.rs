//! The machine, through `/proc` and `statvfs`.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::statvfs::statvfs;

use super::{Disk, Host};

/// The kernel's log: one record a read, at most so long.
const RECORD: usize = 8 << 10;

/// More records than the kernel's buffer holds.
const MAX_RECORDS: usize = 200_000;

pub(crate) struct Linux;

impl Host for Linux {
    fn memory(&self) -> Option<u64> {
        let text = std::fs::read_to_string("/proc/meminfo").ok()?;
        let kib: u64 = field(&text, "MemTotal:")?;
        Some(kib << 10)
    }

    fn disk(&self, at: &Path) -> Option<Disk> {
        let found = statvfs(at).ok()?;
        let free_bytes = found.blocks_available() * found.fragment_size();
        let free_inodes = (found.files() > 0).then(|| found.files_available());
        Some(Disk { free_bytes, free_inodes })
    }

    fn oom_kills(&self) -> Option<u64> {
        field(&std::fs::read_to_string("/proc/vmstat").ok()?, "oom_kill ")
    }

    fn oom_victim(&self) -> Option<String> {
        let log =
            OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open("/dev/kmsg").ok()?;
        last_victim(log)
    }
}

fn field(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

fn last_victim(mut log: File) -> Option<String> {
    let mut record = [0; RECORD];
    let mut last = None;
    for _ in 0..MAX_RECORDS {
        match log.read(&mut record) {
            Ok(0) => break,
            Ok(n) => last = victim(&String::from_utf8_lossy(&record[..n])).or(last),
            // A record that was overwritten while we read.
            Err(error) if error.raw_os_error() == Some(nix::errno::Errno::EPIPE as i32) => {}
            Err(_) => break,
        }
    }
    last
}

/// `Out of memory: Killed process 1234 (node) total-vm:...`
fn victim(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("Killed process ")?;
    let (_, rest) = rest.split_once('(')?;
    let (name, _) = rest.split_once(')')?;
    Some(crate::log::printable(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_for_a_victim_are_understood() {
        for line in [
            "3,1234,5678,-;Out of memory: Killed process 4321 (node) total-vm:1kB, anon-rss:1kB",
            "6,1,2,-;Memory cgroup out of memory: Killed process 4321 (node) total-vm:1kB",
        ] {
            assert_eq!(victim(line).as_deref(), Some("node"));
        }
        assert_eq!(victim("6,1,2,-;eth0: link up"), None);
    }

    #[test]
    fn this_machine_can_be_looked_at() {
        let disk = Linux.disk(Path::new("/")).expect("a root");
        assert!(disk.free_bytes > 0, "{disk:?}");
        assert!(Linux.memory().expect("/proc/meminfo") > 64 << 20);
        assert!(Linux.oom_kills().is_some());
        assert_eq!(Linux.disk(Path::new("/nonexistent")), None);
    }
}
