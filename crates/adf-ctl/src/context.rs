//! What every command that talks to AWS works with.

use std::sync::Arc;

use aws_config::SdkConfig;
use jiff::Timestamp;

use adf_store::Store;

use crate::aws::Aws;
use crate::deploy::clock::Clock;
use crate::deploy::stop::Stop;
use crate::error::CtlError;
use crate::printer::Printer;
use crate::settings::Settings;

#[derive(Debug, Clone)]
pub struct Context {
    pub settings: Settings,
    /// Shared: it is large, and a context is cloned.
    pub sdk: Arc<SdkConfig>,
    pub store: Store,
    pub aws: Aws,
    pub printer: Printer,
    /// The time of day, read once for the whole command.
    pub clock: Clock,
    /// Who can ask the command to stop, if it is not Ctrl-C.
    stop: Option<Stop>,
}

impl Context {
    /// Settles region and credentials; calls nothing of AWS yet.
    pub async fn open(settings: Settings, printer: Printer) -> Result<Self, CtlError> {
        let sdk = adf_config::connect(settings.region.as_deref()).await?;
        Ok(Self::on(&sdk, settings, printer))
    }

    /// On a connection that is there already.
    pub fn on(sdk: &SdkConfig, settings: Settings, printer: Printer) -> Self {
        let store = adf_config::connect::store(sdk);
        let clock = Clock::starting_at(Timestamp::now());
        let sdk = Arc::new(sdk.clone());
        let aws = Aws::new(&sdk);
        Self { settings, sdk, store, aws, printer, clock, stop: None }
    }

    /// With another clock than the machine's, and told to stop by somebody else than Ctrl-C.
    #[must_use]
    pub fn played(self, clock: Clock, stop: Stop) -> Self {
        Self { clock, stop: Some(stop), ..self }
    }

    /// Only a command that stops in order asks for this: from then on Ctrl-C ends the process no more by itself.
    pub fn stop(&self) -> Stop {
        self.stop.clone().unwrap_or_else(Stop::on_ctrl_c)
    }
}
