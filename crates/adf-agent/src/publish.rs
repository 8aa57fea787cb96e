//! The image that was built here, for the instances after this one: pushed once the app serves, and recorded.
//!
//! Neighbours: `prepare/pull.rs` is the other end. Whoever has built pushes, unless an image is recorded by then: in a
//! deploy that is the canary, because the others are launched after it. The rule: serving comes first. Nothing waits for a
//! push, and one that fails is a warning: the other instances build for themselves.

use std::sync::Arc;
use std::time::Duration;

use adf_types::{AppName, Digest, ImageRef, InstanceId, ReleaseImage, ReleaseName};
use jiff::Timestamp;

use crate::failure::Failure;
use crate::report::Reporter;
use crate::retry::{Schedule, Tries};
use crate::world::{Docker, Keyring, RegistryError, Table};

/// What pushing and recording may take in all; a large image on a slow line.
const PUSH_LIMIT: Duration = Duration::from_mins(20);

/// A registry that does not answer, or limits: 10, 20, 40, 60 s, with jitter. Nobody waits for it.
const PUSH_SCHEDULE: Schedule = Schedule {
    what: "the push of the image",
    first: Duration::from_secs(10),
    factor: 2.0,
    max: Duration::from_mins(1),
    tries: 5,
    jitter: true,
};

/// What is pushed where, and whose it is.
#[derive(Clone)]
pub struct Publication {
    pub docker: Arc<dyn Docker>,
    pub table: Arc<dyn Table>,
    pub keyring: Keyring,
    /// Docker's id of the image.
    pub local: String,
    /// Its name at the registry.
    pub target: ImageRef,
    pub app: AppName,
    pub release: ReleaseName,
    pub instance: InstanceId,
}

impl std::fmt::Debug for Publication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publication").field("target", &self.target).finish_non_exhaustive()
    }
}

impl Publication {
    /// Pushes beside everything else.
    pub fn begin(&self, reporter: &Reporter) {
        let (publication, reporter) = (self.clone(), reporter.clone());
        tokio::spawn(async move {
            let done = tokio::time::timeout(PUSH_LIMIT, publication.publish(&reporter)).await;
            let late = |_| Err(Failure::transient(format!("not within {} s", PUSH_LIMIT.as_secs())));
            if let Err(failure) = done.unwrap_or_else(late) {
                let target = &publication.target;
                tracing::warn!(
                    "W186 the image was not pushed to {target}, other instances build it themselves: {failure}"
                );
            }
        });
    }

    async fn publish(&self, reporter: &Reporter) -> Result<(), Failure> {
        if let Some(there) = self.table.release_image(&self.app, &self.release).await? {
            tracing::info!(image = %there.image, by = %there.pushed_by, "an image of this release is there already");
            return Ok(());
        }
        self.docker.tag(&self.local, &self.target.exact()).await?;
        let digest = self.push(reporter).await?;
        let pushed = ReleaseImage {
            image: self.target.clone().with_digest(digest),
            pushed_by: self.instance.clone(),
            pushed_at: Timestamp::now(),
        };
        let recorded = self.table.put_release_image(&self.app, &self.release, &pushed).await?;
        if recorded.pushed_by == self.instance {
            tracing::info!(image = %recorded.image, "the image was pushed and recorded");
        } else {
            tracing::info!(image = %recorded.image, by = %recorded.pushed_by, "another instance was first");
        }
        Ok(())
    }

    async fn push(&self, reporter: &Reporter) -> Result<Digest, RegistryError> {
        let mut tries = Tries::new(&PUSH_SCHEDULE);
        loop {
            let error = match self.push_once().await {
                Ok(digest) => return Ok(digest),
                Err(error) => error,
            };
            if !tries.again(reporter, &error).await {
                return Err(error);
            }
        }
    }

    async fn push_once(&self) -> Result<Digest, RegistryError> {
        let login = self.keyring.login(self.target.repository().host()).await?;
        self.docker.push(&self.target, login.as_ref()).await
    }
}
