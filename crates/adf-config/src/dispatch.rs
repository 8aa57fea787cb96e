//! From a verb to its result, printed.

use adf_store::{ConfigVersion, EditBasis, Edits, Entry, Fence, Moment, Signature, Store};
use adf_types::{AppName, ConfigName, ConfigRules, ReleaseName};
use aws_config::SdkConfig;
use serde::Serialize;

use crate::error::ConfigError;
use crate::get::Got;
use crate::identity::identity;
use crate::printer::{Printer, Text};
use crate::safety::{Becomes, Intended, look};
use crate::verb::{Force, Reveal, Terms, Verb, Why};
use crate::{
    diff, exec, export, gc, get, history, import, list, migrate, rekey, restore, secret, set, show, unset,
};

/// Which config is meant, and who asks.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub sdk: &'a SdkConfig,
    pub store: &'a Store,
    pub app: &'a AppName,
    /// The release whose Overlay is meant; nothing for Base.
    pub release: Option<&'a ReleaseName>,
    /// What the adf.toml at hand asks of config, if there is one.
    pub rules: Option<&'a ConfigRules>,
}

/// Does what the verb says and prints the result.
pub async fn run(subject: Subject<'_>, printer: Printer, verb: Verb) -> Result<(), ConfigError> {
    let Subject { store, app, release, .. } = subject;
    match verb {
        Verb::List | Verb::Show { explain: false } => {
            let listing = list::list(store, app, release).await?;
            listing.warning().into_iter().for_each(|warning| printer.note(&warning));
            printer.data(&listing);
        }
        Verb::Show { explain: true } => printer.data(&show::explain(store, app, release).await?),
        Verb::Get { name, reveal } => printer.data(&subject.get(&name, reveal).await?),
        Verb::Set { assignments, unset, secret, terms } => {
            let key = secret.secret.then_some(secret.key.kms_key.as_str());
            let assignments = match key {
                Some(_) => secret::ask(&secret::names(&assignments)?)?,
                None => set::assignments(&assignments)?,
            };
            subject.edit(printer, set::edits(key, assignments, unset)?, terms).await?;
        }
        Verb::Import { file, secret, terms } => {
            let key = secret.secret.then_some(secret.key.kms_key.as_str());
            subject.edit(printer, set::edits(key, import::read(&file)?, Vec::new())?, terms).await?;
        }
        Verb::Export { format, reveal } => {
            let config = export::read(store, app, release).await?;
            subject.shown(config.secrets().map(|(name, _)| name.clone()).collect(), reveal).await?;
            printer.data(&export::write(&config, format)?);
        }
        Verb::Diff { from, to } => printer.data(&diff::diff(store, app, &from, &to).await?),
        Verb::Exec { command } => {
            let config = export::read(store, app, release).await?;
            match exec::exec(app, release, &config, &command)? {}
        }
        Verb::Unset { names, terms } => subject.unset(printer, names, terms).await?,
        Verb::History { name, limit } => {
            printer.data(&history::history(store, app, name.as_ref(), limit).await?);
        }
        Verb::Restore { at, why, force } => subject.restore(printer, at, why, force).await?,
        Verb::Rekey { key, why } => {
            let store = subject.signed(why, Force::default()).await?;
            told(printer, &rekey::rekey(&store, app, release, &key.kms_key).await?, rekey::Rekeyed::summary);
        }
        Verb::Gc { plan: true, .. } => printer.data(&gc::propose(store, app, release).await?),
        Verb::Gc { plan: false, why } => {
            let store = subject.signed(why, Force::default()).await?;
            told(printer, &gc::collect(&store, app, release).await?, gc::Collected::summary);
        }
        Verb::Migrate { from, why } => subject.migrate(printer, from, why).await?,
    }
    Ok(())
}

/// A change is told in a sentence; its data is for `--json`.
fn told<T: Text + Serialize>(printer: Printer, done: &T, summary: fn(&T) -> String) {
    printer.note(&summary(done));
    printer.data(done);
}

