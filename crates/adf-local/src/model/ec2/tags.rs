//! Tags of instances, launch templates and the built-in resources.

use std::collections::BTreeMap;

use crate::model::{ApiError, Model};

/// A tag of a resource, as `DescribeTags` lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggedResource {
    pub resource_id: String,
    /// `instance`, `launch-template`.
    pub resource_type: &'static str,
    pub key: String,
    pub value: String,
}

impl Model {
    /// Sets tags on every resource, or on none when an id is unknown.
    pub fn create_tags(&mut self, ids: &[String], tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
        self.check_taggable(ids)?;
        for id in ids {
            check_keys(tags, self.serves_tags(id))?;
        }
        for id in ids {
            if let Some(held) = self.tags_mut(id) {
                held.extend(tags.clone());
            }
        }
        Ok(())
    }

    /// Removes tags by key, or by key and value; without any, all tags but AWS's own.
    pub fn delete_tags(&mut self, ids: &[String], tags: &[(String, Option<String>)]) -> Result<(), ApiError> {
        self.check_taggable(ids)?;
        let named = |key: &String, value: &String| {
            tags.iter().any(|(k, v)| k == key && v.as_ref().is_none_or(|v| v == value))
        };
        for id in ids {
            if let Some(held) = self.tags_mut(id) {
                held.retain(|key, value| key.starts_with("aws:") || !(tags.is_empty() || named(key, value)));
            }
        }
        Ok(())
    }

    /// Every tag of every resource.
    pub fn resource_tags(&self) -> impl Iterator<Item = TaggedResource> {
        let instances = self.instances.values().map(|it| (&it.id, "instance", &it.tags));
        let templates = self.templates.values().map(|it| (&it.id, "launch-template", &it.tags));
        instances.chain(templates).flat_map(|(id, resource_type, tags)| {
            tags.iter().map(move |(key, value)| TaggedResource {
                resource_id: id.clone(),
                resource_type,
                key: key.clone(),
                value: value.clone(),
            })
        })
    }

    fn check_taggable(&self, ids: &[String]) -> Result<(), ApiError> {
        if ids.is_empty() {
            return Err(ApiError::missing("resourceIdSet"));
        }
        let unknown =
            ids.iter().find(|id| !self.instances.contains_key(*id) && !self.templates.contains_key(*id));
        match unknown {
            None => Ok(()),
            Some(id) if id.starts_with("i-") => Err(ApiError::new(
                "InvalidInstanceID.NotFound",
                format!("The instance ID '{id}' does not exist"),
            )),
            Some(id) => Err(ApiError::new("InvalidID", format!("The ID '{id}' is not valid"))),
        }
    }

    fn tags_mut(&mut self, id: &str) -> Option<&mut BTreeMap<String, String>> {
        let of_template = self.templates.get_mut(id).map(|template| &mut template.tags);
        of_template.or_else(|| self.instances.get_mut(id).map(|instance| &mut instance.tags))
    }

    fn serves_tags(&self, id: &str) -> bool {
        self.instances.get(id).is_some_and(|instance| instance.metadata.tags_enabled)
    }
}

/// Refuses AWS's own prefix, and, where IMDS serves the tags, keys that cannot be a path.
pub(super) fn check_keys(tags: &BTreeMap<String, String>, served_by_imds: bool) -> Result<(), ApiError> {
    let refuse = |text: String| Err(ApiError::new("InvalidParameterValue", text));
    for key in tags.keys() {
        if key.starts_with("aws:") {
            return refuse(format!(
                "Value ( {key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use"
            ));
        }
        if served_by_imds && (key.contains([' ', '/']) || matches!(key.as_str(), "." | ".." | "_index")) {
            return refuse(format!(
                "'{key}' is not a valid tag key. Tag keys must match pattern ([0-9a-zA-Z\\\\-_+=,.@:]{{1,255}}), and must not be a reserved name ('.', '..', '_index')"
            ));
        }
    }
    Ok(())
}
