//! Archives over HTTPS, and over HTTP from this host only.
//!
//! Redirects are followed by hand, because every hop is checked and shown no more than it may see.

use std::sync::Arc;
use std::time::Duration;

use adf_types::public_url;
use futures_util::{StreamExt as _, TryStreamExt as _};
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Client, ClientBuilder, RequestBuilder, Response};
use url::Url;

use super::hop::{AllowedHosts, is_github};
use super::resolver::{CheckedResolver, System};
use super::trouble::Trouble;
use super::{Access, address, answer, clock, part, resume, trouble};
use crate::failure::chain;
use crate::world::{ConnectStep, Download, FetchError};

pub(super) const MAX_REDIRECTS: usize = 5;

/// What a connection, with TLS, may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// What the first byte of an answer, or the next byte of a body, may take: GitHub makes some archives on demand.
const READ_LIMIT: Duration = Duration::from_mins(1);

pub(super) struct Http {
    client: Result<Client, String>,
    allowed: AllowedHosts,
}

impl Http {
    pub(super) fn new(allowed: AllowedHosts) -> Self {
        let resolver = CheckedResolver { lookup: Arc::new(System), refusal: address::refusal };
        Self::with(Client::builder(), resolver, allowed)
    }

    /// `builder` may trust more certificates, `resolver` may know more names.
    pub(super) fn with(builder: ClientBuilder, resolver: CheckedResolver, allowed: AllowedHosts) -> Self {
        let client = builder
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(resolver))
            .connect_timeout(CONNECT_LIMIT)
            .read_timeout(READ_LIMIT)
            .user_agent(concat!("adf-agent/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { client: client.map_err(|e| chain(&e)), allowed }
    }

    pub(super) async fn open(&self, url: &Url, access: &Access) -> Result<Download, FetchError> {
        self.allowed.check(url)?;
        let client = self.client(url)?;
        let mut at = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let sent = authorized(client.get(at.clone()), &at, access).send().await;
            let response = match sent {
                Ok(response) => response,
                Err(error) => return Err(self.explain(&at, error).await),
            };
            if !response.status().is_redirection() {
                return download(client, &at, access, response);
            }
            at = self.next_hop(&at, &response)?;
        }
        Err(FetchError::Redirect {
            url: public_url(url),
            problem: format!("more than {MAX_REDIRECTS} of them"),
        })
    }

    /// Without the system's root certificates there is no client.
    fn client(&self, url: &Url) -> Result<&Client, FetchError> {
        self.client.as_ref().map_err(|problem| FetchError::Connect {
            host: url.host_str().unwrap_or_default().to_owned(),
            step: ConnectStep::Tls,
            problem: format!("{problem} (is the package ca-certificates installed?)"),
        })
    }

    async fn explain(&self, at: &Url, error: reqwest::Error) -> FetchError {
        let refused = match trouble::of(at, error) {
            Trouble::Other(error) => return error,
            Trouble::Dates(refused) => refused,
        };
        let (Ok(client), FetchError::Certificate { host, clock: ours, .. }) = (&self.client, &refused) else {
            return refused;
        };
        let theirs = clock::ask(client, host).await;
        match theirs.and_then(|theirs| clock::off(*ours, theirs)) {
            Some(off) => FetchError::Clock { host: host.clone(), off },
            None => refused,
        }
    }

    /// Where a redirect leads, when it may be followed.
    fn next_hop(&self, at: &Url, response: &Response) -> Result<Url, FetchError> {
        let refused = |problem: String| FetchError::Redirect { url: public_url(at), problem };
        let location = response.headers().get(LOCATION).and_then(|l| l.to_str().ok());
        let location =
            location.ok_or_else(|| refused(format!("{} without a location", response.status())))?;
        let next = at.join(location).map_err(|e| refused(e.to_string()))?;
        self.allowed.check_hop(at, &next)?;
        Ok(next)
    }
}

/// The token goes where it belongs, decided by the hop's own URL; it is never a default of the client.
pub(super) fn authorized(request: RequestBuilder, at: &Url, access: &Access) -> RequestBuilder {
    match &access.github_token {
        Some(token) if is_github(at) => request.bearer_auth(token.expose()),
        _ => request,
    }
}

fn download(client: &Client, at: &Url, access: &Access, response: Response) -> Result<Download, FetchError> {
    if !response.status().is_success() {
        return Err(answer::refusal(at, access, &response));
    }
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let total = response.content_length();
    let rest = part::Rest::of(client, at, access, &response);
    let reopen = rest.map(|rest| Box::new(rest) as Box<dyn resume::Reopen>);
    Ok(Download { content_type, body: resume::resuming(public_url(at), total, pieces(response), reopen) })
}

pub(super) fn pieces(response: Response) -> resume::Pieces {
    response.bytes_stream().map_err(|error| chain(&error.without_url())).boxed()
}
