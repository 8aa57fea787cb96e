//! What a plan says, held against what the deploy then does.

use std::time::Duration;

use adf_config::report::Explain;
use adf_ctl::deploy::DeployOptions;
use adf_ctl::estimate::{self, Asked, From, Plan};
use adf_ctl::exit::ExitCode;
use adf_ctl::printer::Text as _;
use adf_local::model::groups::GroupSpec;
use adf_local::model::targets::HealthCheckRequest;
use adf_types::{ImageSource, Outcome, ReleaseImage, Step};
use jiff::Timestamp;

use crate::world::{World, app, config_name, name, release};

async fn plan(world: &World, release: &str) -> Plan {
    let asked = Asked { options: DeployOptions::of(name(release)), deadline: None };
    Box::pin(estimate::plan(&world.context, &asked)).await.expect("a plan")
}

#[tokio::test(start_paused = true)]
async fn a_plan_from_past_deploys_is_close_to_what_the_next_one_takes() {
    let world = World::serving().await;
    world.deploy("v2").await;
    world.deploy("v3").await;
    let planned = plan(&world, "v2").await;
    assert_eq!((planned.capacity, planned.from.clone()), (3, Some(name("v3"))));
    assert!(planned.obstacles.is_empty(), "{planned:#?}");
    let canary = planned.estimate.rows.iter().find(|row| row.step == Step::Canary).expect("a canary");
    assert_eq!(canary.from, From::LastDeploys(2), "v1 had no canary");
    let record = world.deploy("v2").await;
    assert_eq!(record.outcome, Some(Outcome::Succeeded));
    let replaced = record.progress.replaced_at.expect("replaced").duration_since(record.started_at);
    let whole = record.finished_at.expect("closed").duration_since(record.started_at);
    for (planned, took) in [
        (planned.estimate.promise_seconds, replaced.as_secs_f64()),
        (planned.estimate.whole_seconds, whole.as_secs_f64()),
    ] {
        // The load balancer is counted with every pass of its threshold, 10 s each time, and takes one here.
        assert!(planned >= took && planned <= took + 25.0, "planned {planned} s, took {took} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_changes_nothing() {
    let world = World::serving().await;
    let only_v1 = (config_name("ONLY_V1"), "1".to_owned());
    world.context.store.set_config(&app(), Some(&name("v1")), &[only_v1]).await.expect("set");
    world.deploy("v2").await;
    world.cloud.take_counts();
    plan(&world, "v1").await;
    let writes = world.cloud.take_counts().into_keys().filter(|call| {
        let reads = ["Describe", "Query", "GetItem", "TransactGetItems", "HEAD"];
        !reads.iter().any(|verb| call.split(':').nth(1).is_some_and(|name| name.starts_with(verb)))
    });
    // The agents of the world write receipts meanwhile.
    let writes: Vec<String> = writes.filter(|call| call != "dynamodb:PutItem").collect();
    assert_eq!(writes, Vec::<String>::new());
    let config = world.context.store.read_config(&app(), &name("v1")).await.expect("readable");
    assert_eq!(config.get(&config_name("ONLY_V1")), None, "a deploy would bring it back, a plan does not");
}

#[tokio::test(start_paused = true)]
async fn live_settings_that_break_the_deadline_are_named_with_the_command() {
    let world = World::serving().await;
    world.cloud.model(|model, _| {
        let arn = model.target_groups().next().expect("web").arn.clone();
        let delay = ("deregistration_delay.timeout_seconds".to_owned(), "300".to_owned());
        model.modify_target_group_attributes(&arn, &[delay]).expect("set");
        let slow = HealthCheckRequest {
            interval: Some(30),
            healthy_threshold: Some(10),
            ..HealthCheckRequest::default()
        };
        model.modify_target_group(&arn, slow).expect("set");
    });
    let planned = plan(&world, "v2").await;
    assert!(!planned.estimate.fits);
    let text = planned.text();
    assert!(text.contains("10 health checks 30 s apart, 300 s alone breaks the deadline of 300 s"), "{text}");
    assert!(text.contains("--health-check-interval-seconds 5"), "{text}");
    assert!(text.contains("deregistration delay 300 s: for as long"), "{text}");
    assert!(text.contains("Key=deregistration_delay.timeout_seconds,Value=30"), "{text}");
    world.cloud.take_counts();
    let options = DeployOptions::of(name("v2"));
    let line = estimate::forecast(&world.context, &options).await.expect("a deploy begins with it, too");
    assert!(
        line.contains("v2 will miss its deadline") && line.contains("--health-check-interval-seconds 5"),
        "{line}"
    );
    let counts = world.cloud.take_counts();
    let calls: usize = counts.iter().filter(|(call, _)| *call != "dynamodb:PutItem").map(|(_, n)| n).sum();
    assert!(calls <= 4, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_deploy_that_fits_has_no_forecast_and_neither_has_one_that_is_open() {
    let world = World::serving().await;
    let options = DeployOptions::of(name("v2"));
    assert_eq!(estimate::forecast(&world.context, &options).await, None);
    let driver = world.start("v2");
    world.until(Step::Judge).await;
    assert_eq!(estimate::forecast(&world.context, &options).await, None);
    let open = plan(&world, "v3").await.obstacles;
    assert!(
        open.iter().any(|o| o.reason.contains("is open") && o.mend.contains("adf-ctl rollback")),
        "{open:?}"
    );
    driver.abort();
}

#[tokio::test(start_paused = true)]
async fn a_forecast_that_nobody_answers_keeps_no_deploy_waiting() {
    let world = World::serving().await;
    let silent = adf_local::cloud::Scripted::Unreachable;
    world.cloud.script("elasticloadbalancing:DescribeTargetGroups", 100, &silent);
    let before = tokio::time::Instant::now();
    let options = DeployOptions::of(name("v2"));
    assert_eq!(estimate::forecast(&world.context, &options).await, None);
    assert!(before.elapsed() <= Duration::from_secs(5), "{:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn everything_that_a_deploy_would_be_refused_for_is_told_at_once() {
    let world = World::serving().await;
    world.cloud.model(|model, now| {
        let spec = GroupSpec { max: Some(5), ..Default::default() };
        model.update_group("web", &spec, now).expect("updated");
        model.suspend_processes("web", &["Launch".to_owned()]).expect("suspended");
    });
    let mut v4 = release("v4");
    v4.config.required = vec![config_name("DB")];
    world.context.store.put_release(&v4).await.expect("new");
    let planned = plan(&world, "v4").await;
    let obstacles = planned.obstacles;
    let told: Vec<&str> = obstacles.iter().map(|o| o.mend.as_str()).collect();
    assert!(told.iter().any(|mend| mend.contains("resume-processes")), "{obstacles:#?}");
    let room = planned.estimate.warnings.iter().find(|warning| warning.why.contains("maximum of group web"));
    assert!(room.is_some_and(|room| room.why.contains("from 5 to 6")), "{:#?}", planned.estimate.warnings);
    assert!(told.iter().any(|mend| mend.contains("adf-ctl config set DB=VALUE")), "{obstacles:#?}");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_release_is_not_found() {
    let world = World::serving().await;
    let asked = Asked { options: DeployOptions::of(name("v9")), deadline: None };
    let error = Box::pin(estimate::plan(&world.context, &asked)).await.expect_err("unknown");
    assert_eq!(error.exit_code(), ExitCode::NotFound);
}

/// Who has to build is told by the release's record, and by how the instances of now came by their image.
#[tokio::test(start_paused = true)]
async fn who_builds_is_read_from_the_recorded_image_and_from_receipts() {
    let world = World::serving().await;
    let store = &world.context.store;
    let builds = async |release| {
        let rows = plan(&world, release).await.estimate.rows;
        let of = |step| rows.iter().any(|row| row.step == step && row.what.contains("build"));
        (of(Step::Canary), of(Step::Replace))
    };
    assert_eq!(builds("v2").await, (true, true), "nothing says that there is an image repository");
    let mut pulled = store.receipts(&app()).await.expect("readable").remove(0);
    pulled.image_source = Some(ImageSource::Pulled);
    store.put_receipt(&pulled).await.expect("written");
    assert_eq!(builds("v2").await, (true, false), "the canary pushes what it builds");
    let image = ReleaseImage {
        image: format!("registry.example/web@sha256:{}", "0".repeat(64)).parse().expect("an image"),
        pushed_by: pulled.instance.clone(),
        pushed_at: Timestamp::UNIX_EPOCH,
    };
    store.put_release_image(&app(), &name("v3"), &image).await.expect("recorded");
    assert_eq!(builds("v3").await, (false, false), "it is there already");
}
