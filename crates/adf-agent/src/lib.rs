//! What runs on an instance: fetches, builds and runs the release that the instance was launched with.
//!
//! Read [`boot`] first: it is the table of contents. Neighbours: `adf-types` (the words), `adf-store` (the
//! tables). Everything outside this process is behind a trait in [`world`], the only folder that imports
//! bollard, reqwest and AWS SDKs.
//!
//! To add a stage: a variant in `adf_types::Stage`, a folder or file here, one line in `boot`.

pub mod agent;
pub mod archive;
pub mod boot;
pub mod check;
pub mod claim;
pub mod cli;
pub mod exit;
pub mod failpoint;
pub mod failure;
pub mod guard;
pub mod harden;
pub mod health;
pub mod hook;
pub mod identify;
pub mod last_words;
pub mod lock;
pub mod log;
pub mod notice;
pub mod pool;
pub mod prepare;
pub mod private;
pub mod publish;
pub mod ready;
pub mod redact;
pub mod report;
pub mod retry;
pub mod run;
pub mod settings;
pub mod start;
pub mod state;
pub mod status;
pub mod supervise;
pub mod upkeep;
pub mod world;
