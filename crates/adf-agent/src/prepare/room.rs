//! Room on Docker's disk (fault 6): looked at before an image is built or pulled, made where it is short, kept in
//! bounds after a boot.
//!
//! Neighbours: `build.rs` and `pull.rs` ask before, `build.rs` after a build, `upkeep` after the boot. What may be
//! removed is decided by [`removable`] alone. The rule: only images that this agent's Docker built for ADF (label and
//! image prefix), and of those never one that a container is made of, never the release that is being started, never
//! the other release of the app that served last, which is the way back. Docker's build cache goes last and whole: it
//! holds nothing that runs, and costs only time.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use crate::agent::Agent;
use crate::claim::{Claimed, Order};
use crate::failure::{Failure, chain};
use crate::prepare::name::image_tag;
use crate::world::{Disk, DockerError, ListedImage, Stock, gib};

/// A tree of small files, such as `node_modules`, in one layer and its cache.
const MIN_INODES: u64 = 20_000;

/// Ends the boot where there is no room to build or pull an image, after trying to make some.
pub(super) async fn for_an_image(agent: &Agent, claimed: &Claimed) -> Result<(), Failure> {
    let Some(place) = Place::find(agent).await else { return Ok(()) };
    if place.has_room() {
        return Ok(());
    }
    tracing::warn!("W106 the disk is short: {}; removing old images of ADF", place.shown());
    let removed = make_room(agent, &claimed.order, &|| place.has_room()).await;
    if place.has_room() { Ok(()) } else { Err(place.full(removed)) }
}

/// A build has just filled the disk: what was free before it was not enough, so everything goes that may.
pub(super) async fn after_full(agent: &Agent, claimed: &Claimed) {
    let removed = make_room(agent, &claimed.order, &|| false).await;
    tracing::warn!(
        images = removed,
        "W106 a build filled the disk; old images and the build cache were removed"
    );
}

/// After a boot: `keep_images` releases of the app stay.
pub(crate) async fn keep_bounds(agent: &Agent, order: &Order) {
    let stock = match use_and_count(agent, order).await {
        Ok(stock) => stock,
        Err(error) => return tracing::warn!("old images were not counted: {error}"),
    };
    let keep = Keep { others: agent.settings.keep_images.saturating_sub(1), ..Keep::of(agent, order) };
    let of_this_app = |image: &&ListedImage| image.labels.get("adf.app") == Some(&keep.app);
    for image in removable(&stock, &keep).into_iter().filter(of_this_app) {
        remove(agent, image).await;
    }
}

/// Sets the tag of the image that serves once more, so that Docker remembers when the image was last in use.
///
/// The time at which an image was created does not tell which release came last: a build that finds all its steps in
/// the cache takes the time of those over.
async fn use_and_count(agent: &Agent, order: &Order) -> Result<Stock, DockerError> {
    let docker = &agent.world.docker;
    let tag = image_tag(&agent.settings.image_prefix, order);
    docker.tag(&tag, &tag).await?;
    docker.stock().await
}

/// What stays, whatever else goes.
struct Keep {
    /// How the names of our images begin: where they are built, and where they are pushed to.
    prefixes: Vec<String>,
    tag: String,
    app: String,
    /// How many other releases of the app.
    others: usize,
}

impl Keep {
    fn of(agent: &Agent, order: &Order) -> Self {
        let settings = &agent.settings;
        let local = format!("{}/", settings.image_prefix);
        let pushed = settings.image_repository.as_ref().map(|repository| format!("{repository}:"));
        let tag = image_tag(&settings.image_prefix, order);
        let prefixes = [local].into_iter().chain(pushed).collect();
        Self { prefixes, tag, app: order.app.to_string(), others: 1 }
    }

    fn is_ours(&self, image: &ListedImage) -> bool {
        image.labels.contains_key("adf.app")
            && !image.tags.is_empty()
            && image.tags.iter().all(|tag| self.prefixes.iter().any(|prefix| tag.starts_with(prefix)))
    }
}

/// The images that may go, those first that are longest out of use.
fn removable<'a>(stock: &'a Stock, keep: &Keep) -> Vec<&'a ListedImage> {
    let mut ours: Vec<_> = stock.images.iter().filter(|image| keep.is_ours(image)).collect();
    ours.sort_by_key(|image| Reverse(image.tagged));
    let mut others = keep.others;
    ours.retain(|image| {
        if image.tags.contains(&keep.tag) || stock.used.contains(&image.id) {
            return false;
        }
        let way_back = others > 0 && image.labels.get("adf.app") == Some(&keep.app);
        others -= usize::from(way_back);
        !way_back
    });
    ours.reverse();
    ours
}

