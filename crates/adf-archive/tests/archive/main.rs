//! Archives that people and attackers send, and what becomes of each.
//!
//! One file per subject; `craft` makes archives, `passing` shows what came out.

mod craft;
mod digest;
mod entries;
mod framing;
mod limits;
mod passing;
mod random;
mod settings;
