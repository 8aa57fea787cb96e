//! Release records, and the images that were built of them: written once, never changed.

use adf_types::{AppName, ReleaseImage, ReleaseName, ReleaseRecord};
use aws_sdk_dynamodb::operation::put_item::PutItemError;

use serde::Serialize;

use crate::Store;
use crate::config::version::{self, ConfigVersion};
use crate::error::StoreError;
use crate::keys::{RELEASE, StateKey};
use crate::query::Range;

impl Store {
    /// Records a release; fails with [`StoreError::ReleaseExists`] rather than change one.
    pub async fn put_release(&self, record: &ReleaseRecord) -> Result<(), StoreError> {
        let key = StateKey::release(&record.app, &record.release);
        if self.put_new(&key, record).await? { Ok(()) } else { self.already_recorded(record).await }
    }

    pub async fn release(
        &self,
        app: &AppName,
        release: &ReleaseName,
    ) -> Result<Option<ReleaseRecord>, StoreError> {
        self.get(&StateKey::release(app, release)).await
    }

    /// The record of a release and the version of the app's config, in one call: what a booting instance needs before
    /// it reads the config.
    pub async fn release_and_version(
        &self,
        app: &AppName,
        release: &ReleaseName,
    ) -> Result<(Option<ReleaseRecord>, ConfigVersion), StoreError> {
        let key = StateKey::release(app, release);
        let keys =
            vec![(self.tables.state.as_str(), key.item()), (self.tables.config.as_str(), version::key(app))];
        let mut items = match self.get_together(keys, || self.on_state("read", &key)).await {
            Ok(items) => items.into_iter(),
            // A config table of 2013 with other keys: nobody counts changes there.
            Err(StoreError::OtherKeys { .. }) => {
                return Ok((self.release(app, release).await?, ConfigVersion::default()));
            }
            Err(error) => return Err(error),
        };
        let record = items.next().flatten().filter(|item| !item.is_empty());
        let record = record.map(|item| self.decode(&key, item)).transpose()?;
        Ok((record, version::of(items.next().flatten().as_ref())))
    }

    /// The image of a release, once an instance has pushed one.
    pub async fn release_image(
        &self,
        app: &AppName,
        release: &ReleaseName,
    ) -> Result<Option<ReleaseImage>, StoreError> {
        self.get(&StateKey::image(app, release)).await
    }

    /// Records the image of a release unless there is one already, and returns the one that is recorded.
    pub async fn put_release_image(
        &self,
        app: &AppName,
        release: &ReleaseName,
        image: &ReleaseImage,
    ) -> Result<ReleaseImage, StoreError> {
        let key = StateKey::image(app, release);
        if self.put_new(&key, image).await? {
            return Ok(image.clone());
        }
        Ok(self.release_image(app, release).await?.unwrap_or_else(|| image.clone()))
    }

    /// All releases of an app, oldest first.
    pub async fn releases(&self, app: &AppName) -> Result<Vec<ReleaseRecord>, StoreError> {
        let items = self.query_state(app.as_str(), Range::Prefix(RELEASE)).await?;
        let mut releases: Vec<ReleaseRecord> = self.decode_all(app.as_str(), items)?;
        releases.sort_by_key(|r| r.created_at);
        Ok(releases)
    }

    /// Writes a record where there is none, and tells whether there was none.
    async fn put_new(&self, key: &StateKey, record: &impl Serialize) -> Result<bool, StoreError> {
        let sent = self
            .client
            .put_item()
            .table_name(&self.tables.state)
            .set_item(Some(self.encode(key, record)?))
            .condition_expression("attribute_not_exists(Pk)")
            .send()
            .await;
        let Err(error) = sent else { return Ok(true) };
        if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) {
            return Ok(false);
        }
        Err(StoreError::from_sdk(self.on_state("write", key), error))
    }

    /// A write whose answer was lost is repeated by the SDK and then finds its own record: that is success.
    async fn already_recorded(&self, record: &ReleaseRecord) -> Result<(), StoreError> {
        match self.release(&record.app, &record.release).await? {
            Some(found) if found == *record => Ok(()),
            _ => Err(StoreError::ReleaseExists { app: record.app.clone(), release: record.release.clone() }),
        }
    }
}
