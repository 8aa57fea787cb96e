//! Images that are pulled instead of built: a release that is one (`docker://`), and the one that another instance has
//! built of the same release and pushed (`image_repository`).
//!
//! Neighbours: `image.rs` decides, `publish.rs` is the other end of the second way. The rule: an image that
//! others may have changed meanwhile is pulled by its digest; one that was pushed by another instance is only taken
//! with the labels of this very release.

use std::time::Duration;

use adf_types::{AgentName, ConfigValue, ImageRef, ImageSource, ReleaseImage, Repository};

use super::image::ready;
use super::{ConfigSoon, Ready, room};
use crate::agent::Agent;
use crate::claim::{Claimed, Order, is_of};
use crate::failure::{Failure, chain};
use crate::publish::Publication;
use crate::retry::{Schedule, Tries};
use crate::world::{Image, Keyring, RegistryError};

/// A registry that does not answer is tried again like any other download: 1, 2, 4, 8, 16, 30, 30 s, with jitter.
pub const PULL_SCHEDULE: Schedule = Schedule {
    what: "the release's image",
    first: Duration::from_secs(1),
    factor: 2.0,
    max: Duration::from_secs(30),
    tries: 8,
    jitter: true,
};

/// A rate limit passes by waiting, and knocking prolongs it: 30 s, 1, 2, 4, 8, then every 10 min, with jitter, until
/// the boot's time is over. Docker does not pass the registry's Retry-After on.
pub const RATE_SCHEDULE: Schedule = Schedule {
    what: "the registry's rate limit",
    first: Duration::from_secs(30),
    factor: 2.0,
    max: Duration::from_mins(10),
    tries: u32::MAX,
    jitter: true,
};

/// Another instance's image is worth two more tries, after 1 and 2 s: building is the other way to it.
pub const SHARED_SCHEDULE: Schedule = Schedule {
    what: "the image that another instance pushed",
    first: Duration::from_secs(1),
    factor: 2.0,
    max: Duration::from_secs(2),
    tries: 3,
    jitter: true,
};

/// The image that a `docker://` release is.
pub(super) async fn release(
    agent: &Agent,
    claimed: &Claimed,
    image: &ImageRef,
    config: &ConfigSoon<'_>,
) -> Result<Ready, Failure> {
    let order = &claimed.order;
    let wanted = order.digest.iter().fold(image.clone(), |image, digest| image.with_digest(digest.clone()));
    let keyring = keyring(agent, order, image.repository(), config).await?;
    room::for_an_image(agent, claimed).await?;
    patiently(agent, &wanted, &keyring).await?;
    let image = pulled(agent, &wanted).await?;
    agent.world.docker.tag(&image.id, &claimed.tag).await?;
    tracing::info!(image = %wanted, id = image.id, "the image was pulled");
    ready(image, ImageSource::Pulled)
}

/// Whether another instance's image could be had.
pub(super) enum Shared {
    Pulled(Box<Ready>),
    /// Nothing to say where there was nothing to pull.
    Build {
        because: Option<String>,
    },
}

/// The image of this release that another instance has pushed.
pub(super) async fn shared(
    agent: &Agent,
    claimed: &Claimed,
    config: &ConfigSoon<'_>,
) -> Result<Shared, Failure> {
    let order = &claimed.order;
    let Some(repository) = agent.settings.image_repository.as_ref().filter(|_| order.named) else {
        return Ok(Shared::Build { because: None });
    };
    let recorded = agent.aws(&order.region).await.table.release_image(&order.app, &order.release).await;
    let because = match recorded {
        Ok(None) => {
            tracing::info!("nobody has pushed an image of this release yet; building it");
            return Ok(Shared::Build { because: None });
        }
        Ok(Some(ReleaseImage { image, .. }))
            if image.repository() != repository || image.digest().is_none() =>
        {
            format!("the recorded image {image} is not one of {repository}")
        }
        Ok(Some(ReleaseImage { image, .. })) => match take(agent, claimed, &image, config).await {
            Ok(ready) => return Ok(Shared::Pulled(Box::new(ready))),
            Err(failure) => failure.reason,
        },
        Err(error) => chain(&error),
    };
    tracing::warn!("{because}; building the image here instead");
    Ok(Shared::Build { because: Some(because) })
}

