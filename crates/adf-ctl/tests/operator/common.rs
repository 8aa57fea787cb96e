//! What the tests of `adf-ctl` share: an account that adf-local plays, and a git repository.

use std::path::Path;
use std::process::Command;

use adf_ctl::cli::SettingsArgs;
use adf_ctl::context::Context;
use adf_ctl::printer::{Format, Printer};
use adf_ctl::settings::Settings;
use adf_local::cloud::Cloud;
use jiff::Timestamp;
use tempfile::TempDir;

pub(crate) const ADF_TOML: &str =
    "[app]\nname = \"web\"\nbucket = \"releases\"\n[config]\nrequired = [\"FOO\"]\n";

/// An account with tables and bucket, and the settings of the app `web`.
pub(crate) async fn context(folder: &Path) -> (Cloud, Context) {
    let cloud = Cloud::new("us-east-1", Timestamp::UNIX_EPOCH);
    let flags = SettingsArgs {
        app: Some("web".parse().expect("a name")),
        bucket: Some("releases".to_owned()),
        ..SettingsArgs::default()
    };
    let settings = Settings::find(&flags, folder).expect("usable settings");
    let context = Context::on(&cloud.sdk_config(), settings, Printer::new(Format::Text));
    context.store.create_tables().await.expect("an empty account takes the tables");
    context.aws.ensure_bucket("releases").await.expect("an empty account takes the bucket");
    (cloud, context)
}

/// A git repository of an app, with the tag `v1`.
pub(crate) struct Repo(TempDir);

impl Repo {
    pub(crate) fn new() -> Self {
        let repo = Self(tempfile::tempdir().expect("a temporary folder"));
        repo.git(&["init", "--quiet", "--initial-branch", "main"]);
        repo.write("Dockerfile", "FROM scratch\nCOPY . /\n");
        repo.write("adf.toml", ADF_TOML);
        repo.write("src/app.txt", "hello\n");
        repo.commit("v1");
        repo
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("below the repository")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    pub(crate) fn remove(&self, path: &str) {
        std::fs::remove_file(self.path().join(path)).expect("a file to remove");
    }

    /// Commits everything and tags it.
    pub(crate) fn commit(&self, tag: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", tag]);
        self.git(&["tag", tag]);
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        let output = git(self.path(), args).output().expect("git is installed");
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    }
}

/// git with a fixed author and nothing of this machine's settings.
fn git(folder: &Path, args: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.arg("-C")
        .arg(folder)
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null");
    for who in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{who}_NAME"), "Ann").env(format!("GIT_{who}_EMAIL"), "ann@example.org");
        git.env(format!("GIT_{who}_DATE"), "2026-01-01T00:00:00Z");
    }
    git
}
