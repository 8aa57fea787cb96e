//! An EC2 instance: what it is, and its membership in an Auto Scaling group.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::Timestamp;

use super::SpotNotices;
use crate::model::groups::{LifecycleState, Membership};

/// The EC2 states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceState {
    Pending,
    Running,
    ShuttingDown,
    Terminated,
    Stopping,
    Stopped,
}

impl InstanceState {
    /// AWS's name, `shutting-down`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }

    /// AWS's number, `16` for running.
    pub fn code(self) -> i32 {
        match self {
            Self::Pending => 0,
            Self::Running => 16,
            Self::ShuttingDown => 32,
            Self::Terminated => 48,
            Self::Stopping => 64,
            Self::Stopped => 80,
        }
    }
}

/// IMDS settings of one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetadataOptions {
    /// IMDSv1 is refused.
    pub http_tokens_required: bool,
    /// IP hops a token answer survives.
    pub hop_limit: u8,
    /// Tags are served under `tags/instance/`.
    pub tags_enabled: bool,
}

/// One instance, terminated ones included while AWS would still show them.
#[derive(Clone, Debug)]
pub struct Instance {
    pub id: String,
    pub reservation_id: String,
    /// Position in its reservation.
    pub launch_index: u32,
    pub state: InstanceState,
    pub private_ip: Ipv4Addr,
    pub zone: String,
    pub subnet_id: String,
    pub image_id: String,
    pub instance_type: String,
    pub key_name: Option<String>,
    pub security_group_ids: Vec<String>,
    /// Raw bytes, decoded from the base64 of the API.
    pub user_data: Option<Vec<u8>>,
    pub tags: BTreeMap<String, String>,
    pub metadata: MetadataOptions,
    /// Name of the instance profile, which adf-local also takes as the role's name.
    pub iam_role: Option<String>,
    /// Id and version number it was launched from.
    pub launch_template: Option<(String, u64)>,
    pub client_token: Option<String>,
    pub launched_at: Timestamp,
    /// Raised by each start of the machine: 1 at launch, more after reboots. A runner restarts the machine when it changes.
    pub boots: u32,
    /// Why it last left `running`, AWS's words.
    pub state_reason: Option<(&'static str, String)>,
    /// Last 64 KB of what the machine printed.
    pub console: String,
    /// When `console` was last set.
    pub console_at: Option<Timestamp>,
    /// Since when its status check fails.
    pub impaired_since: Option<Timestamp>,
    /// What EC2 has announced to it.
    pub spot: SpotNotices,
    pub(in crate::model) membership: Option<Membership>,
}

impl Instance {
    /// The Auto Scaling group it is a member of now.
    pub fn group(&self) -> Option<&str> {
        self.membership.as_ref().map(|member| member.group.as_str())
    }

    /// Its state in that group.
    pub fn lifecycle_state(&self) -> Option<LifecycleState> {
        self.membership.as_ref().map(|member| member.state)
    }

    /// All that the group knows of it.
    pub fn membership(&self) -> Option<&Membership> {
        self.membership.as_ref()
    }
}
