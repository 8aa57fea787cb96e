//! One seed from the first call to the last look: found the account, let everything happen, tidy up, look.

use std::sync::Arc;
use std::time::Duration;

use adf_ctl::aws::VersionLaunch;
use adf_ctl::cli::SettingsArgs;
use adf_ctl::context::Context;
use adf_ctl::deploy::Ended;
use adf_ctl::printer::{Format, Printer};
use adf_ctl::settings::Settings;
use adf_local::model::LifecycleState;
use adf_store::CurrentRelease;
use adf_types::{ConfigValue, DeployRecord, UserData};
use tokio::time::sleep;

use crate::SENTINEL;
use crate::account::{self, app, config_name, name, release_at};
use crate::ears::Ears;
use crate::happening;
use crate::link::{Link, Party};
use crate::machines::Machines;
use crate::operators::{Operators, Said};
use crate::scenario::{Delivery, Errand, RELEASES, Scenario, Turn, Weather};
use crate::stage::Stage;
use crate::tally::Tally;

/// Longer than the two minutes from a Spot notice to the instance's end, and than its replacement's boot.
const AFTERMATH: std::time::Duration = std::time::Duration::from_mins(5);

/// Longer than any world in which everybody ends.
const LONGEST: Duration = Duration::from_hours(6);

/// What became of a seed.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) seed: u64,
    pub(crate) tally: Tally,
    /// The first rule that was broken.
    pub(crate) violation: Option<String>,
    pub(crate) trace: Vec<String>,
    /// All deploys, newest first.
    pub(crate) deploys: Vec<DeployRecord>,
}

impl Played {
    /// For whoever has to understand it.
    pub(crate) fn story(&self) -> String {
        let (seed, what) = (self.seed, self.violation.as_deref().unwrap_or("no rule was broken"));
        let trace = self.trace.join("\n");
        format!(
            "failed {seed} {what}\n{trace}\nreplay: cargo xtask sim --seeds 1 --from {seed}\nend of {seed}"
        )
    }
}

pub(crate) fn seed(seed: u64) -> Played {
    play(&Scenario::of(seed))
}

/// In a runtime of its own, in virtual time.
pub(crate) fn play(scenario: &Scenario) -> Played {
    // The SDK's retries and the agent's draw from here.
    fastrand::seed(scenario.seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let folder = folder();
    // The agent's futures stay on their thread.
    let local = tokio::task::LocalSet::new();
    let ears = Ears::default();
    let hearing = ears.listen();
    let world = world(scenario, folder.path(), &ears);
    let played = local.block_on(&runtime.expect("a runtime"), Box::pin(world));
    drop(hearing);
    drop(local);
    // Blocking threads end with the runtime; the folder goes after them.
    drop(folder);
    played
}

/// In memory, because agents flush what they write.
pub(crate) fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a temporary folder")
}

async fn world(scenario: &Scenario, folder: &std::path::Path, ears: &Ears) -> Played {
    let stage = Stage::of(scenario);
    stage.trace.tell("the world", format!("{scenario:?}"));
    stage.tally(|tally| tally.played("seeds", 1));
    tokio::select! {
        biased;
        () = stage.broken() => {}
        () = sleep(LONGEST) => stage.violate(format!("every wait has a limit: the world lasts longer than {LONGEST:?}")),
        () = Box::pin(acts(&stage, scenario, folder)) => {}
    }
    ears.tell(&stage);
    if stage.violation().is_some() {
        stage.tell_activities();
    }
    let deploys = match stage.known_store() {
        Some(store) => store.deploys(&app(), 20).await.unwrap_or_default(),
        None => Vec::new(),
    };
    Played {
        deploys,
        seed: scenario.seed,
        tally: stage.tally(|tally| tally.clone()),
        violation: stage.violation().cloned(),
        trace: stage.trace.lines(),
    }
}

async fn acts(stage: &Arc<Stage>, scenario: &Scenario, folder: &std::path::Path) {
    let settings = adf_toml(scenario, folder);
    let nobody = Link::new(stage, "nobody", Party::Nobody, Weather::default());
    let context = Context::on(&nobody.sdk_config(), settings.clone(), Printer::new(Format::Json));
    stage.keep_store(context.store.clone());
    found(stage, scenario, &context).await;
    tokio::task::spawn_local(Machines::new(stage, scenario, folder.join("run")).run());
    served(stage, scenario).await;

    stage.begin(scenario);
    let before = stage.group();
    let happenings = tokio::spawn(happening::all(stage.clone(), scenario.clone()));
    let operators = Operators::new(stage, settings, scenario);
    let rows = scenario.cast.iter().map(|turns| operators.row(turns));
    futures_util::future::join_all(rows).await;
    happenings.await.expect("happenings do not panic");
    if !scenario.happenings.is_empty() {
        // What happened last, a Spot notice above all, takes its time to have its effect.
        tokio::time::sleep(AFTERMATH).await;
    }
    tidy(&operators, scenario).await;
    crate::curtain::fall(&operators, scenario, &before).await;
}

