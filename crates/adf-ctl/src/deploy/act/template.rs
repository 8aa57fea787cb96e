//! The launch template version of a deploy: the group's present one with the new release's user data and tags.

use adf_types::{DeployRecord, ReleaseRecord, UserData};

use super::{Done, Scene, sweep};
use crate::aws::{TemplateTags, VersionLaunch};
use crate::deploy::error::DeployError;
use crate::deploy::observe;
use crate::deploy::record::Change;

pub(super) async fn create(scene: Scene<'_>) -> Result<Done, DeployError> {
    let (aws, record) = (&scene.context.aws, scene.record);
    let template_id = observe::group(scene.context, &record.group).await?.template_id;
    let description = format!("{}{}", sweep::OURS, record.id);
    if began_before(record)
        && let Some(version) = aws.find_template_version(&template_id, &description).await?
    {
        return Ok((Change::Template(version), format!("version {version} was made before")));
    }
    let source_version = record.progress.old_template_version.unwrap_or(1);
    let mut tags = aws.template_tags(&template_id, source_version).await?;
    tag(&mut tags, record);
    let launch = VersionLaunch {
        source_version,
        description,
        client_token: record.id.to_string(),
        user_data: user_data(record, scene.release).render(),
        tags,
    };
    let (version, swept) = match aws.create_template_version(&template_id, &launch).await {
        Err(error) if sweep::is_full(&error) => {
            let gone = Box::pin(sweep::make_room(scene, &template_id)).await?;
            let version = aws.create_template_version(&template_id, &launch).await?;
            (version, format!("; {gone} old versions were deleted, because there was no room"))
        }
        made => (made?, String::new()),
    };
    Ok((Change::Template(version), format!("version {version}, from version {source_version}{swept}")))
}

/// Whether this is not the first attempt: then an earlier one may have succeeded unrecorded. The search is
/// left out otherwise, because a template may have 10,000 versions.
fn began_before(record: &DeployRecord) -> bool {
    let intent = crate::deploy::plan::Action::CreateTemplateVersion.intent();
    record.log.iter().filter(|entry| entry.intent == intent).count() > 1
}

fn user_data(record: &DeployRecord, release: &ReleaseRecord) -> UserData {
    UserData {
        release_url: Some(release.url.clone()),
        app: Some(record.app.clone()),
        release: Some(release.release.clone()),
        release_digest: release.digest.clone(),
        deploy: Some(record.id.clone()),
    }
}

fn tag(tags: &mut TemplateTags, record: &DeployRecord) {
    let instance = tags.entry("instance".to_owned()).or_default();
    instance.insert("adf:app".to_owned(), record.app.to_string());
    instance.insert("adf:release".to_owned(), record.to.to_string());
    instance.insert("adf:deploy".to_owned(), record.id.to_string());
}
