//! Where this repository and its build output are.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::failure::{Result, While};
use crate::process;

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the repository")
}

/// `cargo SUBCOMMAND`, run in the repository's root by the cargo that runs us.
pub(crate) fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).arg(subcommand);
    command
}

/// `cargo build` of every program of the workspace.
///
/// It names a small test as well: with one, cargo gives the libraries the features that tests want, so that the
/// demo and the tests share one build of the AWS SDKs, which is most of what there is to build.
pub(crate) fn cargo_build_programs() -> Command {
    let mut command = cargo("build");
    command.args(["--quiet", "--locked", "--workspace", "--bins", "--test", "commands"]);
    command
}

/// What cargo knows of the workspace's own packages.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) target_directory: PathBuf,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `dev` or `build`; absent for what is shipped.
    pub(crate) kind: Option<String>,
}

pub(crate) fn metadata() -> Result<Metadata> {
    let text = process::output(cargo("metadata").args(["--format-version", "1", "--no-deps"]))?;
    serde_json::from_str(&text).while_("reading what `cargo metadata` printed")
}

/// The triple of this machine, as rustc names it.
pub(crate) fn host() -> Result<String> {
    let text = process::output(Command::new("rustc").arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| crate::failure::Failure::new("`rustc -vV` names no host"))
}
