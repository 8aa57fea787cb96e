//! A model with a hand on its clock, and the few calls that most tests begin with.

use std::time::Duration;

use adf_local::model::ec2::RunRequest;
use adf_local::model::groups::{ActionKey, GroupSpec, HookRequest, HookResult, NewGroup};
use adf_local::model::targets::{HealthCheckRequest, NewListener, NewLoadBalancer, NewTargetGroup};
use adf_local::model::templates::{LaunchData, NewTemplate, NewVersion, TemplateKey};
use adf_local::model::{
    ApiError, LifecycleState, Membership, Model, Probe, ProbeFailure, Settings, TargetKey, TargetState,
};
use jiff::Timestamp;

pub(crate) const IMAGE: &str = "ami-0adf0000000000001";
pub(crate) const GROUP: &str = "web";
pub(crate) const HOOK: &str = "adf-launch";

pub(crate) struct World {
    pub(crate) model: Model,
    pub(crate) now: Timestamp,
}

/// Settings whose machines halt as quickly as they boot.
pub(crate) fn settings() -> Settings {
    Settings { halt_limit: Duration::from_secs(1), ..Settings::default() }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(settings())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let now: Timestamp = "2026-11-23T06:00:00Z".parse().expect("a time");
        Self { model: Model::new(settings, 7, now), now }
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.model.tick(self.now);
    }

    /// A template `web` whose version 1 is launchable.
    pub(crate) fn template(&mut self) {
        let new = NewTemplate { name: GROUP.to_owned(), data: launchable(), ..NewTemplate::default() };
        self.model.create_template(new, self.now).expect("the name is free");
    }

    /// Another version of `web`, and its number.
    pub(crate) fn version(&mut self, data: LaunchData) -> u64 {
        let new = NewVersion {
            template: by_name(),
            source: Some("1".to_owned()),
            description: None,
            data,
            client_token: None,
        };
        self.model.create_template_version(new, self.now).expect("version 1 exists").1
    }

    /// The group `web` from the template `web`, its instances in service, nothing attached.
    pub(crate) fn group(&mut self, min: u32, max: u32, desired: u32) {
        self.group_with(min, max, desired, NewGroup::default());
    }

    pub(crate) fn group_with(&mut self, min: u32, max: u32, desired: u32, new: NewGroup) {
        if self.model.template(&by_name()).is_err() {
            self.template();
        }
        let subnet_ids = self.model.network().subnets.iter().map(|subnet| subnet.id.clone()).collect();
        let spec = GroupSpec {
            min: Some(min),
            max: Some(max),
            desired: Some(desired),
            template: Some((by_name(), new.spec.template.clone().and_then(|(_, version)| version))),
            subnet_ids: Some(subnet_ids),
            ..new.spec
        };
        let new = NewGroup { name: GROUP.to_owned(), spec, ..new };
        self.model.create_group(new, self.now).expect("the group is valid");
        self.pass(10);
    }

    /// A target group behind a load balancer's listener, with this deregistration delay in seconds.
    pub(crate) fn target_group(&mut self, delay: u32) -> String {
        let new = NewTargetGroup {
            name: GROUP.to_owned(),
            protocol: "HTTP".to_owned(),
            port: 8080,
            vpc_id: Some(self.model.network().vpc_id.clone()),
            health: HealthCheckRequest::default(),
            ..NewTargetGroup::default()
        };
        let arn = self.model.create_target_group(new).expect("the name is free");
        let delay = [("deregistration_delay.timeout_seconds".to_owned(), delay.to_string())];
        self.model.modify_target_group_attributes(&arn, &delay).expect("a valid delay");
        let subnet_ids = self.model.network().subnets.iter().map(|subnet| subnet.id.clone()).collect();
        let balancer = NewLoadBalancer { name: GROUP.to_owned(), subnet_ids, ..NewLoadBalancer::default() };
        let load_balancer_arn =
            self.model.create_load_balancer(balancer, self.now).expect("the name is free");
        let listener = NewListener {
            load_balancer_arn,
            port: 80,
            protocol: "HTTP".to_owned(),
            target_group_arn: arn.clone(),
            ..NewListener::default()
        };
        self.model.create_listener(listener).expect("the port is free");
        arn
    }

    /// The group `web` attached to a new target group at its creation.
    pub(crate) fn balanced_group(&mut self, desired: u32, delay: u32, spec: GroupSpec) -> String {
        let arn = self.target_group(delay);
        let new = NewGroup { target_group_arns: vec![arn.clone()], spec, ..NewGroup::default() };
        self.group_with(0, 20, desired, new);
        arn
    }

    pub(crate) fn hook(&mut self, transition: &str) {
        let request = HookRequest {
            name: HOOK.to_owned(),
            transition: Some(format!("autoscaling:EC2_INSTANCE_{transition}")),
            heartbeat: Some(60),
            ..HookRequest::default()
        };
        self.model.put_lifecycle_hook(GROUP, request).expect("a valid hook");
    }

    pub(crate) fn complete(&mut self, instance: &str, result: HookResult) -> Result<(), ApiError> {
        let key = ActionKey::Instance(instance.to_owned());
        let answer = self.model.complete_lifecycle_action(GROUP, HOOK, &key, result, self.now);
        self.model.tick(self.now);
        answer
    }

    pub(crate) fn desire(&mut self, desired: u32) {
        self.model.set_desired_capacity(GROUP, desired, false, self.now).expect("within min and max");
    }

    pub(crate) fn desired(&self) -> u32 {
        self.model.group(GROUP).expect("the group exists").desired
    }

    /// Ids of the members in a state, by id.
    pub(crate) fn members(&self, state: LifecycleState) -> Vec<String> {
        let in_state = |(_, member): &(_, &Membership)| member.state == state;
        self.model.members(GROUP).filter(in_state).map(|(instance, _)| instance.id.clone()).collect()
    }

    pub(crate) fn in_service(&self) -> Vec<String> {
        self.members(LifecycleState::InService)
    }

    pub(crate) fn state(&self, id: &str) -> Option<LifecycleState> {
        self.model.instance(id)?.lifecycle_state()
    }

    pub(crate) fn enter_standby(&mut self, ids: &[String], decrement: bool) -> Result<(), ApiError> {
        self.model.enter_standby(GROUP, ids, decrement, self.now).map(|_| ())
    }

    pub(crate) fn exit_standby(&mut self, ids: &[String]) -> Result<(), ApiError> {
        self.model.exit_standby(GROUP, ids, self.now).map(|_| ())
    }

    /// One running instance outside any group, and its id.
    pub(crate) fn lone_instance(&mut self) -> String {
        let request = RunRequest { data: launchable(), min: 1, max: 1, ..RunRequest::default() };
        let reservation = self.model.run_instances(&request, self.now).expect("launchable");
        self.pass(2);
        let started = self.model.instances().find(|it| it.reservation_id == reservation);
        started.expect("one was started").id.clone()
    }

    pub(crate) fn probe(&mut self, arn: &str, id: &str, probe: Probe) {
        self.model.health_checked(arn, &target(id), probe, self.now);
    }

    /// Health checks that pass for every target.
    pub(crate) fn pass_all(&mut self, arn: &str) {
        for (key, _) in self.model.checked_targets(arn) {
            self.model.health_checked(arn, &key, Probe::Passed, self.now);
        }
    }

    /// As many failed health checks as it takes.
    pub(crate) fn fail(&mut self, arn: &str, id: &str) {
        for _ in 0..10 {
            self.probe(arn, id, Probe::Failed { reason: ProbeFailure::Timeout });
        }
    }

    pub(crate) fn health(&self, arn: &str, id: &str) -> TargetState {
        self.model.target_health(arn, &target(id)).expect("the target group exists").state
    }
}

pub(crate) fn by_name() -> TemplateKey {
    TemplateKey::Name(GROUP.to_owned())
}

pub(crate) fn launchable() -> LaunchData {
    LaunchData { image_id: Some(IMAGE.to_owned()), ..LaunchData::default() }
}

pub(crate) fn target(id: &str) -> TargetKey {
    TargetKey { id: id.to_owned(), port: 8080 }
}
