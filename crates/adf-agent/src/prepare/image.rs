//! The release's image: found on this Docker, pulled (`pull.rs`), or fetched and built.
//!
//! What the agent needs of adf.toml stays with the image as the label `adf.toml`, so that a reboot needs no
//! archive.

use std::collections::BTreeMap;
use std::time::Duration;

use adf_types::{AgentName, ConfigValue, ImageSource, ReleaseUrl};

use super::pull::Shared;
use super::{ConfigSoon, Ready, pull};
use crate::agent::Agent;
use crate::archive::{
    self, ArchiveError, Known, PublicKey, Settings, Signed, StreamError, Summary, Wanted, signature,
};
use crate::claim::{Claimed, Order};
use crate::failure::{Failure, Fault as _, Kind};
use crate::retry::{Schedule, retry};
use crate::world::{Access, BuildError, BuildOrder, Builder, FetchError, Image, wants_token};

/// The label that keeps adf.toml.
const SETTINGS_LABEL: &str = "adf.toml";

/// A download that cannot be opened is tried again: 1, 2, 4, 8, 16, 30, 30 s, each with jitter.
pub const OPEN_SCHEDULE: Schedule = Schedule {
    what: "the release's archive",
    first: Duration::from_secs(1),
    factor: 2.0,
    max: Duration::from_secs(30),
    tries: 8,
    jitter: true,
};

/// How often fetch and build are started from the beginning, and the pauses between: 2, 4, 8, 16 s. A cut
/// download gets all five, other trouble with the archive what [`StreamError::passes`] says; a lost Docker
/// connection three.
const PASSES: u32 = 5;
const BUILD_TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_secs(2);

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
    let access = access(&claimed.order, config).await?;
    let settings = fetch_and_build(agent, claimed, &access).await?;
    let built = agent.world.docker.image(&claimed.tag).await?;
    let image = built.ok_or_else(|| {
        Failure::transient(format!("E103 the build ended without the image {}", claimed.tag))
    })?;
    if let Some(publication) = pull::publication(agent, claimed, &image, config).await? {
        agent.keep_publication(publication);
    }
    Ok(Ready { image, source: ImageSource::Built, fallback, settings })
}

/// Waits for the config only where a secret of it could matter.
async fn access(order: &Order, config: &ConfigSoon<'_>) -> Result<Access, Failure> {
    if !wants_token(&order.url) {
        return Ok(Access::default());
    }
    let config = config.clone().await?;
    Ok(Access { github_token: config.for_agent(AgentName::GithubToken).map(ConfigValue::secret) })
}

/// An image with what its label says; one without the label has all defaults.
pub(super) fn ready(image: Image, source: ImageSource) -> Result<Ready, Failure> {
    let text = image.labels.get(SETTINGS_LABEL).cloned().unwrap_or_default();
    let settings =
        Settings::parse(text).map_err(|e| Failure::permanent(format!("image {}: {e}", image.id)))?;
    Ok(Ready { image, source, fallback: None, settings })
}

/// How one pass over the archive ended without an image.
enum Ended {
    /// Opening the download has used up a schedule of its own; beginning anew would only repeat it.
    NotOpened(FetchError),
    Archive(StreamError),
    Build(BuildError),
}

/// What is different in the next pass.
struct Plan {
    builder: Builder,
    /// Files of the archive that a pass met too late.
    known: Known,
    lost: u32,
}

async fn fetch_and_build(agent: &Agent, claimed: &Claimed, access: &Access) -> Result<Settings, Failure> {
    let mut plan = Plan { builder: Builder::BuildKit, known: Known::default(), lost: 0 };
    let mut pause = FIRST_PAUSE;
    let mut pass = 1;
    loop {
        let ended = match Box::pin(one_pass(agent, claimed, access, &plan)).await {
            Ok(settings) => return Ok(settings),
            Err(ended) => ended,
        };
        if plan.learn(&ended) {
            continue;
        }
        let (failure, again) = judge(ended, &mut plan, pass);
        if !again {
            return Err(failure);
        }
        tracing::warn!(pass, of = PASSES, ?pause, "{failure}; starting over");
        agent.reporter.trouble("fetch and build", &failure);
        tokio::time::sleep(pause).await;
        (pass, pause) = (pass + 1, pause * 2);
    }
}

