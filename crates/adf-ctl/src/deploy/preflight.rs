//! Preflight: everything that can be checked before anything is touched.
//!
//! The rule: a refusal here names what is in the way and the command that removes it. The one thing that is
//! changed is config of the release itself: an Overlay that an earlier clean-up took away comes back.

use adf_store::Signature;
use adf_types::{Checkpoints, InstanceId, Policy, ReleaseName, ReleaseRecord, RuleError, Strategy};

use super::DeployOptions;
use super::error::DeployError;
use super::observe;
use super::record::Beginning;
use super::restorable::{self, Restorable};
use crate::aws::{GroupState, Lifecycle, TemplateVersion};
use crate::context::Context;
use crate::settings::AppNames;

/// What preflight comes to.
#[derive(Debug)]
pub enum Preflight {
    /// The release is current, and every in-service instance runs it.
    Serving {
        instances: u32,
    },
    Begin(Box<Beginning>),
}

pub async fn check(
    context: &Context,
    names: &AppNames,
    target_group_arn: Option<&str>,
    release: &ReleaseRecord,
    options: &DeployOptions,
    owner: &str,
) -> Result<Preflight, DeployError> {
    let group = observe::group(context, &names.group).await?;
    let current = context.store.current(&names.app).await?.map(|c| c.current);
    if current.as_ref() == Some(&release.release)
        && let Some(instances) = serving(context, names, &group, &release.release).await?
    {
        return Ok(Preflight::Serving { instances });
    }
    let old_template_version = template_version(&group)?;
    group_is_ready(&group, target_group_arn)?;
    let old: Vec<_> = group.members.iter().filter(|m| m.lifecycle != Lifecycle::Leaving).collect();
    let capacity = capacity(&group, options)?;
    no_refresh(context, &group.name).await?;
    config_is_complete(context, release, owner).await?;
    let way_back =
        Box::pin(way_back(context, &group, old_template_version, current.as_ref(), release, options)).await?;
    let policy = policy(context, options);
    if old.is_empty() && policy.strategy == Strategy::Refresh {
        let note = "the group is empty, so there is nothing to refresh: its instances start all at once, as a surge does";
        context.printer.note(note);
    }
    Ok(Preflight::Begin(Box::new(Beginning {
        from: current,
        to: release.release.clone(),
        owner: owner.to_owned(),
        policy,
        capacity,
        old: old.into_iter().map(|m| m.id.clone()).collect(),
        old_template_version,
        way_back,
    })))
}

/// Whether the release that serves could come back. A release that is on its way back itself has to be restorable; what
/// it leaves need not be.
pub(crate) async fn way_back(
    context: &Context,
    group: &GroupState,
    version: u64,
    from: Option<&ReleaseName>,
    to: &ReleaseRecord,
    options: &DeployOptions,
) -> Result<Option<Restorable>, DeployError> {
    let template = Some(restorable::Template { id: &group.template_id, version });
    if options.returns {
        restorable::check(context, &to.app, &to.release, template).await.refuse_rollback()?;
        return Ok(None);
    }
    let Some(from) = from else { return Ok(None) };
    let found = restorable::check(context, &to.app, from, template).await;
    found.refuse_unless(options.no_way_back.as_ref())?;
    Ok(Some(found))
}

/// The number of in-service instances, if all of them run the release.
async fn serving(
    context: &Context,
    names: &AppNames,
    group: &GroupState,
    release: &ReleaseName,
) -> Result<Option<u32>, DeployError> {
    let receipts = context.store.receipts(&names.app).await?;
    let runs = |id: &InstanceId| {
        receipts.iter().any(|r| r.instance == *id && r.release == *release && r.is_serving())
    };
    let members: Vec<_> = group.members.iter().filter(|m| m.lifecycle == Lifecycle::InService).collect();
    let whole =
        !members.is_empty() && members.len() >= group.desired as usize && members.iter().all(|m| runs(&m.id));
    Ok(whole.then_some(group.desired))
}

fn template_version(group: &GroupState) -> Result<u64, DeployError> {
    match &group.template_version {
        TemplateVersion::Number(number) => Ok(*number),
        TemplateVersion::Floating(version) => Err(DeployError::refused(
            format!(
                "E210 group {} launches template version {version}, so nobody can say what a scale-out starts",
                group.name
            ),
            format!(
                "name the version that runs now: aws autoscaling update-auto-scaling-group \
                 --auto-scaling-group-name {} --launch-template LaunchTemplateId={},Version=NUMBER",
                group.name, group.template_id
            ),
        )),
    }
}

/// Processes without which a group does not replace instances.
const NEEDED: [&str; 3] = ["Launch", "Terminate", "AddToLoadBalancer"];

