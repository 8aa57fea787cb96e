//! What a policy is for, and the ARNs of it.

use adf_store::{Partition, Tables};

use super::place::{Place, literal};
use super::statement::{Operator, Statement};
use super::value::KmsKey;
use crate::settings::AppNames;

/// An app, and what is its own in AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub names: AppNames,
    pub tables: Tables,
    pub place: Place,
    /// Without one there is nothing about S3.
    pub bucket: Option<String>,
    /// `None`: any key, of which a ciphertext still must be this app's.
    pub kms_key: Option<KmsKey>,
    /// The role of the instance profile, with its path.
    pub instance_role: String,
    /// A repository of Amazon's registry that instances push to and pull from.
    pub image_repository: Option<String>,
    /// The target group that only canaries are in, see `deploy.canary_target_group`.
    pub canary_target_group: Option<String>,
    /// Whether alarms have a say, see `deploy.alarms`.
    pub alarms: bool,
    /// Whether agents may have their instance replaced.
    pub replace_unhealthy: bool,
}

impl Scope {
    /// Where `release create` puts archives, and agents find them.
    pub(super) fn archives(&self) -> Option<String> {
        self.bucket.as_ref().map(|bucket| self.place.objects(bucket, &format!("{}/", self.names.app)))
    }

    /// Without the right to list it S3 does not tell an archive that is gone from one that is not to be seen.
    pub(super) fn archive_bucket(&self) -> Option<String> {
        self.bucket.as_ref().map(|bucket| self.place.bucket(bucket))
    }

    /// The group's ARN holds an id that only AWS knows, and then its name.
    pub(super) fn group(&self) -> String {
        let name = literal(&self.names.group);
        self.place.arn("autoscaling", &format!("autoScalingGroup:*:autoScalingGroupName/{name}"))
    }

    /// The same with a target group's: where canaries are registered.
    pub(super) fn canary_target_group(&self) -> Option<String> {
        let own = self.canary_target_group.as_ref();
        let name = literal(own.or(self.names.target_group.as_ref())?);
        Some(self.place.arn("elasticloadbalancing", &format!("targetgroup/{name}/*")))
    }

    /// Listeners and their rules. Their ARNs hold the load balancer's name, which nothing of ADF knows.
    pub(super) fn listeners(&self) -> String {
        self.place.arn("elasticloadbalancing", "listener*/app/*")
    }

    pub(super) fn repository(&self) -> Option<String> {
        let name = literal(self.image_repository.as_ref()?);
        Some(self.place.arn("ecr", &format!("repository/{name}")))
    }

    pub(super) fn ec2(&self, kind: &str) -> String {
        self.place.arn("ec2", &format!("{kind}/*"))
    }

    /// Calls on instances of this app. What one prints is how it says why it could not write a receipt.
    pub(super) fn instances<const N: usize>(
        &self,
        sid: &'static str,
        actions: [&'static str; N],
    ) -> Statement {
        Statement::allow(sid, actions).on([self.ec2("instance")]).when(
            Operator::StringEquals,
            "aws:ResourceTag/adf:app",
            vec![self.names.app.to_string()],
        )
    }

    /// Calls of KMS, for ciphertexts whose encryption context names a layer of this app.
    pub(super) fn secrets<const N: usize>(&self, sid: &'static str, actions: [&'static str; N]) -> Statement {
        let key = match &self.kms_key {
            Some(KmsKey::Arn(arn)) => arn.clone(),
            Some(KmsKey::Id(id)) => self.place.arn("kms", &format!("key/{id}")),
            None => self.place.arn("kms", "key/*"),
        };
        let layers = Partition::LAYERS.map(|layer| layer.key(&self.names.app)).to_vec();
        Statement::allow(sid, actions).on([key]).when(
            Operator::StringLike,
            "kms:EncryptionContext:App",
            layers,
        )
    }
}