fn adf_toml(scenario: &Scenario, folder: &std::path::Path) -> Settings {
    let policy = scenario.policy;
    let text = format!(
        "[app]\nname = \"web\"\n[deploy]\nbake = \"{}ms\"\nmin_probes = {}\nwatch = \"{}ms\"\nboot_timeout = \"{}s\"\n\
         checkpoints = {}\ncheckpoint_delay = \"{}s\"\n",
        policy.bake.as_millis(),
        policy.min_probes,
        policy.watch.as_millis(),
        policy.boot_timeout.as_secs(),
        policy.checkpoints,
        policy.checkpoint_delay.as_secs()
    );
    std::fs::write(folder.join("adf.toml"), text).expect("written");
    Settings::find(&SettingsArgs::default(), folder).expect("a valid adf.toml")
}

/// The account, three releases with their config, and, unless it is the first deploy, v1 on the fleet.
pub(crate) async fn found(stage: &Arc<Stage>, scenario: &Scenario, context: &Context) {
    let (store, aws) = (&context.store, &context.aws);
    let drain = scenario.policy.drain;
    let (template, _) = account::found(&stage.cloud, context, scenario.fleet, drain).await;
    account::put_archives(context, &RELEASES).await;
    for release in RELEASES {
        let url = match scenario.delivery {
            Delivery::Image => format!("docker://ghcr.io/acme/web:{release}"),
            Delivery::Archive | Delivery::Repository => format!("s3://releases/web/{release}.tar.gz"),
        };
        store.put_release(&release_at(release, &url)).await.expect("a new release");
        let only = (config_name("ONLY"), release.to_owned());
        store.set_config(&app(), Some(&name(release)), &[only]).await.expect("set");
    }
    let kms = aws_sdk_kms::Client::new(&stage.cloud.sdk_config());
    let key = kms.create_key().send().await.expect("made").key_metadata.expect("told").key_id;
    let secret = (config_name("TOKEN"), ConfigValue::secret(SENTINEL));
    store.set_secrets(&app(), None, &key, &[secret]).await.expect("sealed");
    if scenario.first {
        return;
    }
    let v1 = store.release(&app(), &name("v1")).await.expect("readable").expect("made");
    let user_data = UserData {
        release_url: Some(v1.url),
        app: Some(app()),
        release: Some(name("v1")),
        release_digest: None,
        deploy: None,
    };
    let launch = VersionLaunch {
        source_version: 1,
        description: "v1".to_owned(),
        client_token: "v1".to_owned(),
        user_data: user_data.render(),
        tags: std::collections::BTreeMap::new(),
    };
    let version = aws.create_template_version(&template, &launch).await.expect("made");
    aws.set_group_template("web", version).await.expect("set");
    aws.set_desired("web", scenario.fleet).await.expect("set");
    let lock = store.take_lock(&app(), "nobody", None).await.expect("free");
    let current = CurrentRelease { current: name("v1"), previous: None };
    store.set_current(&lock, &current).await.expect("set");
    store.free_lock(lock).await.expect("freed");
}

/// Until the fleet of the start serves.
pub(crate) async fn served(stage: &Stage, scenario: &Scenario) {
    let wanted = if scenario.first { 0 } else { scenario.fleet as usize };
    for _ in 0..900 {
        let group = stage.group();
        let serves = |m: &&crate::oracle::Member| m.target && m.state == LifecycleState::InService;
        if group.members.iter().filter(serves).count() == wanted {
            return;
        }
        sleep(Duration::from_secs(1)).await;
    }
    stage.violate(format!("the fleet of the start serves: {:?}", stage.group()));
}

/// Somebody with a good connection ends what is open.
pub(crate) async fn tidy(operators: &Operators, scenario: &Scenario) {
    const TRIES: usize = 5;
    for _ in 0..TRIES {
        let open = operators.stage.store().open_deploy(&app()).await.expect("readable");
        let Some(open) = open else { return };
        let to = RELEASES.into_iter().find(|release| *release == open.to.as_str()).expect("a release");
        let turns = open.step < adf_types::Step::Cleanup || !scenario.tidying.goes_back();
        let errand = match &scenario.tidying {
            Errand::Deploy(_) => Errand::Deploy(to),
            other if turns => other.clone(),
            _ => Errand::Resume,
        };
        let turn = Turn { who: "tidy", after: Duration::ZERO, errand, dies: None, skew: 0 };
        match Box::pin(operators.turn(&turn, Weather::default())).await {
            Said::Failed(error) => {
                let error = crate::operators::chain(&error);
                return operators.stage.violate(format!("an open deploy can be ended: {error}"));
            }
            // The deploy may have ended between the look and the command.
            Said::Refused(_) | Said::Answered | Said::Died => sleep(Duration::from_secs(10)).await,
            Said::Done(ended) => {
                if let Ended::Closed { .. } = *ended {
                    return;
                }
            }
        }
    }
    operators.stage.violate("an open deploy can be ended: it is still open".to_owned());
}
