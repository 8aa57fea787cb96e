//! How launch parameters combine: a request over a template, a new version over its source.

use std::collections::BTreeMap;

use super::template::{LaunchData, MetadataRequest, TagSpecification};

impl LaunchData {
    /// These parameters, and `base`'s where these are absent.
    pub(in crate::model) fn over(&self, base: &Self) -> Self {
        Self {
            image_id: first(self.image_id.as_ref(), base.image_id.as_ref()),
            instance_type: first(self.instance_type.as_ref(), base.instance_type.as_ref()),
            key_name: first(self.key_name.as_ref(), base.key_name.as_ref()),
            user_data: first(self.user_data.as_ref(), base.user_data.as_ref()),
            security_group_ids: first_list(&self.security_group_ids, &base.security_group_ids),
            iam_profile_name: first(self.iam_profile_name.as_ref(), base.iam_profile_name.as_ref()),
            iam_profile_arn: first(self.iam_profile_arn.as_ref(), base.iam_profile_arn.as_ref()),
            tag_specifications: first_list(&self.tag_specifications, &base.tag_specifications),
            metadata: match (&self.metadata, &base.metadata) {
                (Some(own), Some(base)) => Some(own.over(base)),
                (own, base) => first(own.as_ref(), base.as_ref()),
            },
            network_interfaces: first_list(&self.network_interfaces, &base.network_interfaces),
            zone: first(self.zone.as_ref(), base.zone.as_ref()),
            monitoring: self.monitoring.or(base.monitoring),
            ebs_optimized: self.ebs_optimized.or(base.ebs_optimized),
        }
    }

    /// The tags a launch puts on one kind of resource.
    pub fn tags_for(&self, resource_type: &str) -> BTreeMap<String, String> {
        let of_type = self.tag_specifications.iter().filter(|spec| spec.resource_type == resource_type);
        of_type.flat_map(|spec| spec.tags.clone()).collect()
    }

    /// `base`'s tags and these, these winning.
    pub(in crate::model) fn joined_tags(&self, base: &Self) -> Vec<TagSpecification> {
        let mut by_type: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
        for spec in base.tag_specifications.iter().chain(&self.tag_specifications) {
            by_type.entry(&spec.resource_type).or_default().extend(spec.tags.clone());
        }
        let spec = |(resource_type, tags): (&str, _)| TagSpecification {
            resource_type: resource_type.to_owned(),
            tags,
        };
        by_type.into_iter().map(spec).collect()
    }

    /// The instance profile's name, from the name or the ARN.
    pub(in crate::model) fn profile_name(&self) -> Option<String> {
        let of_arn = || self.iam_profile_arn.as_ref()?.rsplit('/').next().map(str::to_owned);
        self.iam_profile_name.clone().or_else(of_arn)
    }
}

impl MetadataRequest {
    fn over(&self, base: &Self) -> Self {
        Self {
            http_tokens: first(self.http_tokens.as_ref(), base.http_tokens.as_ref()),
            hop_limit: self.hop_limit.or(base.hop_limit),
            http_endpoint: first(self.http_endpoint.as_ref(), base.http_endpoint.as_ref()),
            instance_tags: first(self.instance_tags.as_ref(), base.instance_tags.as_ref()),
        }
    }
}

fn first<T: Clone>(own: Option<&T>, base: Option<&T>) -> Option<T> {
    own.or(base).cloned()
}

fn first_list<T: Clone>(own: &[T], base: &[T]) -> Vec<T> {
    if own.is_empty() { base.to_vec() } else { own.to_vec() }
}
