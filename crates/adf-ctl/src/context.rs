//! What every command that talks to AWS works with.

use std::sync::Arc;

use aws_config::SdkConfig;

use adf_store::Store;

use crate::aws::Aws;
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
        Self { settings, sdk: Arc::new(sdk.clone()), store, aws: Aws::new(sdk), printer }
    }
}
