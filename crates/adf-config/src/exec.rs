//! A program with an app's config as its environment.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use adf_types::{AppName, Config, ReleaseName, SecretDelivery};

use crate::error::ConfigError;

/// Becomes the program: same process, nothing on disk. Its environment is this one's with the config on top, and with
/// APP and RELEASE as a container has them.
pub fn exec(
    app: &AppName,
    release: Option<&ReleaseName>,
    config: &Config,
    command: &[OsString],
) -> Result<Infallible, ConfigError> {
    let Some((program, arguments)) = command.split_first() else { return Err(ConfigError::NoCommand) };
    let release = release.map_or("", ReleaseName::as_str);
    let environment = config.environment(app.as_str(), release, SecretDelivery::Environment);
    let variables = environment.iter().filter_map(|variable| variable.split_once('='));
    let source = Command::new(program).args(arguments).envs(variables).exec();
    Err(ConfigError::Exec { program: program.to_string_lossy().into_owned(), source })
}
