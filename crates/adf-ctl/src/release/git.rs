//! The git repository that a release is made from, through the `git` command.
//!
//! Settings of the user that would change an archive's bytes are overridden, so that the same commit gives
//! the same release on every machine.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use adf_types::{AppName, ReleaseName};

use super::error::ReleaseError;

/// Tags that a message about an unknown one lists.
const RECENT_TAGS: usize = 8;

/// git's own defaults; a user's settings would otherwise decide modes and line endings in the archive.
const REPRODUCIBLE: [&str; 6] =
    ["-c", "tar.umask=0002", "-c", "core.autocrlf=false", "-c", "core.attributesFile=/dev/null"];

/// A repository that git knows, by its top folder.
#[derive(Debug, Clone)]
pub struct Repository {
    top: PathBuf,
}

impl Repository {
    /// The repository around a folder.
    pub fn around(folder: &Path) -> Result<Self, ReleaseError> {
        let not_one = || ReleaseError::NotARepository { path: folder.display().to_string() };
        if !folder.is_dir() {
            return Err(not_one());
        }
        let output = git(folder, &["rev-parse", "--show-toplevel"])?;
        if !output.status.success() {
            return Err(not_one());
        }
        Ok(Self { top: PathBuf::from(line(&output.stdout)) })
    }

    /// The full hash of the commit that a tag, branch or hash names.
    pub fn commit(&self, name: &ReleaseName) -> Result<String, ReleaseError> {
        let output = git(&self.top, &["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")])?;
        if output.status.success() {
            return Ok(line(&output.stdout));
        }
        let recent = self.run("tag", &["tag", "--sort=-creatordate"])?;
        Err(ReleaseError::UnknownRevision {
            name: name.clone(),
            repository: self.shown(),
            recent: recent.lines().take(RECENT_TAGS).map(str::to_owned).collect(),
        })
    }

    /// The path of a submodule in the commit's tree, if it has one.
    pub fn submodule(&self, commit: &str) -> Result<Option<String>, ReleaseError> {
        let tree = self.run("ls-tree", &["ls-tree", "-r", "--full-tree", commit])?;
        let link = tree.lines().find(|entry| entry.starts_with("160000 "));
        Ok(link.and_then(|entry| entry.split_once('\t')).map(|(_, path)| path.to_owned()))
    }

    /// Whether files differ from the last commit: they are not part of any release.
    pub fn is_dirty(&self) -> Result<bool, ReleaseError> {
        Ok(!self.run("status", &["status", "--porcelain", "--untracked-files=no"])?.is_empty())
    }

    /// Starts `git archive`; the tar stream is on the child's stdout, its top folder is `<app>-<name>/`.
    pub fn archive(&self, app: &AppName, name: &ReleaseName, commit: &str) -> Result<Child, ReleaseError> {
        command(&self.top)
            .args(REPRODUCIBLE)
            .args(["archive", "--format=tar", &format!("--prefix={}", top_folder(app, name)), commit])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(ReleaseError::NoGit)
    }

    /// An archive that git could not finish.
    pub fn finish(&self, archive: Child) -> Result<(), ReleaseError> {
        let output = archive.wait_with_output().map_err(ReleaseError::NoGit)?;
        self.checked("archive", &output).map(drop)
    }

    fn run(&self, verb: &'static str, args: &[&str]) -> Result<String, ReleaseError> {
        self.checked(verb, &git(&self.top, args)?)
    }

    fn checked(&self, verb: &'static str, output: &Output) -> Result<String, ReleaseError> {
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(ReleaseError::Git { verb, repository: self.shown(), stderr })
    }

    fn shown(&self) -> String {
        self.top.display().to_string()
    }
}

/// The folder that everything in the archive is below, with a slash at its end.
pub(super) fn top_folder(app: &AppName, name: &ReleaseName) -> String {
    format!("{app}-{name}/")
}

fn git(folder: &Path, args: &[&str]) -> Result<Output, ReleaseError> {
    command(folder).args(args).output().map_err(ReleaseError::NoGit)
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).env("LC_ALL", "C").stdin(Stdio::null());
    command
}

fn line(stdout: &[u8]) -> String {
    String::from_utf8_lossy(stdout).trim_end().to_owned()
}
