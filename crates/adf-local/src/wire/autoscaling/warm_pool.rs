//! Warm pools.

use winterbaume_autoscaling::wire as form;

use super::described;
use crate::model::groups::{Membership, PoolState, WarmPool};
use crate::model::{ApiError, Instance};
use crate::wire::Request;
use crate::wire::answer::{Answer, count, int, malformed};
use crate::wire::params::need;

/// Members a page at most.
const PAGE: usize = 50;

pub(super) fn put(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName"])?;
    let input = form::deserialize_put_warm_pool_request(&request.params).map_err(malformed)?;
    let state = match &input.pool_state {
        None => PoolState::default(),
        Some(name) => PoolState::parse(name).ok_or_else(|| {
            ApiError::validation(format!(
                "Invalid PoolState: {name}. Valid values are Stopped, Running, Hibernated"
            ))
        })?,
    };
    let prepared = input.max_group_prepared_capacity.filter(|prepared| *prepared != -1);
    let pool = WarmPool {
        min_size: count(input.min_size.unwrap_or(0), "minSize")?,
        max_prepared: prepared.map(|size| count(size, "maxGroupPreparedCapacity")).transpose()?,
        state,
        reuse_on_scale_in: input.instance_reuse_policy.and_then(|it| it.reuse_on_scale_in) == Some(true),
        deleting: false,
    };
    request.model.put_warm_pool(&input.auto_scaling_group_name, pool, request.now)?;
    Ok(form::serialize_put_warm_pool_response(&form::PutWarmPoolAnswer::default()))
}

pub(super) fn delete(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName"])?;
    let input = form::deserialize_delete_warm_pool_request(&request.params).map_err(malformed)?;
    let force = input.force_delete == Some(true);
    request.model.delete_warm_pool(&input.auto_scaling_group_name, force, request.now)?;
    Ok(form::serialize_delete_warm_pool_response(&form::DeleteWarmPoolAnswer::default()))
}

pub(super) fn describe(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName"])?;
    let input = form::deserialize_describe_warm_pool_request(&request.params).map_err(malformed)?;
    let group = request.model.existing_group(&input.auto_scaling_group_name)?;
    let warm: Vec<(&Instance, &Membership)> =
        request.model.members(&group.name).filter(|(_, member)| member.warm.is_some()).collect();
    let page =
        request.page(warm, |(it, _)| it.id.clone(), input.next_token.as_deref(), input.max_records, PAGE)?;
    let instances = page.items.into_iter().map(|(instance, member)| described::member(instance, member));
    let output = form::DescribeWarmPoolAnswer {
        instances: Some(instances.collect()),
        warm_pool_configuration: group.warm_pool.as_ref().map(configuration),
        next_token: page.next,
    };
    Ok(form::serialize_describe_warm_pool_response(&output))
}

pub(super) fn configuration(pool: &WarmPool) -> form::WarmPoolConfiguration {
    form::WarmPoolConfiguration {
        min_size: Some(int(pool.min_size)),
        max_group_prepared_capacity: pool.max_prepared.map(int),
        pool_state: Some(pool.state.name().to_owned()),
        instance_reuse_policy: pool
            .reuse_on_scale_in
            .then_some(form::InstanceReusePolicy { reuse_on_scale_in: Some(true) }),
        status: pool.deleting.then(|| "PendingDelete".to_owned()),
    }
}
