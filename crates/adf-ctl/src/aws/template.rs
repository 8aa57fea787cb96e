//! Launch templates: numbered, immutable versions, one for each deploy.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    LaunchTemplateTagSpecificationRequest as TagSpec, LaunchTemplateVersion, RequestLaunchTemplateData,
    ResourceType, Tag,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::error::{failed, incomplete};
use super::instances::filter;
use super::{Aws, AwsError};

/// Tags that a template gives to what it launches, by resource type (`instance`, `volume`).
pub type TemplateTags = BTreeMap<String, BTreeMap<String, String>>;

/// What a new version says on top of the version it is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionLaunch {
    pub source_version: u64,
    /// Also how the version is found again.
    pub description: String,
    pub client_token: String,
    /// Raw text; encoded on the wire.
    pub user_data: String,
    pub tags: TemplateTags,
}

/// A template version, as far as its deletion cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionSummary {
    pub number: u64,
    pub description: Option<String>,
    pub is_default: bool,
}

/// What a template version launches from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateLaunch {
    pub image_id: Option<String>,
}

impl Aws {
    /// The id of the template of this name.
    pub async fn template_id(&self, name: &str) -> Result<Option<String>, AwsError> {
        let answer = self.ec2.describe_launch_templates().launch_template_names(name).send().await;
        match answer.map_err(failed("DescribeLaunchTemplates", name)) {
            Ok(answer) => {
                let first = answer.launch_templates.unwrap_or_default().into_iter().next();
                Ok(first.and_then(|t| t.launch_template_id))
            }
            Err(AwsError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The tags of one version.
    pub async fn template_tags(&self, template_id: &str, version: u64) -> Result<TemplateTags, AwsError> {
        let what = format!("{template_id} version {version}");
        let answer = self
            .ec2
            .describe_launch_template_versions()
            .launch_template_id(template_id)
            .versions(version.to_string())
            .send()
            .await
            .map_err(failed("DescribeLaunchTemplateVersions", &what))?;
        let version = answer.launch_template_versions.unwrap_or_default().into_iter().next();
        version.map(tags_of).ok_or_else(|| incomplete("DescribeLaunchTemplateVersions", what, "the version"))
    }

    /// What one version launches from: `None` when there is no such version, or no such template.
    pub async fn template_launch(
        &self,
        template_id: &str,
        version: u64,
    ) -> Result<Option<TemplateLaunch>, AwsError> {
        let what = format!("{template_id} version {version}");
        let describe = self.ec2.describe_launch_template_versions().launch_template_id(template_id);
        let answer = describe.versions(version.to_string()).send().await;
        let answer = match answer.map_err(failed("DescribeLaunchTemplateVersions", &what)) {
            Ok(answer) => answer,
            Err(AwsError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let version = answer.launch_template_versions.unwrap_or_default().into_iter().next();
        Ok(version.map(|version| TemplateLaunch {
            image_id: version.launch_template_data.and_then(|data| data.image_id),
        }))
    }

    /// Every version of the template, oldest first; 200 a call.
    pub async fn template_versions(&self, template_id: &str) -> Result<Vec<VersionSummary>, AwsError> {
        let describe = self.ec2.describe_launch_template_versions().launch_template_id(template_id);
        let mut pages = describe.into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(version) = pages.next().await {
            let version = version.map_err(failed("DescribeLaunchTemplateVersions", template_id))?;
            let number = version.version_number.and_then(|n| u64::try_from(n).ok());
            all.extend(number.map(|number| VersionSummary {
                number,
                description: version.version_description,
                is_default: version.default_version.unwrap_or_default(),
            }));
        }
        all.sort_by_key(|version| version.number);
        Ok(all)
    }

    /// Deletes at most 200 versions for good, and answers those that are gone. AWS decides about each of them.
    pub async fn delete_template_versions(
        &self,
        template_id: &str,
        numbers: &[u64],
    ) -> Result<Vec<u64>, AwsError> {
        let delete = self.ec2.delete_launch_template_versions().launch_template_id(template_id);
        let numbers = numbers.iter().map(u64::to_string).collect();
        let answer = delete.set_versions(Some(numbers)).send().await;
        let answer = answer.map_err(failed("DeleteLaunchTemplateVersions", template_id))?;
        let gone = answer.successfully_deleted_launch_template_versions.unwrap_or_default().into_iter();
        Ok(gone.filter_map(|item| item.version_number.and_then(|n| u64::try_from(n).ok())).collect())
    }

    /// Template versions that live instances were launched from, canaries of a stopped deploy among them.
    pub async fn versions_in_use(&self, template_id: &str) -> Result<Vec<u64>, AwsError> {
        // Tags that EC2 and Auto Scaling set on what they launch from a template.
        let of_template = filter("tag:aws:ec2launchtemplate:id", &[template_id]);
        let live = filter("instance-state-name", &["pending", "running", "stopping", "stopped"]);
        let describe = self.ec2.describe_instances().filters(of_template).filters(live);
        let mut pages = describe.into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(reservation) = pages.next().await {
            let reservation = reservation.map_err(failed("DescribeInstances", template_id))?;
            let instances = reservation.instances.unwrap_or_default().into_iter();
            let tags = instances.flat_map(|instance| instance.tags.unwrap_or_default());
            let versions = tags.filter(|tag| tag.key.as_deref() == Some("aws:ec2launchtemplate:version"));
            all.extend(versions.filter_map(|tag| tag.value?.parse::<u64>().ok()));
        }
        Ok(all)
    }

    /// The version with this description.
    pub async fn find_template_version(
        &self,
        template_id: &str,
        description: &str,
    ) -> Result<Option<u64>, AwsError> {
        let describe = self.ec2.describe_launch_template_versions().launch_template_id(template_id);
        let mut pages = describe.into_paginator().items().send();
        while let Some(version) = pages.next().await {
            let version = version.map_err(failed("DescribeLaunchTemplateVersions", template_id))?;
            if version.version_description.as_deref() == Some(description) {
                return Ok(version.version_number.and_then(|n| u64::try_from(n).ok()));
            }
        }
        Ok(None)
    }

    /// Makes a version and answers its number. The template's default version stays what it is.
    pub async fn create_template_version(
        &self,
        template_id: &str,
        launch: &VersionLaunch,
    ) -> Result<u64, AwsError> {
        let data = RequestLaunchTemplateData::builder()
            .user_data(BASE64.encode(&launch.user_data))
            .set_tag_specifications(Some(tag_specs(&launch.tags)))
            .build();
        let create = self.ec2.create_launch_template_version().launch_template_id(template_id);
        let answer = create
            .source_version(launch.source_version.to_string())
            .version_description(&launch.description)
            .client_token(&launch.client_token)
            .launch_template_data(data)
            .send()
            .await
            .map_err(failed("CreateLaunchTemplateVersion", template_id))?;
        let number = answer.launch_template_version.and_then(|v| v.version_number);
        number
            .and_then(|n| u64::try_from(n).ok())
            .ok_or_else(|| incomplete("CreateLaunchTemplateVersion", template_id, "the version's number"))
    }
}

pub(super) fn tag_specs(tags: &TemplateTags) -> Vec<TagSpec> {
    let spec = |(kind, tags): (&String, &BTreeMap<String, String>)| {
        let tags = tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect();
        TagSpec::builder().resource_type(ResourceType::from(kind.as_str())).set_tags(Some(tags)).build()
    };
    tags.iter().map(spec).collect()
}

fn tags_of(version: LaunchTemplateVersion) -> TemplateTags {
    let specs = version.launch_template_data.and_then(|d| d.tag_specifications).unwrap_or_default();
    let mut tags = TemplateTags::new();
    for spec in specs {
        let Some(kind) = spec.resource_type else { continue };
        let pairs = spec.tags.unwrap_or_default().into_iter().filter_map(|t| Some((t.key?, t.value?)));
        tags.entry(kind.as_str().to_owned()).or_default().extend(pairs);
    }
    tags
}
