//! Reads the facts of a plan: settings of AWS, adf.toml, receipts and the last deploys. Changes nothing.

use std::time::Duration;

use adf_store::{Cleaned, Ignored, StoreError};
use adf_types::{
    AppName, ConfigName, DeployRecord, ImageSource, Receipt, ReleaseName, ReleaseRecord, ReleaseUrl,
};

use super::facts::{Balancer, Boot, Facts, Image};
use super::past::{LOOKED_AT, past};
use super::path::estimate;
use super::show::{Obstacle, Plan};
use crate::aws::{GroupPace, GroupState, LaunchHook, Lifecycle};
use crate::context::Context;
use crate::deploy::fleet::count;
use crate::deploy::{DeployError, DeployOptions, preflight};
use crate::error::CtlError;
use crate::settings::AppNames;

/// What is asked of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub options: DeployOptions,
    /// Instead of the one of adf.toml.
    pub deadline: Option<Duration>,
}

/// Deploys that are read to find [`LOOKED_AT`] that went well.
pub(super) const READ: usize = 2 * LOOKED_AT;

/// The plan of a deploy of a release, with everything that it would be refused for.
pub async fn plan(context: &Context, asked: &Asked) -> Result<Plan, CtlError> {
    let names = context.settings.app()?;
    let release = find(context, &names.app, &asked.options.release).await?;
    let seen = Box::pin(look(context, names)).await?;
    let (capacity, refused) = preflight::refusals(&seen.group, seen.balancer_arn(), &asked.options);
    let mut obstacles: Vec<Obstacle> = refused.into_iter().map(Obstacle::of).collect();
    obstacles.extend(seen.deploys.first().filter(|deploy| deploy.is_open()).map(open));
    obstacles.extend(foreign_refresh(context, &seen).await?);
    obstacles.extend(config(context, &release).await?);
    let current = context.store.current(&names.app).await?.map(|current| current.current);
    obstacles.extend(way_back(context, &seen, current.as_ref(), &release, &asked.options).await);
    let image = image(context, &release, &seen.serving()).await?;
    let facts = facts(context, asked, seen, capacity, image);
    Ok(Plan {
        app: release.app,
        from: current,
        release: release.release,
        capacity,
        estimate: estimate(&facts),
        obstacles,
    })
}

/// The release that serves and could not come back.
async fn way_back(
    context: &Context,
    seen: &Seen,
    current: Option<&ReleaseName>,
    release: &ReleaseRecord,
    options: &DeployOptions,
) -> Option<Obstacle> {
    // Of a version that floats the plan tells already.
    let version = seen.group.template_version.number()?;
    let found = preflight::way_back(context, &seen.group, version, current, release, options);
    Box::pin(found).await.err().map(Obstacle::of)
}

/// What AWS and the tables say of the fleet.
struct Seen {
    group: GroupState,
    balancer: Option<Balancer>,
    pace: Option<GroupPace>,
    hooks: Vec<LaunchHook>,
    receipts: Vec<Receipt>,
    deploys: Vec<DeployRecord>,
}

impl Seen {
    fn balancer_arn(&self) -> Option<&str> {
        self.balancer.as_ref().map(|balancer| balancer.check.arn.as_str())
    }

    fn present(&self) -> u32 {
        count(self.group.members.iter().filter(|member| member.lifecycle != Lifecycle::Leaving))
    }

    fn serving(&self) -> Vec<&Receipt> {
        let member = |r: &&Receipt| self.group.members.iter().any(|m| m.id == r.instance);
        self.receipts.iter().filter(member).filter(|receipt| receipt.is_serving()).collect()
    }
}

async fn look(context: &Context, names: &AppNames) -> Result<Seen, CtlError> {
    let (aws, store) = (&context.aws, &context.store);
    let group = aws.group(&names.group).await?.ok_or_else(|| DeployError::no_group(&names.group))?;
    let (balancer, pace, hooks, receipts, deploys) = tokio::try_join!(
        balancer(context, names),
        async { Ok::<_, CtlError>(aws.group_pace(&names.group).await?) },
        async { Ok(aws.launch_hooks(&names.group).await?) },
        async { Ok(store.receipts(&names.app).await?) },
        async { Ok(store.deploys(&names.app, READ).await?) },
    )?;
    Ok(Seen { group, balancer, pace, hooks, receipts, deploys })
}

