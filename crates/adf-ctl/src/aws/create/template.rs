//! The launch template's first version: the machine without a release. Deploys make the versions after it.

use adf_types::AppName;
use aws_sdk_ec2::types::{
    InstanceType, LaunchTemplateHttpTokensState, LaunchTemplateIamInstanceProfileSpecificationRequest,
    LaunchTemplateInstanceMetadataOptionsRequest, LaunchTemplateInstanceMetadataTagsState,
    RequestLaunchTemplateData,
};

use super::super::error::{failed, incomplete};
use super::super::template::tag_specs;
use super::super::{Aws, AwsError, TemplateTags};
use super::Found;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTemplate<'a> {
    pub name: &'a str,
    pub app: &'a AppName,
    pub image_id: &'a str,
    pub instance_type: &'a str,
    /// Empty: the VPC's default.
    pub security_groups: &'a [String],
    /// The name of the instance profile.
    pub instance_profile: Option<&'a str>,
}

impl Aws {
    /// The template's id, and whether it was made now.
    pub async fn ensure_template(&self, new: &NewTemplate<'_>) -> Result<(String, Found), AwsError> {
        if let Some(id) = self.template_id(new.name).await? {
            return Ok((id, Found::Found));
        }
        let create = self.ec2.create_launch_template().launch_template_name(new.name);
        let answer = create
            .version_description("the machine, without a release")
            .launch_template_data(data(new))
            .send()
            .await
            .map_err(failed("CreateLaunchTemplate", new.name))?;
        let id = answer.launch_template.and_then(|t| t.launch_template_id);
        let id = id.ok_or_else(|| incomplete("CreateLaunchTemplate", new.name, "the template's id"))?;
        Ok((id, Found::Created))
    }

    /// The VPC of a subnet.
    pub async fn vpc_of(&self, subnet: &str) -> Result<String, AwsError> {
        let answer = self.ec2.describe_subnets().subnet_ids(subnet).send().await;
        let subnets = answer.map_err(failed("DescribeSubnets", subnet))?.subnets.unwrap_or_default();
        let vpc = subnets.into_iter().find_map(|s| s.vpc_id);
        vpc.ok_or_else(|| incomplete("DescribeSubnets", subnet, "the VPC"))
    }
}

fn data(new: &NewTemplate<'_>) -> RequestLaunchTemplateData {
    let profile =
        |name: &str| LaunchTemplateIamInstanceProfileSpecificationRequest::builder().name(name).build();
    let mut tags = TemplateTags::new();
    tags.entry("instance".to_owned()).or_default().insert("adf:app".to_owned(), new.app.to_string());
    // One hop: the app's container cannot reach the metadata service, and with it the role.
    let metadata = LaunchTemplateInstanceMetadataOptionsRequest::builder()
        .http_tokens(LaunchTemplateHttpTokensState::Required)
        .http_put_response_hop_limit(1)
        .instance_metadata_tags(LaunchTemplateInstanceMetadataTagsState::Enabled)
        .build();
    RequestLaunchTemplateData::builder()
        .image_id(new.image_id)
        .instance_type(InstanceType::from(new.instance_type))
        .set_security_group_ids((!new.security_groups.is_empty()).then(|| new.security_groups.to_vec()))
        .set_iam_instance_profile(new.instance_profile.map(profile))
        .metadata_options(metadata)
        .set_tag_specifications(Some(tag_specs(&tags)))
        .build()
}
