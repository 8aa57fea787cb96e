//! The release's image: found on this Docker, pulled (`pull.rs`), or fetched and built (`build.rs`).
//!
//! What the agent needs of adf.toml stays with the image as the label `adf.toml`, so that a reboot needs no
//! archive.

use adf_types::{ImageSource, ReleaseUrl};

use super::build::fetch_and_build;
use super::pass::SETTINGS_LABEL;
use super::pull::Shared;
use super::{ConfigSoon, Ready, pull};
use crate::agent::Agent;
use crate::archive::Settings;
use crate::claim::Claimed;
use crate::failure::Failure;
use crate::world::Image;

pub async fn image(agent: &Agent, claimed: &Claimed, config: &ConfigSoon<'_>) -> Result<Ready, Failure> {
    if let Some(image) = &claimed.image {
        tracing::info!(tag = claimed.tag, "the image is already here");
        return ready(image.clone(), ImageSource::Present);
    }
    if let ReleaseUrl::Docker(image) = &claimed.order.url {
        return pull::release(agent, claimed, image, config).await;
    }
    let fallback = match pull::shared(agent, claimed, config).await? {
        Shared::Pulled(ready) => return Ok(*ready),
        Shared::Build { because } => because,
    };
    let done = fetch_and_build(agent, claimed, config).await?;
    let built = agent.world.docker.image(&claimed.tag).await?;
    let image = built.ok_or_else(|| {
        Failure::transient(format!("E103 the build ended without the image {}", claimed.tag))
    })?;
    if let Some(publication) = pull::publication(agent, claimed, &image, config).await? {
        agent.keep_publication(publication);
    }
    Ok(Ready {
        image,
        source: ImageSource::Built,
        builder: Some(done.builder),
        fallback,
        settings: done.settings,
    })
}

/// An image with what its label says; one without the label has all defaults.
pub(super) fn ready(image: Image, source: ImageSource) -> Result<Ready, Failure> {
    let text = image.labels.get(SETTINGS_LABEL).cloned().unwrap_or_default();
    let settings =
        Settings::parse(text).map_err(|e| Failure::permanent(format!("image {}: {e}", image.id)))?;
    Ok(Ready { image, source, builder: None, fallback: None, settings })
}
