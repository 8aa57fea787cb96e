//! Whether a release could come back: its record, its archive, its config, and what its instances are launched from.
//!
//! Neighbours: `gather` reads the facts; `preflight` asks before a deploy about the release that serves, and before a
//! rollback about the one that is to come back; `drive` asks when a deploy is done. Pure but for `gather`.
//!
//! The rule: what is known to be gone is missing; what nobody could tell is said, and keeps nobody from anything. To
//! check one thing more: a field of [`Facts`], and its line in [`judge`].

mod gather;
#[cfg(test)]
mod tests;

use adf_types::{ReleaseImage, ReleaseName, ReleaseRecord, ReleaseUrl};

pub use gather::{Template, check};

use super::error::DeployError;
use crate::aws::{ArchiveState, ImageState, TemplateLaunch};

/// An answer, or why there is none.
pub type Asked<T> = Result<T, String>;

/// What was found of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub release: ReleaseName,
    pub record: Asked<Option<ReleaseRecord>>,
    /// The image that an instance built and pushed.
    pub pushed: Option<ReleaseImage>,
    /// Of an archive in S3.
    pub archive: Option<Asked<ArchiveState>>,
    pub config: ConfigState,
    pub template: Option<TemplateFacts>,
}

/// What became of reading the release's config, as if it were deployed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigState {
    Whole,
    /// Nobody can start with it: values are purged, secrets cannot be opened, required names are not set.
    Broken(String),
    Unknown(String),
}

/// The launch template version that the release's instances were launched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFacts {
    pub id: String,
    pub version: u64,
    pub launch: Asked<Option<TemplateLaunch>>,
    /// Of the version's machine image.
    pub image: Option<Asked<ImageState>>,
}

/// What there is of a release for its way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restorable {
    pub release: ReleaseName,
    /// What keeps it from coming back, each a sentence without its subject.
    pub missing: Vec<String>,
    /// What could not be checked, and why.
    pub unchecked: Vec<String>,
}

/// What the facts come to.
pub fn judge(facts: &Facts) -> Restorable {
    let mut found = Restorable { release: facts.release.clone(), missing: Vec::new(), unchecked: Vec::new() };
    match &facts.record {
        Ok(Some(record)) => archive(&mut found, record, facts),
        Ok(None) => found.missing.push("its record is gone".to_owned()),
        Err(why) => found.unchecked.push(format!("its record: {why}")),
    }
    match &facts.config {
        ConfigState::Whole => {}
        ConfigState::Broken(why) => {
            found
                .missing
                .push(format!("E208 its config cannot be read: {}", why.trim_start_matches("E208 ")));
        }
        ConfigState::Unknown(why) => found.unchecked.push(format!("its config: {why}")),
    }
    if let Some(template) = &facts.template {
        launch(&mut found, template);
    }
    found
}

fn archive(found: &mut Restorable, record: &ReleaseRecord, facts: &Facts) {
    let url = &record.url;
    let gone = match &facts.archive {
        None => return found.unchecked.extend(elsewhere(url)),
        Some(Err(why)) => return found.unchecked.push(format!("its archive {url}: {why}")),
        Some(Ok(ArchiveState::Hidden)) => {
            return found.unchecked.push(format!("its archive {url}: S3 does not let you see it"));
        }
        Some(Ok(ArchiveState::There { bytes: 0, .. })) => format!("its archive {url} is empty"),
        Some(Ok(ArchiveState::There { digest, .. })) => match (digest, &record.digest) {
            (Some(there), Some(wanted)) if *there != wanted.to_string() => {
                format!("its archive {url} was replaced: it is {there}, recorded is {wanted}")
            }
            _ => return,
        },
        Some(Ok(ArchiveState::Gone)) => format!("its archive {url} is gone"),
    };
    match &facts.pushed {
        // Instances pull before they build.
        Some(pushed) => found.unchecked.push(format!(
            "{gone}; there is the image {}, but its registry was not asked",
            pushed.image.exact()
        )),
        None => found.missing.push(gone),
    }
}

/// What is somewhere that `adf-ctl` does not ask.
fn elsewhere(url: &ReleaseUrl) -> Option<String> {
    match url {
        ReleaseUrl::S3 { .. } => None,
        ReleaseUrl::Docker(image) if image.digest().is_none() => {
            Some(format!("its image {url}: the registry was not asked, and a tag may be moved"))
        }
        ReleaseUrl::Docker(_) => Some(format!("its image {url}: the registry was not asked")),
        ReleaseUrl::Http(_) | ReleaseUrl::File { .. } => {
            Some(format!("its archive {url}: only instances fetch it"))
        }
    }
}

fn launch(found: &mut Restorable, template: &TemplateFacts) {
    let TemplateFacts { id, version, .. } = template;
    let launch = match &template.launch {
        Ok(Some(launch)) => launch,
        Ok(None) => return found.missing.push(format!("version {version} of launch template {id} is gone")),
        Err(why) => {
            return found.unchecked.push(format!("version {version} of launch template {id}: {why}"));
        }
    };
    let Some(image) = &launch.image_id else {
        let unnamed = format!("the machine image: version {version} of launch template {id} names none");
        return found.unchecked.push(unnamed);
    };
    match &template.image {
        Some(Ok(ImageState::Available)) => {}
        Some(Ok(ImageState::Gone)) => found.missing.push(format!(
            "its machine image {image} is gone (deregistered, or not shared with this account any more)"
        )),
        Some(Ok(ImageState::Otherwise(state))) => {
            found.missing.push(format!("its machine image {image} is {state}"));
        }
        Some(Err(why)) => found.unchecked.push(format!("its machine image {image}: {why}")),
        None => found.unchecked.push(format!("its machine image {image} is looked up at each launch")),
    }
}

impl Restorable {
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty()
    }

    /// What was found, for the deploy's log and for the operator.
    pub fn in_words(&self) -> String {
        let found = match &self.missing[..] {
            [] => format!("{} could come back", self.release),
            missing => format!("{} could not come back: {}", self.release, missing.join("; ")),
        };
        match &self.unchecked[..] {
            [] => found,
            unchecked => format!("{found}; not checked: {}", unchecked.join("; ")),
        }
    }

    /// The refusal of a deploy that would have no way back, unless somebody typed that they want none to this release.
    pub fn refuse_unless(&self, waived: Option<&ReleaseName>) -> Result<(), DeployError> {
        if self.is_whole() || waived == Some(&self.release) {
            return Ok(());
        }
        Err(DeployError::refused(
            format!("E212 there would be no way back: {}", self.in_words()),
            format!("bring back what is missing; or deploy all the same: --no-way-back {}", self.release),
        ))
    }

    /// The refusal of a rollback to a release that cannot come back.
    pub fn refuse_rollback(&self) -> Result<(), DeployError> {
        if self.is_whole() {
            return Ok(());
        }
        Err(DeployError::refused(
            format!("E212 {}", self.in_words()),
            "bring back what is missing; or deploy another release: adf-ctl release list",
        ))
    }

    /// What whoever deployed should know, if there is no way back any more.
    pub fn warning(&self) -> Option<String> {
        (!self.is_whole()).then(|| format!("W213 there is no way back any more: {}", self.in_words()))
    }
}
