//! One pass over a release's archive: download, check and build, in one stream.
//!
//! Neighbours: `build.rs` makes passes until one succeeds, `dockerfile.rs` knows what only BuildKit can do. The rule: a
//! pass ends in an image or says why not; it tries nothing again but the opening of the download.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use adf_types::{AgentName, ConfigValue};

use super::ConfigSoon;
use super::dockerfile::needs_buildkit;
use crate::agent::Agent;
use crate::archive::{
    self, ArchiveError, Known, PublicKey, Settings, Signed, StreamError, Summary, Wanted, signature,
};
use crate::claim::{Claimed, Order, is_of};
use crate::failure::Failure;
use crate::retry::{Schedule, retry};
use crate::world::{
    Access, BuildError, BuildOrder, BuildProblem, Builder, FetchError, Keyring, KeyringGiver, KeyringSoon,
    SecretValues, wants_token,
};

/// The label that keeps adf.toml.
pub(super) const SETTINGS_LABEL: &str = "adf.toml";

/// A download that cannot be opened is tried again: 1, 2, 4, 8, 16, 30, 30 s, each with jitter.
pub const OPEN_SCHEDULE: Schedule = Schedule {
    what: "the release's archive",
    first: Duration::from_secs(1),
    factor: 2.0,
    max: Duration::from_secs(30),
    tries: 8,
    jitter: true,
};

/// How one pass over the archive ended without an image.
pub(super) enum Ended {
    /// Opening the download has used up a schedule of its own; beginning anew would only repeat it.
    NotOpened(FetchError),
    Archive(StreamError),
    Build {
        error: BuildError,
        needs: Option<&'static str>,
    },
    /// Something besides the archive and the build: config that a build secret needs, no room.
    Other(Failure),
}

impl From<&Ended> for Failure {
    fn from(ended: &Ended) -> Self {
        match ended {
            Ended::Archive(error) => Self::transient(crate::failure::chain(error)),
            Ended::Build { error, .. } => Self::transient(crate::failure::chain(error)),
            Ended::Other(failure) => failure.clone(),
            Ended::NotOpened(error) => Self::transient(crate::failure::chain(error)),
        }
    }
}

/// Waits for the config only where a secret of it could matter.
pub(super) async fn access(order: &Order, config: &ConfigSoon<'_>) -> Result<Access, Failure> {
    if !wants_token(&order.url) {
        return Ok(Access::default());
    }
    let config = config.clone().await?;
    Ok(Access { github_token: config.for_agent(AgentName::GithubToken).map(ConfigValue::secret) })
}

