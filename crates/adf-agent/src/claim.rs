//! Stage claim: what is this instance to run, and what of it is already here?
//!
//! Only `RELEASE_URL` is required. Without `APP` the instance was launched by hand: it is called `app`, has
//! an empty config, and touches no table, so that it needs no role and no table. Without `RELEASE` the
//! release is called after its digest or, without one, after its URL.

use adf_types::{
    AppName, DeployId, Digest, InstanceId, Receipt, ReleaseName, ReleaseRecord, ReleaseUrl, UserData,
};

use crate::agent::Agent;
use crate::failure::Failure;
use crate::hook::Hook;
use crate::identify::Identified;
use crate::prepare::config::TABLE_SCHEDULE;
use crate::prepare::name::image_tag;
use crate::report::{Reached, Subject};
use crate::retry::{Schedule, retry};
use crate::settings::Settings;
use crate::world::{Container, Image, Transition};

/// The app of an instance that was launched by hand, with nothing but a release URL.
pub const UNNAMED_APP: &str = "app";

/// The label by which an instance knows its containers.
pub const INSTANCE_LABEL: &str = "adf.instance";

/// Docker may start after the agent: 0.5, 1, 2, 4, 8, then every 15 s until the boot's time is over.
pub const DOCKER_SCHEDULE: Schedule = Schedule {
    what: "Docker",
    first: std::time::Duration::from_millis(500),
    factor: 2.0,
    max: std::time::Duration::from_secs(15),
    tries: u32::MAX,
    jitter: false,
};

/// What the instance is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub instance: InstanceId,
    pub region: String,
    pub app: AppName,
    /// Whether `APP` was given: only then there is config to read and a receipt to write.
    pub named: bool,
    pub release: ReleaseName,
    pub url: ReleaseUrl,
    pub digest: Option<Digest>,
    pub deploy: Option<DeployId>,
}

#[derive(Debug, Clone)]
pub struct Claimed {
    pub order: Order,
    /// The tag of the release's image on this host.
    pub tag: String,
    /// The image, when it is already here.
    pub image: Option<Image>,
    /// This instance's containers from an earlier start.
    pub containers: Vec<Container>,
}

impl Reached for Claimed {
    fn record(&self, receipt: &mut Receipt) {
        receipt.release_digest.clone_from(&self.order.digest);
    }
}

pub async fn claim(agent: &Agent, identified: Identified) -> Result<Claimed, Failure> {
    let aws = agent.aws(&identified.region).await;
    agent.keep_hook(Hook::keep(aws.lifecycle.clone(), identified.instance.clone(), Transition::Launching));
    let mut order = order(&identified)?;
    let table = order.named.then(|| aws.table.clone());
    agent.reporter.begin(subject(&order, &identified), table);
    warn_of_contradictions(agent, &identified);
    let docker = &agent.world.docker;
    retry(&DOCKER_SCHEDULE, &agent.reporter, async || docker.ping().await).await?;
    // Before the table: an agent that was started again must know that its app runs when AWS does not answer.
    own_containers(agent, &order).await?;
    if order.named {
        let read = async || aws.table.release(&order.app, &order.release).await;
        let record = retry(&TABLE_SCHEDULE, &agent.reporter, read).await?;
        order.digest = agreed_digest(order.digest, record.as_ref())?;
    }
    fixed(&order, &agent.settings)?;
    look_around(agent, order).await
}

/// What of the order is already on this host.
pub async fn look_around(agent: &Agent, order: Order) -> Result<Claimed, Failure> {
    let docker = &agent.world.docker;
    let tag = image_tag(&agent.settings.image_prefix, &order);
    let image = docker.image(&tag).await?.filter(|image| is_of(image, &order));
    let containers = own_containers(agent, &order).await?;
    Ok(Claimed { order, tag, image, containers })
}

/// This instance's containers; remembers whether one of them is of this release.
async fn own_containers(agent: &Agent, order: &Order) -> Result<Vec<Container>, Failure> {
    let found = agent.world.docker.containers(INSTANCE_LABEL, order.instance.as_str()).await?;
    let release = order.release.as_str();
    if found.iter().any(|container| container.labels.get("adf.release").is_some_and(|r| r == release)) {
        agent.found_containers();
    }
    Ok(found)
}

/// What user data and tags tell.
fn told(identified: &Identified) -> Result<[UserData; 2], Failure> {
    let data = UserData::parse(&identified.user_data).map_err(|e| Failure::permanent(e.to_string()))?;
    let tags = identified.tags.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    let tags = UserData::from_tags(tags)
        .map_err(|e| Failure::permanent(e.to_string().replace("user data", "tags")))?;
    Ok([data, tags])
}

/// Tags of a group are copied to its instances, and may be of another release than their user data.
fn warn_of_contradictions(agent: &Agent, identified: &Identified) {
    let differing = told(identified).map(|[data, tags]| data.differing(&tags)).unwrap_or_default();
    if !differing.is_empty() {
        let keys = differing.join(", ");
        let text = format!("W124 {keys} differ between user data and instance tags; user data is followed");
        tracing::warn!("{text}");
        agent.reporter.notice(text);
    }
}

