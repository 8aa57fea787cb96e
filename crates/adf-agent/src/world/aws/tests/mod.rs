//! The real clients under the policy that `adf-ctl iam-policy --role agent` prints, before an AWS that enforces it.

mod sources;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use adf_local::cloud::Cloud;
use adf_local::model::groups::{GroupSpec, NewGroup};
use adf_local::model::templates::{LaunchData, NewTemplate, TemplateKey};
use adf_store::{Store, Tables};
use adf_types::{
    AppName, ConfigName, ConfigValue, InstanceId, InstanceState, ProbeCounts, Receipt, ReleaseImage,
    ReleaseName,
};
use futures_util::TryStreamExt as _;
use jiff::Timestamp;

use super::clients;
use crate::settings::Settings;
use crate::world::{Access, ActionResult, Aws, EcrHost, Transition};

/// What the policy allows and no client here asks for: Docker does, with the login that the agent got.
const OF_DOCKER: [&str; 7] = [
    "PullImage ecr:BatchCheckLayerAvailability",
    "PullImage ecr:BatchGetImage",
    "PullImage ecr:GetDownloadUrlForLayer",
    "PushImage ecr:CompleteLayerUpload",
    "PushImage ecr:InitiateLayerUpload",
    "PushImage ecr:PutImage",
    "PushImage ecr:UploadLayerPart",
];

/// The key that the policy in the snapshot names.
const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// The policy as adf-ctl's tests have it on record: the two programs share no code but types and store.
fn printed() -> String {
    let path = "../adf-ctl/tests/policy/snapshots/policy__printed__agent.snap";
    let snapshot = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path));
    let snapshot = snapshot.expect("the snapshot of adf-ctl's test");
    snapshot.splitn(3, "---\n").nth(2).expect("a header, then the policy").to_owned()
}

fn app() -> AppName {
    "web".parse().expect("a name")
}

fn release() -> ReleaseName {
    "v1".parse().expect("a name")
}

/// An account in which `web` has config, secrets in both layers and an archive.
async fn account() -> (Cloud, Store, String) {
    let cloud = Cloud::new("us-east-1", Timestamp::UNIX_EPOCH);
    let store = Store::connect(&cloud.sdk_config(), Tables::default());
    store.create_tables().await.expect("made");
    let kms = aws_sdk_kms::Client::new(&cloud.sdk_config());
    let made = kms.create_key().send().await.expect("made").key_metadata.expect("told");
    let key = made.arn.expect("an ARN");
    for layer in [None, Some(&release())] {
        let name: ConfigName = if layer.is_some() { "B" } else { "A" }.parse().expect("a name");
        let secrets = [(name, ConfigValue::secret("hunter2"))];
        store.set_secrets(&app(), layer, &key, &secrets).await.expect("set");
    }
    let s3 = aws_sdk_s3::Client::new(&cloud.sdk_config());
    s3.create_bucket().bucket("releases").send().await.expect("made");
    let put = s3.put_object().bucket("releases").key("web/v1.tar.gz").body(b"archive".to_vec().into());
    put.send().await.expect("put");
    (cloud, store, key)
}

/// An instance in the group `web`.
async fn member(cloud: &Cloud) -> InstanceId {
    cloud.model(|model, now| {
        let data = LaunchData { image_id: Some("ami-0adf0000000000001".to_owned()), ..LaunchData::default() };
        let template = NewTemplate { name: "web".to_owned(), data, ..NewTemplate::default() };
        model.create_template(template, now).expect("the name is free");
        let spec = GroupSpec {
            min: Some(1),
            max: Some(1),
            template: Some((TemplateKey::Name("web".to_owned()), None)),
            subnet_ids: Some(model.network().subnets.iter().map(|subnet| subnet.id.clone()).collect()),
            ..GroupSpec::default()
        };
        let new = NewGroup { name: "web".to_owned(), spec, ..NewGroup::default() };
        model.create_group(new, now).expect("a valid group");
    });
    tokio::time::sleep(Duration::from_mins(1)).await;
    let id = cloud.model(|model, _| model.instances().next().map(|instance| instance.id.clone()));
    id.expect("launched").parse().expect("an id")
}

