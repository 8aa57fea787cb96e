//! What people do between deploys.

use std::process::Command;

use adf_ctl::deploy::DeployOptions;
use adf_ctl::estimate::{self, Asked};
use adf_ctl::inspect;
use adf_ctl::release::{How, Request, create};
use adf_store::{Moment, Signature};
use adf_types::ConfigValue;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use tempfile::TempDir;

use crate::world::{World, app, config_name, name};

/// A new KMS key's ARN; the tables' owner makes it.
pub(super) async fn kms_key(world: &World) -> String {
    let kms = aws_sdk_kms::Client::new(&world.cloud.sdk_config());
    let made = kms.create_key().send().await.expect("made").key_metadata.expect("told");
    made.arn.expect("an ARN")
}

/// Every kind of change of Base and of an Overlay, and the way back.
pub(super) async fn config(world: &World, key: &str) {
    let by = adf_config::identity::identity(&world.context.sdk).await.expect("everybody may ask");
    let store = world.context.store.clone().signed(Signature { by, why: None, forced: false });
    for release in [None, Some(&name("v3"))] {
        let (plain, secret) = (config_name("FOO"), config_name("TOKEN"));
        store.set_config(&app(), release, &[(plain.clone(), "1".to_owned())]).await.expect("set");
        let secrets = [(secret.clone(), ConfigValue::secret("hunter2"))];
        store.set_secrets(&app(), release, key, &secrets).await.expect("sealed");
        store.record_reveal(&app(), release, std::slice::from_ref(&secret)).await.expect("recorded");
    }
    let seen = store.read_config(&app(), &name("v3")).await.expect("opened");
    assert_eq!(seen.get(&config_name("TOKEN")), Some("hunter2"));
    let before = store.history(&app(), 1).await.expect("readable").remove(0).id;
    for release in [Some(&name("v3")), None] {
        store.unset_config(&app(), release, &[config_name("FOO")]).await.expect("unset");
        let only = (config_name("ONLY"), "1".to_owned());
        store.set_config(&app(), release, &[only]).await.expect("set");
        let moment = Moment::After(before.clone());
        let then = store.config_at(&app(), release, &moment).await.expect("known");
        assert!(then.names.keys().eq([&config_name("FOO"), &config_name("ONLY")]));
        store.restore_config(&app(), release, &then, None).await.expect("restored");
    }
    // Of v1 as well, so that a deploy of v2 has something to clean up.
    let only = [(config_name("ONLY_V1"), ConfigValue::secret("hunter2"))];
    store.set_secrets(&app(), Some(&name("v1")), key, &only).await.expect("sealed");
    adf_config::rekey::rekey(&store, &app(), None, key).await.expect("sealed anew");
    age_history(world, &before).await;
    let collected = adf_config::gc::collect(&store, &app(), None).await.expect("cleaned up");
    assert_eq!(collected.swept.history, 1);
}

/// Makes a record of the history one that is past its time.
async fn age_history(world: &World, id: &str) {
    let client = aws_sdk_dynamodb::Client::new(&world.cloud.sdk_config());
    let key = [("App", format!("{}#history", app())), ("Name", format!("{id}#00"))];
    let update = client.update_item().table_name("adf-config");
    let key = key.map(|(part, value)| (part.to_owned(), AttributeValue::S(value)));
    let update = update.set_key(Some(key.into())).update_expression("SET PurgeAfter = :past");
    let past = AttributeValue::N("1".to_owned());
    update.expression_attribute_values(":past", past).send().await.expect("aged");
}

/// Makes the release v4.
pub(super) async fn release(world: &World, request: Request) {
    let (context, app) = (&world.context, app());
    let whose = (&app, &name("v4"));
    let made = create(&context.aws, &context.store, context.printer, whose, request, Timestamp::UNIX_EPOCH);
    assert_eq!(made.await.expect("made").how, How::Created);
}

/// Everything that looks and changes nothing.
pub(super) async fn look(world: &World) {
    let (context, app) = (&world.context, app());
    let store = &context.store;
    inspect::status(context, Timestamp::UNIX_EPOCH).await.expect("status");
    inspect::verify(context, Timestamp::UNIX_EPOCH).await.expect("verify");
    inspect::lock(context).await.expect("lock show");
    let history = inspect::history(context, 10, Timestamp::UNIX_EPOCH).await.expect("history");
    let last = &history.deploys[0].id;
    inspect::one_deploy(context, last, 10, Timestamp::UNIX_EPOCH).await.expect("history of one");
    let serving = store.receipts(&app).await.expect("readable").remove(0).instance;
    let logs = inspect::logs(context, &[serving], true, Timestamp::UNIX_EPOCH).await.expect("logs");
    assert_eq!(logs.instances[0].console, Some(inspect::Console::Nothing), "it may be read");
    store.releases(&app).await.expect("release list");
    store.release(&app, &name("v1")).await.expect("release show");
    adf_config::list::list(store, &app, None).await.expect("config list");
    adf_config::diff::diff(store, &app, &name("v2"), &name("v3")).await.expect("config diff");
    adf_config::history::history(store, &app, None, 20).await.expect("config history");
}

/// What a plan reads.
pub(super) async fn plan(world: &World, release: &str) {
    let asked = Asked { options: DeployOptions::of(name(release)), deadline: None };
    Box::pin(estimate::plan(&world.context, &asked)).await.expect("a plan");
}

/// A repository with the tag v4.
pub(super) fn repository() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("Dockerfile"), "FROM scratch\n").expect("a file");
    git(&folder, &["init", "--quiet"]);
    git(&folder, &["add", "--all"]);
    git(&folder, &["commit", "--quiet", "--message", "v4"]);
    git(&folder, &["tag", "v4"]);
    folder
}

/// git with nothing of this machine's settings.
fn git(folder: &TempDir, line: &[&str]) {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder.path()).args(["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]);
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    assert!(git.args(line).status().expect("git is installed").success(), "git {line:?}");
}
