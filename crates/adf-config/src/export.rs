//! Config in the forms that other programs read.

use adf_store::Store;
use adf_types::{AppName, Config, ReleaseName};
use clap::ValueEnum;
use serde::Serialize;

use crate::dotenv;
use crate::error::ConfigError;
use crate::known::whole;
use crate::printer::Text;

/// Who is to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// A `.env` file
    Env,
    /// One JSON object, names to values
    Json,
    /// `export NAME='value'` lines, safe to eval
    Shell,
    /// For `docker run --env-file`, which cannot hold values of several lines
    Docker,
    /// For `EnvironmentFile=` of a systemd unit
    Systemd,
}

/// A whole config, written out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Exported(String);

impl Text for Exported {
    fn text(&self) -> String {
        self.0.clone()
    }
}

/// Base config, or what `release` sees, with its secrets in clear.
pub async fn read(
    store: &Store,
    app: &AppName,
    release: Option<&ReleaseName>,
) -> Result<Config, ConfigError> {
    whole(store, app, release).await?;
    Ok(match release {
        Some(release) => store.read_config(app, release).await?,
        None => store.read_base(app).await?,
    })
}

/// Writes a config in one of the forms.
pub fn write(config: &Config, form: Form) -> Result<Exported, ConfigError> {
    let text = match form {
        Form::Env => config.iter().map(|(name, value)| dotenv::line(name.as_str(), value)).collect(),
        Form::Json => {
            let object: serde_json::Map<_, _> =
                config.iter().map(|(name, value)| (name.to_string(), value.into())).collect();
            format!("{:#}\n", serde_json::Value::Object(object))
        }
        Form::Shell => config.iter().map(|(name, value)| shell(name.as_str(), value)).collect(),
        Form::Docker => {
            let several = config.iter().find(|(_, value)| value.contains(['\n', '\r']));
            if let Some((name, _)) = several {
                return Err(ConfigError::SeveralLines(name.clone()));
            }
            config.iter().map(|(name, value)| docker(name.as_str(), value)).collect()
        }
        Form::Systemd => config.iter().map(|(name, value)| systemd(name.as_str(), value)).collect(),
    };
    Ok(Exported(text))
}

/// Everything after the first equals sign is the value, quotes and all.
fn docker(name: &str, value: &str) -> String {
    format!("{name}={value}\n")
}

fn shell(name: &str, value: &str) -> String {
    // Always in single quotes: what no shell reads as anything else.
    format!("export {name}='{}'\n", value.replace('\'', r"'\''"))
}

/// Source: `systemd.exec(5)`, `EnvironmentFile=`: in double quotes a backslash keeps what a shell would replace.
fn systemd(name: &str, value: &str) -> String {
    let special = |c| matches!(c, '"' | '\\' | '$' | '`');
    let escaped = value.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c]));
    format!("{name}=\"{}\"\n", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Config {
        pairs.iter().map(|(n, v)| (n.parse().expect("a name"), (*v).to_owned())).collect()
    }

    fn written(pairs: &[(&str, &str)], form: Form) -> String {
        write(&config(pairs), form).expect("can be written").text()
    }

    #[test]
    fn each_form_has_its_own_quotes() {
        let pairs = [("A", "it's"), ("B", "a\n\"$x\"")];
        assert_eq!(written(&pairs, Form::Env), "A=\"it's\"\nB=\"a\\n\\\"\\$x\\\"\"\n");
        assert_eq!(written(&pairs, Form::Json), "{\n  \"A\": \"it's\",\n  \"B\": \"a\\n\\\"$x\\\"\"\n}\n");
        assert_eq!(written(&pairs, Form::Shell), "export A='it'\\''s'\nexport B='a\n\"$x\"'\n");
        assert_eq!(written(&pairs, Form::Systemd), "A=\"it's\"\nB=\"a\n\\\"\\$x\\\"\"\n");
        assert_eq!(written(&pairs[..1], Form::Docker), "A=it's\n");
        let error = write(&config(&pairs), Form::Docker).expect_err("two lines").to_string();
        assert!(error.starts_with("config name B has several lines"), "{error}");
    }

    /// What a real shell makes of it.
    fn evaluated(text: &str) -> String {
        let script = format!("{text}printf '%s' \"$A\"");
        let output = Command::new("sh").arg("-c").arg(script).env_remove("A").output().expect("sh runs");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).expect("what went in")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn a_shell_that_evaluates_it_has_the_value_and_runs_nothing(value in "[^\0]{0,40}") {
            prop_assert_eq!(evaluated(&written(&[("A", &value)], Form::Shell)), value);
        }
    }

    #[test]
    fn commands_in_a_value_are_not_run() {
        for value in ["$(touch /tmp/x)", "`id`", "'; id; '", "\\", "!!", "a\nb\n", "~"] {
            assert_eq!(evaluated(&written(&[("A", value)], Form::Shell)), value);
        }
    }
}
