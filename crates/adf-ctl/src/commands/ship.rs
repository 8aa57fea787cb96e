//! `adf-ctl ship`: release, config and deploy in one command.
//!
//! The rule: each part is the command of its name, looks before it acts, and ends the whole with its own exit code.

use std::collections::BTreeMap;

use adf_config::set::assignments;
use adf_config::verb::{Secret, Terms, Verb};
use adf_store::Entry;
use adf_types::ReleaseName;

use super::{config, deploy, release};
use crate::cli::{ConfigArgs, CreateArgs, ReleaseVerb, ShipArgs};
use crate::context::Context;
use crate::error::CtlError;

/// Makes the release unless it is made, sets what is not set, and deploys.
pub async fn run(context: &Context, args: ShipArgs) -> Result<(), CtlError> {
    let ShipArgs { deploy: deploy_args, repo, set } = args;
    let name = deploy_args.release.clone();
    let verb = setting(set);
    // What is wrong with the words is found before anything is done.
    verb.check()?;
    let create = CreateArgs { name: name.clone(), repo, url: None, digest: None };
    release::run(context, ReleaseVerb::Create(create)).await?;
    Box::pin(set_missing(context, &name, verb)).await?;
    Box::pin(deploy::run(context, deploy_args)).await
}

fn setting(assignments: Vec<String>) -> Verb {
    Verb::Set { assignments, unset: Vec::new(), secret: Secret::default(), terms: Terms::default() }
}

/// Names that have their value already are left alone, so that the history tells each change once.
async fn set_missing(context: &Context, name: &ReleaseName, verb: Verb) -> Result<(), CtlError> {
    let Verb::Set { assignments: texts, .. } = verb else { return Ok(()) };
    if texts.is_empty() {
        return Ok(());
    }
    let app = &context.settings.app()?.app;
    let there: BTreeMap<_, _> = context.store.read_layer(app, Some(name)).await?.into_iter().collect();
    let asked = assignments(&texts).map_err(adf_config::ConfigError::from)?;
    let differs = asked.iter().map(|asked| match there.get(&asked.name) {
        Some(Entry::Value(value)) => value.expose() != asked.value,
        _ => true,
    });
    let left: Vec<String> =
        texts.iter().zip(differs).filter(|(_, differs)| *differs).map(|(text, _)| text.clone()).collect();
    if left.is_empty() {
        context.printer.note(&format!("already set: config of {app} {name}"));
        return Ok(());
    }
    config::run(context, ConfigArgs { verb: setting(left), release: Some(name.clone()) }).await
}
