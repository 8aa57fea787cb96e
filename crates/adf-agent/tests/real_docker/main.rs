//! The real agent binary with the host's Docker. Without Docker these tests fail.
//!
//! One file per subject; `rig` is what stands around the agent.

mod another_user;
mod builds;
mod confinement;
mod context;
mod guard;
mod killed;
mod machine;
mod registry;
mod rig;
mod secrets;
mod service;
mod serving;
mod termination;
