//! Launches that fail although the request is right.

use jiff::Timestamp;

use crate::model::{ApiError, Model};

/// Why EC2 does not launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaunchFault {
    /// No machine of this kind is free in the zone.
    InsufficientCapacity,
    /// The account's quota of instances.
    InstanceLimit,
    /// The account's quota of vCPUs.
    VcpuLimit,
    /// EC2 itself fails: HTTP 500.
    Internal,
}

impl LaunchFault {
    fn error(self, zone: &str, instance_type: &str) -> ApiError {
        match self {
            Self::InsufficientCapacity => ApiError {
                code: "InsufficientInstanceCapacity",
                status: 500,
                message: format!(
                    "We currently do not have sufficient {instance_type} capacity in the Availability Zone you requested ({zone}). Our system will be working on provisioning additional capacity. You can currently get {instance_type} capacity by not specifying an Availability Zone in your request or choosing another Availability Zone."
                ),
            },
            Self::InstanceLimit => ApiError::new(
                "InstanceLimitExceeded",
                "Your quota allows for 0 more running instance(s). You requested at least 1.",
            ),
            Self::VcpuLimit => ApiError::new(
                "VcpuLimitExceeded",
                "You have requested more vCPU capacity than your current vCPU limit allows for the instance bucket that the specified instance type belongs to.",
            ),
            Self::Internal => ApiError {
                code: "InternalError",
                status: 500,
                message: "An internal error has occurred".to_owned(),
            },
        }
    }
}

/// What fails now: zone (all without one), why, until when.
#[derive(Debug, Clone, Default)]
pub(in crate::model) struct LaunchFaults(Vec<(Option<String>, LaunchFault, Timestamp)>);

impl Model {
    /// Makes launches fail until a time, in one zone or everywhere: those of `RunInstances` and those of groups.
    pub fn fail_launches(&mut self, zone: Option<&str>, fault: LaunchFault, until: Timestamp) {
        self.launch_faults.0.push((zone.map(str::to_owned), fault, until));
    }

    /// Ends every fault that [`Model::fail_launches`] began. Groups try again at their own pace.
    pub fn end_launch_faults(&mut self) {
        self.launch_faults.0.clear();
    }

    /// Takes an image away: launches from it fail, instances that run go on.
    pub fn deregister_image(&mut self, id: &str) {
        self.images.retain(|image| image.id != id);
    }

    /// Whether a launch in the zone fails for sure.
    pub(in crate::model) fn zone_fault(&self, zone: &str, now: Timestamp) -> Option<LaunchFault> {
        let hits = |(of, _, until): &&(Option<String>, LaunchFault, Timestamp)| {
            now < *until && of.as_deref().is_none_or(|of| of == zone)
        };
        self.launch_faults.0.iter().find(hits).map(|(_, fault, _)| *fault)
    }

    /// Refuses a launch in the zone for which there is a fault, or that fails by chance.
    pub(in crate::model) fn check_launch(
        &mut self,
        subnet_id: &str,
        instance_type: Option<&str>,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let zone = self.network.subnet(subnet_id).map(|subnet| subnet.zone.clone()).unwrap_or_default();
        let by_chance = self.dice.happens(self.settings.weather.launch_failures);
        let fault =
            self.zone_fault(&zone, now).or_else(|| by_chance.then_some(LaunchFault::InsufficientCapacity));
        match fault {
            Some(fault) => Err(fault.error(&zone, instance_type.unwrap_or("m1.small"))),
            None => Ok(()),
        }
    }
}
