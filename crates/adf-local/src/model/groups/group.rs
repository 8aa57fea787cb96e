//! An Auto Scaling group.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::activity::Activity;
use super::hook::LifecycleHook;
use super::mixed::MixedInstances;
use super::process::Process;
use super::rebalance::Rebalance;
use super::refresh::InstanceRefresh;
use crate::model::templates::TemplateRef;

/// A tag of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupTag {
    pub value: String,
    /// Copied to instances launched from now on.
    pub propagate: bool,
}

/// A target group attached to a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub target_group_arn: String,
    /// One target has passed a check, or the attachment was there from the group's creation.
    pub in_service: bool,
}

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    pub name: String,
    pub arn: String,
    pub created_at: Timestamp,
    pub min: u32,
    pub max: u32,
    pub desired: u32,
    pub template: Option<TemplateRef>,
    /// Several instance types over `template`.
    pub mixed: Option<MixedInstances>,
    pub subnet_ids: Vec<String>,
    pub attachments: Vec<Attachment>,
    /// `ELB` is on in addition to `EC2`.
    pub elb_health: bool,
    pub grace: Duration,
    pub cooldown: Duration,
    pub default_warmup: Option<i32>,
    pub new_instances_protected: bool,
    pub termination_policies: Vec<String>,
    pub tags: BTreeMap<String, GroupTag>,
    pub hooks: BTreeMap<String, LifecycleHook>,
    /// Suspended processes.
    pub suspended: BTreeSet<Process>,
    /// Newest last.
    pub activities: Vec<Arc<Activity>>,
    pub deleting: bool,
    /// Newest last.
    pub refreshes: Vec<InstanceRefresh>,
    /// Members above desired that a refresh launches ahead of those they replace.
    pub(in crate::model) refresh_surge: u32,
    pub(in crate::model) rebalance: Option<Rebalance>,
    pub(in crate::model) cooldown_until: Option<Timestamp>,
    /// No launch before this: the last one failed.
    pub(in crate::model) launches_from: Option<Timestamp>,
}

impl Group {
    /// How many counting members the group wants to have now.
    pub(in crate::model) fn wanted(&self) -> u32 {
        self.desired + self.refresh_surge + self.rebalance.as_ref().map_or(0, |it| it.surge)
    }
}
