//! What every stage of a boot has at hand.

use tokio::sync::OnceCell;

use crate::ready::Hook;
use crate::report::Reporter;
use crate::settings::Settings;
use crate::state::Memory;
use crate::world::{Aws, World};

#[derive(Debug)]
pub struct Agent {
    pub world: World,
    pub settings: Settings,
    pub reporter: Reporter,
    aws: OnceCell<Aws>,
    hook: std::sync::OnceLock<Hook>,
}

impl Agent {
    pub fn new(world: World, settings: Settings) -> Self {
        let memory = Memory::new(&settings.state_dir);
        let reporter = Reporter::new(settings.run_dir.clone(), memory, settings.boot_timeout);
        Self { world, settings, reporter, aws: OnceCell::new(), hook: std::sync::OnceLock::new() }
    }

    /// The AWS clients of the instance's region; made once.
    pub async fn aws(&self, region: &str) -> &Aws {
        self.aws.get_or_init(|| self.world.connect.connect(region)).await
    }

    /// Keeps the launch hook for whoever ends the boot, well or badly.
    pub fn keep_hook(&self, hook: Hook) {
        let _ = self.hook.set(hook);
    }

    /// The launch hook, once the instance is known.
    pub fn hook(&self) -> Option<&Hook> {
        self.hook.get()
    }
}