/// What is to be pushed once it serves: what was built here, where a repository is set and there is a table to record it.
pub(super) async fn publication(
    agent: &Agent,
    claimed: &Claimed,
    image: &Image,
    config: &ConfigSoon<'_>,
) -> Result<Option<Publication>, Failure> {
    let order = &claimed.order;
    let Some(repository) = agent.settings.image_repository.as_ref().filter(|_| order.named) else {
        return Ok(None);
    };
    let tag = claimed.tag.rsplit_once(':').map_or("", |(_, tag)| tag);
    Ok(Some(Publication {
        docker: agent.world.docker.clone(),
        table: agent.aws(&order.region).await.table.clone(),
        keyring: keyring(agent, order, repository, config).await?,
        local: image.id.clone(),
        target: repository.tagged(&format!("{}-{tag}", order.app)),
        app: order.app.clone(),
        release: order.release.clone(),
        instance: order.instance.clone(),
    }))
}

/// Waits for the config only where a secret of it could matter.
async fn keyring(
    agent: &Agent,
    order: &Order,
    repository: &Repository,
    config: &ConfigSoon<'_>,
) -> Result<Keyring, Failure> {
    let secret = if Keyring::may_need_secret(repository.host()) {
        config.clone().await?.for_agent(AgentName::RegistryAuth).map(ConfigValue::secret)
    } else {
        None
    };
    Ok(Keyring::new(agent.aws(&order.region).await.ecr.clone(), secret))
}

/// There is no other way to this image: a registry that does not answer and one that limits are each waited for on their own
/// schedule.
async fn patiently(agent: &Agent, image: &ImageRef, keyring: &Keyring) -> Result<(), RegistryError> {
    let (mut tries, mut limited) = (Tries::new(&PULL_SCHEDULE), Tries::new(&RATE_SCHEDULE));
    loop {
        let Err(error) = once(agent, image, keyring).await else { return Ok(()) };
        let tries =
            if matches!(error, RegistryError::RateLimited { .. }) { &mut limited } else { &mut tries };
        if !tries.again(&agent.reporter, &error).await {
            return Err(error);
        }
    }
}

async fn take(
    agent: &Agent,
    claimed: &Claimed,
    image: &ImageRef,
    config: &ConfigSoon<'_>,
) -> Result<Ready, Failure> {
    let keyring = keyring(agent, &claimed.order, image.repository(), config).await?;
    room::for_an_image(agent, claimed).await?;
    let mut tries = Tries::new(&SHARED_SCHEDULE);
    while let Err(error) = once(agent, image, &keyring).await {
        // A limit is not waited for: building is quicker.
        let limited = matches!(error, RegistryError::RateLimited { .. });
        if limited || !tries.again(&agent.reporter, &error).await {
            return Err(error.into());
        }
    }
    let found = pulled(agent, image).await?;
    if !is_of(&found, &claimed.order) {
        return Err(Failure::permanent(format!("E140 the image {image} is not one of this release")));
    }
    agent.world.docker.tag(&found.id, &claimed.tag).await?;
    tracing::info!(%image, id = found.id, "the image that another instance built was pulled");
    ready(found, ImageSource::Pulled)
}

async fn once(agent: &Agent, image: &ImageRef, keyring: &Keyring) -> Result<(), RegistryError> {
    let login = keyring.login(image.repository().host()).await?;
    agent.world.docker.pull(image, login.as_ref()).await
}

async fn pulled(agent: &Agent, image: &ImageRef) -> Result<Image, Failure> {
    let found = agent.world.docker.image(&image.exact()).await?;
    found.ok_or_else(|| Failure::transient(format!("E103 the pull ended without the image {image}")))
}