/// Removes what may go until there is enough; how many images went.
async fn make_room(agent: &Agent, order: &Order, enough: &(dyn Fn() -> bool + Sync)) -> usize {
    let docker = &agent.world.docker;
    let stock = docker.stock().await.unwrap_or_else(|error| {
        tracing::warn!("old images were not found: {error}");
        Stock::default()
    });
    let mut removed = 0;
    for image in removable(&stock, &Keep::of(agent, order)) {
        removed += usize::from(remove(agent, image).await);
        if enough() {
            return removed;
        }
    }
    if let Err(error) = docker.empty_build_cache().await {
        tracing::warn!("the build cache was not emptied: {}", chain(&error));
    }
    removed
}

async fn remove(agent: &Agent, image: &ListedImage) -> bool {
    for tag in &image.tags {
        if let Err(error) = agent.world.docker.remove_image(tag).await {
            tracing::warn!("the old image {tag} was not removed: {error}");
            return false;
        }
        tracing::info!("removed the old image {tag}");
    }
    true
}

/// Docker's disk and what an image needs of it.
struct Place<'a> {
    agent: &'a Agent,
    root: PathBuf,
    need: u64,
}

impl<'a> Place<'a> {
    /// Nothing where Docker is elsewhere or its disk cannot be looked at: the build itself will tell.
    async fn find(agent: &'a Agent) -> Option<Self> {
        let root = match agent.world.docker.data_root().await {
            Ok(root) => root?,
            Err(error) => {
                tracing::debug!("Docker's disk was not found: {error}");
                return None;
            }
        };
        Some(Self { agent, root, need: agent.settings.min_free_disk_mib << 20 })
    }

    fn disk(&self) -> Option<Disk> {
        self.agent.world.host.disk(&self.root)
    }

    fn has_room(&self) -> bool {
        self.disk().is_none_or(|disk| {
            disk.free_bytes >= self.need && disk.free_inodes.is_none_or(|inodes| inodes >= MIN_INODES)
        })
    }

    fn shown(&self) -> String {
        shown(&self.root, self.disk(), self.need)
    }

    fn full(&self, removed: usize) -> Failure {
        Failure::permanent(format!(
            "E106 the disk is full: {}; {removed} old images of ADF and the build cache were removed; \
             use a larger volume, or lower min_free_disk_mib in agent.toml",
            self.shown()
        ))
    }
}

fn shown(root: &Path, disk: Option<Disk>, need: u64) -> String {
    let Some(disk) = disk else { return root.display().to_string() };
    let inodes = disk.free_inodes.filter(|free| *free < MIN_INODES);
    let inodes = inodes.map(|free| format!(" and {free} of {MIN_INODES} inodes")).unwrap_or_default();
    format!("{} has {} free{inodes}, an image needs {}", root.display(), gib(disk.free_bytes), gib(need))
}

/// Disk numbers to put behind a build's own "no space left".
pub(super) async fn numbers(agent: &Agent) -> Option<String> {
    Some(Place::find(agent).await?.shown())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn image(id: &str, tag: &str, app: Option<&str>, second: u64) -> ListedImage {
        let labels = app.map(|app| ("adf.app".to_owned(), app.to_owned())).into_iter().collect();
        ListedImage {
            id: id.into(),
            tags: vec![tag.to_owned()],
            labels,
            tagged: Some(UNIX_EPOCH + Duration::from_secs(second)),
        }
    }

    #[test]
    fn fault_06_only_our_own_old_images_may_go() {
        let images = vec![
            image("now", "adf/web:v9-1", Some("web"), 9),
            image("previous", "adf/web:v8-1", Some("web"), 8),
            image("older", "adf/web:v7-1", Some("web"), 7),
            ListedImage {
                tags: vec!["adf/web:v6-1".to_owned(), "ghcr.io/team/web:v6-1".to_owned()],
                ..image("oldest", "", Some("web"), 6)
            },
            ListedImage {
                tags: vec!["adf/web:v4-1".to_owned(), "mine:1".to_owned()],
                ..image("named-by-somebody-else", "", Some("web"), 4)
            },
            image("runs", "adf/web:v5-1", Some("web"), 5),
            image("other-app", "adf/api:v1-1", Some("api"), 4),
            image("foreign", "adf/base:1", None, 3),
            image("elsewhere", "adf-local/web:v1-1", Some("web"), 2),
            ListedImage { tags: vec![], ..image("untagged", "", Some("web"), 1) },
        ];
        let stock = Stock { images, used: ["runs".to_owned()].into() };
        let keep = Keep {
            prefixes: vec!["adf/".into(), "ghcr.io/team/web:".into()],
            tag: "adf/web:v9-1".into(),
            app: "web".into(),
            others: 1,
        };
        let ids: Vec<_> = removable(&stock, &keep).iter().map(|image| image.id.as_str()).collect();
        assert_eq!(ids, ["other-app", "oldest", "older"], "oldest first");
    }
}
