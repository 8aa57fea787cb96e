//! Operators and readers under the policies that `adf-ctl iam-policy` prints: an AWS that enforces them lets
//! everything through that these do, and every permission is used by something.

mod errands;

use std::collections::BTreeSet;

use adf_config::export;
use adf_ctl::deploy::DeployOptions;
use adf_ctl::inspect;
use adf_ctl::policy::{Place, Role, Scope, policy};
use adf_ctl::printer::Text as _;
use adf_ctl::release::Request;
use adf_local::iam::Decision;
use adf_store::Tables;
use adf_types::{ConfigValue, Outcome, Step, Strategy};
use jiff::Timestamp;

use crate::agents::Fate;
use crate::template;
use crate::world::{World, app, closed, config_name, name};

const BUCKET: &str = "releases";

/// What an operator may do that nothing here does: Sid, action and condition, and why.
const UNUSED: [(&str, &str); 4] = [
    ("KeepConfig dynamodb:GetItem dynamodb:LeadingKeys=web#history", TOGETHER),
    ("ReadState dynamodb:GetItem dynamodb:LeadingKeys=web#receipts", TOGETHER),
    ("ReadState dynamodb:Query dynamodb:LeadingKeys=web#images", TOGETHER),
    (
        "FindArchives s3:ListBucket",
        "S3 says 403 instead of 404 of an object that is gone to those who may not list",
    ),
];

const TOGETHER: &str = "a read of what other calls of the statement read or write anyway: apart, the statements would \
                        not fit into the 6,144 characters of a managed policy";

/// The world as somebody of this role reaches it; its access key is the role's name.
fn of_role(world: &World, role: Role, kms_key: &str) -> (World, adf_local::iam::Policy) {
    let scope = Scope {
        names: world.names().clone(),
        tables: Tables::default(),
        place: Place {
            region: Some("us-east-1".to_owned()),
            account: Some("123456789012".parse().expect("an account")),
        },
        bucket: Some(BUCKET.to_owned()),
        kms_key: Some(kms_key.parse().expect("a key")),
        instance_role: "web".to_owned(),
        image_repository: None,
        canary_target_group: None,
        alarms: false,
        replace_unhealthy: false,
    };
    let printed: adf_local::iam::Policy = policy(role, &scope).text().parse().expect("a policy");
    let access_key = format!("{role:?}");
    world.cloud.restrict(&access_key, printed.clone());
    (world.through(&world.cloud.sdk_config_of(&access_key)), printed)
}

/// What was done under a policy, by grant. Fails where something was denied.
fn used(decisions: &[Decision]) -> BTreeSet<String> {
    let denied: Vec<String> =
        decisions.iter().filter(|d| d.grants.is_empty()).map(|d| d.call.to_string()).collect();
    assert!(denied.is_empty(), "denied:\n{}", denied.join("\n"));
    decisions.iter().flat_map(|decision| decision.grants.clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_operator_does_everything_under_its_policy_and_needs_all_of_it() {
    // Room for one deploy, so that the next ones have to make some.
    let world = Box::pin(World::serving_in(template::room_for(7))).await;
    template::fill(&world, 4).await;
    let key = errands::kms_key(&world).await;
    world.context.aws.ensure_bucket(BUCKET).await.expect("a bucket");
    let (operator, printed) = of_role(&world, Role::Operator, &key);

    errands::config(&operator, &key).await;
    let repository = errands::repository();
    let tag = Request::Git { folder: repository.path().to_owned(), bucket: BUCKET.to_owned() };
    Box::pin(errands::release(&operator, tag)).await;
    assert_eq!(operator.deploy("v2").await.outcome, Some(Outcome::Succeeded));
    Box::pin(errands::look(&operator)).await;
    Box::pin(errands::plan(&operator, "v3")).await;
    rolled_back_in_the_watch(&operator).await;
    refreshed_and_rolled_back(&operator).await;
    operator.fate("v3", Fate::NeverHealthy);
    let without_canary = DeployOptions { canary: false, ..DeployOptions::of(name("v3")) };
    let record = closed(operator.deploy_with(&without_canary).await.expect("a driven deploy"));
    assert!(matches!(record.outcome, Some(Outcome::RolledBack { .. })), "{record:#?}");
    assert_eq!(operator.deploy("v1").await.outcome, Some(Outcome::Succeeded));
    operator.assert_only("v1").await;
    let restarted =
        closed(operator.restart(&crate::restart::options("10%")).await.expect("a driven restart"));
    assert_eq!(restarted.outcome, Some(Outcome::Succeeded));

    let used = used(&world.cloud.take_decisions("Operator"));
    let unused: BTreeSet<String> = printed.grants().difference(&used).cloned().collect();
    assert_eq!(unused, UNUSED.iter().map(|(grant, _why)| (*grant).to_owned()).collect());
}

async fn refreshed_and_rolled_back(operator: &World) {
    let options = DeployOptions { strategy: Some(Strategy::Refresh), ..DeployOptions::of(name("v3")) };
    let deploying = operator.clone();
    let driver = tokio::spawn(async move { deploying.deploy_with(&options).await });
    operator.until(Step::Replace).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let record = closed(operator.rollback().await.expect("a rollback"));
    driver.await.expect("no panic").expect("a driven deploy");
    assert!(matches!(record.outcome, Some(Outcome::RolledBack { .. })), "{record:#?}");
}

async fn rolled_back_in_the_watch(operator: &World) {
    let driver = operator.start("v3");
    operator.until(Step::Watch).await;
    let record = closed(operator.rollback().await.expect("a rollback"));
    driver.await.expect("no panic").expect("a driven deploy");
    assert!(matches!(record.outcome, Some(Outcome::RolledBack { .. })), "{record:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_reader_sees_everything_but_secrets_and_needs_all_of_its_policy() {
    let world = Box::pin(World::serving()).await;
    let key = errands::kms_key(&world).await;
    let (reader, printed) = of_role(&world, Role::Reader, &key);
    Box::pin(errands::look(&reader)).await;
    assert_eq!(used(&world.cloud.take_decisions("Reader")), printed.grants());

    let secret = (config_name("TOKEN"), ConfigValue::secret("hunter2"));
    world.context.store.set_secrets(&app(), None, &key, &[secret]).await.expect("set");
    let listed = adf_config::list::list(&reader.context.store, &app(), Some(&name("v1"))).await;
    assert!(listed.expect("readable").config.iter().any(|item| item.name == config_name("TOKEN")));
    let error = inspect::verify(&reader.context, Timestamp::UNIX_EPOCH).await.expect_err("it is a secret");
    assert!(error.to_string().contains("kms:Decrypt"), "{error}");
    assert!(export::read(&reader.context.store, &app(), None).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_reader_cannot_deploy() {
    let world = Box::pin(World::serving()).await;
    let key = errands::kms_key(&world).await;
    let (reader, _) = of_role(&world, Role::Reader, &key);
    let error = reader.try_deploy("v2").await.expect_err("it may not even look at the target group");
    assert!(error.to_string().contains("AccessDenied"), "{error}");
    world.assert_only("v1").await;
}
