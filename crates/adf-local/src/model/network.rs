//! The default VPC: one subnet per zone, and who has which address.
//!
//! Neighbours: `ec2::run` takes addresses for instances, `targets::balancers` for load balancers. An address is
//! handed out in rotation, so a terminated instance's address is not given to the next one while others are free.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::Settings;
use super::error::ApiError;

/// AWS keeps the first four addresses and the last one of a subnet.
const RESERVED_FIRST: u32 = 4;

/// A subnet of the default VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    pub id: String,
    /// Zone name, `us-east-1a`.
    pub zone: String,
    /// First address.
    pub base: Ipv4Addr,
    /// Prefix length.
    pub prefix: u8,
    cursor: u32,
}

impl Subnet {
    /// `127.77.1.0/24`.
    pub fn cidr(&self) -> String {
        format!("{}/{}", self.base, self.prefix)
    }

    fn size(&self) -> u32 {
        1 << (32 - u32::from(self.prefix))
    }
}

/// The VPC with its subnets and security group.
#[derive(Clone, Debug)]
pub struct Network {
    pub vpc_id: String,
    /// First address of the /16.
    pub base: Ipv4Addr,
    pub subnets: Vec<Subnet>,
    /// The VPC's `default` security group.
    pub security_group_id: String,
    used: BTreeSet<Ipv4Addr>,
    balancers: Subnet,
}

impl Network {
    pub(super) fn new(settings: &Settings) -> Self {
        let subnet = |index: u32, zone: &str| Subnet {
            id: format!("subnet-0adf0000000000{index:03x}"),
            zone: zone.to_owned(),
            base: Ipv4Addr::from_bits(
                settings.network.to_bits() + (index << (32 - u32::from(settings.subnet_prefix))),
            ),
            prefix: settings.subnet_prefix,
            cursor: 0,
        };
        Self {
            vpc_id: "vpc-0adf0000000000001".to_owned(),
            base: settings.network,
            subnets: (1..).zip(&settings.zones).map(|(index, zone)| subnet(index, zone)).collect(),
            security_group_id: "sg-0adf0000000000001".to_owned(),
            used: BTreeSet::new(),
            balancers: Subnet { prefix: 24, ..subnet(0, "") },
        }
    }

    /// `127.77.0.0/16`.
    pub fn cidr(&self) -> String {
        format!("{}/16", self.base)
    }

    pub fn subnet(&self, id: &str) -> Option<&Subnet> {
        self.subnets.iter().find(|subnet| subnet.id == id)
    }

    pub fn subnet_of_zone(&self, zone: &str) -> Option<&Subnet> {
        self.subnets.iter().find(|subnet| subnet.zone == zone)
    }

    /// How many instances the subnet still has room for.
    pub fn free(&self, subnet: &Subnet) -> usize {
        let first = subnet.base.to_bits();
        let end = Ipv4Addr::from_bits(first + (subnet.size() - 1));
        let used = self.used.range(subnet.base..=end).count();
        (subnet.size() - RESERVED_FIRST - 1) as usize - used
    }

    /// An address for a new instance in the subnet.
    pub(super) fn take(&mut self, subnet_id: &str) -> Result<Ipv4Addr, ApiError> {
        let subnet = self.subnets.iter_mut().find(|subnet| subnet.id == subnet_id).ok_or_else(|| {
            ApiError::new("InvalidSubnetID.NotFound", format!("The subnet ID '{subnet_id}' does not exist"))
        })?;
        next_free(subnet, &mut self.used).ok_or_else(|| {
            ApiError::new(
                "InsufficientFreeAddressesInSubnet",
                format!("There are not enough free addresses in subnet '{subnet_id}' to satisfy the requested number of instances."),
            )
        })
    }

    /// An address for a new load balancer: `127.77.0.x`.
    pub(super) fn take_for_balancer(&mut self) -> Result<Ipv4Addr, ApiError> {
        next_free(&mut self.balancers, &mut self.used).ok_or_else(|| {
            ApiError::new("TooManyLoadBalancers", "You've reached the limit on the number of load balancers")
        })
    }

    pub(super) fn release(&mut self, address: Ipv4Addr) {
        self.used.remove(&address);
    }
}

fn next_free(subnet: &mut Subnet, used: &mut BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
    let usable = subnet.size() - RESERVED_FIRST - 1;
    for step in 0..usable {
        let offset = (subnet.cursor + step) % usable;
        let address = Ipv4Addr::from_bits(subnet.base.to_bits() + RESERVED_FIRST + offset);
        if used.insert(address) {
            subnet.cursor = (offset + 1) % usable;
            return Some(address);
        }
    }
    None
}