/// User data first, then tags of the same names.
pub fn order(identified: &Identified) -> Result<Order, Failure> {
    let [data, tags] = told(identified)?;
    let told = data.or(tags);
    let url = told.release_url.ok_or_else(|| {
        let off =
            if identified.tags.is_empty() { " (instance tags in metadata are off or empty)" } else { "" };
        Failure::permanent(format!(
            "E122 RELEASE_URL not in user data or tags{off}; add RELEASE_URL=\"https://...\" to the user data"
        ))
    })?;
    let digest = image_digest(&url, told.release_digest)?;
    Ok(Order {
        instance: identified.instance.clone(),
        region: identified.region.clone(),
        named: told.app.is_some(),
        app: told.app.unwrap_or_else(|| UNNAMED_APP.parse().expect("a valid name")),
        release: told.release.unwrap_or_else(|| release_name(&url, digest.as_ref())),
        url,
        digest,
        deploy: told.deploy,
    })
}

/// A `docker://` release is an image, whose digest may stand in its name as well.
fn image_digest(url: &ReleaseUrl, told: Option<Digest>) -> Result<Option<Digest>, Failure> {
    let ReleaseUrl::Docker(image) = url else { return Ok(told) };
    match (told, image.digest()) {
        (Some(Digest::Tree(_)), _) => Err(Failure::permanent(format!(
            "E125 RELEASE_DIGEST of {url} is a tree: digest, which images do not have; give the image's sha256:"
        ))),
        (Some(told), Some(named)) if told != *named => Err(Failure::permanent(format!(
            "E140 release digest mismatch: RELEASE_DIGEST says {told}, RELEASE_URL says {named}"
        ))),
        (told, named) => Ok(told.or_else(|| named.cloned())),
    }
}

/// A release that may be another one tomorrow needs a digest, unless agent.toml says otherwise; and where agent.toml
/// demands a signature, it must be a release that can have one.
pub fn fixed(order: &Order, settings: &Settings) -> Result<(), Failure> {
    let url = order.url.public();
    if settings.minisign_public_key.is_some() && matches!(order.url, ReleaseUrl::Docker(_)) {
        return Err(Failure::permanent(format!(
            "E144 {url} is an image, which has no minisign signature, and agent.toml demands one; release a signed archive"
        )));
    }
    match order.url.mutable() {
        Some(why) if order.digest.is_none() && !settings.allow_mutable_urls => {
            Err(Failure::permanent(format!(
                "E126 the release URL {url} {why}, so it may be another release at the next boot; name a tag or a commit, \
             or add RELEASE_DIGEST, or set allow_mutable_urls = true in agent.toml"
            )))
        }
        _ => Ok(()),
    }
}

fn release_name(url: &ReleaseUrl, digest: Option<&Digest>) -> ReleaseName {
    let short = digest.cloned().unwrap_or_else(|| Digest::of_bytes(url.to_string().as_bytes())).short();
    short.parse().expect("hexadecimal digits make a name")
}

/// User data's digest and the record's must say the same; a digest that only one of them has is used.
pub fn agreed_digest(
    told: Option<Digest>,
    record: Option<&ReleaseRecord>,
) -> Result<Option<Digest>, Failure> {
    let Some(record) = record else { return Ok(told) };
    let recorded = [record.digest.as_ref(), record.tree.as_ref()];
    let Some(told) = told else { return Ok(recorded.into_iter().flatten().next().cloned()) };
    let same_scheme = |d: &&Digest| std::mem::discriminant(*d) == std::mem::discriminant(&told);
    match recorded.into_iter().flatten().find(same_scheme) {
        Some(other) if *other != told => Err(Failure::permanent(format!(
            "E140 release digest mismatch: user data says {told}, the record of release {} says {other}; \
             launch from the template version of that release",
            record.release
        ))),
        _ => Ok(Some(told)),
    }
}

/// A tag holds only 12 digits of a digest; the labels hold all of it. An image that was built elsewhere has none of our
/// labels: its name here was given by this agent, and its registry's digest is beside it.
pub(crate) fn is_of(image: &Image, order: &Order) -> bool {
    if let ReleaseUrl::Docker(_) = order.url {
        let has = |digest: &Digest| image.repo_digests.iter().any(|d| d.ends_with(&format!("@{digest}")));
        return order.digest.as_ref().is_none_or(has);
    }
    let label = |name: &str| image.labels.get(name).map(String::as_str);
    let digest = order.digest.as_ref().map(ToString::to_string);
    label("adf.app") == Some(order.app.as_str())
        && label("adf.release") == Some(order.release.as_str())
        && label("adf.url") == Some(order.url.public().as_str())
        && label("adf.digest").unwrap_or_default() == digest.unwrap_or_default()
}

fn subject(order: &Order, identified: &Identified) -> Subject {
    Subject {
        instance: order.instance.clone(),
        app: order.app.clone(),
        release: order.release.clone(),
        deploy: order.deploy.clone(),
        ami: identified.ami.clone(),
    }
}
