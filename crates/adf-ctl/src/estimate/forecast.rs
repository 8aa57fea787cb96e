//! The line that a deploy begins with when its deadline cannot hold: a plan from what can be known in four calls.

use std::time::Duration;

use adf_types::{ReleaseName, ReleaseUrl};
use tokio::time::timeout;

use super::facts::{Facts, Image};
use super::gather::{READ, balancer};
use super::past::past;
use super::path::{Estimate, estimate};
use crate::context::Context;
use crate::deploy::{DeployOptions, preflight};

/// How long a deploy may be kept waiting by its own forecast.
const FORECAST_LIMIT: Duration = Duration::from_secs(5);

/// A line for an operator whose deploy cannot keep its deadline; nothing when it can, when nobody knows, or when a
/// deploy is open already. Costs two calls to Elastic Load Balancing and two to DynamoDB.
pub async fn forecast(context: &Context, options: &DeployOptions) -> Option<String> {
    let facts = timeout(FORECAST_LIMIT, Box::pin(known_facts(context, options))).await.ok()??;
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

/// What can be known in four calls. An error is the deploy's to report, which makes the same calls.
async fn known_facts(context: &Context, options: &DeployOptions) -> Option<Facts> {
    let names = context.settings.app().ok()?;
    let (balancer, deploys, release) = tokio::join!(
        balancer(context, names),
        context.store.deploys(&names.app, READ),
        context.store.release(&names.app, &options.release),
    );
    let (balancer, deploys, release) = (balancer.ok()?, deploys.ok()?, release.ok()??);
    let is_image = matches!(release.url, ReleaseUrl::Docker(_));
    let last = deploys.first().filter(|deploy| !deploy.is_open())?;
    let run = &context.settings.file.run;
    let policy = preflight::policy(context, options);
    Some(Facts {
        past: past(&deploys, &policy),
        policy,
        probe_interval: run.interval,
        probe_passes: run.passes,
        group: names.group.clone(),
        capacity: last.progress.capacity,
        old: last.progress.capacity,
        max: None,
        balancer,
        pace: None,
        hooks: None,
        image: if is_image { Image::Known } else { Image::BuiltEach },
        boots: Vec::new(),
    })
}
