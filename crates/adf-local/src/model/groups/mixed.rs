//! A mixed instances policy: several instance types behind one template.
//!
//! Kept and shown as it was given. A launch takes the type of the first override; purchase options have no meaning here.

use crate::model::templates::{LaunchData, TemplateKey, TemplateRef};
use crate::model::{ApiError, Model};

/// A policy beside its launch template, which the group or the refresh keeps itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MixedInstances {
    pub distribution: Distribution,
    /// In the order of preference.
    pub overrides: Vec<TypeOverride>,
}

/// On-Demand and Spot shares, as given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    pub on_demand_allocation_strategy: Option<String>,
    pub on_demand_base_capacity: Option<i32>,
    /// Per cent.
    pub on_demand_percentage_above_base: Option<i32>,
    pub spot_allocation_strategy: Option<String>,
    pub spot_instance_pools: Option<i32>,
    pub spot_max_price: Option<String>,
}

/// One instance type that may be launched in place of the template's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeOverride {
    pub instance_type: Option<String>,
    pub weighted_capacity: Option<String>,
}

/// What a launch is made from: a template, with the types of a policy over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchConfiguration {
    pub template: TemplateRef,
    pub mixed: Option<MixedInstances>,
}

impl LaunchConfiguration {
    /// The template's parameters with the policy's first type.
    pub(super) fn data(&self, of_template: &LaunchData) -> LaunchData {
        let mut data = of_template.clone();
        let first = self.mixed.as_ref().and_then(|mixed| mixed.overrides.first());
        if let Some(kind) = first.and_then(|it| it.instance_type.clone()) {
            data.instance_type = Some(kind);
        }
        data
    }
}

impl Model {
    /// The template id and the version number that a launch from this configuration has now.
    pub(super) fn resolved(&self, launch: &LaunchConfiguration) -> Result<(String, u64), ApiError> {
        let key = TemplateKey::Id(launch.template.id.clone());
        let (template, version) = self.template_version(&key, Some(&launch.template.version.to_string()))?;
        Ok((template.id.clone(), version.number))
    }
}
