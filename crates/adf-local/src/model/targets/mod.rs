//! Load balancers, listeners, target groups and their targets.
//!
//! Neighbours: `groups` registers and drains its members here; the balancer outside the model forwards, checks, and reports each
//! check through `Model::health_checked`.

mod balancer;
mod balancer_verbs;
mod check;
mod check_request;
mod describe;
mod drain;
mod group;
mod group_verbs;
mod health;
mod listener_verbs;
mod register;
mod route;
mod tags;
mod target;

pub use balancer::{Listener, LoadBalancer};
pub use balancer_verbs::NewLoadBalancer;
pub use check::{HealthCheckSettings, HealthPort, Matcher, Probe, ProbeFailure, Protocol};
pub use check_request::HealthCheckRequest;
pub use group::TargetGroup;
pub use group_verbs::NewTargetGroup;
pub use listener_verbs::NewListener;
pub use target::{Target, TargetHealth, TargetKey, TargetState};
