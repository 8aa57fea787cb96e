//! A whole life in a group of adf-local: launched, continued, terminated, drained, let go.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use adf_local::cloud::Cloud;
use adf_local::front::Front;
use adf_local::imds::{Imds, PORT};
use adf_local::model::groups::{GroupSpec, HookRequest, NewGroup};
use adf_local::model::templates::{LaunchData, NewTemplate, TemplateKey};
use adf_local::model::{LifecycleState, Settings};
use base64::Engine as _;
use jiff::Timestamp;

use crate::rig::{Agent, DOCKERFILE, Rig, answer, archive, eventually};

const GROUP: &str = "web";

/// Longer than the test: whoever waits for it has not been told.
const HEARTBEAT: i32 = 120;

fn hook(name: &str, transition: &str) -> HookRequest {
    HookRequest {
        name: name.to_owned(),
        transition: Some(format!("autoscaling:EC2_INSTANCE_{transition}")),
        heartbeat: Some(HEARTBEAT),
        ..HookRequest::default()
    }
}

/// A group of one, whose instance is told to run what the rig serves.
fn launch(cloud: &Cloud, rig: &Rig) {
    let user_data = format!("RELEASE_URL=\"{}/web.tar.gz\"\n", rig.server.uri());
    let data = LaunchData {
        image_id: Some("ami-0adf0000000000001".to_owned()),
        iam_profile_name: Some("adf-instance".to_owned()),
        user_data: Some(base64::engine::general_purpose::STANDARD.encode(user_data)),
        ..LaunchData::default()
    };
    cloud.model(|model, now| {
        let template = NewTemplate { name: GROUP.to_owned(), data, ..NewTemplate::default() };
        model.create_template(template, now).expect("the name is free");
        let spec = GroupSpec {
            min: Some(0),
            max: Some(1),
            desired: Some(1),
            template: Some((TemplateKey::Name(GROUP.to_owned()), None)),
            subnet_ids: Some(model.network().subnets.iter().map(|subnet| subnet.id.clone()).collect()),
            ..GroupSpec::default()
        };
        let hooks = vec![hook("adf-launch", "LAUNCHING"), hook("adf-terminate", "TERMINATING")];
        let new = NewGroup { name: GROUP.to_owned(), spec, hooks, ..NewGroup::default() };
        model.create_group(new, now).expect("a valid group");
    });
}

async fn reaches(cloud: &Cloud, id: &str, state: LifecycleState) {
    eventually(&format!("{state:?}"), async || {
        cloud.model(|model, _| model.instance(id)?.lifecycle_state()).filter(|now| *now == state)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_instance_drains_and_then_lets_its_group_go_on() {
    let mut rig = Rig::new().await;
    let toml = b"[run]\nstop_grace = \"1s\"\ninterval = \"200ms\"\n";
    rig.serve("/web.tar.gz", &archive(Some(DOCKERFILE), &[("adf.toml", toml)])).await;
    let network = Ipv4Addr::new(127, 92, 0, 0);
    let settings = Settings { network, boot_delay: Duration::ZERO, ..Settings::default() };
    let cloud = Cloud::with_settings(settings, u64::from(std::process::id()), Timestamp::now());
    let front = Front::open(cloud.clone(), 0).await.expect("a free port");
    launch(&cloud, &rig);
    let (id, address) = eventually("an instance", async || {
        cloud.model(|model, _| model.instances().next().map(|it| (it.id.clone(), it.private_ip)))
    })
    .await;
    let mut imds = Imds::new(cloud.clone());
    imds.reconcile().await;
    rig.instance.clone_from(&id);
    rig.address = IpAddr::V4(address).to_string();
    let settings = rig.settings("");
    let mut command = rig.command(&settings, &front.url());
    command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("http://{address}:{PORT}"));
    let log = std::fs::File::create(rig.log_path()).expect("a log file");
    let mut agent = Agent(command.stderr(log).spawn().expect("the agent starts"));

    answer(&rig.address).await;
    reaches(&cloud, &id, LifecycleState::InService).await;
    cloud.model(|model, now| model.terminate_in_group(&id, true, now)).expect("it is a member");
    reaches(&cloud, &id, LifecycleState::TerminatingWait).await;
    assert_eq!(rig.containers(false).len(), 1, "it still answers what is under way");

    let began = Instant::now();
    reaches(&cloud, &id, LifecycleState::TerminatingProceed).await;
    assert!(began.elapsed() < Duration::from_mins(1), "told, and not timed out: {:?}", began.elapsed());
    assert_eq!(rig.containers(false), Vec::<String>::new(), "drained before it let the group go on");
    assert_eq!(agent.0.wait().expect("it ends by itself").code(), Some(0), "{}", rig.log());
    assert!(
        rig.log().contains("I183 the Auto Scaling group takes this instance out of service"),
        "{}",
        rig.log()
    );
}
