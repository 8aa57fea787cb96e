//! New templates, new versions, and which version is the default.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::resolve::TemplateKey;
use super::template::{LaunchData, LaunchTemplate, TemplateVersion};
use crate::model::{ApiError, Model};

/// Parameters of `CreateLaunchTemplate`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTemplate {
    /// 3 to 128 of letters, digits and `().-/_`.
    pub name: String,
    pub description: Option<String>,
    pub data: LaunchData,
    pub tags: BTreeMap<String, String>,
    pub client_token: Option<String>,
}

/// Parameters of `CreateLaunchTemplateVersion`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVersion {
    pub template: TemplateKey,
    /// The version that absent parameters are taken from; without one they are absent.
    pub source: Option<String>,
    pub description: Option<String>,
    pub data: LaunchData,
    pub client_token: Option<String>,
}

/// What a client token of a template call stands for: the template and the version it made, and from what.
pub(in crate::model) type TemplateTokens = BTreeMap<String, (String, u64, LaunchData)>;

impl Model {
    /// Makes a template with version 1 as its default, and returns its id.
    pub fn create_template(&mut self, new: NewTemplate, now: Timestamp) -> Result<String, ApiError> {
        if let Some((id, _)) = self.made_by_token(new.client_token.as_deref(), &new.data)? {
            return Ok(id);
        }
        check_name(&new.name)?;
        if self.templates.values().any(|template| template.name == new.name) {
            return Err(ApiError::new(
                "InvalidLaunchTemplateName.AlreadyExistsException",
                "Launch template name already in use.",
            ));
        }
        let id = self.ids.resource("lt");
        self.remember_token(new.client_token, &id, 1, &new.data);
        let first =
            TemplateVersion { number: 1, description: new.description, created_at: now, data: new.data };
        let template = LaunchTemplate {
            id: id.clone(),
            name: new.name,
            created_at: now,
            tags: new.tags,
            default_version: 1,
            latest_version: 1,
            versions: BTreeMap::from([(1, first)]),
        };
        self.templates.insert(id.clone(), template);
        Ok(id)
    }

    /// Adds a version and returns the template's id and the version's number.
    pub fn create_template_version(
        &mut self,
        new: NewVersion,
        now: Timestamp,
    ) -> Result<(String, u64), ApiError> {
        let NewVersion { template: key, source, description, data, client_token } = new;
        if let Some(made) = self.made_by_token(client_token.as_deref(), &data)? {
            return Ok(made);
        }
        let id = self.template(&key)?.id.clone();
        let complete = match source {
            Some(source) => data.over(&self.template_version(&key, Some(&source))?.1.data),
            None => data.clone(),
        };
        let quota = self.settings.template_versions;
        let template = self.templates.get_mut(&id).expect("the template was just found");
        if template.versions.len() >= quota {
            return Err(ApiError::new(
                "VersionLimitExceeded",
                format!("You have reached the maximum number of versions per launch template, {quota}."),
            ));
        }
        template.latest_version += 1;
        let number = template.latest_version;
        let version = TemplateVersion { number, description, created_at: now, data: complete };
        template.versions.insert(number, version);
        self.remember_token(client_token, &id, number, &data);
        Ok((id, number))
    }

    /// Makes a version the default.
    pub fn set_default_template_version(
        &mut self,
        key: &TemplateKey,
        version: &str,
    ) -> Result<String, ApiError> {
        let (template, version) = self.template_version(key, Some(version))?;
        let (id, number) = (template.id.clone(), version.number);
        if let Some(template) = self.templates.get_mut(&id) {
            template.default_version = number;
        }
        Ok(id)
    }

    fn made_by_token(
        &self,
        token: Option<&str>,
        data: &LaunchData,
    ) -> Result<Option<(String, u64)>, ApiError> {
        match token.and_then(|token| self.template_tokens.get(token)) {
            None => Ok(None),
            Some((id, number, original)) if original == data => Ok(Some((id.clone(), *number))),
            Some(_) => Err(ApiError::new(
                "IdempotentParameterMismatch",
                "The client token you have provided is associated with a resource that has different parameters.",
            )),
        }
    }

    fn remember_token(&mut self, token: Option<String>, id: &str, number: u64, data: &LaunchData) {
        if let Some(token) = token {
            self.template_tokens.insert(token, (id.to_owned(), number, data.clone()));
        }
    }
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "().-/_".contains(c);
    if (3..=128).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    Err(ApiError::new(
        "InvalidLaunchTemplateName.MalformedException",
        "A launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the following characters: - ( ) . / _.",
    ))
}
