//! A launch template, its numbered versions, and what a version says.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Tags for one kind of resource that a launch creates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagSpecification {
    /// `instance`, `volume`, ...
    pub resource_type: String,
    pub tags: BTreeMap<String, String>,
}

/// IMDS options of a request; absent ones fall back to the template's, then to the image's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataRequest {
    /// `required` or `optional`.
    pub http_tokens: Option<String>,
    /// 1 to 64.
    pub hop_limit: Option<i32>,
    /// `enabled` or `disabled`.
    pub http_endpoint: Option<String>,
    /// `enabled` or `disabled`.
    pub instance_tags: Option<String>,
}

/// A network interface of a launch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkInterface {
    pub device_index: Option<i32>,
    pub subnet_id: Option<String>,
    pub security_group_ids: Vec<String>,
    pub associate_public_ip: Option<bool>,
}

/// The launch parameters of a template version, and of a `RunInstances` request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaunchData {
    pub image_id: Option<String>,
    pub instance_type: Option<String>,
    pub key_name: Option<String>,
    /// Base64, as the API carries it.
    pub user_data: Option<String>,
    pub security_group_ids: Vec<String>,
    pub iam_profile_name: Option<String>,
    pub iam_profile_arn: Option<String>,
    pub tag_specifications: Vec<TagSpecification>,
    pub metadata: Option<MetadataRequest>,
    pub network_interfaces: Vec<NetworkInterface>,
    pub zone: Option<String>,
    pub monitoring: Option<bool>,
    pub ebs_optimized: Option<bool>,
}

/// An immutable version.
#[derive(Clone, Debug)]
pub struct TemplateVersion {
    pub number: u64,
    pub description: Option<String>,
    pub created_at: Timestamp,
    pub data: LaunchData,
}

/// A launch template.
#[derive(Clone, Debug)]
pub struct LaunchTemplate {
    pub id: String,
    pub name: String,
    pub created_at: Timestamp,
    pub tags: BTreeMap<String, String>,
    pub default_version: u64,
    /// The highest number ever used: numbers are not used again.
    pub latest_version: u64,
    pub versions: BTreeMap<u64, TemplateVersion>,
}

/// Which version of a template to launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionChoice {
    Number(u64),
    /// `$Latest`, resolved at each launch.
    Latest,
    /// `$Default`, resolved at each launch.
    Default,
}

impl VersionChoice {
    /// Parses `3`, `$Latest` or `$Default`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "$Latest" => Some(Self::Latest),
            "$Default" => Some(Self::Default),
            number => number.parse().ok().map(Self::Number),
        }
    }
}

impl std::fmt::Display for VersionChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Latest => f.write_str("$Latest"),
            Self::Default => f.write_str("$Default"),
        }
    }
}

/// A template and the version to launch, as a group or a member refers to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateRef {
    pub id: String,
    pub name: String,
    pub version: VersionChoice,
}
