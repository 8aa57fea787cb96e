//! What the app is called in AWS: flags first, then `adf.toml`, then the app's own name.
//!
//! `adf.toml` is looked for from the current folder upwards. Where `--app` names another app than it does,
//! its group, template and target group are left aside: they are not this app's. The rest applies, because
//! one repository often serves several apps, such as `web` and `web-staging`.

use std::path::{Path, PathBuf};

use adf_config::report::Explain;
use adf_types::{AdfToml, AdfTomlError, AppName, ConfigRules};

use crate::cli::SettingsArgs;
use crate::exit::ExitCode;

const FILE: &str = "adf.toml";

/// The value of `target_group` that means: this app has no load balancer.
const NO_TARGET_GROUP: &str = "none";

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    app: Option<AppNames>,
    bucket: Option<String>,
    pub region: Option<String>,
    /// The whole `adf.toml`, or its defaults.
    pub file: AdfToml,
    /// Where it was found.
    path: Option<PathBuf>,
    /// Where the search began.
    start: PathBuf,
}

/// The names of an app and of what is its own in AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppNames {
    pub app: AppName,
    pub group: String,
    /// The launch template.
    pub template: String,
    /// `None` for an app without a load balancer.
    pub target_group: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("no app is named: there is no adf.toml in {0} or above it, and no --app")]
    NoApp(String),
    #[error("no app is named: {0} has no [app] section, and there is no --app")]
    NoAppSection(String),
    #[error("no bucket is named; release archives need one")]
    NoBucket,
    #[error("{path} is not usable")]
    Invalid {
        path: String,
        #[source]
        source: AdfTomlError,
    },
    #[error("cannot read {path}")]
    Unreadable {
        path: String,
        #[source]
        source: std::io::Error,
    },
}

impl Explain for SettingsError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoApp(_) | Self::NoAppSection(_) => {
                "say --app NAME, or write adf.toml with:\n[app]\nname = \"web\""
            }
            Self::NoBucket => "say --bucket NAME, or write bucket = \"NAME\" under [app] in adf.toml",
            Self::Invalid { .. } => "correct the line, or leave the key out for its default",
            Self::Unreadable { .. } => "name an existing file with --config-file",
        };
        Some(hint.to_owned())
    }
}

impl Settings {
    /// Reads `adf.toml` from `start` upwards, or the file that the flags name.
    pub fn find(flags: &SettingsArgs, start: &Path) -> Result<Self, SettingsError> {
        let path = flags.config_file.clone().or_else(|| search(start));
        let file = path.as_deref().map(read).transpose()?.unwrap_or_default();
        let section = file.app.as_ref();
        let app = flags.app.clone().or_else(|| section.map(|s| s.name.clone()));
        Ok(Self {
            app: app.map(|app| names(app, flags, &file)),
            bucket: flags.bucket.clone().or_else(|| section?.bucket.clone()),
            region: flags.region.clone().or_else(|| section?.region.clone()),
            start: start.to_owned(),
            file,
            path,
        })
    }

    pub fn app(&self) -> Result<&AppNames, SettingsError> {
        self.app.as_ref().ok_or_else(|| match &self.path {
            Some(path) => SettingsError::NoAppSection(path.display().to_string()),
            None => SettingsError::NoApp(self.start.display().to_string()),
        })
    }

    /// What the adf.toml at hand asks of config, if it is that of the app in question.
    pub fn config_rules(&self) -> Option<ConfigRules> {
        let named = self.file.app.as_ref()?;
        let meant = self.app.as_ref()?;
        (named.name == meant.app).then(|| self.file.config.rules())
    }

    /// The bucket of release archives; only some commands need one.
    pub fn bucket(&self) -> Result<&str, SettingsError> {
        self.bucket.as_deref().ok_or(SettingsError::NoBucket)
    }
}

fn search(start: &Path) -> Option<PathBuf> {
    start.ancestors().map(|folder| folder.join(FILE)).find(|path| path.is_file())
}

