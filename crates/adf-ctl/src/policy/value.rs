//! What is typed for a policy, checked before it becomes part of one.

use std::str::FromStr;

/// An AWS account: twelve digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account(String);

impl Account {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Account {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_account = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        is_account.then(|| Self(text.to_owned())).ok_or("an account has 12 digits")
    }
}

/// A KMS key as a policy can name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KmsKey {
    Arn(String),
    /// `1234abcd-12ab-34cd-56ef-1234567890ab`, or `mrk-...`
    Id(String),
}

impl FromStr for KmsKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_id = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if is_id(text) {
            return Ok(Self::Id(text.to_owned()));
        }
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            ["arn", partition, "kms", region, account, key]
                if [partition, region, account].into_iter().all(|part| is_id(part))
                    && key.strip_prefix("key/").is_some_and(is_id) =>
            {
                Ok(Self::Arn(text.to_owned()))
            }
            // Whoever may move an alias would decide what the policy is about.
            _ if text.contains("alias/") => {
                Err("IAM takes no alias here; find the key's ARN with: aws kms describe-key --key-id ALIAS")
            }
            _ => Err("give the key's ARN, arn:aws:kms:REGION:ACCOUNT:key/ID, or its ID"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_an_arn_or_an_id_and_never_an_alias() {
        let (id, arn) = ("1234abcd-12ab", "arn:aws:kms:us-east-1:123456789012:key/mrk-1");
        assert_eq!(id.parse(), Ok(KmsKey::Id(id.to_owned())));
        assert_eq!(arn.parse(), Ok(KmsKey::Arn(arn.to_owned())));
        for bad in ["alias/adf", "arn:aws:kms:us-east-1:123456789012:alias/adf"] {
            assert!(bad.parse::<KmsKey>().expect_err(bad).contains("alias"), "{bad}");
        }
        for bad in
            ["", "*", "arn:aws:kms:us-east-1:123456789012:key/*", "arn:aws:kms:*:1:key/a", "arn:aws:s3:::b"]
        {
            assert!(bad.parse::<KmsKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_account_has_twelve_digits() {
        assert!("123456789012".parse::<Account>().is_ok());
        for bad in ["", "1234", "12345678901*", "1234567890123"] {
            assert!(bad.parse::<Account>().is_err(), "{bad}");
        }
    }
}