pub(super) fn group_is_ready(group: &GroupState, target_group_arn: Option<&str>) -> Result<(), DeployError> {
    let name = &group.name;
    if let Some(process) = group.suspended.iter().find(|p| NEEDED.contains(&p.as_str())) {
        return Err(DeployError::refused(
            format!("process {process} of group {name} is suspended"),
            format!(
                "aws autoscaling resume-processes --auto-scaling-group-name {name} --scaling-processes {process}"
            ),
        ));
    }
    if let Some(arn) = target_group_arn
        && !group.target_groups.iter().any(|a| a == arn)
    {
        return Err(DeployError::refused(
            format!("group {name} does not register its instances with target group {arn}"),
            format!(
                "aws autoscaling attach-load-balancer-target-groups --auto-scaling-group-name {name} \
                 --target-group-arns {arn}"
            ),
        ));
    }
    let standby = group.members.iter().find(|m| m.lifecycle == Lifecycle::Standby);
    if let Some(member) = standby {
        return Err(DeployError::refused(
            format!("{} of group {name} is in Standby, put there by nobody that ADF knows", member.id),
            format!(
                "bring it back, or terminate it: aws autoscaling exit-standby --auto-scaling-group-name {name} \
                 --instance-ids {}",
                member.id
            ),
        ));
    }
    Ok(())
}

/// A refresh that somebody started is theirs to end.
pub(crate) async fn no_refresh(context: &Context, group: &str) -> Result<(), DeployError> {
    let latest = context.aws.latest_refresh(group).await?;
    match latest.filter(|refresh| refresh.status.is_active()) {
        Some(refresh) => Err(DeployError::foreign_refresh(group, &refresh.id)),
        None => Ok(()),
    }
}

/// Tag of the group that says how many instances a first deploy starts; `init` sets it.
const CAPACITY_TAG: &str = "adf:capacity";

fn capacity(group: &GroupState, options: &DeployOptions) -> Result<u32, DeployError> {
    let present = (group.desired > 0).then_some(group.desired);
    if let (Some(wanted), Some(present)) = (options.capacity, present)
        && wanted != present
    {
        return Err(DeployError::refused(
            format!("--capacity is for a first deploy, and group {} has {present} instances", group.name),
            format!(
                "aws autoscaling set-desired-capacity --auto-scaling-group-name {} --desired-capacity {wanted}",
                group.name
            ),
        ));
    }
    let tagged = || group.tags.iter().find(|(key, _)| key == CAPACITY_TAG)?.1.parse().ok();
    let capacity = options.capacity.or(present).or_else(tagged).filter(|n| *n > 0).ok_or_else(|| {
        DeployError::refused(
            format!(
                "group {} is empty and has no tag {CAPACITY_TAG}, so the size of the fleet is unknown",
                group.name
            ),
            "say it: adf-ctl deploy --capacity N",
        )
    })?;
    if capacity > group.max {
        return Err(DeployError::refused(
            format!("{capacity} instances are more than the maximum of group {}, {}", group.name, group.max),
            format!(
                "aws autoscaling update-auto-scaling-group --auto-scaling-group-name {} --max-size {capacity}",
                group.name
            ),
        ));
    }
    if capacity < group.min {
        return Err(DeployError::refused(
            format!("{capacity} instances are fewer than the minimum of group {}, {}", group.name, group.min),
            format!("adf-ctl deploy --capacity {}", group.min),
        ));
    }
    Ok(capacity)
}

pub(super) async fn config_is_complete(
    context: &Context,
    release: &ReleaseRecord,
    owner: &str,
) -> Result<(), DeployError> {
    let (app, name) = (&release.app, &release.release);
    let why = Some(format!("{name} is to be deployed"));
    let store = context.store.clone().signed(Signature { by: owner.to_owned(), why, forced: false });
    let restored = store.restore_overlay(app, name).await?;
    if !restored.is_empty() {
        let names = restored.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        context.printer.note(&format!("config of {name} that clean-up had taken is back: {names}"));
    }
    let config = context.store.read_config(app, name).await?;
    config.check(&release.config).map_err(|error| config_is_missing(&error, name))
}

pub(crate) fn config_is_missing(error: &RuleError, release: &ReleaseName) -> DeployError {
    let names = error.names().into_iter().map(|n| format!("{n}=VALUE")).collect::<Vec<_>>().join(" ");
    DeployError::refused(
        format!("{error}, and release {release} would not start"),
        format!("adf-ctl config set {names}; or for this release only, with --release {release}"),
    )
}

/// The size of the fleet that a deploy would end with, and everything about the group that it would be refused for;
/// where the size is unknown, as many instances as there are, or one.
pub(crate) fn refusals(
    group: &GroupState,
    target_group_arn: Option<&str>,
    options: &DeployOptions,
) -> (u32, Vec<DeployError>) {
    let capacity = capacity(group, options);
    let size = *capacity.as_ref().unwrap_or(&group.desired.max(1));
    let all = [template_version(group).err(), group_is_ready(group, target_group_arn).err(), capacity.err()];
    (size, all.into_iter().flatten().collect())
}

/// A release that comes back has served before: nothing is tried out with it.
pub(crate) fn policy(context: &Context, options: &DeployOptions) -> Policy {
    let section = &context.settings.file.deploy;
    Policy {
        strategy: options.strategy.unwrap_or(section.strategy),
        surge: options.surge.unwrap_or(section.surge),
        checkpoints: if options.returns { Checkpoints::default() } else { section.checkpoints.clone() },
        checkpoint_delay: section.checkpoint_delay,
        canary: section.canary && options.canary,
        bake: options.bake.unwrap_or(section.bake),
        min_probes: options.min_probes.unwrap_or(section.min_probes),
        judging: options.judging(section),
        watch: options.watch.unwrap_or(section.watch),
        deadline: section.deadline,
        boot_timeout: options.boot_timeout.unwrap_or(section.boot_timeout),
    }
}
