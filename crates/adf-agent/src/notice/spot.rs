//! The documents of EC2's Spot notices.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use super::Leaving;

/// EC2 announces an interruption two minutes before. A clock that is wrong must not make it more, or nothing.
const NOTICE: Duration = Duration::from_mins(2);
const AT_LEAST: Duration = Duration::from_secs(15);

#[derive(Deserialize)]
struct Action {
    action: String,
    time: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recommendation {
    notice_time: Timestamp,
}

/// `{"action": "terminate", "time": "2017-09-18T08:22:00Z"}`
pub(super) fn parse(document: &str, now: Timestamp) -> Option<Leaving> {
    let Action { action, time } = serde_json::from_str(document).ok()?;
    let known = ["terminate", "stop", "hibernate"].contains(&action.as_str());
    let left = time.map(|time| Duration::try_from(time.duration_since(now)).unwrap_or_default());
    let within = left.unwrap_or(NOTICE).clamp(AT_LEAST, NOTICE);
    known.then_some(Leaving::Spot { action, within })
}

/// `{"noticeTime": "2020-10-27T08:22:00Z"}`
pub(super) fn noticed_at(document: &str) -> Option<Timestamp> {
    serde_json::from_str::<Recommendation>(document).ok().map(|found| found.notice_time)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn within(document: &str) -> Option<(String, u64)> {
        let now = "2026-01-01T00:00:00Z".parse().expect("a time");
        match parse(document, now)? {
            Leaving::Spot { action, within } => Some((action, within.as_secs())),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_notice_says_how_much_time_is_left() {
        let notice = |time: &str| within(&format!("{{\"action\": \"stop\", \"time\": \"{time}\"}}"));
        assert_eq!(notice("2026-01-01T00:01:30Z"), Some(("stop".to_owned(), 90)));
        assert_eq!(notice("2026-01-01T01:00:00Z"), Some(("stop".to_owned(), 120)), "a clock that is behind");
        assert_eq!(notice("2025-12-31T00:00:00Z"), Some(("stop".to_owned(), 15)), "a clock that is ahead");
        assert_eq!(within("{\"action\": \"terminate\"}"), Some(("terminate".to_owned(), 120)));
    }

    #[test]
    fn anything_else_is_not_a_notice() {
        for other in ["", "<html>", "{}", "{\"action\": \"none\"}", "404 - Not Found"] {
            assert_eq!(within(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_document_panics(document: String) {
            let _ = (parse(&document, Timestamp::UNIX_EPOCH), noticed_at(&document));
        }
    }
}
