//! Values of secrets: asked for, never taken from the command line.

use std::io::{self, IsTerminal as _, Read as _};

use adf_types::ConfigName;

use crate::error::ConfigError;
use crate::set::Assignment;

/// The names that were typed. A value behind a name is refused, and not repeated.
pub fn names(texts: &[String]) -> Result<Vec<ConfigName>, ConfigError> {
    let name = |text: &String| match text.split_once('=') {
        Some(_) => Err(ConfigError::SecretOnCommandLine),
        None => {
            text.parse().map_err(|error: adf_types::ConfigNameError| ConfigError::Assignment(error.into()))
        }
    };
    texts.iter().map(name).collect()
}

/// Asks for each value on the terminal; without one, the standard input is the value of the only name, less one line
/// break at its end.
pub fn ask(names: &[ConfigName]) -> Result<Vec<Assignment>, ConfigError> {
    if io::stdin().is_terminal() {
        return names.iter().map(prompt).collect();
    }
    let [name] = names else { return Err(ConfigError::OneSecretFromInput) };
    let mut value = String::new();
    io::stdin().lock().read_to_string(&mut value).map_err(ConfigError::NoSecret)?;
    if value.ends_with('\n') {
        value.pop();
    }
    Ok(vec![Assignment { name: name.clone(), value }])
}

fn prompt(name: &ConfigName) -> Result<Assignment, ConfigError> {
    let value = rpassword::prompt_password(format!("{name}: ")).map_err(ConfigError::NoSecret)?;
    Ok(Assignment { name: name.clone(), value })
}
