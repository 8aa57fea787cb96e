//! Who calls: STS `GetCallerIdentity`. Every key pair is good here, so the access key is the user's name.
//!
//! winterbaume answers everybody with the same made-up user; a deploy's owner would be nobody's name.

use winterbaume_core::{MockRequest, MockResponse, default_account_id};
use winterbaume_sts::wire::{GetCallerIdentityResponse, serialize_get_caller_identity_response};

/// The answer to `GetCallerIdentity` with a user's long-lived key. Temporary keys of roles begin with `ASIA`.
pub(super) fn caller(request: &MockRequest, access_key: &str) -> Option<MockResponse> {
    let asks =
        String::from_utf8_lossy(&request.body).split('&').any(|pair| pair == "Action=GetCallerIdentity");
    (asks && !access_key.starts_with("ASIA")).then(|| {
        let account = default_account_id().to_owned();
        serialize_get_caller_identity_response(&GetCallerIdentityResponse {
            arn: Some(format!("arn:aws:iam::{account}:user/{access_key}")),
            account: Some(account),
            user_id: Some(access_key.to_owned()),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(action: &str) -> MockRequest {
        let body = format!("Action={action}&Version=2011-06-15").into();
        MockRequest { method: "POST".to_owned(), uri: "/".to_owned(), headers: http::HeaderMap::new(), body }
    }

    #[test]
    fn a_user_is_called_by_the_access_key() {
        let answer = caller(&request("GetCallerIdentity"), "ann").expect("answered here");
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(body.contains("<Arn>arn:aws:iam::123456789012:user/ann</Arn>"), "{body}");
    }

    #[test]
    fn roles_and_other_calls_are_left_to_sts() {
        assert!(caller(&request("GetCallerIdentity"), "ASIA1").is_none());
        assert!(caller(&request("AssumeRole"), "ann").is_none());
    }
}
