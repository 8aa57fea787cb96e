//! What a group launches from: a template, alone or inside a mixed instances policy.
//!
//! The generated code reads neither policies nor desired configurations, so their parameters are read here.

use winterbaume_autoscaling::wire as form;

use crate::model::ApiError;
use crate::model::groups::{Distribution, LaunchConfiguration, MixedInstances, TypeOverride};
use crate::model::templates::{TemplateKey, TemplateRef};
use crate::wire::params::Params;

/// A template as a request names it, and the policy around it.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub(super) template: Option<(TemplateKey, Option<String>)>,
    pub(super) mixed: Option<MixedInstances>,
}

/// Reads `LaunchTemplate` and `MixedInstancesPolicy` below `prefix`, which is empty or ends with a dot.
pub(super) fn choice(params: &Params, prefix: &str) -> Result<Choice, ApiError> {
    let template = template_at(params, &format!("{prefix}LaunchTemplate"))?;
    let policy = format!("{prefix}MixedInstancesPolicy");
    let of_policy = template_at(params, &format!("{policy}.LaunchTemplate.LaunchTemplateSpecification"))?;
    match (template, of_policy) {
        (Some(_), Some(_)) => Err(ApiError::validation(
            "Valid requests must contain either LaunchTemplate or MixedInstancesPolicy parameter, not both.",
        )),
        (template, None) => Ok(Choice { template, mixed: None }),
        (None, template) => Ok(Choice { template, mixed: Some(policy_at(params, &policy)?) }),
    }
}

fn template_at(params: &Params, prefix: &str) -> Result<Option<(TemplateKey, Option<String>)>, ApiError> {
    let part = |name: &str| params.get(&format!("{prefix}.{name}")).cloned();
    match (part("LaunchTemplateId"), part("LaunchTemplateName"), part("Version")) {
        (Some(id), None, version) => Ok(Some((TemplateKey::Id(id), version))),
        (None, Some(name), version) => Ok(Some((TemplateKey::Name(name), version))),
        (None, None, None) => Ok(None),
        _ => Err(ApiError::validation(
            "Valid requests must contain either launchTemplateId or LaunchTemplateName",
        )),
    }
}

fn policy_at(params: &Params, prefix: &str) -> Result<MixedInstances, ApiError> {
    let part = |name: &str| params.get(&format!("{prefix}.InstancesDistribution.{name}")).cloned();
    let number = |name: &str| {
        let parse = |text: String| {
            text.parse().map_err(|_| ApiError::validation(format!("{name} must be a number, but is {text}")))
        };
        part(name).map(parse).transpose()
    };
    let distribution = Distribution {
        on_demand_allocation_strategy: part("OnDemandAllocationStrategy"),
        on_demand_base_capacity: number("OnDemandBaseCapacity")?,
        on_demand_percentage_above_base: number("OnDemandPercentageAboveBaseCapacity")?,
        spot_allocation_strategy: part("SpotAllocationStrategy"),
        spot_instance_pools: number("SpotInstancePools")?,
        spot_max_price: part("SpotMaxPrice"),
    };
    let override_at = |index: u32| {
        let part = |name: &str| {
            params.get(&format!("{prefix}.LaunchTemplate.Overrides.member.{index}.{name}")).cloned()
        };
        let (instance_type, weighted_capacity) = (part("InstanceType"), part("WeightedCapacity"));
        (instance_type.is_some() || weighted_capacity.is_some())
            .then_some(TypeOverride { instance_type, weighted_capacity })
    };
    Ok(MixedInstances { distribution, overrides: (1..).map_while(override_at).collect() })
}

pub(super) fn template(template: &TemplateRef) -> form::LaunchTemplateSpecification {
    form::LaunchTemplateSpecification {
        launch_template_id: Some(template.id.clone()),
        launch_template_name: Some(template.name.clone()),
        version: Some(template.version.to_string()),
    }
}

/// The template where it stands alone.
pub(super) fn plain(of: &LaunchConfiguration) -> Option<form::LaunchTemplateSpecification> {
    of.mixed.is_none().then(|| template(&of.template))
}

/// The policy with its template inside.
pub(super) fn policy(of: &LaunchConfiguration) -> Option<form::MixedInstancesPolicy> {
    let mixed = of.mixed.as_ref()?;
    let held = &mixed.distribution;
    let one = |it: &TypeOverride| form::LaunchTemplateOverrides {
        instance_type: it.instance_type.clone(),
        weighted_capacity: it.weighted_capacity.clone(),
        ..Default::default()
    };
    Some(form::MixedInstancesPolicy {
        instances_distribution: Some(form::InstancesDistribution {
            on_demand_allocation_strategy: held.on_demand_allocation_strategy.clone(),
            on_demand_base_capacity: held.on_demand_base_capacity,
            on_demand_percentage_above_base_capacity: held.on_demand_percentage_above_base,
            spot_allocation_strategy: held.spot_allocation_strategy.clone(),
            spot_instance_pools: held.spot_instance_pools,
            spot_max_price: held.spot_max_price.clone(),
        }),
        launch_template: Some(form::LaunchTemplate {
            launch_template_specification: Some(template(&of.template)),
            overrides: Some(mixed.overrides.iter().map(one).collect()),
        }),
    })
}
