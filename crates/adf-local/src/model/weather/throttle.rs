//! Calls that are refused because there were too many.
//!
//! Token buckets per kind of call with AWS's published figures, or a plain share of refused calls. Sources: the API throttling pages
//! of EC2 and Elastic Load Balancing; for Auto Scaling AWS says only that all actions share one bucket.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{ApiError, Model};

/// The services whose calls are counted, each apart from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiFamily {
    Ec2,
    AutoScaling,
    Elb,
}

/// How a refusal is worded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThrottleForm {
    /// EC2: `RequestLimitExceeded`, HTTP 503; the others: `Throttling`, 400.
    #[default]
    Usual,
    /// `ValidationError` with `Rate exceeded`, as Auto Scaling and CloudFormation have been seen to.
    ValidationError,
    /// `ValidationException` with `Rate exceeded`.
    ValidationException,
}

/// When calls are refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Throttling {
    /// The published buckets apply.
    pub buckets: bool,
    /// Per cent of all calls that are refused at random.
    pub refused: u32,
    pub form: ThrottleForm,
    /// Capacity, and refill a second, of the bucket that all Auto Scaling calls share. AWS publishes no figure; this one is a guess.
    pub auto_scaling: (u32, u32),
}

impl Default for Throttling {
    fn default() -> Self {
        Self { buckets: false, refused: 0, form: ThrottleForm::Usual, auto_scaling: (50, 10) }
    }
}

/// What is left in each bucket, and when that was counted. Tokens are counted in thousandths.
#[derive(Debug, Clone, Default)]
pub(in crate::model) struct Buckets(BTreeMap<&'static str, (u64, Timestamp)>);

/// A bucket's name, its capacity in tokens, its refill in thousandths of a token a second.
type Bucket = (&'static str, u64, u64);

impl Model {
    /// Refuses a call that comes too soon. `units` is how many instances a call is about, and `plain` a Describe call without
    /// ids, filters and page size.
    pub fn admit(
        &mut self,
        family: ApiFamily,
        action: &str,
        units: u64,
        plain: bool,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let throttling = &self.settings.weather.throttling;
        let form = throttling.form;
        let mut refused = self.dice.happens(throttling.refused);
        if throttling.buckets {
            let wanted = [
                Some((request_bucket(family, action, plain, throttling), 1)),
                unit_bucket(family, action).map(|bucket| (bucket, units)),
            ];
            for (bucket, tokens) in wanted.into_iter().flatten() {
                refused |= !self.buckets.take(bucket, tokens, now);
            }
        }
        if refused { Err(refusal(family, form)) } else { Ok(()) }
    }
}

impl Buckets {
    fn take(&mut self, (name, capacity, refill): Bucket, tokens: u64, now: Timestamp) -> bool {
        let (left, counted) = *self.0.entry(name).or_insert((capacity * 1000, now));
        let passed = u64::try_from(now.duration_since(counted).as_millis()).unwrap_or(0);
        let filled = (left + passed * refill / 1000).min(capacity * 1000);
        // The fraction that a short time refills is not lost: the count stays where it was until it is a whole thousandth.
        let counted = if filled == left && filled < capacity * 1000 { counted } else { now };
        let taken = filled.checked_sub(tokens * 1000);
        self.0.insert(name, (taken.unwrap_or(filled), counted));
        taken.is_some()
    }
}

fn request_bucket(family: ApiFamily, action: &str, plain: bool, throttling: &Throttling) -> Bucket {
    let reads = action.starts_with("Describe") || action.starts_with("Get");
    match (family, action) {
        (ApiFamily::AutoScaling, _) => {
            let (capacity, refill) = throttling.auto_scaling;
            ("autoscaling", capacity.into(), u64::from(refill) * 1000)
        }
        (ApiFamily::Ec2, "RunInstances") => ("ec2 RunInstances", 5, 2000),
        (ApiFamily::Ec2, "TerminateInstances") => ("ec2 TerminateInstances", 100, 5000),
        (ApiFamily::Ec2, "CreateTags") => ("ec2 CreateTags", 100, 10_000),
        (ApiFamily::Ec2, "CreateLaunchTemplateVersion") => ("ec2 CreateLaunchTemplateVersion", 100, 5000),
        (ApiFamily::Ec2, _) if reads && plain => ("ec2 reads of everything", 50, 10_000),
        (ApiFamily::Ec2, _) if reads => ("ec2 reads", 100, 20_000),
        (ApiFamily::Ec2, _) => ("ec2 changes", 50, 5000),
        (ApiFamily::Elb, "RegisterTargets" | "DeregisterTargets") => ("elb targets", 20, 4000),
        (ApiFamily::Elb, "CreateLoadBalancer" | "SetSubnets") => ("elb balancers", 10, 200),
        (ApiFamily::Elb, _) if reads => ("elb reads", 40, 10_000),
        (ApiFamily::Elb, _) => ("elb changes", 20, 3000),
    }
}

/// EC2 counts the instances of some calls, too.
fn unit_bucket(family: ApiFamily, action: &str) -> Option<Bucket> {
    match (family, action) {
        (ApiFamily::Ec2, "RunInstances") => Some(("ec2 instances run", 1000, 2000)),
        (ApiFamily::Ec2, "TerminateInstances") => Some(("ec2 instances terminated", 1000, 20_000)),
        _ => None,
    }
}

fn refusal(family: ApiFamily, form: ThrottleForm) -> ApiError {
    match (form, family) {
        (ThrottleForm::Usual, ApiFamily::Ec2) => ApiError {
            code: "RequestLimitExceeded",
            status: 503,
            message: "Request limit exceeded.".to_owned(),
        },
        (ThrottleForm::Usual, _) => ApiError::new("Throttling", "Rate exceeded"),
        (ThrottleForm::ValidationError, _) => ApiError::new("ValidationError", "Rate exceeded"),
        (ThrottleForm::ValidationException, _) => ApiError::new("ValidationException", "Rate exceeded"),
    }
}