impl Subject<'_> {
    /// The store for a change: the history says whose it is.
    async fn signed(&self, why: Why, force: Force) -> Result<Store, ConfigError> {
        let by = identity(self.sdk).await?;
        Ok(self.store.clone().signed(Signature { by, why: why.message, forced: force.force }))
    }

    async fn edit(&self, printer: Printer, edits: Edits, terms: Terms) -> Result<(), ConfigError> {
        let store = self.signed(terms.why, terms.force).await?;
        let gone = if self.release.is_some() { Becomes::Gone } else { Becomes::Unsaid };
        let set = edits.set.iter().map(|(name, value)| (name, Becomes::Value(value.expose())));
        let unset = edits.unset.iter().map(|name| (name, gone));
        let fence = self.unobjected(printer, &set.chain(unset).collect(), terms.force).await?;
        let edits = Edits { basis: basis(terms.based_on), fence, ..edits };
        let done = set::set(&store, self.app, self.release, &edits, terms.in_parts).await?;
        told(printer, &done, set::Set::summary);
        Ok(())
    }

    async fn unset(&self, printer: Printer, names: Vec<ConfigName>, terms: Terms) -> Result<(), ConfigError> {
        let store = self.signed(terms.why, terms.force).await?;
        let intended = names.iter().map(|name| (name, Becomes::Gone)).collect();
        let fence = self.unobjected(printer, &intended, terms.force).await?;
        let edits = Edits { basis: basis(terms.based_on), fence, ..Edits::unset(names) };
        let done = unset::unset(&store, self.app, self.release, edits, terms.in_parts).await?;
        told(printer, &done, unset::Unset::summary);
        Ok(())
    }

    async fn restore(
        &self,
        printer: Printer,
        at: Option<Moment>,
        why: Why,
        force: Force,
    ) -> Result<(), ConfigError> {
        if at.is_none() && self.release.is_none() {
            return Err(ConfigError::RestoreWhat);
        }
        let store = self.signed(why, force).await?;
        let done = match (at, self.release) {
            (None, Some(release)) => restore::cleaned(&store, self.app, release).await?,
            (None, None) => return Err(ConfigError::RestoreWhat),
            (Some(moment), release) => {
                let then = store.config_at(self.app, release, &moment).await?;
                let intended = then.names.iter().map(|(name, was)| (name, becomes(was.as_ref()))).collect();
                let fence = self.unobjected(printer, &intended, force).await?;
                restore::restore(&store, self.app, release, then, fence.as_ref()).await?
            }
        };
        told(printer, &done, restore::Restored::summary);
        Ok(())
    }

    async fn migrate(&self, printer: Printer, from: String, why: Why) -> Result<(), ConfigError> {
        if self.release.is_some() {
            return Err(ConfigError::MigrateRelease);
        }
        let store = self.signed(why, Force::default()).await?;
        let migrated = migrate::migrate(&store, self.app, &from, self.rules).await?;
        printer.data(&migrated);
        if migrated.is_whole() { Ok(()) } else { Err(ConfigError::NotAllMigrated { from }) }
    }

    /// Refuses a change that something speaks against, unless it is forced. What it was held against must still be so
    /// when it is made.
    async fn unobjected(
        &self,
        printer: Printer,
        intended: &Intended<'_>,
        force: Force,
    ) -> Result<Option<Fence>, ConfigError> {
        if force.force {
            return Ok(None);
        }
        let looked = look(self.store, self.app, self.release, intended, self.rules).await?;
        if looked.blind {
            printer.note("the state table may not be read, so the change is held against no release");
        }
        if looked.objections.is_empty() {
            Ok(looked.fence)
        } else {
            Err(ConfigError::Objections(looked.objections))
        }
    }

    async fn get(&self, name: &ConfigName, reveal: Reveal) -> Result<Got, ConfigError> {
        match get::get(self.store, self.app, self.release, name).await {
            Err(ConfigError::IsSecret(_)) if reveal.reveal => {
                let config = export::read(self.store, self.app, self.release).await?;
                self.shown(vec![name.clone()], reveal).await?;
                get::of(&config, self.app, self.release, name)
            }
            other => other,
        }
    }

    /// Records that secrets are shown, before they are; refuses to show them unasked.
    async fn shown(&self, secrets: Vec<ConfigName>, reveal: Reveal) -> Result<(), ConfigError> {
        if secrets.is_empty() {
            return Ok(());
        }
        if !reveal.reveal {
            return Err(ConfigError::HasSecrets(secrets));
        }
        let store = self.signed(Why::default(), Force::default()).await?;
        Ok(store.record_reveal(self.app, self.release, &secrets).await?)
    }
}

fn basis(version: Option<ConfigVersion>) -> EditBasis {
    version.map_or(EditBasis::Now, EditBasis::Version)
}

/// What restoring an old entry makes of its name.
fn becomes(was: Option<&Entry>) -> Becomes<'_> {
    match was {
        Some(Entry::Value(value)) => Becomes::Value(value.expose()),
        Some(Entry::Secret(_)) => Becomes::Sealed,
        Some(Entry::Unset) => Becomes::Gone,
        None => Becomes::Unsaid,
    }
}
