//! Whether a certificate's dates are wrong, or this host's clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Client;
use reqwest::header::{DATE, HeaderMap};

/// A clock further off than this makes AWS refuse signatures, too.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// The question is a side track: the error is told without its answer, if need be.
const ASK_LIMIT: Duration = Duration::from_secs(3);

/// What time `host` says it is. Over plain HTTP, because a certificate cannot be judged without a clock; the answer
/// only chooses between two error messages and lets nothing in.
pub(super) async fn ask(client: &Client, host: &str) -> Option<Timestamp> {
    let asked = client.head(format!("http://{host}/")).timeout(ASK_LIMIT).send().await.ok()?;
    date(asked.headers())
}

/// The `Date` of an answer.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(headers.get(DATE)?.to_str().ok()?)
}

pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp())
}

/// `14 min behind`, when it is further off than five minutes.
pub(super) fn off(ours: Timestamp, theirs: Timestamp) -> Option<String> {
    let ahead = ours.duration_since(theirs);
    if ahead.abs() <= TOLERANCE {
        return None;
    }
    let (minutes, side) = (ahead.abs().as_mins(), if ahead.is_positive() { "ahead of" } else { "behind" });
    Some(match minutes {
        ..=119 => format!("{minutes} min {side}"),
        120..=2879 => format!("{} hours {side}", minutes / 60),
        _ => format!("{} days {side}", minutes / 1440),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_from_five_minutes_on() {
        let ours: Timestamp = "2026-01-01T12:00:00Z".parse().expect("a time");
        let minutes = |n: i64| off(ours, ours + SignedDuration::from_mins(n));
        assert_eq!(minutes(5), None);
        assert_eq!(minutes(-5), None);
        assert_eq!(minutes(14).as_deref(), Some("14 min behind"));
        assert_eq!(minutes(-180).as_deref(), Some("3 hours ahead of"));
        assert_eq!(minutes(-14400).as_deref(), Some("10 days ahead of"));
    }

    #[test]
    fn the_date_of_an_answer_is_read() {
        let date = http_date("Thu, 01 Jan 2026 12:00:00 GMT").expect("a date");
        assert_eq!(date.to_string(), "2026-01-01T12:00:00Z");
        assert_eq!(http_date("yesterday"), None);
    }
}
