//! Session tokens of IMDSv2: valid on the instance that asked, for as long as it asked, at most six hours.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

/// The tokens that one instance's service gave out.
#[derive(Debug, Default)]
pub(super) struct Tokens(BTreeMap<String, Timestamp>);

impl Tokens {
    /// A new token; `None` when `ttl` is not 1 to 21,600 seconds.
    pub(super) fn issue(&mut self, ttl: &str, now: Timestamp) -> Option<(String, u64)> {
        let seconds = ttl.trim().parse().ok().filter(|seconds| (1..=21_600).contains(seconds))?;
        self.0.retain(|_, until| *until > now);
        let token = format!("{}{}==", Uuid::new_v4().simple(), &Uuid::new_v4().simple().to_string()[..22]);
        self.0.insert(token.clone(), now + Duration::from_secs(seconds));
        Some((token, seconds))
    }

    pub(super) fn holds(&self, token: &str, now: Timestamp) -> bool {
        self.0.get(token).is_some_and(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_valid_for_its_time_and_no_longer() {
        let (mut tokens, now) = (Tokens::default(), Timestamp::UNIX_EPOCH);
        let (token, seconds) = tokens.issue("60", now).expect("a minute is allowed");
        assert_eq!((seconds, token.len()), (60, 56));
        assert!(tokens.holds(&token, now + Duration::from_secs(59)));
        assert!(!tokens.holds(&token, now + Duration::from_mins(1)));
        assert!(!tokens.holds("another", now));
    }

    #[test]
    fn a_time_outside_one_second_to_six_hours_is_refused() {
        for ttl in ["0", "21601", "-1", "", "1h"] {
            assert_eq!(Tokens::default().issue(ttl, Timestamp::UNIX_EPOCH), None, "{ttl:?}");
        }
        assert!(Tokens::default().issue("21600", Timestamp::UNIX_EPOCH).is_some());
    }
}
