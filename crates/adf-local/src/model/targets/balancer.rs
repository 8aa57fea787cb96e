//! Load balancers and the listeners that make them forward to a target group.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::Timestamp;

use super::check::Protocol;

/// An application load balancer.
#[derive(Clone, Debug)]
pub struct LoadBalancer {
    pub arn: String,
    pub name: String,
    /// What clients connect to: the address itself, so that it resolves everywhere.
    pub dns_name: String,
    pub address: Ipv4Addr,
    pub scheme: String,
    pub kind: String,
    pub created_at: Timestamp,
    pub subnet_ids: Vec<String>,
    pub security_group_ids: Vec<String>,
    pub tags: BTreeMap<String, String>,
}

/// A listener that forwards to one target group.
#[derive(Clone, Debug)]
pub struct Listener {
    pub arn: String,
    pub load_balancer_arn: String,
    pub port: u16,
    pub protocol: Protocol,
    pub target_group_arn: String,
    pub tags: BTreeMap<String, String>,
}
