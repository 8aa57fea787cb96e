//! Removing templates and versions.

use super::resolve::TemplateKey;
use super::template::LaunchTemplate;
use crate::model::{ApiError, Model};

/// What became of one version of `DeleteLaunchTemplateVersions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedVersion {
    pub number: u64,
    /// None when it is deleted.
    pub error: Option<ApiError>,
}

impl Model {
    /// Removes a template with all its versions.
    pub fn delete_template(&mut self, key: &TemplateKey) -> Result<LaunchTemplate, ApiError> {
        let id = self.template(key)?.id.clone();
        Ok(self.templates.remove(&id).expect("the template was just found"))
    }

    /// Removes versions; the default one and unknown ones are refused one by one.
    pub fn delete_template_versions(
        &mut self,
        key: &TemplateKey,
        numbers: &[u64],
    ) -> Result<Vec<DeletedVersion>, ApiError> {
        let id = self.template(key)?.id.clone();
        let template = self.templates.get_mut(&id).expect("the template was just found");
        Ok(numbers.iter().map(|number| delete_version(template, *number)).collect())
    }
}

fn delete_version(template: &mut LaunchTemplate, number: u64) -> DeletedVersion {
    let error = if number == template.default_version {
        Some(ApiError::new(
            "unexpectedError",
            format!("Version {number} is the default version of the launch template and cannot be deleted"),
        ))
    } else if template.versions.remove(&number).is_none() {
        Some(ApiError::new(
            "launchTemplateVersionDoesNotExist",
            format!("Could not find launch template version {number}"),
        ))
    } else {
        None
    };
    DeletedVersion { number, error }
}
