//! `adf-ctl release`.

use std::path::PathBuf;

use adf_types::{Digest, ReleaseName, ReleaseUrl};
use clap::{Args, Subcommand};

use super::{READS, WRITES};
use crate::exit::ExitCode;

/// Make and show releases
#[derive(Debug, Args)]
pub struct ReleaseArgs {
    #[command(subcommand)]
    pub verb: ReleaseVerb,
}

#[derive(Debug, Subcommand)]
pub enum ReleaseVerb {
    Create(CreateArgs),
    /// List the app's releases, newest first
    #[command(after_help = ExitCode::help(&READS))]
    List,
    /// Show one release
    #[command(after_help = ExitCode::help(&READS))]
    Show {
        /// The release's name
        #[arg(value_name = "RELEASE")]
        name: ReleaseName,
    },
}

/// Make a release from a tag or commit of a git repository, or record a URL as one
///
/// Packs the tree, uploads it to the bucket and records its digests. A release is immutable: making it
/// again from the same content does nothing, from other content is refused.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::help(&WRITES))]
pub struct CreateArgs {
    /// The release's name: a tag or a commit, unless --url is given
    #[arg(value_name = "RELEASE")]
    pub name: ReleaseName,

    /// The git repository [default: the one around the current folder]
    #[arg(long, value_name = "PATH", conflicts_with = "url")]
    pub repo: Option<PathBuf>,

    /// Record this archive instead of making one: https://, s3:// or file://
    #[arg(long, value_name = "URL")]
    pub url: Option<ReleaseUrl>,

    /// The archive's digest, sha256:HEX or tree:HEX; instances refuse any other content
    #[arg(long, value_name = "DIGEST", requires = "url")]
    pub digest: Option<Digest>,
}
