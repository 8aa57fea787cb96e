//! A form-encoded body as parameters.
//!
//! EC2's protocol names a list by its singular and a number, `TagSpecification.1.Tag.1.Key`. The generated EC2 code asks for
//! the names of the plain Query protocol instead, `TagSpecifications.item.1.Tags.item.1.Key`, so the names of the lists that the
//! model knows are rewritten here before it reads them.

use std::collections::HashMap;

use crate::model::ApiError;

/// Parameters by name, as the generated code takes them.
pub(super) type Params = HashMap<String, String>;

pub(super) fn parse(body: &[u8]) -> Params {
    url::form_urlencoded::parse(body).into_owned().collect()
}

/// Refuses a request without a parameter that the generated code would read as empty.
pub(super) fn need(params: &Params, names: &[&str]) -> Result<(), ApiError> {
    match names.iter().find(|name| !params.contains_key(**name)) {
        None => Ok(()),
        Some(name) => {
            let mut member = (*name).to_owned();
            if let Some(first) = member.get_mut(..1) {
                first.make_ascii_lowercase();
            }
            Err(ApiError::validation(format!(
                "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
            )))
        }
    }
}

/// `Prefix.1`, `Prefix.2`, ... as a list.
pub(super) fn list(params: &Params, prefix: &str) -> Vec<String> {
    (1..).map_while(|number| params.get(&format!("{prefix}.{number}")).cloned()).collect()
}

/// EC2's lists: where (the segment before), what EC2 calls it, what the generated code calls it. The first match counts.
const LISTS: [(&str, &str, &str); 20] = [
    ("LaunchTemplateData", "TagSpecification", "TagSpecifications.LaunchTemplateTagSpecificationRequest"),
    ("LaunchTemplateData", "NetworkInterface", "NetworkInterfaces.InstanceNetworkInterfaceSpecification"),
    ("NetworkInterface", "SecurityGroupId", "Groups.SecurityGroupId"),
    ("", "TagSpecification", "TagSpecifications.item"),
    ("", "NetworkInterface", "NetworkInterfaces.item"),
    ("", "Tag", "Tags.item"),
    ("", "Filter", "Filters.Filter"),
    ("", "Value", "Values.item"),
    ("", "InstanceId", "InstanceIds.InstanceId"),
    ("", "SecurityGroupId", "SecurityGroupIds.SecurityGroupId"),
    ("", "SecurityGroup", "SecurityGroups.SecurityGroup"),
    ("", "LaunchTemplateId", "LaunchTemplateIds.item"),
    ("", "LaunchTemplateName", "LaunchTemplateNames.item"),
    ("", "LaunchTemplateVersion", "Versions.item"),
    ("", "ImageId", "ImageIds.ImageId"),
    ("", "Owner", "Owners.Owner"),
    ("", "SubnetId", "SubnetIds.SubnetId"),
    ("", "VpcId", "VpcIds.VpcId"),
    ("", "GroupId", "GroupIds.groupId"),
    ("", "GroupName", "GroupNames.GroupName"),
];

/// The same parameters under the names the generated EC2 code asks for.
pub(super) fn ec2_names(params: &Params) -> Params {
    params.iter().map(|(name, value)| (ec2_name(name), value.clone())).collect()
}

fn ec2_name(name: &str) -> String {
    if name == "SetDefaultVersion" {
        return "DefaultVersion".to_owned();
    }
    let segments: Vec<&str> = name.split('.').collect();
    let is_number = |at: usize| segments.get(at).is_some_and(|segment| segment.parse::<u32>().is_ok());
    let renamed = segments.iter().enumerate().map(|(at, segment)| {
        // The list that this segment is inside of is two back, behind the number, or directly before.
        let before = if at > 1 && is_number(at - 1) {
            segments[at - 2]
        } else if at > 0 {
            segments[at - 1]
        } else {
            ""
        };
        let known = LISTS.iter().find(|(inside, list, _)| {
            is_number(at + 1) && list == segment && (inside.is_empty() || *inside == before)
        });
        known.map_or(*segment, |(_, _, generated)| generated)
    });
    renamed.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_get_the_names_the_generated_code_asks_for() {
        for (ec2, generated) in [
            ("InstanceId.2", "InstanceIds.InstanceId.2"),
            ("InstanceId", "InstanceId"),
            ("Filter.1.Name", "Filters.Filter.1.Name"),
            ("Filter.1.Value.3", "Filters.Filter.1.Values.item.3"),
            ("TagSpecification.1.Tag.2.Key", "TagSpecifications.item.1.Tags.item.2.Key"),
            (
                "LaunchTemplateData.TagSpecification.1.Tag.2.Value",
                "LaunchTemplateData.TagSpecifications.LaunchTemplateTagSpecificationRequest.1.Tags.item.2.Value",
            ),
            (
                "LaunchTemplateData.NetworkInterface.1.SecurityGroupId.1",
                "LaunchTemplateData.NetworkInterfaces.InstanceNetworkInterfaceSpecification.1.Groups.SecurityGroupId.1",
            ),
            ("LaunchTemplateData.SecurityGroupId.1", "LaunchTemplateData.SecurityGroupIds.SecurityGroupId.1"),
            ("LaunchTemplateData.ImageId", "LaunchTemplateData.ImageId"),
            ("SetDefaultVersion", "DefaultVersion"),
        ] {
            assert_eq!(ec2_name(ec2), generated);
        }
    }

    #[test]
    fn values_are_utf_8() {
        assert_eq!(parse(b"Tag=Gr%C3%BC%C3%9Fe+aus")["Tag"], "Grüße aus");
    }

    #[test]
    fn an_absent_parameter_is_named_as_aws_names_it() {
        let error = need(&Params::new(), &["ShouldDecrementDesiredCapacity"]).expect_err("it is absent");
        assert!(error.message.contains("'shouldDecrementDesiredCapacity'"), "{error}");
    }
}
