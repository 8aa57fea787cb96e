//! The role's credentials on one instance: its own keys, valid for six hours, new ones every hour.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

const VALID: Duration = Duration::from_hours(6);
/// How old credentials are at most when they are given out.
const RENEWED: Duration = Duration::from_hours(1);

/// The credentials that one instance has now.
#[derive(Debug, Default)]
pub(super) struct RoleCredentials(Option<(Timestamp, [Uuid; 3])>);

impl RoleCredentials {
    /// The document at `iam/security-credentials/ROLE`.
    pub(super) fn document(&mut self, now: Timestamp) -> String {
        let (issued, [key, secret, token]) = match self.0 {
            Some(current) if now < current.0 + RENEWED => current,
            _ => *self.0.insert((now, std::array::from_fn(|_| Uuid::new_v4()))),
        };
        let seconds = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let document = json!({
            "Code": "Success",
            "LastUpdated": seconds(issued),
            "Type": "AWS-HMAC",
            "AccessKeyId": format!("ASIA{}", &key.simple().to_string().to_uppercase()[..16]),
            "SecretAccessKey": &format!("{}{}", secret.simple(), token.simple())[..40],
            "Token": token.simple().to_string(),
            "Expiration": seconds(issued + VALID),
        });
        format!("{document:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(document: &str, name: &str) -> String {
        let document: serde_json::Value = serde_json::from_str(document).expect("JSON");
        document[name].as_str().expect("a string").to_owned()
    }

    #[test]
    fn credentials_stay_for_an_hour_and_are_renewed_long_before_they_expire() {
        let (mut role, now) = (RoleCredentials::default(), Timestamp::UNIX_EPOCH);
        let first = role.document(now);
        assert_eq!(role.document(now + Duration::from_secs(3599)), first);
        assert_eq!(field(&first, "Expiration"), "1970-01-01T06:00:00Z");
        let second = role.document(now + Duration::from_hours(1));
        assert_ne!(field(&second, "AccessKeyId"), field(&first, "AccessKeyId"));
        assert_eq!(field(&second, "Expiration"), "1970-01-01T07:00:00Z");
    }

    #[test]
    fn two_instances_have_different_keys() {
        let document = || RoleCredentials::default().document(Timestamp::UNIX_EPOCH);
        assert_ne!(field(&document(), "AccessKeyId"), field(&document(), "AccessKeyId"));
    }
}
