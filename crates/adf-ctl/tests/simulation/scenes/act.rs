//! Playing a script: each line at its time, each command to its end, the oracle looking on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use adf_ctl::cli::SettingsArgs;
use adf_ctl::context::Context;
use adf_ctl::printer::{Format, Printer};
use adf_ctl::settings::Settings;
use adf_local::model::groups::GroupSpec;
use adf_types::Step;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::paper::{Names, Paper};
use super::person::{self, Machine, Typed};
use super::phrase::Event;
use super::script::{Cue, Line, Script, What, When};
use super::world::World;
use super::{events, serving};
use crate::SENTINEL;
use crate::account::app;
use crate::link::{Link, Party};
use crate::machines::Machines;
use crate::operators::Operators;
use crate::play;
use crate::scenario::{Happening, Weather};
use crate::stage::Stage;

/// Longer than any story.
const ENDLESS: Duration = Duration::from_hours(3);

/// What each line said, by the line's number.
type Blocks = Vec<(usize, String)>;

/// In a runtime of its own, in virtual time.
pub(super) fn play(path: &str, script: &Script) -> Blocks {
    let world = World::of(script);
    fastrand::seed(world.scenario.seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let folder = play::folder();
    let local = tokio::task::LocalSet::new();
    let story = story(path, script, world, folder.path());
    let blocks = local.block_on(&runtime.expect("a runtime"), Box::pin(story));
    drop(local);
    drop(folder);
    blocks
}

async fn story(path: &str, script: &Script, mut world: World, folder: &Path) -> Blocks {
    for line in &script.lines {
        if let What::Cue(_, Cue::Happens(Event::Desired(desired))) = line.what {
            let percent = desired * 100 / world.scenario.fleet.max(1);
            world.scenario.happenings.push((Duration::ZERO, Happening::Scale(percent)));
        }
    }
    let stage = Stage::of(&world.scenario);
    let blocks = tokio::select! {
        biased;
        () = stage.broken() => Vec::new(),
        blocks = Box::pin(acts(&stage, path, script, &world, folder)) => blocks,
    };
    if let Some(violation) = stage.violation() {
        panic!("{path}: a rule is broken: {violation}\n{}", stage.trace.lines().join("\n"));
    }
    let mut names = Names::of(&stage.trace.lines());
    let readable = |(number, block): (usize, String)| {
        assert!(!block.contains(SENTINEL), "{path}:{number} shows a secret:\n{block}");
        (number, names.readable(&block))
    };
    blocks.into_iter().map(readable).collect()
}

async fn acts(stage: &Arc<Stage>, path: &str, script: &Script, world: &World, folder: &Path) -> Blocks {
    let scenario = &world.scenario;
    world.write_toml(folder);
    let settings =
        Settings::find(&SettingsArgs::default(), folder).unwrap_or_else(|e| panic!("{path}: {e:?}"));
    let nobody = Link::new(stage, "nobody", Party::Nobody, Weather::default());
    let context = Context::on(&nobody.sdk_config(), settings.clone(), Printer::new(Format::Json));
    stage.keep_store(context.store.clone());
    play::found(stage, scenario, &context).await;
    tokio::task::spawn_local(Machines::new(stage, scenario, folder.join("run")).run());
    play::served(stage, scenario).await;
    if let Some((min, max)) = world.sizes {
        let spec = GroupSpec { min: Some(min), max: Some(max), ..GroupSpec::default() };
        stage.cloud.model(|model, now| model.update_group("web", &spec, now)).expect("sizes that AWS takes");
    }
    stage.begin(scenario);
    let before = stage.group();
    let mut act = Act {
        stage: stage.clone(),
        folder: folder.to_owned(),
        weather: scenario.weather,
        origin: Instant::now(),
        machines: BTreeMap::new(),
        tasks: Vec::new(),
        blocks: Vec::new(),
    };
    act.script(path, script).await;
    let operators = Operators::new(stage, settings, scenario);
    play::tidy(&operators, scenario).await;
    crate::curtain::fall(&operators, scenario, &before).await;
    act.blocks.into_iter().map(|(number, paper)| (number, paper.block())).collect()
}

struct Act {
    stage: Arc<Stage>,
    folder: PathBuf,
    weather: Weather,
    origin: Instant,
    /// The last machine that each operator sat at.
    machines: BTreeMap<String, Machine>,
    tasks: Vec<JoinHandle<()>>,
    blocks: Vec<(usize, &'static Paper)>,
}

impl Act {
    async fn script(&mut self, path: &str, script: &Script) {
        for line in &script.lines {
            if let What::Cue(when, cue) = &line.what {
                self.await_cue(path, line, when).await;
                self.begin(line, cue).await;
            }
        }
        self.all_end(path).await;
    }

    async fn await_cue(&mut self, path: &str, line: &Line, when: &When) {
        match when {
            When::Next => self.all_end(path).await,
            When::At(time) => {
                let number = line.number;
                assert!(
                    self.origin.elapsed() <= *time,
                    "{path}:{number}: it is {:?} already",
                    self.origin.elapsed()
                );
                sleep_until(self.origin + *time).await;
            }
            When::After(step, time) => {
                let reached = timeout(ENDLESS, self.reached(*step)).await;
                assert!(reached.is_ok(), "{path}:{}: step {step} never begins", line.number);
                sleep(*time).await;
            }
        }
    }

    /// Everything that was begun.
    async fn all_end(&mut self, path: &str) {
        for task in self.tasks.drain(..) {
            let ended =
                timeout(ENDLESS, task).await.unwrap_or_else(|_| panic!("{path}: a command never ends"));
            ended.expect("a command does not panic");
        }
    }

    async fn reached(&self, step: Step) {
        loop {
            let open = self.stage.store().open_deploy(&app()).await.expect("readable");
            if open.is_some_and(|open| open.step >= step) {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn begin(&mut self, line: &Line, cue: &Cue) {
        let paper = Paper::new(self.origin);
        self.blocks.push((line.number, paper));
        self.stage.trace.tell("the script", &line.text);
        match cue {
            Cue::Serving => paper.write(&serving::words(&self.stage).await),
            Cue::Happens(Event::Machine(who, fall)) => {
                let hit = self.machines.get(who).is_some_and(|machine| machine.falls(*fall));
                if !hit {
                    paper.write(&format!("{who} runs no command"));
                }
            }
            Cue::Happens(event) => paper.write(&events::happen(&self.stage, event)),
            Cue::Types { who, line } => {
                let (machine, runs) = person::sit(Typed {
                    stage: self.stage.clone(),
                    folder: self.folder.clone(),
                    who: who.clone(),
                    line: line.clone(),
                    weather: self.weather,
                    paper,
                });
                self.machines.insert(who.clone(), machine);
                self.tasks.push(tokio::task::spawn_local(runs));
            }
        }
    }
}
