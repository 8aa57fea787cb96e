//! Names to addresses, without the addresses of this host's own network.
//!
//! The rule: the address that is connected to is the address that was checked. Each connection resolves once,
//! here, so a name that answers differently the next time gains nothing. (Where the administrator has set a
//! proxy, names are resolved by the proxy, and the checked address is the proxy's.)

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Asks for addresses; checks nothing.
#[async_trait]
pub(super) trait Lookup: Send + Sync {
    async fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>>;
}

/// The system's resolver.
pub(super) struct System;

#[async_trait]
impl Lookup for System {
    async fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.collect())
    }
}

/// Why an address is not used, if it is not; told whether the name is `localhost`.
pub(super) type Refusal = fn(IpAddr, bool) -> Option<&'static str>;

pub(super) struct CheckedResolver {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) refusal: Refusal,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum LookupError {
    #[error("{0}")]
    Failed(io::Error),
    #[error("it resolves to {address}, {why}")]
    Refused { address: IpAddr, why: &'static str },
    #[error("it has no address")]
    Empty,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, refusal) = (self.lookup.clone(), self.refusal);
        Box::pin(async move {
            let found = lookup.lookup(name.as_str()).await.map_err(LookupError::Failed)?;
            let kept = keep(found, refusal, name.as_str() == "localhost")?;
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

fn keep(found: Vec<SocketAddr>, refusal: Refusal, local: bool) -> Result<Vec<SocketAddr>, LookupError> {
    let mut refused = None;
    let mut kept = Vec::new();
    for address in found {
        match refusal(address.ip(), local) {
            None => kept.push(address),
            Some(why) => refused = Some(LookupError::Refused { address: address.ip(), why }),
        }
    }
    if kept.is_empty() { Err(refused.unwrap_or(LookupError::Empty)) } else { Ok(kept) }
}
