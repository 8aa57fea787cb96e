//! `cargo xtask man`: docs/man is what the commands themselves say.

use crate::failure::Result;
use crate::{process, workspace};

pub(crate) fn write() -> Result<()> {
    let folder = workspace::root().join("docs/man");
    process::run(
        workspace::cargo("run").args(["--quiet", "--package", "adf-ctl", "--", "man", "--dir"]).arg(folder),
    )
}
