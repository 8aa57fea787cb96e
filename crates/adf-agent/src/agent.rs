//! What every stage of a boot has at hand.

use std::sync::OnceLock;

use tokio::sync::{Notify, OnceCell};

use crate::hook::Hook;
use crate::publish::Publication;
use crate::report::Reporter;
use crate::settings::Settings;
use crate::state::Memory;
use crate::world::{Aws, MetadataSession, World};

#[derive(Debug)]
pub struct Agent {
    pub world: World,
    pub settings: Settings,
    pub reporter: Reporter,
    pub metadata: MetadataSession,
    /// Told by SIGHUP: read the config anew.
    pub reload: Notify,
    aws: OnceCell<Aws>,
    hook: OnceLock<Hook>,
    run_before: OnceLock<()>,
    publication: OnceLock<Publication>,
}

impl Agent {
    pub fn new(world: World, settings: Settings) -> Self {
        let memory = Memory::new(&settings.state_dir);
        let host = world.host.clone();
        let clock = std::sync::Arc::new(move || host.now());
        let reporter = Reporter::new(settings.run_dir.clone(), memory, settings.boot_timeout, clock);
        let metadata = MetadataSession::new(world.imds.clone());
        Self {
            world,
            settings,
            reporter,
            metadata,
            reload: Notify::new(),
            aws: OnceCell::new(),
            hook: OnceLock::new(),
            run_before: OnceLock::new(),
            publication: OnceLock::new(),
        }
    }

    /// The AWS clients of the instance's region; made once.
    pub async fn aws(&self, region: &str) -> &Aws {
        self.aws.get_or_init(|| self.world.connect.connect(region)).await
    }

    /// Keeps the launch hook for whoever ends the boot, well or badly.
    pub fn keep_hook(&self, hook: Hook) {
        let _ = self.hook.set(hook);
    }

    /// There are containers of this instance from an earlier start.
    pub fn found_containers(&self) {
        let _ = self.run_before.set(());
    }

    pub fn has_run_before(&self) -> bool {
        self.run_before.get().is_some()
    }

    /// The launch hook, once the instance is known.
    pub fn hook(&self) -> Option<&Hook> {
        self.hook.get()
    }

    /// Keeps what is to be pushed until the app serves.
    pub fn keep_publication(&self, publication: Publication) {
        let _ = self.publication.set(publication);
    }

    pub fn publication(&self) -> Option<&Publication> {
        self.publication.get()
    }
}
