//! Images on their way from and to registries.

use std::time::Duration;

use adf_types::{Digest, ImageRef};
use bollard::Docker as Client;
use bollard::auth::DockerCredentials;
use bollard::errors::Error;
use bollard::query_parameters::{CreateImageOptionsBuilder, PushImageOptionsBuilder, TagImageOptionsBuilder};
use futures_util::{Stream, StreamExt as _};

use super::error::{not_answering, refused};
use crate::world::{Credentials, DockerError, RegistryError};

/// Docker reports progress all the time; without it the registry or the network hangs.
const SILENCE_LIMIT: Duration = Duration::from_mins(2);

/// A large image on a slow line; the boot's own limit, or the push's, is usually shorter.
const TOTAL_LIMIT: Duration = Duration::from_mins(45);

pub(super) async fn pull(
    client: &Client,
    image: &ImageRef,
    login: Option<&Credentials>,
) -> Result<(), RegistryError> {
    let client = client.clone().with_timeout(TOTAL_LIMIT);
    let options = CreateImageOptionsBuilder::default().from_image(&image.exact()).build();
    let credentials = login.map(|login| credentials(image, login));
    let answers = std::pin::pin!(client.create_image(Some(options), None, credentials));
    follow(image, answers, |_| ()).await
}

/// Pushes an image by its tag; the registry's answer to that is its digest.
pub(super) async fn push(
    client: &Client,
    image: &ImageRef,
    login: Option<&Credentials>,
) -> Result<Digest, RegistryError> {
    let client = client.clone().with_timeout(TOTAL_LIMIT);
    let name = image.exact();
    let (repository, tag) = name.rsplit_once(':').unwrap_or((&name, "latest"));
    let options = PushImageOptionsBuilder::default().tag(tag).build();
    let credentials = login.map(|login| credentials(image, login));
    let answers = std::pin::pin!(client.push_image(repository, Some(options), credentials));
    let mut digest = None;
    follow(image, answers, |info| {
        digest = info.status.as_deref().and_then(pushed_digest).or_else(|| digest.take());
    })
    .await?;
    digest.ok_or_else(|| RegistryError::Unreachable {
        host: image.repository().host().to_owned(),
        image: image.to_string(),
        problem: "the push ended without a digest".to_owned(),
    })
}

pub(super) async fn tag(client: &Client, image: &str, tag: &str) -> Result<(), DockerError> {
    let (repository, tag) = tag.rsplit_once(':').unwrap_or((tag, "latest"));
    let options = TagImageOptionsBuilder::default().repo(repository).tag(tag).build();
    client.tag_image(image, Some(options)).await.map_err(|e| refused("tag an image", e))
}

/// Reads Docker's answers to their end, or to the first error.
async fn follow<T>(
    image: &ImageRef,
    mut answers: impl Stream<Item = Result<T, Error>> + Unpin,
    mut each: impl FnMut(T),
) -> Result<(), RegistryError> {
    loop {
        match tokio::time::timeout(SILENCE_LIMIT, answers.next()).await {
            Ok(None) => return Ok(()),
            Ok(Some(Ok(info))) => each(info),
            Ok(Some(Err(
                Error::DockerStreamError { error: message }
                | Error::DockerResponseServerError { message, .. },
            ))) => return Err(RegistryError::from_docker(image, &message)),
            Ok(Some(Err(other))) => return Err(not_answering(&other).into()),
            Err(_) => {
                let problem = format!("no progress for {} s", SILENCE_LIMIT.as_secs());
                return Err(RegistryError::from_docker(image, &problem));
            }
        }
    }
}

fn credentials(image: &ImageRef, login: &Credentials) -> DockerCredentials {
    DockerCredentials {
        username: Some(login.username.clone()),
        password: Some(login.password.expose().to_owned()),
        serveraddress: Some(image.repository().host().to_owned()),
        ..DockerCredentials::default()
    }
}

/// `v1: digest: sha256:... size: 528`
fn pushed_digest(status: &str) -> Option<Digest> {
    let (_, rest) = status.split_once("digest: ")?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_a_push_is_read() {
        let digest = format!("sha256:{}", "7".repeat(64));
        let read = pushed_digest(&format!("v1: digest: {digest} size: 528")).expect("a digest");
        assert_eq!(read.to_string(), digest);
        assert_eq!(pushed_digest("Pushed"), None);
        assert_eq!(pushed_digest("v1: digest: sha256:12 size: 1"), None);
    }
}
