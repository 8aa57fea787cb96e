//! The machine below Docker: its memory, its disks, and what its kernel killed. `linux.rs` is the real one.
//!
//! Everything here is a look at a file of the kernel that takes microseconds, so the trait is not async; what cannot
//! be read (a hardened unit, another kernel) is `None`, and whoever asked does without.

mod linux;

use std::path::Path;

use jiff::Timestamp;

pub(crate) use linux::Linux;

/// What is free on a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    pub free_bytes: u64,
    /// Nothing where inodes are made as needed (btrfs).
    pub free_inodes: Option<u64>,
}

pub trait Host: Send + Sync {
    /// All memory, in bytes.
    fn memory(&self) -> Option<u64>;
    fn disk(&self, at: &Path) -> Option<Disk>;
    /// How many processes the kernel has killed for want of memory, since its start.
    fn oom_kills(&self) -> Option<u64>;
    /// The name of the last one, where the kernel's log may be read.
    fn oom_victim(&self) -> Option<String>;
    /// The machine's clock, which nobody promises to be right, for receipts; what is waited for goes by tokio's time.
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
