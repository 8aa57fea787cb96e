//! Keeps the names of release URLs from leading to this host's own network: a name that resolves to the
//! metadata address must not turn a release URL into a read of the instance's credentials.
//!
//! The rule: the address that is connected is the address that was checked; nothing resolves twice.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The system's resolver without its link-local, loopback and unspecified answers.
pub(super) struct FilteringResolver;

impl Resolve for FilteringResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let local = name.as_str() == "localhost";
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let kept: Vec<SocketAddr> = found.into_iter().filter(|a| allowed(a.ip(), local)).collect();
            if kept.is_empty() {
                return Err(
                    format!("{} resolves to no address that may be fetched from", name.as_str()).into()
                );
            }
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

/// Private networks stay allowed: that is where companies keep their code.
pub(super) fn allowed(ip: IpAddr, local: bool) -> bool {
    let ip = ip.to_canonical();
    let link_local = match ip {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6 == METADATA_V6,
    };
    !link_local && !ip.is_unspecified() && !ip.is_multicast() && (ip.is_loopback() == local)
}

/// IMDS over IPv6 is not link-local: `fd00:ec2::254`.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_leads_to_the_metadata_service_or_to_this_host() {
        for bad in [
            "169.254.169.254",
            "fe80::1",
            "fd00:ec2::254",
            "127.0.0.1",
            "::1",
            "0.0.0.0",
            "::ffff:169.254.169.254",
        ] {
            assert!(!allowed(bad.parse().expect("an address"), false), "{bad} was allowed");
        }
        assert!(allowed("10.1.2.3".parse().expect("an address"), false));
        assert!(allowed("127.0.0.1".parse().expect("an address"), true));
    }
}
