//! Reads the facts: settings of AWS, adf.toml, receipts and the last deploys. Changes nothing.

use std::time::Duration;

use adf_store::{Cleaned, Ignored, StoreError};
use adf_types::{
    AppName, ConfigName, DeployRecord, ImageSource, InstanceState, Receipt, ReleaseName, ReleaseRecord,
    ReleaseUrl,
};
use tokio::time::timeout;

use super::facts::{Balancer, Boot, Facts, Image};
use super::past::{LOOKED_AT, past};
use super::path::{Estimate, estimate};
use super::show::{Obstacle, Plan};
use crate::aws::{GroupState, Lifecycle};
use crate::context::Context;
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
const READ: usize = 2 * LOOKED_AT;

/// The plan of a deploy of a release, with everything that it would be refused for.
pub async fn plan(context: &Context, asked: &Asked) -> Result<Plan, CtlError> {
    let names = context.settings.app()?;
    let (app, store) = (&names.app, &context.store);
    let release = find(context, app, &asked.options.release).await?;
    let Some(group) = context.aws.group(&names.group).await? else {
        return Err(DeployError::no_group(&names.group).into());
    };
    let balancer = balancer(context, names).await?;
    let (pace, hooks, receipts, deploys) = tokio::try_join!(
        async { Ok::<_, CtlError>(context.aws.group_pace(&names.group).await?) },
        async { Ok(context.aws.launch_hooks(&names.group).await?) },
        async { Ok(store.receipts(app).await?) },
        async { Ok(store.deploys(app, READ).await?) },
    )?;
    let arn = balancer.as_ref().map(|balancer| balancer.check.arn.as_str());
    let (capacity, refused) = preflight::refusals(&group, arn, &asked.options);
    let mut obstacles: Vec<Obstacle> = refused.into_iter().map(Obstacle::of).collect();
    obstacles.extend(deploys.first().filter(|d| d.is_open()).map(open));
    obstacles.extend(config(context, &release).await?);
    let mut policy = preflight::policy(context, &asked.options);
    policy.deadline = asked.deadline.unwrap_or(policy.deadline);
    let serving = serving(&group, &receipts);
    let image = image(context, &release, &serving).await?;
    let run = &context.settings.file.run;
    let facts = Facts {
        policy,
        probe_interval: run.interval,
        probe_passes: run.passes,
        group: group.name.clone(),
        capacity,
        old: present(&group),
        balancer,
        pace,
        hooks: Some(hooks),
        image,
        boots: serving.iter().filter_map(boot).collect(),
        past: past(&deploys),
    };
    let current = store.current(app).await?.map(|current| current.current);
    Ok(Plan {
        app: app.clone(),
        from: current,
        release: release.release,
        capacity,
        estimate: estimate(&facts),
        obstacles,
    })
}

/// How long a deploy may be kept waiting by its own forecast.
const FORECAST_LIMIT: Duration = Duration::from_secs(5);

/// A line for an operator whose deploy cannot keep its deadline; nothing when it can, when nobody knows, or when a
/// deploy is open already. Costs two calls to Elastic Load Balancing and one to DynamoDB.
pub async fn forecast(context: &Context, options: &DeployOptions) -> Option<String> {
    let facts = timeout(FORECAST_LIMIT, known_facts(context, options)).await.ok()??;
    late(&options.release, &estimate(&facts))
}

fn late(release: &ReleaseName, estimate: &Estimate) -> Option<String> {
    let mend = estimate.mends.first()?;
    Some(format!(
        "{release} will miss its deadline: about {:.0} s until every server runs it, {:.0} s promised\n{}: {}\nall of \
         it: adf-ctl plan {release}",
        estimate.promise_seconds, estimate.deadline_seconds, mend.why, mend.mend
    ))
}

/// What can be known in three calls. An error is the deploy's to report, which makes the same calls.
async fn known_facts(context: &Context, options: &DeployOptions) -> Option<Facts> {
    let names = context.settings.app().ok()?;
    let (balancer, deploys) = tokio::join!(balancer(context, names), context.store.deploys(&names.app, READ));
    let (balancer, deploys) = (balancer.ok()?, deploys.ok()?);
    let last = deploys.first().filter(|deploy| !deploy.is_open())?;
    let run = &context.settings.file.run;
    Some(Facts {
        policy: preflight::policy(context, options),
        probe_interval: run.interval,
        probe_passes: run.passes,
        group: names.group.clone(),
        capacity: last.progress.capacity,
        old: last.progress.capacity,
        balancer,
        pace: None,
        hooks: None,
        image: Image::BuiltEach,
        boots: Vec::new(),
        past: past(&deploys),
    })
}

async fn find(context: &Context, app: &AppName, release: &ReleaseName) -> Result<ReleaseRecord, CtlError> {
    if let Some(found) = context.store.release(app, release).await? {
        return Ok(found);
    }
    let known = context.store.releases(app).await?.into_iter().map(|r| r.release).collect();
    Err(CtlError::UnknownRelease { app: app.clone(), release: release.clone(), known })
}

async fn balancer(context: &Context, names: &AppNames) -> Result<Option<Balancer>, CtlError> {
    let Some(name) = &names.target_group else { return Ok(None) };
    let check = context.aws.health_check(name).await?.ok_or_else(|| DeployError::no_target_group(name))?;
    let pace = context.aws.target_pace(&check.arn).await?;
    Ok(Some(Balancer { check, pace }))
}

fn present(group: &GroupState) -> u32 {
    let there = group.members.iter().filter(|m| m.lifecycle != Lifecycle::Leaving).count();
    u32::try_from(there).unwrap_or(u32::MAX)
}

fn serving(group: &GroupState, receipts: &[Receipt]) -> Vec<Receipt> {
    let member = |r: &&Receipt| group.members.iter().any(|m| m.id == r.instance);
    let serving = |r: &&Receipt| matches!(r.state, InstanceState::Serving);
    receipts.iter().filter(member).filter(serving).cloned().collect()
}

/// A restarted agent finds image and container: that boot tells nothing about a fresh instance.
fn boot(receipt: &Receipt) -> Option<Boot> {
    let took = Duration::try_from_secs_f64(receipt.boot_seconds()?).ok()?;
    let fresh = receipt.image_source != Some(ImageSource::Present);
    fresh.then_some(Boot { took, source: receipt.image_source })
}

async fn image(context: &Context, release: &ReleaseRecord, serving: &[Receipt]) -> Result<Image, CtlError> {
    let recorded = context.store.release_image(&release.app, &release.release).await?.is_some();
    if recorded || matches!(release.url, ReleaseUrl::Docker(_)) {
        return Ok(Image::Known);
    }
    let pulled = serving.iter().any(|receipt| receipt.image_source == Some(ImageSource::Pulled));
    Ok(if pulled { Image::BuiltOnce } else { Image::BuiltEach })
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
