//! Which addresses a fetch may connect to: a name must not turn a release URL into a read of the instance's
//! credentials, nor of what listens on this host alone.
//!
//! Private networks stay allowed: that is where companies keep their code.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why `ip` is not connected to, if it is not. `local` is true for the name `localhost`, which must lead to
/// loopback and nowhere else.
pub(super) fn refusal(ip: IpAddr, local: bool) -> Option<&'static str> {
    match (inner(ip), local) {
        (ip, true) => (!ip.is_loopback()).then_some("localhost is not on this host"),
        (IpAddr::V4(v4), false) => refusal_v4(v4),
        (IpAddr::V6(v6), false) => refusal_v6(v6),
    }
}

fn refusal_v4(ip: Ipv4Addr) -> Option<&'static str> {
    if ip.is_link_local() {
        Some("a link-local address, where instance metadata is")
    } else if ip.is_loopback() || ip.octets()[0] == 0 {
        Some("an address of this host itself")
    } else if ip.is_multicast() || ip.is_broadcast() {
        Some("not the address of one host")
    } else {
        None
    }
}

fn refusal_v6(ip: Ipv6Addr) -> Option<&'static str> {
    if ip.is_unicast_link_local() {
        Some("a link-local address")
    } else if ip.segments()[..2] == AWS_INSTANCE_SERVICES {
        Some("where instance metadata is")
    } else if ip.is_loopback() || ip.is_unspecified() {
        Some("an address of this host itself")
    } else if ip.is_multicast() {
        Some("not the address of one host")
    } else {
        None
    }
}

/// `fd00:ec2::/32`: metadata, time, DNS and credentials of an instance over IPv6.
const AWS_INSTANCE_SERVICES: [u16; 2] = [0xfd00, 0x0ec2];

/// The address that packets end up at: IPv6 has several notations for an IPv4 address.
fn inner(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => embedded(v6).map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}

/// IPv4-mapped and -compatible addresses, NAT64 (RFC 6052 and the local prefix of RFC 8215) and 6to4 (RFC 3056).
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = ip.segments();
    let v4 = |high: u16, low: u16| Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, _, _, _, high, low]
        | [0x2002, high, low, ..] => v4(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_a05_no_notation_of_an_address_leads_to_metadata_or_to_this_host() {
        for bad in [
            "169.254.169.254",
            "169.254.170.2",
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "::ffff:0:169.254.169.254",
            "::ffff:127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "2002:7f00:1::",
            "ff02::1",
        ] {
            let ip: IpAddr = bad.parse().expect("an address");
            assert!(refusal(ip, false).is_some(), "{bad} was allowed");
        }
    }

    #[test]
    fn public_and_private_networks_are_allowed_also_through_nat64() {
        for good in ["140.82.121.3", "10.1.2.3", "192.168.1.1", "2606:50c0:8000::154", "64:ff9b::8c52:7903"] {
            assert_eq!(refusal(good.parse().expect("an address"), false), None, "{good}");
        }
    }

    #[test]
    fn the_name_localhost_leads_to_this_host_only() {
        assert_eq!(refusal("127.0.0.1".parse().expect("an address"), true), None);
        assert_eq!(refusal("::1".parse().expect("an address"), true), None);
        assert!(refusal("10.1.2.3".parse().expect("an address"), true).is_some());
    }
}
