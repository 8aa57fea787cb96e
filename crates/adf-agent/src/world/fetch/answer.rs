//! Answers that are not an archive: what they mean, and how long to wait when they say so.

use std::time::Duration;

use adf_types::public_url;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use url::Url;

use super::hop::is_github;
use super::{Access, clock};
use crate::world::FetchError;

/// GitHub's own words for its rate limit; see "Rate limits for the REST API" in its documentation.
const REMAINING: &str = "x-ratelimit-remaining";
const RESET: &str = "x-ratelimit-reset";

pub(super) fn refusal(at: &Url, access: &Access, response: &Response) -> FetchError {
    let (status, headers) = (response.status(), response.headers());
    let url = public_url(at);
    let wait = wait(headers);
    let limited = matches!(status.as_u16(), 403 | 429) && (wait.is_some() || status == 429);
    if status.is_server_error() || limited {
        let limit = if limited { " (rate limit)" } else { "" };
        return FetchError::Server { url, status: format!("{status}{limit}"), wait };
    }
    FetchError::NotFound { url, status: status.to_string(), advice: advice(at, access, status) }
}

/// GitHub says 404 for what a caller may not see.
fn advice(at: &Url, access: &Access, status: StatusCode) -> &'static str {
    match (is_github(at), access.github_token.is_some(), status) {
        (true, false, _) => {
            "check the tag or commit; a private repository needs a token: the secret ADF_GITHUB_TOKEN in the config table"
        }
        (true, true, StatusCode::UNAUTHORIZED) => "the token in ADF_GITHUB_TOKEN is not valid (any more)",
        (true, true, _) => {
            "check the tag or commit, and that the token in ADF_GITHUB_TOKEN may read this repository's contents"
        }
        (false, ..) => "check the tag or commit and the access rights",
    }
}

/// How long the server asks to wait: in seconds, as a date, or in GitHub's way. Dates are held against the server's own
/// clock, not against this host's.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    let until = |then: jiff::Timestamp| {
        let now = clock::date(headers).unwrap_or_else(jiff::Timestamp::now);
        Some(Duration::try_from(then.duration_since(now)).unwrap_or_default())
    };
    if let Some(after) = text(RETRY_AFTER.as_str()) {
        let seconds = after.parse().map(Duration::from_secs).ok();
        return seconds.or_else(|| clock::http_date(after).and_then(until));
    }
    if text(REMAINING) != Some("0") {
        return None;
    }
    let reset = text(RESET)?.parse().ok()?;
    jiff::Timestamp::from_second(reset).ok().and_then(until)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waited(headers: &[(&'static str, &'static str)]) -> Option<u64> {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).parse().expect("a name"), (*value).parse().expect("a value")))
            .collect();
        wait(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn fault_20_a_rate_limit_says_how_long_in_three_ways() {
        let date = ("date", "Thu, 01 Jan 2026 12:00:00 GMT");
        assert_eq!(waited(&[("retry-after", "37")]), Some(37));
        assert_eq!(waited(&[date, ("retry-after", "Thu, 01 Jan 2026 12:01:30 GMT")]), Some(90));
        let github = [date, ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1767268920")];
        assert_eq!(waited(&github), Some(120));
        assert_eq!(
            waited(&[date, ("x-ratelimit-remaining", "7"), ("x-ratelimit-reset", "1767268920")]),
            None
        );
        assert_eq!(waited(&[date, ("retry-after", "Thu, 01 Jan 2026 11:00:00 GMT")]), Some(0));
        assert_eq!(waited(&[("retry-after", "soon")]), None);
    }
}
