//! Machine images: whether one is still there to launch from.

use super::error::failed;
use super::{Aws, AwsError};

/// A machine image, as far as a launch cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageState {
    Available,
    /// AWS's word for what it is instead, as `disabled`.
    Otherwise(String),
    /// Deregistered, or not shared with this account any more.
    Gone,
}

impl Aws {
    pub async fn image_state(&self, id: &str) -> Result<ImageState, AwsError> {
        let answer = self.ec2.describe_images().image_ids(id).include_disabled(true).send().await;
        let answer = match answer.map_err(failed("DescribeImages", id)) {
            Ok(answer) => answer,
            Err(AwsError::NotFound { .. }) => return Ok(ImageState::Gone),
            // What EC2 says of one that was deregistered, see "Error codes" in its API reference.
            Err(error) if error.is_code("InvalidAMIID.Unavailable") => return Ok(ImageState::Gone),
            Err(error) => return Err(error),
        };
        let image = answer.images.unwrap_or_default().into_iter().next();
        Ok(match image.map(|image| image.state) {
            None => ImageState::Gone,
            Some(Some(state)) if state.as_str() == "available" => ImageState::Available,
            Some(state) => {
                ImageState::Otherwise(state.map_or_else(|| "unknown".to_owned(), |s| s.as_str().to_owned()))
            }
        })
    }
}
