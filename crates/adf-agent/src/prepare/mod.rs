//! Stage prepare: config and image, at the same time.
//!
//! The rule: both are complete before the next stage can be entered; [`Prepared`] cannot be made otherwise.

pub mod build;
pub mod config;
mod dockerfile;
pub mod image;
pub mod name;
pub mod pass;
pub mod pull;
pub(crate) mod room;
mod tries;

use adf_types::{Builder, Config, ImageSource, Receipt};
use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, Shared};

use crate::agent::Agent;
use crate::archive::Settings;
use crate::claim::{Claimed, Order};
use crate::failure::Failure;
use crate::report::Reached;
use crate::world::{Container, Image};

/// An image and where it came from.
#[derive(Debug, Clone)]
pub struct Ready {
    pub image: Image,
    pub source: ImageSource,
    /// Why it was built although one was to be pulled.
    pub fallback: Option<String>,
    /// What built it, where it was built here.
    pub builder: Option<Builder>,
    /// What its adf.toml says.
    pub settings: Settings,
}

/// Everything that a container needs.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub order: Order,
    pub config: Config,
    pub image: Ready,
    pub containers: Vec<Container>,
}

impl Reached for Prepared {
    fn record(&self, receipt: &mut Receipt) {
        receipt.image_id = Some(self.image.image.id.clone());
        receipt.image_source = Some(self.image.source);
        receipt.image_fallback.clone_from(&self.image.fallback);
        receipt.image_builder = self.image.builder;
        receipt.config_hash = Some(self.config.hash());
    }
}

/// The config while it is being read, for the few images that need a secret of it.
pub type ConfigSoon<'a> = Shared<LocalBoxFuture<'a, Result<Config, Failure>>>;

pub async fn prepare(agent: &Agent, claimed: Claimed) -> Result<Prepared, Failure> {
    let soon: ConfigSoon<'_> = config::read(agent, &claimed.order).boxed_local().shared();
    let (config, image) = tokio::try_join!(soon.clone(), Box::pin(image::image(agent, &claimed, &soon)))?;
    drop(soon);
    config::check(&config, &image.settings.parsed.config)?;
    tracing::info!(names = config.len(), hash = config.hash().short(), "config is complete");
    Ok(Prepared { order: claimed.order, config, image, containers: claimed.containers })
}

/// The image alone, for an instance that is held back before its start. Config is read only where the image needs a
/// secret of it.
pub async fn image_alone(agent: &Agent, claimed: &Claimed) -> Result<Ready, Failure> {
    let soon: ConfigSoon<'_> = config::read(agent, &claimed.order).boxed_local().shared();
    image::image(agent, claimed, &soon).await
}
