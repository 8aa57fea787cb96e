//! The rest of a file over HTTP (RFC 9110, sections 13 and 14): asked for only where the server's answer can be
//! proven to belong to the same file.

use adf_types::public_url;
use async_trait::async_trait;
use jiff::SignedDuration;
use reqwest::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE, LAST_MODIFIED,
    RANGE,
};
use reqwest::{Client, Response, StatusCode};
use url::Url;

use super::http::{authorized, pieces};
use super::resume::{NotResumed, Pieces, Reopen, check_range};
use super::trouble::{self, Trouble};
use super::{Access, clock};

/// A file of which the rest can be asked for.
pub(super) struct Rest {
    client: Client,
    at: Url,
    access: Access,
    validator: HeaderValue,
    total: Option<u64>,
}

impl Rest {
    /// Nothing where the server takes no ranges, or gives no strong validator.
    pub(super) fn of(client: &Client, at: &Url, access: &Access, response: &Response) -> Option<Self> {
        let headers = response.headers();
        let ranges = headers.get(ACCEPT_RANGES).is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"bytes"));
        if !ranges || headers.contains_key(CONTENT_ENCODING) {
            return None;
        }
        let (client, access) = (client.clone(), access.clone());
        let validator = validator(headers)?;
        Some(Self { client, at: at.clone(), access, validator, total: response.content_length() })
    }
}

#[async_trait]
impl Reopen for Rest {
    async fn reopen(&mut self, offset: u64) -> Result<Pieces, NotResumed> {
        let request = self
            .client
            .get(self.at.clone())
            .header(RANGE, format!("bytes={offset}-"))
            .header(IF_RANGE, self.validator.clone());
        let sent = authorized(request, &self.at, &self.access).send().await;
        let response = sent.map_err(|error| match trouble::of(&self.at, error) {
            Trouble::Dates(error) | Trouble::Other(error) => NotResumed::YetAgain(error.to_string()),
        })?;
        let status = response.status();
        if status == StatusCode::PARTIAL_CONTENT {
            let range = response.headers().get(CONTENT_RANGE).and_then(|v| v.to_str().ok());
            check_range(range, offset, self.total)?;
            return Ok(pieces(response));
        }
        let answered = format!("{} answered {status} to a request for the rest", public_url(&self.at));
        Err(match status {
            StatusCode::OK => NotResumed::Never("the file has changed meanwhile".to_owned()),
            _ if status.is_server_error() => NotResumed::YetAgain(answered),
            _ => NotResumed::Never(answered),
        })
    }
}

/// A strong `ETag`; else the date of the last change, when it is old enough that two changes within its resolution
/// of a second would show (a minute, by RFC 9110 section 8.8.2.2).
fn validator(headers: &HeaderMap) -> Option<HeaderValue> {
    let strong = headers.get(ETAG).filter(|etag| etag.as_bytes().starts_with(b"\""));
    strong.or_else(|| headers.get(LAST_MODIFIED).filter(|changed| is_settled(headers, changed))).cloned()
}

fn is_settled(headers: &HeaderMap, changed: &HeaderValue) -> bool {
    let changed = changed.to_str().ok().and_then(clock::http_date);
    match (clock::date(headers), changed) {
        (Some(now), Some(changed)) => now.duration_since(changed) >= SignedDuration::from_mins(1),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(headers: &[(&'static str, &'static str)]) -> Option<String> {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).parse().expect("a name"), (*value).parse().expect("a value")))
            .collect();
        validator(&headers).map(|v| v.to_str().expect("text").to_owned())
    }

    #[test]
    fn fault_23_only_a_strong_validator_proves_that_a_file_is_the_same() {
        let (date, settled) =
            (("date", "Thu, 01 Jan 2026 12:00:00 GMT"), ("last-modified", "Thu, 01 Jan 2026 11:59:00 GMT"));
        assert_eq!(found(&[("etag", "\"v1\""), date, settled]).as_deref(), Some("\"v1\""));
        assert_eq!(found(&[("etag", "W/\"v1\"")]), None);
        assert_eq!(found(&[("etag", "W/\"v1\""), date, settled]).as_deref(), Some(settled.1));
        assert_eq!(found(&[date, ("last-modified", "Thu, 01 Jan 2026 11:59:01 GMT")]), None);
        assert_eq!(found(&[settled]), None);
    }
}
