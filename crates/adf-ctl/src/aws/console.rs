//! What a machine printed on its console: readable without any network to it.

use adf_types::InstanceId;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::error::{failed, incomplete};
use super::{Aws, AwsError};

impl Aws {
    /// The last 64 KB of an instance's console, the present moment included where the machine is of the Nitro kind;
    /// others keep what they printed up to their last change of state. `None` when nothing was kept yet, and for an
    /// instance that EC2 has forgotten. See "Instance console output" in the EC2 guide.
    pub async fn console_output(&self, id: &InstanceId) -> Result<Option<String>, AwsError> {
        let ask = |latest| self.ec2.get_console_output().instance_id(id.as_str()).latest(latest).send();
        let mut answer = ask(true).await.map_err(failed("GetConsoleOutput", id));
        // What a machine of the older kind answers to `Latest`.
        if matches!(&answer, Err(error) if error.is_code("UnsupportedOperation")) {
            answer = ask(false).await.map_err(failed("GetConsoleOutput", id));
        }
        let output = match answer {
            Ok(answer) => answer.output.unwrap_or_default(),
            Err(AwsError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let bytes = BASE64
            .decode(output.trim())
            .map_err(|_| incomplete("GetConsoleOutput", id, "base64, which AWS sends it as"))?;
        Ok((!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned()))
    }
}