/// Every method of every client of AWS. What AWS answers is not the point, but who may ask.
async fn everything(aws: &Aws, instance: &InstanceId) {
    let config = aws.table.read_config(&app(), &release()).await.expect("both layers, opened");
    assert_eq!(config.secrets().count(), 2);
    assert_eq!(aws.table.release(&app(), &release()).await, Ok(None));
    assert_eq!(aws.table.release_image(&app(), &release()).await, Ok(None));
    aws.table.put_release_image(&app(), &release(), &image(instance)).await.expect("recorded");
    aws.table.put_receipt(&receipt(instance)).await.expect("written");

    let url = "s3://releases/web/v1.tar.gz".parse().expect("a URL");
    let download = aws.fetch.open(&url, &Access::default()).await.expect("opened");
    assert_eq!(download.body.try_collect::<Vec<_>>().await.expect("read").concat(), b"archive");
    let host = EcrHost::parse("123456789012.dkr.ecr.us-east-1.amazonaws.com").expect("a registry");
    aws.ecr.login(&host).await.expect_err("adf-local plays no registry");

    let membership = aws.lifecycle.membership(instance).await.expect("told").expect("a member");
    let hooks = aws.lifecycle.hooks(&membership.group, Transition::Launching).await.expect("told");
    assert_eq!((membership.group.as_str(), hooks.len()), ("web", 0));
    // The group has no hook, so there is nothing to answer.
    let _ = aws.lifecycle.complete("web", "adf-launch", instance, ActionResult::Continue).await;
    let _ = aws.lifecycle.heartbeat("web", "adf-launch", instance).await;
    aws.lifecycle.set_unhealthy(instance).await.expect("reported");
}

fn image(instance: &InstanceId) -> ReleaseImage {
    let image = format!("registry.example/web@sha256:{}", "0".repeat(64));
    ReleaseImage {
        image: image.parse().expect("a reference"),
        pushed_by: instance.clone(),
        pushed_at: Timestamp::UNIX_EPOCH,
    }
}

fn receipt(instance: &InstanceId) -> Receipt {
    Receipt {
        instance: instance.clone(),
        app: app(),
        release: release(),
        release_digest: None,
        deploy: None,
        image_id: None,
        image_source: None,
        image_fallback: None,
        image_builder: None,
        config_hash: None,
        ami: None,
        agent_version: "0".to_owned(),
        boot_id: None,
        state: InstanceState::Serving,
        timings: Vec::new(),
        probes: ProbeCounts::default(),
        restarts: 0,
        notice: None,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

#[tokio::test(start_paused = true)]
async fn the_agent_asks_for_what_its_policy_allows_and_for_all_of_it() {
    let (cloud, _, key) = account().await;
    let instance = member(&cloud).await;
    let policy: adf_local::iam::Policy = printed().replace(KEY, &key).parse().expect("a policy");
    cloud.restrict("agent", policy.clone());
    let aws = clients(&cloud.sdk_config_of("agent"), &Settings::default());
    everything(&aws, &instance).await;
    let decisions = cloud.take_decisions("agent");
    let denied: Vec<String> =
        decisions.iter().filter(|d| d.grants.is_empty()).map(|d| d.call.to_string()).collect();
    assert_eq!(denied, Vec::<String>::new());
    let used: BTreeSet<String> = decisions.into_iter().flat_map(|decision| decision.grants).collect();
    let unused: Vec<String> = policy.grants().difference(&used).cloned().collect();
    assert_eq!(unused, OF_DOCKER);
}

#[tokio::test(start_paused = true)]
async fn an_instance_of_another_app_reads_none_of_it() {
    let (cloud, store, key) = account().await;
    let policy = printed().replace(KEY, &key).replace("web", "webshop");
    cloud.restrict("shop", policy.parse().expect("a policy"));
    let aws = clients(&cloud.sdk_config_of("shop"), &Settings::default());
    let error = aws.table.read_config(&app(), &release()).await.expect_err("not its config");
    assert!(error.message.contains("AccessDenied"), "{error}");
    let url = "s3://releases/web/v1.tar.gz".parse().expect("a URL");
    assert!(aws.fetch.open(&url, &Access::default()).await.is_err());
    let instance = "i-0123456789abcdef0".parse().expect("an id");
    assert!(aws.table.put_receipt(&receipt(&instance)).await.is_err());
    assert_eq!(store.receipts(&app()).await.expect("readable"), []);
}

#[tokio::test(start_paused = true)]
async fn an_instance_changes_no_config() {
    let (cloud, _, key) = account().await;
    cloud.restrict("agent", printed().replace(KEY, &key).parse().expect("a policy"));
    let store = Store::connect(&cloud.sdk_config_of("agent"), Tables::default());
    let change = [("A".parse().expect("a name"), "1".to_owned())];
    assert!(store.set_config(&app(), None, &change).await.is_err());
    assert!(store.history(&app(), 1).await.is_err());
    assert!(store.releases(&app()).await.is_err(), "it is told which release it runs");
}
