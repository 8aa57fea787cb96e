//! EC2, Auto Scaling and Elastic Load Balancing as one pure state machine.
//!
//! Neighbours: `wire` turns API requests into calls of [`Model`]'s methods; the runner and the balancer of this crate
//! look at instances and target groups and report what happened to them. Nothing here does I/O or reads a clock:
//! every method that needs the time takes `now`, and the only randomness is the generator seeded at the start, so a seed and
//! the same calls replay the same cloud. `aws.md` is the specification; where AWS is silent, [`Settings`] chooses.
//!
//! Time moves through [`Model::tick`] alone: operations put events on the agenda, `tick` performs the due ones.
//!
//! To add an operation: a file named for the verb in the folder of its noun, with an `impl Model`; then `wire`.

mod agenda;
pub mod ec2;
mod error;
pub mod groups;
mod ids;
mod network;
mod settings;
mod shared;
pub mod targets;
pub mod templates;
mod tick;
pub mod weather;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::Timestamp;

use agenda::Agenda;
use ids::Ids;
use shared::Shared;

pub use ec2::{Image, Instance, InstanceState, MetadataOptions};
pub use error::ApiError;
pub use groups::{Group, LifecycleState, Membership, RefreshStatus};
pub use network::{Network, Subnet};
pub use settings::{ExitOverMax, Settings, StandbyTermination};
pub use targets::{
    HealthCheckSettings, HealthPort, Listener, LoadBalancer, Matcher, Probe, ProbeFailure, Protocol, Target,
    TargetGroup, TargetHealth, TargetKey, TargetState,
};
pub use templates::LaunchTemplate;
pub use weather::Weather;

/// The modelled cloud: one account in one region.
#[derive(Debug)]
pub struct Model {
    settings: Settings,
    network: Network,
    ids: Ids,
    agenda: Agenda,
    images: Vec<Image>,
    instances: Shared<Instance>,
    launches_by_token: BTreeMap<ec2::TokenScope, ec2::TokenUse>,
    template_tokens: templates::TemplateTokens,
    templates: Shared<LaunchTemplate>,
    groups: Shared<Group>,
    target_groups: Shared<TargetGroup>,
    load_balancers: Shared<LoadBalancer>,
    listeners: Shared<Listener>,
    dice: weather::Dice,
    launch_faults: weather::LaunchFaults,
    buckets: weather::Buckets,
    history: weather::History,
}

impl Model {
    /// An account with a default VPC, one subnet a zone, the ADF image, and nothing else.
    pub fn new(settings: Settings, seed: u64, now: Timestamp) -> Self {
        Self {
            network: Network::new(&settings),
            ids: Ids::new(seed),
            agenda: Agenda::default(),
            images: vec![Image::adf(now)],
            instances: Shared::default(),
            launches_by_token: BTreeMap::new(),
            template_tokens: BTreeMap::new(),
            templates: Shared::default(),
            groups: Shared::default(),
            target_groups: Shared::default(),
            load_balancers: Shared::default(),
            listeners: Shared::default(),
            dice: weather::Dice::new(seed),
            launch_faults: weather::LaunchFaults::default(),
            buckets: weather::Buckets::default(),
            history: weather::History::default(),
            settings,
        }
    }

    /// The weather of now.
    pub fn weather(&self) -> &Weather {
        &self.settings.weather
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub fn network(&self) -> &Network {
        &self.network
    }

    pub fn images(&self) -> &[Image] {
        &self.images
    }

    /// Every instance AWS would still show, terminated ones included, by id.
    pub fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.instances.values()
    }

    pub fn instance(&self, id: &str) -> Option<&Instance> {
        self.instances.get(id)
    }

    /// The instance that has the address now.
    pub fn instance_at(&self, address: Ipv4Addr) -> Option<&Instance> {
        let holds = |instance: &&Instance| instance.state != InstanceState::Terminated;
        self.instances.values().filter(holds).find(|instance| instance.private_ip == address)
    }

    pub fn launch_templates(&self) -> impl Iterator<Item = &LaunchTemplate> {
        self.templates.values()
    }

    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name)
    }

    pub fn target_groups(&self) -> impl Iterator<Item = &TargetGroup> {
        self.target_groups.values()
    }

    pub fn target_group(&self, arn: &str) -> Option<&TargetGroup> {
        self.target_groups.get(arn)
    }

    pub fn load_balancers(&self) -> impl Iterator<Item = &LoadBalancer> {
        self.load_balancers.values()
    }

    pub fn listeners(&self) -> impl Iterator<Item = &Listener> {
        self.listeners.values()
    }

    /// `arn:aws:<service>:<region>:<account>:<resource>`.
    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.settings.region, self.settings.account)
    }
}
