//! `RunInstances`: a launch from a template and a request, at most once per client token.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Launch;
use crate::model::templates::{LaunchData, TemplateKey};
use crate::model::{ApiError, Model};

/// A `RunInstances` request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunRequest {
    /// What the request says itself; it overrides the template.
    pub data: LaunchData,
    /// The template and its version as written: a number, `$Latest`, `$Default`, or absent for the default.
    pub template: Option<(TemplateKey, Option<String>)>,
    /// At least this many start, or none.
    pub min: u32,
    /// At most this many start.
    pub max: u32,
    pub subnet_id: Option<String>,
    pub client_token: Option<String>,
}

/// What a client token is unique in: a zone when the request names one, else the Region (aws.md §8).
pub(in crate::model) type TokenScope = (String, Option<String>);

/// The launch a token stands for.
#[derive(Clone, Debug)]
pub(in crate::model) struct TokenUse {
    request: RunRequest,
    reservation_id: String,
}

impl Model {
    /// Starts instances and returns their reservation's id; a repeated token returns the original one.
    pub fn run_instances(&mut self, request: &RunRequest, now: Timestamp) -> Result<String, ApiError> {
        check_counts(request)?;
        let scope = self.token_scope(request)?;
        if let Some(original) = scope.as_ref().and_then(|scope| self.launches_by_token.get(scope)) {
            return if original.request == *request || !self.settings.changed_token_is_refused {
                Ok(original.reservation_id.clone())
            } else {
                Err(ApiError::new(
                    "IdempotentParameterMismatch",
                    "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
                ))
            };
        }
        let reservation_id = self.start_reservation(request, now)?;
        if let Some(scope) = scope {
            let used = TokenUse { request: request.clone(), reservation_id: reservation_id.clone() };
            self.launches_by_token.insert(scope, used);
        }
        Ok(reservation_id)
    }

    fn start_reservation(&mut self, request: &RunRequest, now: Timestamp) -> Result<String, ApiError> {
        let (data, template) = self.merged_launch(request)?;
        let subnet_id = self.launch_subnet(request, &data, now)?;
        self.check_launch(&subnet_id, data.instance_type.as_deref(), now)?;
        let count = self.launch_count(request, &subnet_id)?;
        let reservation_id = self.ids.resource("r");
        for index in 0..count {
            let launch = Launch {
                data: &data,
                subnet_id: &subnet_id,
                template: template.clone(),
                reservation_id: &reservation_id,
                index,
                client_token: request.client_token.clone(),
                more_tags: template_tags(template.as_ref()),
            };
            self.launch(launch, now)?;
        }
        Ok(reservation_id)
    }

    fn merged_launch(&self, request: &RunRequest) -> Result<(LaunchData, Option<(String, u64)>), ApiError> {
        let Some((key, version)) = &request.template else { return Ok((request.data.clone(), None)) };
        let (template, version) = self.template_version(key, version.as_deref())?;
        let mut data = request.data.over(&version.data);
        if self.settings.request_tags_join_template_tags {
            data.tag_specifications = request.data.joined_tags(&version.data);
        }
        Ok((data, Some((template.id.clone(), version.number))))
    }

    /// The subnet named by the request, by its interface, by its zone; else the roomiest one of a zone that has capacity.
    fn launch_subnet(
        &self,
        request: &RunRequest,
        data: &LaunchData,
        now: Timestamp,
    ) -> Result<String, ApiError> {
        let of_interface = data.network_interfaces.first().and_then(|nic| nic.subnet_id.clone());
        if let Some(id) = request.subnet_id.clone().or(of_interface) {
            return match self.network.subnet(&id) {
                Some(_) => Ok(id),
                None => Err(ApiError::new(
                    "InvalidSubnetID.NotFound",
                    format!("The subnet ID '{id}' does not exist"),
                )),
            };
        }
        let subnet = match &data.zone {
            Some(zone) => self.network.subnet_of_zone(zone),
            None => self.network.subnets.iter().rev().max_by_key(|subnet| {
                (self.zone_fault(&subnet.zone, now).is_none(), self.network.free(subnet))
            }),
        };
        subnet.map(|subnet| subnet.id.clone()).ok_or_else(|| {
            let zone = data.zone.clone().unwrap_or_default();
            ApiError::new("InvalidParameterValue", format!("Invalid availability zone: [{zone}]"))
        })
    }

    fn launch_count(&self, request: &RunRequest, subnet_id: &str) -> Result<u32, ApiError> {
        let free = self.network.subnet(subnet_id).map_or(0, |subnet| self.network.free(subnet));
        let free = u32::try_from(free).unwrap_or(u32::MAX);
        if free < request.min {
            return Err(ApiError::new(
                "InsufficientFreeAddressesInSubnet",
                format!(
                    "There are not enough free addresses in subnet '{subnet_id}' to satisfy the requested number of instances."
                ),
            ));
        }
        Ok(request.max.min(free))
    }

    fn token_scope(&self, request: &RunRequest) -> Result<Option<TokenScope>, ApiError> {
        let Some(token) = &request.client_token else { return Ok(None) };
        if token.is_empty() || token.len() > 64 || !token.is_ascii() {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("Invalid value '{token}' for clientToken: 1 to 64 ASCII characters are required"),
            ));
        }
        let subnet = request.subnet_id.as_deref().and_then(|id| self.network.subnet(id));
        let zone = request.data.zone.clone().or_else(|| subnet.map(|subnet| subnet.zone.clone()));
        Ok(Some((token.clone(), zone)))
    }
}

fn check_counts(request: &RunRequest) -> Result<(), ApiError> {
    let refuse = |text: String| Err(ApiError::new("InvalidParameterValue", text));
    match (request.min, request.max) {
        (0, _) => refuse("Value (0) for parameter minCount is invalid. Minimum is 1.".to_owned()),
        (min, max) if max < min => {
            refuse(format!("Value ({min}) for parameter minCount is invalid. It exceeds maxCount ({max})."))
        }
        _ => Ok(()),
    }
}

/// The tags EC2 itself puts on an instance launched from a template.
pub(in crate::model) fn template_tags(template: Option<&(String, u64)>) -> BTreeMap<String, String> {
    let tags = template.map(|(id, version)| {
        [
            ("aws:ec2launchtemplate:id".to_owned(), id.clone()),
            ("aws:ec2launchtemplate:version".to_owned(), version.to_string()),
        ]
    });
    tags.into_iter().flatten().collect()
}