/// Download, check and build, in one stream.
pub(super) async fn one_pass(
    agent: &Agent,
    claimed: &Claimed,
    config: &ConfigSoon<'_>,
    access: &Access,
    known: &Known,
    builder: Builder,
) -> Result<Settings, Ended> {
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
        known: known.clone(),
        preferred_ignore: builder == Builder::BuildKit,
        ..Wanted::default()
    };
    let opened = archive::open(&order.url.public(), download, wanted).await.map_err(Ended::Archive)?;
    let secrets = secrets(&opened.head, config).await.map_err(Ended::Other)?;
    let (giver, keyring) = KeyringSoon::new();
    let request = build_order(claimed, &opened.head, Arc::new(secrets), keyring, builder);
    let kills = agent.world.host.oom_kills();
    let built = tokio::select! {
        biased;
        built = agent.world.docker.build(&request, opened.context) => built,
        never = hand_over(agent, order, config, &giver) => match never {},
    };
    let built = match built {
        Err(error) => settle(agent, claimed, error, kills).await,
        done => done,
    };
    // The archive's own error comes first: a refused archive makes every build fail.
    match (archive::joined(opened.verdict.await), built) {
        (Ok(summary), Ok(())) => {
            log(&summary);
            Ok(opened.head)
        }
        (Ok(summary), Err(error)) => {
            let secrets = (!request.secrets.is_empty()).then_some("build secrets");
            Err(Ended::Build { error, needs: secrets.or_else(|| needs_buildkit(&summary.dockerfile)) })
        }
        (Err(StreamError::Archive(ArchiveError::Abandoned)), Err(error)) => {
            Err(Ended::Build { error, needs: None })
        }
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

/// What Docker alone cannot know: that the image is there all the same (fault 3), or that the kernel killed a command
/// of the build whose own exit code is another (fault 7).
async fn settle(
    agent: &Agent,
    claimed: &Claimed,
    error: BuildError,
    kills: Option<u64>,
) -> Result<(), BuildError> {
    match error.problem {
        BuildProblem::NoImage => {
            let found = agent.world.docker.image(&claimed.tag).await.ok().flatten();
            if found.is_some_and(|image| is_of(&image, &claimed.order)) { Ok(()) } else { Err(error) }
        }
        BuildProblem::Dockerfile { exit: Some(_), .. } if agent.world.host.oom_kills() > kills => {
            Err(out_of_memory(agent, error))
        }
        BuildProblem::OutOfMemory { .. } => Err(out_of_memory(agent, error)),
        _ => Err(error),
    }
}

fn out_of_memory(agent: &Agent, error: BuildError) -> BuildError {
    let host = &agent.world.host;
    BuildError {
        problem: BuildProblem::OutOfMemory { victim: host.oom_victim(), host_ram: host.memory() },
        ..error
    }
}

/// Tells the build who we are to registries, when it asks: only a base image that is not everybody's needs the config.
async fn hand_over(
    agent: &Agent,
    order: &Order,
    config: &ConfigSoon<'_>,
    giver: &KeyringGiver,
) -> Infallible {
    giver.wanted().await;
    if let Ok(config) = config.clone().await {
        let secret = config.for_agent(AgentName::RegistryAuth).map(ConfigValue::secret);
        let ecr = agent.aws(&order.region).await.ecr.clone();
        giver.give(Keyring::new(ecr, secret));
    }
    std::future::pending().await
}

/// The values of the build secrets that adf.toml names. Only a build that has some waits for the config.
async fn secrets(settings: &Settings, config: &ConfigSoon<'_>) -> Result<SecretValues, Failure> {
    let names = &settings.parsed.build.secrets;
    if names.is_empty() {
        return Ok(SecretValues::new());
    }
    let config = config.clone().await?;
    let value = |name| config.get(name).map(|value| value.to_owned().into());
    let found = names.iter().map(|name| value(name).map(|value| (name.to_string(), value)).ok_or(name));
    found.collect::<Result<_, _>>().map_err(|name| {
        Failure::permanent(format!(
            "E152 config lacks {name}, which the release's adf.toml lists in [build] secrets; set it with: \
             adf-ctl config set {name}=VALUE"
        ))
    })
}

fn log(summary: &Summary) {
    let Summary { digest, entries, unpacked, left_out, signed, dockerfile: _ } = summary;
    let signed = signed.as_deref();
    tracing::info!(%digest, entries, unpacked, left_out, signed, "the archive was verified and built");
}

fn build_order(
    claimed: &Claimed,
    settings: &Settings,
    secrets: Arc<SecretValues>,
    keyring: KeyringSoon,
    builder: Builder,
) -> BuildOrder {
    let order = &claimed.order;
    let labels = BTreeMap::from([
        ("adf.app".to_owned(), order.app.to_string()),
        ("adf.release".to_owned(), order.release.to_string()),
        ("adf.url".to_owned(), order.url.public()),
        ("adf.digest".to_owned(), order.digest.as_ref().map(ToString::to_string).unwrap_or_default()),
        (SETTINGS_LABEL.to_owned(), settings.text.clone()),
    ]);
    let build = &settings.parsed.build;
    BuildOrder {
        tag: claimed.tag.clone(),
        labels,
        target: build.target.clone(),
        args: build.args.clone(),
        platform: build.platform.clone(),
        secrets,
        keyring,
        builder,
    }
}
