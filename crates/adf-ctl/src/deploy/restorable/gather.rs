//! Reads what is there of a release. Changes nothing, and a question without an answer is one that says why.

use adf_store::StoreError;
use adf_types::{AppName, ReleaseName, ReleaseRecord, ReleaseUrl};

use super::{Asked, ConfigState, Facts, Restorable, TemplateFacts, judge};
use crate::aws::ArchiveState;
use crate::context::Context;

/// A launch template version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template<'a> {
    pub id: &'a str,
    pub version: u64,
}

/// Whether `release` could come back, launched from this template version.
pub async fn check(
    context: &Context,
    app: &AppName,
    release: &ReleaseName,
    template: Option<Template<'_>>,
) -> Restorable {
    judge(&Box::pin(facts(context, app, release, template)).await)
}

async fn facts(
    context: &Context,
    app: &AppName,
    release: &ReleaseName,
    template: Option<Template<'_>>,
) -> Facts {
    let store = &context.store;
    let (record, pushed, template) = tokio::join!(
        async { asked(store.release(app, release).await) },
        async { store.release_image(app, release).await.ok().flatten() },
        async {
            match template {
                Some(template) => Some(launched_from(context, template).await),
                None => None,
            }
        },
    );
    let known = record.as_ref().ok().and_then(Option::as_ref);
    let (archive, config) =
        tokio::join!(archive(context, known), Box::pin(config(context, app, release, known)));
    Facts { release: release.clone(), record, pushed, archive, config, template }
}

async fn archive(context: &Context, record: Option<&ReleaseRecord>) -> Option<Asked<ArchiveState>> {
    let ReleaseUrl::S3 { bucket, key } = &record?.url else { return None };
    Some(asked(context.aws.archive(bucket, key).await))
}

/// Read and decrypted, as an instance would.
async fn config(
    context: &Context,
    app: &AppName,
    release: &ReleaseName,
    record: Option<&ReleaseRecord>,
) -> ConfigState {
    match context.store.restorable_config(app, release).await {
        Ok(config) => match record.map(|record| config.check(&record.config)) {
            Some(Err(error)) => ConfigState::Broken(error.to_string()),
            Some(Ok(())) | None => ConfigState::Whole,
        },
        Err(error) if is_unknown(&error) => ConfigState::Unknown(error.to_string()),
        Err(error) => ConfigState::Broken(error.to_string()),
    }
}

/// Whether an error says nothing of the config itself.
fn is_unknown(error: &StoreError) -> bool {
    error.is_transient() || matches!(error, StoreError::Changing { .. })
}

async fn launched_from(context: &Context, template: Template<'_>) -> TemplateFacts {
    let Template { id, version } = template;
    let launch = asked(context.aws.template_launch(id, version).await);
    let named = launch.as_ref().ok().and_then(Option::as_ref).and_then(|launch| launch.image_id.clone());
    let image = match named.filter(|image| image.starts_with("ami-")) {
        Some(image) => Some(asked(context.aws.image_state(&image).await)),
        None => None,
    };
    TemplateFacts { id: id.to_owned(), version, launch, image }
}

fn asked<T, E: std::fmt::Display>(answer: Result<T, E>) -> Asked<T> {
    answer.map_err(|error| error.to_string())
}
