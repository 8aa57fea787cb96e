//! Making an instance from resolved launch data.
//!
//! Neighbours: `run` launches for `RunInstances`, `groups::launch` for a group. Everything that can be wrong with the
//! data is refused before an address is taken.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::{Instance, InstanceState, MetadataOptions, SpotNotices, tags};
use crate::model::agenda::Event;
use crate::model::templates::LaunchData;
use crate::model::{ApiError, Model};

/// User data is limited to 16 KB before base64.
const USER_DATA_LIMIT: usize = 16 * 1024;
/// What EC2 starts when no type is named.
const DEFAULT_TYPE: &str = "m1.small";

/// What makes one instance different from the others of its launch.
#[derive(Clone, Debug)]
pub(in crate::model) struct Launch<'a> {
    /// Template parameters and request parameters, merged.
    pub data: &'a LaunchData,
    pub subnet_id: &'a str,
    pub template: Option<(String, u64)>,
    pub reservation_id: &'a str,
    pub index: u32,
    pub client_token: Option<String>,
    /// Tags beyond the data's own: what a group adds.
    pub more_tags: BTreeMap<String, String>,
}

impl Model {
    /// Starts one instance and returns its id.
    pub(in crate::model) fn launch(
        &mut self,
        launch: Launch<'_>,
        now: Timestamp,
    ) -> Result<String, ApiError> {
        let image_id = self.launchable_image(launch.data)?;
        let user_data = launch.data.user_data.as_deref().map(decode_user_data).transpose()?;
        let metadata = self.metadata_options(launch.data);
        let mut tags = launch.data.tags_for("instance");
        tags::check_keys(&tags, metadata.tags_enabled)?;
        tags.extend(launch.more_tags);
        let zone =
            self.network.subnet(launch.subnet_id).map(|subnet| subnet.zone.clone()).unwrap_or_default();
        let private_ip = self.network.take(launch.subnet_id)?;
        let id = self.ids.resource("i");
        let instance = Instance {
            id: id.clone(),
            reservation_id: launch.reservation_id.to_owned(),
            launch_index: launch.index,
            state: InstanceState::Pending,
            private_ip,
            zone,
            subnet_id: launch.subnet_id.to_owned(),
            image_id,
            instance_type: launch.data.instance_type.clone().unwrap_or_else(|| DEFAULT_TYPE.to_owned()),
            key_name: launch.data.key_name.clone(),
            security_group_ids: self.security_groups(launch.data),
            user_data,
            tags,
            metadata,
            iam_role: launch.data.profile_name(),
            launch_template: launch.template,
            client_token: launch.client_token,
            launched_at: now,
            boots: 1,
            state_reason: None,
            impaired_since: None,
            spot: SpotNotices::default(),
            console: String::new(),
            console_at: None,
            membership: None,
        };
        self.instances.insert(id.clone(), instance);
        let boot_time = self.boot_time();
        self.agenda.at(now + boot_time, Event::Boot { instance: id.clone() });
        Ok(id)
    }

    fn launchable_image(&self, data: &LaunchData) -> Result<String, ApiError> {
        let wanted = data.image_id.as_ref().ok_or_else(|| ApiError::missing("ImageId"))?;
        if self.images.iter().any(|image| image.id == *wanted) {
            return Ok(wanted.clone());
        }
        Err(ApiError::new("InvalidAMIID.NotFound", format!("The image id '[{wanted}]' does not exist")))
    }

    fn metadata_options(&self, data: &LaunchData) -> MetadataOptions {
        let asked = data.metadata.clone().unwrap_or_default();
        MetadataOptions {
            http_tokens_required: asked
                .http_tokens
                .map_or(self.settings.http_tokens_required, |tokens| tokens == "required"),
            hop_limit: asked
                .hop_limit
                .and_then(|hops| u8::try_from(hops).ok())
                .unwrap_or(self.settings.hop_limit),
            tags_enabled: asked.instance_tags.as_deref() == Some("enabled"),
        }
    }

    fn security_groups(&self, data: &LaunchData) -> Vec<String> {
        let of_interface = data.network_interfaces.first().map(|nic| nic.security_group_ids.clone());
        [Some(data.security_group_ids.clone()), of_interface]
            .into_iter()
            .flatten()
            .find(|ids| !ids.is_empty())
            .unwrap_or_else(|| vec![self.network.security_group_id.clone()])
    }
}

fn decode_user_data(text: &str) -> Result<Vec<u8>, ApiError> {
    let compact: String = text.split_whitespace().collect();
    let raw = STANDARD
        .decode(compact)
        .map_err(|_| ApiError::new("InvalidParameterValue", "Invalid BASE64 encoding of user data."))?;
    if raw.len() > USER_DATA_LIMIT {
        return Err(ApiError::new("InvalidParameterValue", "User data is limited to 16384 bytes"));
    }
    Ok(raw)
}
