//! Making a release: check everything, upload, then record.
//!
//! The record is written last and only once, so an interrupted run leaves no release and may be repeated.

use std::path::PathBuf;

use adf_store::Store;
use adf_types::{AdfToml, AppName, ConfigRules, Digest, ReleaseName, ReleaseRecord, ReleaseUrl};
use jiff::Timestamp;
use serde::Serialize;

use super::error::ReleaseError;
use super::git::{Repository, top_folder};
use super::pack::{Packed, pack};
use crate::aws::Aws;
use crate::error::CtlError;
use crate::printer::{Printer, Text};

/// Where a release's content comes from.
#[derive(Debug, Clone)]
pub enum Request {
    /// The tree that the release's name names in the repository around `folder`, uploaded to `bucket`.
    Git { folder: PathBuf, bucket: String },
    /// An archive that is there already. Nobody downloads it here.
    Url { url: ReleaseUrl, digest: Option<Digest> },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Created {
    pub how: How,
    #[serde(flatten)]
    pub record: ReleaseRecord,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Created,
    /// The same content was recorded under this name before.
    AlreadyMade,
}

impl Text for Created {
    fn text(&self) -> String {
        String::new()
    }
}

impl Created {
    /// One sentence for the operator.
    pub fn summary(&self) -> String {
        let how = match self.how {
            How::Created => "made",
            How::AlreadyMade => "already made",
        };
        let digest = self.record.digest.as_ref().map_or("no digest".to_owned(), ToString::to_string);
        format!("{how}: {} {} at {} ({digest})", self.record.app, self.record.release, self.record.url)
    }
}

/// Makes the release unless the same content is recorded under its name; refuses other content.
pub async fn create(
    aws: &Aws,
    store: &Store,
    printer: Printer,
    (app, name): (&AppName, &ReleaseName),
    request: Request,
    now: Timestamp,
) -> Result<Created, CtlError> {
    let mut content = Content::of(app, name, request, printer)?;
    if let Some(record) = store.release(app, name).await? {
        return content.same_as(record).map_err(CtlError::from);
    }
    let created_by = aws.identity().await?;
    if let Some(Upload { bucket, key, archive }) = content.upload.take() {
        printer.note(&format!("uploading {} to s3://{bucket}/{key}", size(archive.len())));
        aws.upload(&bucket, &key, archive, content.digest.as_ref()).await?;
    }
    let record = content.record(app, name, created_by, now);
    store.put_release(&record).await?;
    Ok(Created { how: How::Created, record })
}

/// What will be recorded, and what has to be uploaded before.
struct Content {
    url: ReleaseUrl,
    digest: Option<Digest>,
    tree: Option<Digest>,
    commit: Option<String>,
    config: ConfigRules,
    upload: Option<Upload>,
}

struct Upload {
    bucket: String,
    key: String,
    archive: Vec<u8>,
}

impl Content {
    fn of(
        app: &AppName,
        name: &ReleaseName,
        request: Request,
        printer: Printer,
    ) -> Result<Self, ReleaseError> {
        match request {
            Request::Git { folder, bucket } => {
                let repository = Repository::around(&folder)?;
                Self::of_tree(app, name, &repository, bucket, printer)
            }
            Request::Url { url, digest } => {
                let (digest, tree) = match digest {
                    Some(tree @ Digest::Tree(_)) => (None, Some(tree)),
                    other => (other, None),
                };
                Ok(Self { url, digest, tree, commit: None, config: ConfigRules::default(), upload: None })
            }
        }
    }

    fn of_tree(
        app: &AppName,
        name: &ReleaseName,
        repository: &Repository,
        bucket: String,
        printer: Printer,
    ) -> Result<Self, ReleaseError> {
        let commit = repository.commit(name)?;
        if let Some(path) = repository.submodule(&commit)? {
            return Err(ReleaseError::Submodule(name.clone(), path));
        }
        if repository.is_dirty()? {
            printer.note(
                "the working tree has changes that are not committed; they are not part of the release",
            );
        }
        let packed = pack_commit(app, name, repository, &commit)?;
        if !packed.has_dockerfile {
            return Err(ReleaseError::NoDockerfile { name: name.clone(), commit });
        }
        let adf_toml = AdfToml::parse(packed.adf_toml.as_deref().unwrap_or_default())
            .map_err(|source| ReleaseError::AdfToml { name: name.clone(), source })?;
        let key = format!("{app}/{name}.tar.gz");
        Ok(Self {
            url: ReleaseUrl::S3 { bucket: bucket.clone(), key: key.clone() },
            digest: Some(packed.digest),
            tree: Some(packed.tree),
            commit: Some(commit),
            config: adf_toml.config.rules(),
            upload: Some(Upload { bucket, key, archive: packed.bytes }),
        })
    }

    /// Equal content by either digest; without one, by URL.
    fn same_as(self, record: ReleaseRecord) -> Result<Created, ReleaseError> {
        let both = |a: &Option<Digest>, b: &Option<Digest>| a.is_some() && a == b;
        let same = both(&self.digest, &record.digest) || both(&self.tree, &record.tree);
        let no_digest = self.digest.is_none() && self.tree.is_none();
        if same || (no_digest && self.url == record.url) {
            return Ok(Created { how: How::AlreadyMade, record });
        }
        Err(ReleaseError::Exists {
            theirs: content_in_words(&record.url, record.digest.as_ref().or(record.tree.as_ref())),
            ours: content_in_words(&self.url, self.digest.as_ref().or(self.tree.as_ref())),
            app: record.app,
            name: record.release,
        })
    }

    fn record(self, app: &AppName, name: &ReleaseName, created_by: String, now: Timestamp) -> ReleaseRecord {
        ReleaseRecord {
            app: app.clone(),
            release: name.clone(),
            url: self.url,
            digest: self.digest,
            tree: self.tree,
            commit: self.commit,
            config: self.config,
            created_at: now,
            created_by,
        }
    }
}

fn pack_commit(
    app: &AppName,
    name: &ReleaseName,
    repository: &Repository,
    commit: &str,
) -> Result<Packed, ReleaseError> {
    let mut archive = repository.archive(app, name, commit)?;
    let stdout = archive.stdout.take().expect("stdout was asked to be piped");
    let packed = pack(stdout, &top_folder(app, name));
    // git's own complaint explains a broken stream better than the stream does.
    repository.finish(archive)?;
    packed.map_err(|source| ReleaseError::Archive { name: name.clone(), source })
}

fn content_in_words(url: &ReleaseUrl, digest: Option<&Digest>) -> String {
    digest.map_or_else(|| url.to_string(), ToString::to_string)
}

/// `12.3 MiB`, for progress lines.
fn size(bytes: usize) -> String {
    const KIB: usize = 1024;
    match bytes {
        0..KIB => format!("{bytes} bytes"),
        KIB..0x10_0000 => format!("{} KiB", bytes / KIB),
        _ => format!("{}.{} MiB", bytes >> 20, (bytes >> 10) % KIB * 10 / KIB),
    }
}
