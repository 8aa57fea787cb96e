//! The AWS that ADF needs, on one machine: for the demo, for trying things, and the test bed of everything.
//!
//! Three parts, kept apart:
//! - [`model`]: EC2, Auto Scaling and target groups as one pure state machine; no I/O, no clock.
//! - the wire: [`wire`] speaks the protocols of the model's services, [`cloud`] routes every request of an AWS
//!   tool to its service (over HTTP in [`front`], or inside the process for tests in virtual time),
//!   [`cloudwatch`] keeps metrics and alarms, [`iam`] decides what a restricted caller may do, [`dynamodb`] adds what the off-the-shelf DynamoDB lacks, [`imds`] is each instance's metadata service.
//! - the machines: [`runner`] turns "instance running" into a real `adf-agent`, [`balancer`] turns a target
//!   group into a load balancer that really forwards, checks health and drains.
//!
//! The rule: what adf-local answers, AWS could have answered. It is never installed in production.

pub mod balancer;
pub mod cli;
pub mod cloud;
pub mod cloudwatch;
pub mod dynamodb;
pub mod front;
mod http;
pub mod iam;
pub mod imds;
pub mod machine;
pub mod model;
pub mod runner;
pub mod up;
pub mod wire;
