//! Archives that people and attackers send, and what becomes of each.
//!
//! One file per subject; `craft` makes archives, `corpus` is the hostile ones, `passing` shows what came out,
//! `readers` what others read.

mod corpus;
mod craft;
mod digest;
mod entries;
mod framing;
mod hostile;
mod ignoring;
mod limits;
mod memory;
mod minisign;
mod passing;
mod random;
mod readers;
mod settings;
mod signing;
