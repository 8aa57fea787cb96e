//! The instance metadata service: one for each instance, at `http://<its private address>:1338`.
//!
//! It answers as EC2's IMDSv2 does ([`server`]); what it tells is in [`tree`]. The rule: an instance learns about
//! itself from here and from nowhere else, as on EC2.
//! Source: "Use the Instance Metadata Service to access instance metadata", EC2 user guide.

mod role;
mod server;
mod token;
mod tree;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use crate::cloud::Cloud;
use crate::http::Server;
use crate::model::InstanceState;

/// Where an instance finds its metadata; EC2 uses port 80 of a link-local address, which one machine has only once.
pub const PORT: u16 = 1338;

/// The metadata services of all instances.
#[derive(Debug)]
pub struct Imds {
    cloud: Cloud,
    services: BTreeMap<String, Server>,
}

impl Imds {
    pub fn new(cloud: Cloud) -> Self {
        Self { cloud, services: BTreeMap::new() }
    }

    /// Opens the services of new instances and closes those of terminated ones.
    pub async fn reconcile(&mut self) {
        let wanted = self.cloud.model(|model, _| {
            let alive = model.instances().filter(|instance| instance.state != InstanceState::Terminated);
            alive.map(|instance| (instance.id.clone(), instance.private_ip)).collect::<BTreeMap<_, _>>()
        });
        self.services.retain(|id, _| wanted.contains_key(id));
        for (id, address) in wanted {
            if !self.services.contains_key(&id) {
                self.open(id, address).await;
            }
        }
    }

    async fn open(&mut self, id: String, address: Ipv4Addr) {
        let address = SocketAddr::from((address, PORT));
        match server::open(self.cloud.clone(), id.clone(), address).await {
            Ok(server) => {
                self.services.insert(id, server);
            }
            // The next reconciliation tries again: the address may be one that a terminated instance still holds.
            Err(error) => {
                tracing::warn!(instance = id, %address, %error, "its metadata service could not be opened");
            }
        }
    }
}