fn facts(context: &Context, asked: &Asked, seen: Seen, capacity: u32, image: Image) -> Facts {
    let mut policy = preflight::policy(context, &asked.options);
    policy.deadline = asked.deadline.unwrap_or(policy.deadline);
    let run = &context.settings.file.run;
    Facts {
        past: past(&seen.deploys, &policy),
        policy,
        probe_interval: run.interval,
        probe_passes: run.passes,
        capacity,
        old: seen.present(),
        max: Some(seen.group.max),
        image,
        boots: seen.serving().into_iter().filter_map(boot).collect(),
        group: seen.group.name,
        balancer: seen.balancer,
        pace: seen.pace,
        hooks: Some(seen.hooks),
    }
}

async fn find(context: &Context, app: &AppName, release: &ReleaseName) -> Result<ReleaseRecord, CtlError> {
    if let Some(found) = context.store.release(app, release).await? {
        return Ok(found);
    }
    let known = context.store.releases(app).await?.into_iter().map(|r| r.release).collect();
    Err(CtlError::UnknownRelease { app: app.clone(), release: release.clone(), known })
}

pub(super) async fn balancer(context: &Context, names: &AppNames) -> Result<Option<Balancer>, CtlError> {
    let Some(name) = &names.target_group else { return Ok(None) };
    let check = context.aws.health_check(name).await?.ok_or_else(|| DeployError::no_target_group(name))?;
    let pace = context.aws.target_pace(&check.arn).await?;
    Ok(Some(Balancer { check, pace }))
}

/// A restarted agent finds image and container: that boot tells nothing about a fresh instance.
fn boot(receipt: &Receipt) -> Option<Boot> {
    let took = Duration::try_from_secs_f64(receipt.boot_seconds()?).ok()?;
    let fresh = receipt.image_source != Some(ImageSource::Present);
    fresh.then_some(Boot { took, source: receipt.image_source })
}

async fn image(context: &Context, release: &ReleaseRecord, serving: &[&Receipt]) -> Result<Image, CtlError> {
    let recorded = context.store.release_image(&release.app, &release.release).await?.is_some();
    if recorded || matches!(release.url, ReleaseUrl::Docker(_)) {
        return Ok(Image::Known);
    }
    let pulled = serving.iter().any(|receipt| receipt.image_source == Some(ImageSource::Pulled));
    Ok(if pulled { Image::BuiltOnce } else { Image::BuiltEach })
}

/// A refresh that nobody of ADF started; that of an open deploy is told with the deploy.
async fn foreign_refresh(context: &Context, seen: &Seen) -> Result<Option<Obstacle>, CtlError> {
    if seen.deploys.first().is_some_and(DeployRecord::is_open) {
        return Ok(None);
    }
    match preflight::no_refresh(context, &seen.group.name).await {
        Ok(()) => Ok(None),
        Err(error @ DeployError::Refused { .. }) => Ok(Some(Obstacle::of(error))),
        Err(error) => Err(error.into()),
    }
}

fn open(deploy: &DeployRecord) -> Obstacle {
    Obstacle {
        reason: format!("deploy {} of {} is open, at step {}", deploy.id, deploy.to, deploy.step),
        mend: format!("go on with it: adf-ctl deploy {}; or turn it back: adf-ctl rollback", deploy.to),
    }
}

/// What the release asks of its config, and does not have. What a clean-up took comes back with a deploy, unless its
/// values are deleted.
async fn config(context: &Context, release: &ReleaseRecord) -> Result<Option<Obstacle>, CtlError> {
    let (app, name) = (&release.app, &release.release);
    let clean = context.store.plan_clean_up(app, Some(name), Ignored::default()).await?;
    let cleaned: Vec<&Cleaned> = clean.overlays.iter().flat_map(|overlay| &overlay.cleaned).collect();
    let purged: Vec<String> = cleaned.iter().filter(|c| c.purged).map(|c| c.name.to_string()).collect();
    if !purged.is_empty() {
        let error = StoreError::Purged { release: name.clone(), names: purged };
        return Ok(Some(Obstacle::of(error.into())));
    }
    let Err(error) = context.store.read_config(app, name).await?.check(&release.config) else {
        return Ok(None);
    };
    let returns = |wanted: &ConfigName| cleaned.iter().any(|cleaned| cleaned.name == *wanted);
    let back = error.names().into_iter().all(returns);
    Ok((!back).then(|| Obstacle::of(preflight::config_is_missing(&error, name))))
}
