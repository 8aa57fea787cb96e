//! `adf-ctl release`: create, list, show.

use std::path::PathBuf;

use adf_types::{AppName, ReleaseName, ReleaseRecord};
use serde::Serialize;

use crate::cli::{CreateArgs, ReleaseVerb};
use crate::context::Context;
use crate::error::CtlError;
use crate::printer::{Text, table};
use crate::release::{self, Request};

pub(super) async fn run(context: &Context, verb: ReleaseVerb) -> Result<(), CtlError> {
    match verb {
        ReleaseVerb::Create(args) => create(context, args).await,
        ReleaseVerb::List => list(context).await,
        ReleaseVerb::Show { name } => show(context, &name).await,
    }
}

async fn create(context: &Context, args: CreateArgs) -> Result<(), CtlError> {
    let app = &context.settings.app()?.app;
    let request = match args.url {
        Some(url) => Request::Url { url, digest: args.digest },
        None => Request::Git {
            folder: args.repo.unwrap_or_else(|| PathBuf::from(".")),
            bucket: context.settings.bucket()?.to_owned(),
        },
    };
    let (aws, store, printer) = (&context.aws, &context.store, context.printer);
    let created =
        release::create(aws, store, printer, (app, &args.name), request, context.clock.now()).await?;
    printer.note(&created.summary());
    printer.data(&created);
    Ok(())
}

/// The releases of an app, newest first.
#[derive(Debug, Serialize)]
struct Listing {
    app: AppName,
    current: Option<ReleaseName>,
    releases: Vec<ReleaseRecord>,
}

impl Text for Listing {
    fn text(&self) -> String {
        let row = |r: &ReleaseRecord| {
            let current = self.current.as_ref() == Some(&r.release);
            [
                r.release.to_string(),
                format!("{:.0}", r.created_at),
                r.commit.as_deref().map_or("-", |c| c.get(..12).unwrap_or(c)).to_owned(),
                r.digest.as_ref().or(r.tree.as_ref()).map_or("-".to_owned(), adf_types::Digest::short),
                r.url.to_string(),
                if current { "current" } else { "" }.to_owned(),
            ]
        };
        table(["RELEASE", "MADE", "COMMIT", "DIGEST", "URL", ""], self.releases.iter().map(row))
    }
}

async fn list(context: &Context) -> Result<(), CtlError> {
    let app = &context.settings.app()?.app;
    let releases = newest_first(context, app).await?;
    if releases.is_empty() && context.store.read_layer(app, None).await?.is_empty() {
        return Err(CtlError::UnknownApp(app.clone()));
    }
    let current = context.store.current(app).await?.map(|c| c.current);
    context.printer.data(&Listing { app: app.clone(), current, releases });
    Ok(())
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Shown(ReleaseRecord);

impl Text for Shown {
    fn text(&self) -> String {
        let r = &self.0;
        let digest = |d: &Option<adf_types::Digest>| d.as_ref().map_or("-".to_owned(), ToString::to_string);
        let required: Vec<&str> = r.config.required.iter().map(adf_types::ConfigName::as_str).collect();
        let lines = [
            ("app", r.app.to_string()),
            ("release", r.release.to_string()),
            ("url", r.url.to_string()),
            ("digest", digest(&r.digest)),
            ("tree", digest(&r.tree)),
            ("commit", r.commit.clone().unwrap_or("-".to_owned())),
            ("required config", if required.is_empty() { "-".to_owned() } else { required.join(", ") }),
            ("made at", format!("{:.0}", r.created_at)),
            ("made by", r.created_by.clone()),
        ];
        let line = |(key, value): &(&str, String)| format!("{key:<16} {}\n", crate::printer::plain(value));
        lines.iter().map(line).collect()
    }
}

async fn show(context: &Context, name: &ReleaseName) -> Result<(), CtlError> {
    let app = &context.settings.app()?.app;
    let Some(record) = context.store.release(app, name).await? else {
        let known = newest_first(context, app).await?.into_iter().map(|r| r.release).collect();
        return Err(CtlError::UnknownRelease { app: app.clone(), release: name.clone(), known });
    };
    context.printer.data(&Shown(record));
    Ok(())
}

async fn newest_first(context: &Context, app: &AppName) -> Result<Vec<ReleaseRecord>, CtlError> {
    let mut releases = context.store.releases(app).await?;
    releases.sort_by_key(|r| std::cmp::Reverse(r.created_at));
    Ok(releases)
}
