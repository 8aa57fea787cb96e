//! Release, config and deploy in one command.

use adf_config::report::Explain;
use adf_ctl::cli::{Cli, Command, ShipArgs};
use adf_ctl::context::Context;
use adf_ctl::{CtlError, ExitCode, commands};
use clap::Parser as _;

use crate::common::{Repo, context};

fn typed(repo: &Repo, more: &[&str]) -> ShipArgs {
    let path = repo.path().to_str().expect("UTF-8");
    let line = ["adf-ctl", "ship", "v1", "--repo", path].into_iter().chain(more.iter().copied());
    let Command::Ship(args) = Cli::try_parse_from(line).expect("a command").command else { panic!("ship") };
    args
}

async fn ship(context: &Context, repo: &Repo, more: &[&str]) -> CtlError {
    Box::pin(commands::ship(context, typed(repo, more))).await.expect_err("there is no group to deploy to")
}

async fn changes(context: &Context) -> usize {
    let app = &context.settings.app().expect("web").app;
    context.store.history(app, 9).await.expect("readable").len()
}

#[tokio::test(start_paused = true)]
async fn the_part_that_fails_ends_it_and_typed_again_it_goes_on_from_there() {
    let repo = Repo::new();
    let (_cloud, context) = context(repo.path()).await;
    let app = context.settings.app().expect("web").app.clone();
    let name = "v1".parse().expect("a name");
    let error = ship(&context, &repo, &["--set", "FOO=1", "--set", "BAR=2"]).await;
    assert!(matches!(error, CtlError::Deploy(_)), "{error}");
    let made = context.store.release(&app, &name).await.expect("readable").expect("it was made");
    let config = context.store.read_config(&app, &name).await.expect("readable");
    assert_eq!(config.get(&"FOO".parse().expect("a name")), Some("1"));
    assert!(context.store.read_base(&app).await.expect("readable").is_empty(), "for this release only");

    let before = changes(&context).await;
    ship(&context, &repo, &["--set", "FOO=1", "--set", "BAR=2"]).await;
    assert_eq!(changes(&context).await, before, "what is set is not set again");
    assert_eq!(context.store.release(&app, &name).await.expect("readable"), Some(made));
    ship(&context, &repo, &["--set", "FOO=1", "--set", "BAR=3"]).await;
    let config = context.store.read_config(&app, &name).await.expect("readable");
    assert_eq!(config.get(&"BAR".parse().expect("a name")), Some("3"));
}

#[tokio::test(start_paused = true)]
async fn words_that_are_no_config_are_refused_before_a_release_is_made() {
    let repo = Repo::new();
    let (_cloud, context) = context(repo.path()).await;
    let error = ship(&context, &repo, &["--set", "FOO"]).await;
    assert_eq!(error.exit_code(), ExitCode::Usage, "{error}");
    let app = &context.settings.app().expect("web").app;
    assert!(context.store.releases(app).await.expect("readable").is_empty());
}
