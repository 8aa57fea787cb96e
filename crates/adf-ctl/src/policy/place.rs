//! Where an app is: account and region, and with them the ARNs of what is there.

use super::value::Account;

/// What is not said is `*` in an ARN: any region, any account. A role's own account bounds it all the same, unless
/// a resource of another one lets it in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    pub region: Option<String>,
    pub account: Option<Account>,
}

impl Place {
    /// `arn:aws:<service>:<region>:<account>:<resource>`
    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        let region = self.region.as_deref().map_or_else(any, literal);
        format!("arn:{}:{service}:{region}:{}:{resource}", self.partition(), self.account())
    }

    /// An image's ARN names no account.
    pub(super) fn images(&self) -> String {
        let region = self.region.as_deref().map_or_else(any, literal);
        format!("arn:{}:ec2:{region}::image/*", self.partition())
    }

    /// A bucket's ARN names neither region nor account.
    pub(super) fn bucket(&self, bucket: &str) -> String {
        format!("arn:{}:s3:::{}", self.partition(), literal(bucket))
    }

    pub(super) fn objects(&self, bucket: &str, prefix: &str) -> String {
        format!("arn:{}:s3:::{}/{}*", self.partition(), literal(bucket), literal(prefix))
    }

    /// A role's ARN names no region.
    pub(super) fn role(&self, name: &str) -> String {
        format!("arn:{}:iam::{}:role/{}", self.partition(), self.account(), literal(name))
    }

    /// EC2 as IAM names it where it hands a role to an instance.
    pub(super) fn ec2(&self) -> String {
        let suffix = if self.partition() == "aws-cn" { ".cn" } else { "" };
        format!("ec2.amazonaws.com{suffix}")
    }

    fn account(&self) -> &str {
        self.account.as_ref().map_or("*", Account::as_str)
    }

    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
    fn partition(&self) -> &'static str {
        match self.region.as_deref() {
            Some(region) if region.starts_with("cn-") => "aws-cn",
            Some(region) if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }
}

fn any() -> String {
    "*".to_owned()
}

/// A name as it is: a group may be called `web*`, and its policy must not be that of `web2`.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
pub(super) fn literal(name: &str) -> String {
    let special = |c| matches!(c, '*' | '?' | '$');
    name.chars().map(|c| if special(c) { format!("${{{c}}}") } else { c.to_string() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_itself() {
        assert_eq!(literal("web-1"), "web-1");
        assert_eq!(literal("we*b?$"), "we${*}b${?}${$}");
    }

    #[test]
    fn each_partition_has_its_own_arns() {
        let of = |region: &str| Place { region: Some(region.to_owned()), account: None };
        assert_eq!(of("cn-north-1").arn("dynamodb", "table/t"), "arn:aws-cn:dynamodb:cn-north-1:*:table/t");
        assert_eq!(of("us-gov-west-1").role("web"), "arn:aws-us-gov:iam::*:role/web");
        assert_eq!(Place::default().objects("b", "web/"), "arn:aws:s3:::b/web/*");
        assert_eq!(
            (of("cn-north-1").ec2().as_str(), Place::default().ec2().as_str()),
            ("ec2.amazonaws.com.cn", "ec2.amazonaws.com")
        );
    }
}
