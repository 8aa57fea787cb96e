//! One AWS account in one region: every service that ADF calls, behind one function.
//!
//! [`Cloud::handle`] takes a request as an AWS tool sent it and gives the service's answer; [`crate::front`] calls it
//! for HTTP, [`Cloud::http_client`] for an SDK in the same process. Nobody else talks to a service.
//!
//! To add a service: a variant in the `match` of [`Cloud::handle`], and its name in [`SERVICES`].

mod clock;
mod identity;
mod s3;
mod scope;
mod script;
mod sdk;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use winterbaume_core::{MockRequest, MockResponse, MockService};
use winterbaume_kms::KmsService;
use winterbaume_s3::S3Service;
use winterbaume_sts::StsService;

pub use clock::Clock;
pub use script::Scripted;

use crate::cloudwatch::CloudWatch;
use crate::dynamodb::DynamoDb;
use crate::iam::Iam;
use crate::model::{Model, Settings};
use crate::wire::{self, Service};

/// What a request's credential scope may name.
const SERVICES: &str = "ec2, autoscaling, elasticloadbalancing, monitoring, dynamodb, kms, s3, sts";

/// A handle to the cloud; clones share it.
#[derive(Clone)]
pub struct Cloud(Arc<Services>);

struct Services {
    region: String,
    clock: Clock,
    model: Mutex<Model>,
    dynamodb: DynamoDb,
    kms: KmsService,
    s3: S3Service,
    sts: StsService,
    cloudwatch: CloudWatch,
    iam: Iam,
    script: script::Script,
}

impl Cloud {
    /// An empty account of the default settings whose clock shows `start` now and goes with tokio's time.
    pub fn new(region: &str, start: Timestamp) -> Self {
        let zones = ["a", "b", "c"].map(|letter| format!("{region}{letter}")).to_vec();
        Self::with_settings(Settings { region: region.to_owned(), zones, ..Settings::default() }, 1, start)
    }

    /// An empty account of these settings; the same `seed` and the same calls give the same cloud.
    pub fn with_settings(settings: Settings, seed: u64, start: Timestamp) -> Self {
        Self(Arc::new(Services {
            region: settings.region.clone(),
            clock: Clock::starting_at(start),
            model: Mutex::new(Model::new(settings, seed, start)),
            dynamodb: DynamoDb::default(),
            kms: KmsService::new(),
            s3: S3Service::new(),
            sts: StsService::new(),
            cloudwatch: CloudWatch::default(),
            iam: Iam::default(),
            script: script::Script::default(),
        }))
    }

    pub fn region(&self) -> &str {
        &self.0.region
    }

    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Looks at or changes the model, brought up to the present first.
    pub fn model<R>(&self, act: impl FnOnce(&mut Model, Timestamp) -> R) -> R {
        // A panic while it was held is a bug that has been reported; the others still need the cloud.
        let mut model = self.0.model.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        model.tick(now);
        act(&mut model, now)
    }

    /// Answers one request of an AWS tool, as the service that its signature names.
    pub async fn handle(&self, request: MockRequest) -> MockResponse {
        let service = scope::service(&request);
        let scripted = match &service {
            Some(service) => self.0.script.next(&script::operation(service, &request)),
            None => Scripted::Service,
        };
        let lost = scripted == Scripted::Lost;
        if let Some(answer) = script::answer(scripted, service.as_deref()) {
            return answer;
        }
        let answer = self.answer(service, request).await;
        if lost { script::unreachable() } else { answer }
    }

    async fn answer(&self, service: Option<String>, request: MockRequest) -> MockResponse {
        if let Some(service) = &service {
            let key = scope::access_key(&request);
            let refusal = key.and_then(|key| self.0.iam.refusal(self, &key, service, &request));
            if let Some(refusal) = refusal {
                return refusal;
            }
        }
        match service.as_deref() {
            Some("ec2") => self.query(Service::Ec2, &request),
            Some("autoscaling") => self.query(Service::AutoScaling, &request),
            Some("elasticloadbalancing") => self.query(Service::Elb, &request),
            Some("monitoring") => self.monitoring(&request),
            Some("dynamodb") => self.0.dynamodb.handle(request).await,
            Some("kms") => self.0.kms.handle(request).await,
            Some("sts") => match scope::access_key(&request).and_then(|key| identity::caller(&request, &key))
            {
                Some(answer) => answer,
                None => self.0.sts.handle(request).await,
            },
            Some("s3") => match s3::plain(request) {
                Ok(request) => self.0.s3.handle(request).await,
                Err(refusal) => *refusal,
            },
            Some(other) => MockResponse::error(
                501,
                "NotImplemented",
                &format!("adf-local does not play the service {other}; it plays {SERVICES}"),
            ),
            None => MockResponse::error(
                403,
                "MissingAuthenticationToken",
                "the request is not signed; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to any value",
            ),
        }
    }

    pub(crate) fn iam(&self) -> &Iam {
        &self.0.iam
    }

    pub(crate) fn cloudwatch(&self) -> &CloudWatch {
        &self.0.cloudwatch
    }

    fn query(&self, service: Service, request: &MockRequest) -> MockResponse {
        self.model(|model, now| wire::handle(model, service, &request.body, now))
    }
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cloud")
            .field("region", &self.0.region)
            .field("clock", &self.0.clock)
            .finish_non_exhaustive()
    }
}
