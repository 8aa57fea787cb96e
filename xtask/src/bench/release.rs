//! Releases of a given size: a static binary that answers, and ballast that no compression shrinks.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::stat::{Mode, umask};

use crate::failure::{Result, While};
use crate::process;

/// What is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ballast {
    /// One file of so many MiB.
    Mebibytes(u32),
    /// So many files of some 2 KiB, a hundred in a folder.
    Files(u32),
}

impl std::fmt::Display for Ballast {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mebibytes(size) => write!(f, "{size} MB"),
            Self::Files(count) => write!(f, "{count} files"),
        }
    }
}

/// One release in the two forms that the rivals take.
#[derive(Debug, Clone)]
pub(crate) struct Release {
    /// `.tar.gz` with a top folder, as GitHub makes them.
    pub(crate) archive: PathBuf,
    /// The same as a build context: no compression, no top folder.
    pub(crate) context: PathBuf,
}

const DOCKERFILE: &str =
    "FROM scratch\nCOPY round /round\nWORKDIR /release\nCOPY . .\nEXPOSE 8080\nCMD [\"/release/hello\"]\n";
/// A boot is over after three probes; they must not be what is measured.
const INTERVAL: &str = "100ms";
const FILE_BYTES: usize = 2048;

/// A folder whose release can be packed again and again, each time with another first layer.
#[derive(Debug)]
pub(crate) struct Source {
    folder: PathBuf,
}

impl Source {
    pub(crate) fn create(folder: &Path, ballast: Ballast, hello: &Path) -> Result<Self> {
        // What a checkout has: files that everybody may read.
        umask(Mode::from_bits_truncate(0o022));
        let top = folder.join("release");
        fs::create_dir_all(&top).while_(top.display())?;
        fs::copy(hello, top.join("hello")).while_("copying the app")?;
        for (name, text) in [("Dockerfile", DOCKERFILE), ("answer.txt", "Hello\n")] {
            fs::write(top.join(name), text).while_(name)?;
        }
        let source = Self { folder: folder.to_owned() };
        source.probed_every(INTERVAL)?;
        let mut noise = File::open("/dev/urandom").while_("/dev/urandom")?;
        match ballast {
            Ballast::Mebibytes(size) => {
                let mut file = File::create(top.join("ballast")).while_("ballast")?;
                let mut limited = std::io::Read::take(&mut noise, u64::from(size) << 20);
                std::io::copy(&mut limited, &mut file).while_("writing ballast")?;
            }
            Ballast::Files(count) => small_files(&top, count, &mut noise)?,
        }
        Ok(source)
    }

    /// How often the app is probed from its next release on.
    pub(crate) fn probed_every(&self, interval: &str) -> Result<()> {
        let health = "health = { type = \"http\", path = \"/\" }";
        let text = format!("[run]\nport = 8080\n{health}\ninterval = \"{interval}\"\n");
        fs::write(self.folder.join("release/adf.toml"), text).while_("adf.toml")
    }

    /// Packs it with a first layer that no cache has.
    pub(crate) fn pack(&self, round: &str) -> Result<Release> {
        let top = self.folder.join("release");
        fs::write(top.join("round"), round).while_("round")?;
        let (archive, context) = (self.folder.join("release.tar.gz"), self.folder.join("context.tar"));
        let tar = || {
            let mut tar = Command::new("tar");
            tar.args(["--owner=0", "--group=0", "--sort=name"]);
            tar
        };
        process::run(tar().arg("-cf").arg(&context).arg("-C").arg(&top).arg("."))?;
        // The fastest level: the ballast does not shrink, whatever is tried.
        process::run(
            tar().args(["-I", "gzip -1", "-cf"]).arg(&archive).arg("-C").arg(&self.folder).arg("release"),
        )?;
        Ok(Release { archive, context })
    }
}

fn small_files(top: &Path, count: u32, noise: &mut File) -> Result<()> {
    let mut content = [0; FILE_BYTES];
    for number in 0..count {
        let folder = top.join(format!("source/part-{:03}", number / 100));
        fs::create_dir_all(&folder).while_(folder.display())?;
        std::io::Read::read_exact(noise, &mut content).while_("/dev/urandom")?;
        let mut file = File::create(folder.join(format!("module-{number:05}"))).while_("a small file")?;
        file.write_all(&content).while_("a small file")?;
    }
    Ok(())
}
