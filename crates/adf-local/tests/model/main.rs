//! The model alone: no wire, no clock, no machines. `now` is passed, so hours pass at once.

mod balancing;
mod capacity;
mod ec2;
mod health;
mod hooks;
mod properties;
mod refresh;
mod refresh_bounds;
mod refresh_checkpoints;
mod surprises;
mod templates;
mod warm_pool;
mod weather;
mod world;
