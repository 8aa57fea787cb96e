//! Hosts of Amazon's registries: `<account>.dkr.ecr.<region>.amazonaws.com`.
//!
//! <https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html>

use std::fmt;

/// A private registry of an account in a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcrHost {
    host: String,
    region: String,
}

impl EcrHost {
    /// Nothing for any other host: the whole name counts, because a login goes to whoever has it.
    pub fn parse(host: &str) -> Option<Self> {
        let rest = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
        let (account, rest) = rest.split_once(".dkr.")?;
        let region = rest.strip_prefix("ecr.").or_else(|| rest.strip_prefix("ecr-fips."))?;
        let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let is_region = !region.is_empty()
            && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        (is_account && is_region).then(|| Self { host: host.to_owned(), region: region.to_owned() })
    }

    pub fn region(&self) -> &str {
        &self.region
    }
}

impl fmt::Display for EcrHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_amazons_own_names_are_amazons_registries() {
        let region = |host: &str| EcrHost::parse(host).map(|h| h.region().to_owned());
        assert_eq!(region("123456789012.dkr.ecr.eu-west-1.amazonaws.com").as_deref(), Some("eu-west-1"));
        assert_eq!(region("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com").as_deref(), Some("us-east-1"));
        assert_eq!(region("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn").as_deref(), Some("cn-north-1"));
        for no in [
            "docker.io",
            "public.ecr.aws",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
            "123456789012.dkr.ecr.eu-west-1.evil.example",
            "123456789012.dkr.ecr.a.b.amazonaws.com",
            "12345678901.dkr.ecr.eu-west-1.amazonaws.com",
            "evil.123456789012.dkr.ecr.eu-west-1.amazonaws.com",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com:5000",
        ] {
            assert_eq!(EcrHost::parse(no), None, "{no}");
        }
    }
}