impl Plan {
    /// A pass that failed only because something was not known yet: the next one knows it.
    fn learn(&mut self, ended: &Ended) -> bool {
        match ended {
            Ended::Archive(StreamError::Archive(ArchiveError::Late(known))) if **known != self.known => {
                tracing::info!(
                    "a file stands behind what it decides about; reading the archive again, knowing it"
                );
                self.known = (**known).clone();
                true
            }
            Ended::Build(BuildError::NoBuildKit(problem)) if self.builder == Builder::BuildKit => {
                tracing::warn!("BuildKit did not answer ({problem}); trying the classic builder");
                self.builder = Builder::Classic;
                // It reads another ignore file where there are two.
                self.known.ignore = None;
                true
            }
            _ => false,
        }
    }
}

fn judge(ended: Ended, plan: &mut Plan, pass: u32) -> (Failure, bool) {
    let more = pass < PASSES;
    match ended {
        Ended::NotOpened(error) => (error.into(), false),
        Ended::Archive(error) => {
            let again = pass < PASSES.min(error.passes());
            (error.into(), again)
        }
        Ended::Build(error) => {
            plan.lost += 1;
            let again = more && error.kind() == Kind::Transient && plan.lost < BUILD_TRIES;
            (error.into(), again)
        }
    }
}

/// Download, check and build, in one stream.
async fn one_pass(agent: &Agent, claimed: &Claimed, access: &Access, plan: &Plan) -> Result<Settings, Ended> {
    let (order, aws) = (&claimed.order, agent.aws(&claimed.order.region).await);
    let signed = match &agent.settings.minisign_public_key {
        Some(key) => Some(signed(agent, order, access, key).await?),
        None => None,
    };
    let download =
        retry(&OPEN_SCHEDULE, &agent.reporter, async || aws.fetch.open(&order.url, access).await).await;
    let download = download.map_err(Ended::NotOpened)?;
    let wanted = Wanted {
        digest: order.digest.clone(),
        signed,
        known: plan.known.clone(),
        preferred_ignore: plan.builder == Builder::BuildKit,
        ..Wanted::default()
    };
    let opened = archive::open(&order.url.public(), download, wanted).await.map_err(Ended::Archive)?;
    let request = build_order(claimed, &opened.head, plan.builder);
    let built = agent.world.docker.build(&request, opened.context).await;
    // The archive's own error comes first: a refused archive makes every build fail.
    match (archive::joined(opened.verdict.await), built) {
        (Ok(summary), Ok(())) => {
            log(&summary);
            Ok(opened.head)
        }
        (Err(StreamError::Archive(ArchiveError::Abandoned)) | Ok(_), Err(error)) => Err(Ended::Build(error)),
        (Err(error), _) => Err(Ended::Archive(error)),
    }
}

/// The signature that the archive must have; asked for before the archive, so that a missing one costs nothing.
async fn signed(agent: &Agent, order: &Order, access: &Access, key: &PublicKey) -> Result<Signed, Ended> {
    let aws = agent.aws(&order.region).await;
    let url = order.url.beside(signature::SUFFIX).ok_or_else(|| {
        let (url, problem) = (order.url.public(), "nothing stands beside an image".to_owned());
        Ended::Archive(StreamError::Unsigned { url, problem })
    })?;
    let opened = retry(&OPEN_SCHEDULE, &agent.reporter, async || aws.fetch.open(&url, access).await).await;
    let download = opened.map_err(|error| match signature::missing(&error) {
        Some(unsigned) => Ended::Archive(unsigned),
        None => Ended::NotOpened(error),
    })?;
    signature::read(order, key, download).await.map_err(Ended::Archive)
}

fn log(summary: &Summary) {
    let Summary { digest, entries, unpacked, left_out, signed } = summary;
    let signed = signed.as_deref();
    tracing::info!(%digest, entries, unpacked, left_out, signed, "the archive was verified and built");
}

fn build_order(claimed: &Claimed, settings: &Settings, builder: Builder) -> BuildOrder {
    let order = &claimed.order;
    let labels = BTreeMap::from([
        ("adf.app".to_owned(), order.app.to_string()),
        ("adf.release".to_owned(), order.release.to_string()),
        ("adf.url".to_owned(), order.url.public()),
        ("adf.digest".to_owned(), order.digest.as_ref().map(ToString::to_string).unwrap_or_default()),
        (SETTINGS_LABEL.to_owned(), settings.text.clone()),
    ]);
    BuildOrder {
        tag: claimed.tag.clone(),
        labels,
        target: settings.parsed.build.target.clone(),
        args: settings.parsed.build.args.clone(),
        builder,
    }
}