fn read(path: &Path) -> Result<AdfToml, SettingsError> {
    let shown = || path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|source| SettingsError::Unreadable { path: shown(), source })?;
    AdfToml::parse(&text).map_err(|source| SettingsError::Invalid { path: shown(), source })
}

fn names(app: AppName, flags: &SettingsArgs, file: &AdfToml) -> AppNames {
    let section = file.app.as_ref().filter(|s| s.name == app);
    let own = || app.to_string();
    let group = flags.group.clone().or_else(|| section?.group.clone()).unwrap_or_else(own);
    let template = section.and_then(|s| s.template.clone()).unwrap_or_else(own);
    let target = flags.target_group.clone().or_else(|| section?.target_group.clone()).unwrap_or_else(own);
    let target_group = (target != NO_TARGET_GROUP).then_some(target);
    AppNames { app, group, template, target_group }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(adf_toml: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join(FILE), adf_toml).expect("write adf.toml");
        folder
    }

    fn flags(app: Option<&str>) -> SettingsArgs {
        SettingsArgs { app: app.map(|a| a.parse().expect("valid")), ..SettingsArgs::default() }
    }

    #[test]
    fn names_that_are_absent_are_the_apps_own() {
        let folder = folder("[app]\nname = \"web\"\nbucket = \"releases\"\n");
        let settings = Settings::find(&flags(None), folder.path()).expect("valid");
        let names = settings.app().expect("named");
        assert_eq!((names.group.as_str(), names.template.as_str()), ("web", "web"));
        assert_eq!(names.target_group.as_deref(), Some("web"));
        assert_eq!(settings.bucket().expect("named"), "releases");
    }

    #[test]
    fn the_file_is_found_from_a_folder_below() {
        let folder = folder("[app]\nname = \"web\"\n");
        let below = folder.path().join("src/deep");
        std::fs::create_dir_all(&below).expect("folders");
        let settings = Settings::find(&flags(None), &below).expect("valid");
        assert_eq!(settings.app().expect("named").app.as_str(), "web");
    }

    #[test]
    fn flags_win_over_the_file() {
        let folder = folder("[app]\nname = \"web\"\ngroup = \"a\"\ntarget_group = \"none\"\n");
        let flags = SettingsArgs { group: Some("b".into()), ..flags(None) };
        let settings = Settings::find(&flags, folder.path()).expect("valid");
        let names = settings.app().expect("named");
        assert_eq!((names.group.as_str(), names.target_group.as_deref()), ("b", None));
    }

    #[test]
    fn the_names_of_another_app_are_left_aside() {
        let folder = folder("[app]\nname = \"web\"\ngroup = \"web-prod\"\nbucket = \"releases\"\n");
        let settings = Settings::find(&flags(Some("web-staging")), folder.path()).expect("valid");
        assert_eq!(settings.app().expect("named").group, "web-staging");
        assert_eq!(settings.bucket().expect("shared"), "releases");
    }

    #[test]
    fn a_misspelt_key_names_file_key_and_line() {
        let folder = folder("[app]\nname = \"web\"\nbukket = \"releases\"\n");
        let error = Settings::find(&flags(None), folder.path()).expect_err("bukket");
        let shown = adf_config::report::render(&error, crate::printer::Format::Text);
        assert!(
            shown.contains("adf.toml") && shown.contains("bukket") && shown.contains("line 3"),
            "{shown}"
        );
        assert_eq!(error.exit_code(), ExitCode::Usage);
    }

    #[test]
    fn neither_file_nor_flag_is_told_with_what_to_do() {
        let empty = tempfile::tempdir().expect("a temporary folder");
        let settings = Settings::find(&flags(None), empty.path()).expect("no file is fine");
        let error = settings.app().expect_err("no app");
        assert!(error.hint().expect("a hint").contains("--app NAME"));
    }
}
