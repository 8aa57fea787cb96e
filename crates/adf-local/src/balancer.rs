//! The load balancers: what Elastic Load Balancing's listeners and target groups say, done with real connections.
//!
//! - [`listener`]: one address and port, open as long as the listener exists;
//! - [`forward`]: one request from a client to a target and back;
//! - [`check`]: the health checks of each target, reported to the model.
//!
//! The model decides which targets a request may go to, at the moment of the request: a target that is deregistered
//! gets no new request from then on, while what it is answering goes on undisturbed.

mod check;
mod forward;
mod listener;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::cloud::Cloud;
use check::Checks;
use listener::OpenListener;

/// All load balancers of the cloud.
#[derive(Debug)]
pub struct Balancer {
    cloud: Cloud,
    listeners: BTreeMap<String, OpenListener>,
    checks: Checks,
}

impl Balancer {
    pub fn new(cloud: Cloud) -> Self {
        Self { checks: Checks::new(cloud.clone()), cloud, listeners: BTreeMap::new() }
    }

    /// Makes what listens and what is checked the same as what the model says.
    pub async fn reconcile(&mut self) {
        let wanted = self.wanted_listeners();
        self.listeners.retain(|arn, open| wanted.get(arn) == Some(&open.address()));
        for (arn, address) in wanted {
            if !self.listeners.contains_key(&arn) {
                self.open(arn, address).await;
            }
        }
        for listener in self.listeners.values() {
            listener.forget_gone_targets();
        }
        self.checks.reconcile();
    }

    fn wanted_listeners(&self) -> BTreeMap<String, SocketAddr> {
        self.cloud.model(|model, _| {
            let addresses: BTreeMap<_, _> = model.load_balancers().map(|lb| (&lb.arn, lb.address)).collect();
            let address = |arn| addresses.get(arn).copied();
            let listeners = model.listeners().filter_map(|listener| {
                let address = address(&listener.load_balancer_arn)?;
                Some((listener.arn.clone(), SocketAddr::from((address, listener.port))))
            });
            listeners.collect()
        })
    }

    async fn open(&mut self, arn: String, address: SocketAddr) {
        match OpenListener::open(self.cloud.clone(), arn.clone(), address).await {
            Ok(open) => {
                tracing::info!(%address, "load balancer listens");
                self.listeners.insert(arn, open);
            }
            // The next reconciliation tries again: whoever holds the port may let it go.
            Err(error) => tracing::warn!(%address, %error, "a load balancer's port could not be opened"),
        }
    }
}
