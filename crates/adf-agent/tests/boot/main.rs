//! Whole boots against scripted fakes, in virtual time: what is called, in which order, and what is not.
//!
//! One file per subject; `fakes` is everything outside the agent.

mod archives;
mod builds;
mod check;
mod config;
mod fakes;
mod fetch;
mod group;
mod guard;
mod health;
mod leaving;
mod memory;
mod metadata;
#[path = "../../../adf-archive/tests/archive/minisign.rs"]
mod minisign;
mod pull;
mod reload;
mod restarted;
mod stages;
