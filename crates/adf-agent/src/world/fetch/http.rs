//! Archives over HTTPS, and over HTTP from this host only.
//!
//! Redirects are followed by hand, because every hop is checked: at most five, never from https to http,
//! never to an address of this host's own network.

use std::time::Duration;

use adf_types::ReleaseUrl;
use futures_util::StreamExt as _;
use reqwest::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use url::Url;

use super::filter::FilteringResolver;
use crate::failure::chain;
use crate::world::{Download, FetchError};

const MAX_REDIRECTS: usize = 5;

/// What a connection, with TLS, may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// What the first byte of an answer, or the next byte of a body, may take.
const READ_LIMIT: Duration = Duration::from_mins(1);

pub(super) struct Http {
    client: Client,
}

impl Http {
    pub(super) fn new() -> Self {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(std::sync::Arc::new(FilteringResolver))
            .connect_timeout(CONNECT_LIMIT)
            .read_timeout(READ_LIMIT)
            .user_agent(concat!("adf-agent/", env!("CARGO_PKG_VERSION")))
            .build()
            .expect("a client without options that can fail");
        Self { client }
    }

    pub(super) async fn open(&self, url: &Url) -> Result<Download, FetchError> {
        let mut at = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let sent = self.client.get(at.clone()).send().await;
            let response =
                sent.map_err(|e| FetchError::Connect { url: at.to_string(), problem: chain(&e) })?;
            if !response.status().is_redirection() {
                return download(&at, response);
            }
            at = next_hop(&at, &response)?;
        }
        Err(FetchError::Redirect {
            url: url.to_string(),
            problem: format!("more than {MAX_REDIRECTS} of them"),
        })
    }
}

/// Where a redirect leads, when it may be followed.
fn next_hop(at: &Url, response: &Response) -> Result<Url, FetchError> {
    let refused = |problem: String| FetchError::Redirect { url: at.to_string(), problem };
    let location = response.headers().get(LOCATION).and_then(|l| l.to_str().ok());
    let location = location.ok_or_else(|| refused(format!("{} without a location", response.status())))?;
    let next = at.join(location).map_err(|e| refused(e.to_string()))?;
    check_hop(at, &next).map_err(refused)?;
    Ok(next)
}

/// A hop must itself be a URL that a release may have, and never less protected than the one before.
fn check_hop(at: &Url, next: &Url) -> Result<(), String> {
    let mut bare = next.clone();
    bare.set_fragment(None);
    if !matches!(next.scheme(), "https" | "http") {
        return Err(format!("it leads to {}://", next.scheme()));
    }
    if at.scheme() == "https" && next.scheme() == "http" {
        return Err("it leads from https to http".to_owned());
    }
    let loops_back =
        |url: &Url| url.host_str().is_some_and(|h| h == "localhost" || h.starts_with("127.") || h == "[::1]");
    if loops_back(next) && !loops_back(at) {
        return Err("it leads to this host".to_owned());
    }
    bare.as_str().parse::<ReleaseUrl>().map(|_| ()).map_err(|e| e.to_string())
}

fn download(url: &Url, response: Response) -> Result<Download, FetchError> {
    let status = response.status();
    if !status.is_success() {
        return Err(refusal(url, &response));
    }
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let (url, mut received) = (url.to_string(), 0);
    let body = response.bytes_stream().map(move |piece| match piece {
        Ok(bytes) => {
            received += bytes.len() as u64;
            Ok(bytes)
        }
        Err(error) => Err(FetchError::Cut { url: url.clone(), received, problem: chain(&error) }),
    });
    Ok(Download { content_type, body: body.boxed() })
}

/// 403 with Retry-After is a rate limit and passes; other 4xx do not.
fn refusal(url: &Url, response: &Response) -> FetchError {
    let (status, limited) = (response.status(), response.headers().contains_key(RETRY_AFTER));
    let (url, text) = (url.to_string(), status.to_string());
    let passes = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || limited;
    if passes { FetchError::Server { url, status: text } } else { FetchError::NotFound { url, status: text } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(at: &str, next: &str) -> Result<(), String> {
        check_hop(&at.parse().expect("a URL"), &next.parse().expect("a URL"))
    }

    #[test]
    fn a_redirect_within_https_is_followed() {
        hop("https://github.com/a", "https://codeload.github.com/b").expect("allowed");
        hop("http://127.0.0.1:80/a", "http://127.0.0.1:81/b").expect("allowed");
    }

    #[test]
    fn a_redirect_that_weakens_or_turns_inwards_is_refused() {
        for (at, next) in [
            ("https://host/a", "http://host/a"),
            ("https://host/a", "http://127.0.0.1/a"),
            ("https://host/a", "https://127.0.0.1/a"),
            ("https://host/a", "https://localhost/a"),
            ("https://host/a", "https://169.254.169.254/latest"),
            ("https://host/a", "file:///etc/passwd"),
            ("http://127.0.0.1/a", "http://example.org/a"),
            ("https://host/a", "https://ann:pw@host/a"),
        ] {
            assert!(hop(at, next).is_err(), "{at} -> {next} was followed");
        }
    }
}
