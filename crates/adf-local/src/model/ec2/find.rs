//! Finding instances: `DescribeInstances` and its filters.

use super::Instance;
use crate::model::{ApiError, Model};

/// One filter: any of the values matches; `*` and `?` are wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceFilter {
    /// `instance-state-name`, `tag:Name`, ...
    pub name: String,
    pub values: Vec<String>,
}

impl Model {
    /// The instances with these ids (all when there are none) that pass every filter, in order of launch.
    pub fn find_instances(
        &self,
        ids: &[String],
        filters: &[InstanceFilter],
    ) -> Result<Vec<&Instance>, ApiError> {
        if !ids.is_empty() {
            self.check_instance_ids(ids)?;
        }
        let mut found = Vec::new();
        for instance in self.instances.values().filter(|it| ids.is_empty() || ids.contains(&it.id)) {
            if self.passes(instance, filters)? {
                found.push(instance);
            }
        }
        found.sort_by(|a, b| {
            let order = |it: &Instance| (it.launched_at, it.reservation_id.clone(), it.launch_index);
            order(a).cmp(&order(b))
        });
        Ok(found)
    }

    fn passes(&self, instance: &Instance, filters: &[InstanceFilter]) -> Result<bool, ApiError> {
        for filter in filters {
            let held = self.filter_values(instance, &filter.name)?;
            if !held.iter().any(|held| filter.values.iter().any(|wanted| wildcard(wanted, held))) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What the instance has under a filter's name.
    fn filter_values(&self, instance: &Instance, name: &str) -> Result<Vec<String>, ApiError> {
        if let Some(key) = name.strip_prefix("tag:") {
            return Ok(instance.tags.get(key).cloned().into_iter().collect());
        }
        let one = match name {
            "tag-key" => return Ok(instance.tags.keys().cloned().collect()),
            "tag-value" => return Ok(instance.tags.values().cloned().collect()),
            "instance.group-id" | "group-id" => return Ok(instance.security_group_ids.clone()),
            "instance-id" => instance.id.clone(),
            "instance-state-name" => instance.state.name().to_owned(),
            "instance-state-code" => instance.state.code().to_string(),
            "instance-type" => instance.instance_type.clone(),
            "image-id" => instance.image_id.clone(),
            "private-ip-address" | "network-interface.addresses.private-ip-address" => {
                instance.private_ip.to_string()
            }
            "availability-zone" => instance.zone.clone(),
            "subnet-id" => instance.subnet_id.clone(),
            "vpc-id" => self.network.vpc_id.clone(),
            "reservation-id" => instance.reservation_id.clone(),
            "client-token" => instance.client_token.clone().unwrap_or_default(),
            "key-name" => instance.key_name.clone().unwrap_or_default(),
            _ => {
                return Err(ApiError::new(
                    "InvalidParameterValue",
                    format!("The filter '{name}' is invalid"),
                ));
            }
        };
        Ok(vec![one])
    }
}

/// EC2's wildcards, matched without backtracking into exponential time: only the last `*` is retried.
fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some('?') => (p, t) = (p + 1, t + 1),
            Some(c) if *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match retry {
                Some((star, from)) => {
                    (p, t) = (star + 1, from + 1);
                    retry = Some((star, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}
