//! What KMS says, in our words (fault 35): which secret, which key, and what is missing.

use std::error::Error;

use adf_types::ConfigName;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};

use crate::error::{StoreError, clock_skew};

/// The call that is being made.
#[derive(Clone, Copy)]
pub(super) struct Attempt<'a> {
    /// `decrypt` or `encrypt`.
    pub(super) verb: &'static str,
    pub(super) right: &'static str,
    pub(super) layer: &'a str,
    pub(super) name: &'a ConfigName,
    pub(super) key: Option<&'a str>,
}

pub(super) fn kms_error<E>(attempt: &Attempt<'_>, error: SdkError<E>) -> StoreError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let meta = error.as_service_error().map(ProvideErrorMetadata::meta).cloned().unwrap_or_default();
    let code = meta.code().unwrap_or_default().to_owned();
    let message = meta.message().unwrap_or_default().to_owned();
    let status = error.raw_response().map(|r| r.status().as_u16());
    if let Some(minutes) = clock_skew(&code, error.raw_response()) {
        return StoreError::ClockSkew { what: format!("{} config {}", attempt.verb, attempt.key()), minutes };
    }
    let source: Box<dyn Error + Send + Sync> = match error {
        SdkError::ServiceError(e) => Box::new(e.into_err()),
        other => Box::new(other),
    };
    let (verb, key) = (attempt.verb, attempt.key());
    match code.as_str() {
        "ThrottlingException" | "Throttling" | "RequestLimitExceeded" => {
            StoreError::KmsUnanswered { verb, key, problem: "throttled every attempt", source }
        }
        "KeyUnavailableException" | "DependencyTimeoutException" | "KMSInternalException" => {
            StoreError::KmsUnanswered { verb, key, problem: "could not answer", source }
        }
        _ if status.is_none_or(|status| status >= 500) => {
            StoreError::KmsUnanswered { verb, key, problem: "is not reachable", source }
        }
        _ => {
            let cure = attempt.cure(&code, &message);
            StoreError::KmsRefused { verb, key, code, cure, source }
        }
    }
}

/// An answer without what was asked for; the SDK's types allow it.
pub(super) fn nothing_returned(attempt: &Attempt<'_>) -> StoreError {
    StoreError::Secret { key: attempt.key(), problem: "KMS answered without a key".to_owned() }
}

impl Attempt<'_> {
    fn key(&self) -> String {
        format!("{}/{}", self.layer, self.name)
    }

    /// What to do about a refusal.
    fn cure(&self, code: &str, message: &str) -> String {
        let on = self.key.or_else(|| word(message, "resource: ")).map_or_else(
            || "the KMS key it was encrypted with".to_owned(),
            |arn| format!("the KMS key {arn}"),
        );
        let (right, name) = (self.right, self.name);
        match code.trim_end_matches("Exception") {
            "AccessDenied" => format!("{} needs {right} on {on}", role(message)),
            "Disabled" | "KMSInvalidState" => format!("enable {on}, or cancel its deletion"),
            "NotFound" => match self.key.filter(|key| key.starts_with("alias/")) {
                Some(alias) => format!(
                    "there is no key like that here; looked for {on}. One is made with: aws kms create-key; and called \
                     so with: aws kms create-alias --alias-name {alias} --target-key-id ID"
                ),
                None => format!("there is no key like that here; looked for {on}"),
            },
            "InvalidCiphertext" | "IncorrectKey" => format!(
                "it was encrypted for another name, app or key; set {name} again, with the encryption \
                 context App={}, Name={name}",
                self.layer
            ),
            _ => format!("look at {on}"),
        }
    }
}

/// `role web-role` of `User: arn:aws:sts::1:assumed-role/web-role/i-1 is not authorized`; AWS names it only in
/// the text.
fn role(message: &str) -> String {
    let name = message.split_once(":assumed-role/").and_then(|(_, rest)| rest.split('/').next());
    match (name, word(message, "User: ")) {
        (Some(role), _) => format!("the role {role}"),
        (None, Some(user)) => user.to_owned(),
        (None, None) => "the instance's role".to_owned(),
    }
}

/// The word that follows `after`.
fn word<'a>(message: &'a str, after: &str) -> Option<&'a str> {
    message.split_once(after)?.1.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_35_a_denial_names_role_right_and_key() {
        let name: ConfigName = "STRIPE".parse().expect("a name");
        let message = "User: arn:aws:sts::123456789012:assumed-role/web-role/i-0abc is not authorized to perform: \
                       kms:Decrypt on resource: arn:aws:kms:us-east-1:123456789012:key/k1 because no \
                       identity-based policy allows the kms:Decrypt action";
        let attempt = Attempt { verb: "decrypt", right: "kms:Decrypt", layer: "web", name: &name, key: None };
        assert_eq!(
            attempt.cure("AccessDeniedException", message),
            "the role web-role needs kms:Decrypt on the KMS key arn:aws:kms:us-east-1:123456789012:key/k1"
        );
        assert_eq!(
            attempt.cure("AccessDeniedException", ""),
            "the instance's role needs kms:Decrypt on the KMS key it was encrypted with"
        );
    }
}
