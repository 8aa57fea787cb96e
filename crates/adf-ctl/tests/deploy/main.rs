//! Whole deploys against adf-local's model of AWS, with the real SDK, in virtual time. Agents and the load
//! balancer's checks are played by `world`; everything else is what runs in production.

#[path = "../account/mod.rs"]
mod account;
mod agents;
mod canary;
mod checkpoints;
mod cloudwatch;
mod fuse;
mod judged;
mod lock;
mod look;
mod operators;
mod plan;
mod policy;
mod refresh;
mod refusals;
mod restart;
mod restorable;
mod resume;
mod rollback;
mod room;
mod succeeds;
mod template;
mod world;
