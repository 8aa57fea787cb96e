//! Finding a template and one of its versions.

use super::template::{LaunchTemplate, TemplateRef, TemplateVersion, VersionChoice};
use crate::model::{ApiError, Model};

/// How a request names a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateKey {
    Id(String),
    Name(String),
}

impl Model {
    /// The template a request names.
    pub fn template(&self, key: &TemplateKey) -> Result<&LaunchTemplate, ApiError> {
        match key {
            TemplateKey::Id(id) => self.templates.get(id).ok_or_else(|| {
                ApiError::new(
                    "InvalidLaunchTemplateId.NotFound",
                    format!("The specified launch template, with template ID {id}, does not exist."),
                )
            }),
            TemplateKey::Name(name) => {
                self.templates.values().find(|template| template.name == *name).ok_or_else(|| {
                    ApiError::new(
                        "InvalidLaunchTemplateName.NotFoundException",
                        "At least one of the launch templates specified in the request does not exist.",
                    )
                })
            }
        }
    }

    /// A version as a request writes it: a number, `$Latest`, `$Default`; the default when absent.
    pub fn template_version(
        &self,
        key: &TemplateKey,
        version: Option<&str>,
    ) -> Result<(&LaunchTemplate, &TemplateVersion), ApiError> {
        let template = self.template(key)?;
        let choice = version.map_or(Some(VersionChoice::Default), VersionChoice::parse).ok_or_else(|| {
            ApiError::new(
                "InvalidLaunchTemplateVersion.Malformed",
                format!("Launch template version {} is malformed", version.unwrap_or_default()),
            )
        })?;
        Ok((template, template.version(&choice)?))
    }

    /// What a group or a member keeps of a request's template.
    pub(in crate::model) fn template_ref(
        &self,
        key: &TemplateKey,
        version: Option<&str>,
    ) -> Result<TemplateRef, ApiError> {
        let (template, resolved) = self.template_version(key, version)?;
        let choice = version.and_then(VersionChoice::parse).unwrap_or(VersionChoice::Default);
        resolved.check_launchable()?;
        Ok(TemplateRef { id: template.id.clone(), name: template.name.clone(), version: choice })
    }
}

impl LaunchTemplate {
    pub(in crate::model) fn version(&self, choice: &VersionChoice) -> Result<&TemplateVersion, ApiError> {
        let number = match choice {
            VersionChoice::Number(number) => *number,
            VersionChoice::Default => self.default_version,
            VersionChoice::Latest => self.versions.keys().next_back().copied().unwrap_or_default(),
        };
        self.versions.get(&number).ok_or_else(|| {
            ApiError::new(
                "InvalidLaunchTemplateId.VersionNotFound",
                format!("Could not find launch template version {number} of launch template {}", self.id),
            )
        })
    }
}

impl TemplateVersion {
    /// Auto Scaling refuses a template that cannot launch, when it is set and not when it is used.
    fn check_launchable(&self) -> Result<(), ApiError> {
        match self.data.image_id {
            Some(_) => Ok(()),
            None => Err(ApiError::validation(
                "You must use a valid fully-formed launch template. The request must contain the parameter ImageId",
            )),
        }
    }
}
