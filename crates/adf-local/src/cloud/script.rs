//! What tests may tell a [`Cloud`] to answer instead of its service, and what it counts.
//!
//! An operation is called as in AWS's own documents, with its service: `dynamodb:Query`, `kms:Decrypt`,
//! `autoscaling:CompleteLifecycleAction`; S3's are called by their HTTP method, `s3:GET`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use winterbaume_core::{MockRequest, MockResponse};

use super::Cloud;
use crate::{cloudwatch, wire};

/// An answer in a service's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scripted {
    /// The service itself answers: to let some calls pass before the next scripted answer.
    Service,
    /// An error, in the form of the service that is called: one that speaks JSON, EC2, Auto Scaling or Elastic Load Balancing.
    Error { status: u16, code: String, message: String, headers: Vec<(String, String)> },
    /// The service does what it was asked, and its answer is lost on the way: the caller sees a broken connection.
    Lost,
    /// No connection. An SDK in the same process sees exactly that, an HTTP client a 503.
    Unreachable,
}

impl Scripted {
    /// A refusal with status 400, as most are.
    pub fn error(code: &str, message: &str) -> Self {
        Self::Error { status: 400, code: code.to_owned(), message: message.to_owned(), headers: Vec::new() }
    }

    /// The same with AWS's own time in it, as every answer of AWS has.
    #[must_use]
    pub fn dated(mut self, date: &str) -> Self {
        if let Self::Error { headers, .. } = &mut self {
            headers.push(("date".to_owned(), date.to_owned()));
        }
        self
    }
}

#[derive(Default)]
pub(super) struct Script(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    answers: BTreeMap<String, VecDeque<Scripted>>,
    counts: BTreeMap<String, usize>,
}

impl Script {
    fn inner<R>(&self, act: impl FnOnce(&mut Inner) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a call and tells what is to be answered.
    pub(super) fn next(&self, call: &str) -> Scripted {
        self.inner(|inner| {
            *inner.counts.entry(call.to_owned()).or_default() += 1;
            inner.answers.get_mut(call).and_then(VecDeque::pop_front).unwrap_or(Scripted::Service)
        })
    }
}

impl Cloud {
    /// Answers the next `times` calls of `operation` with `answer`; after that its service does again.
    pub fn script(&self, operation: &str, times: usize, answer: &Scripted) {
        let answers = std::iter::repeat_n(answer.clone(), times);
        self.0.script.inner(|inner| {
            inner.answers.entry(operation.to_owned()).or_default().extend(answers);
        });
    }

    /// How often each operation was called since the last look.
    pub fn take_counts(&self) -> BTreeMap<String, usize> {
        self.0.script.inner(|inner| std::mem::take(&mut inner.counts))
    }
}

/// The answer of [`Scripted::Unreachable`] to who speaks HTTP; [`super::sdk`] makes a failed connection of it.
pub(super) const UNREACHABLE: &str = "AdfLocalUnreachable";

/// `None` when the service itself is to answer.
pub(super) fn answer(scripted: Scripted, service: Option<&str>) -> Option<MockResponse> {
    match scripted {
        Scripted::Service | Scripted::Lost => None,
        Scripted::Unreachable => Some(unreachable()),
        Scripted::Error { status, code, message, headers } => {
            let in_its_form = wire::failure(service.unwrap_or_default(), status, &code, &message);
            let body = serde_json::json!({ "__type": code, "message": message });
            let mut answer = in_its_form.unwrap_or_else(|| MockResponse::json(status, body.to_string()));
            for (name, value) in headers {
                if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), value.parse()) {
                    answer.headers.insert(name, value);
                }
            }
            Some(answer)
        }
    }
}

/// What a caller gets in place of an answer that does not arrive.
pub(super) fn unreachable() -> MockResponse {
    MockResponse::error(503, UNREACHABLE, "scripted: no connection")
}

/// `dynamodb:Query` of a request: from `X-Amz-Target`, the path, the parameter `Action`, or the HTTP method.
pub(super) fn operation(service: &str, request: &MockRequest) -> String {
    let target = request.headers.get("x-amz-target").and_then(|v| v.to_str().ok());
    if let Some((_, name)) = target.and_then(|target| target.rsplit_once('.')) {
        return format!("{service}:{name}");
    }
    if let Some(name) = cloudwatch::operation(request) {
        return format!("{service}:{name}");
    }
    let body = String::from_utf8_lossy(&request.body);
    let action = body.split('&').find_map(|pair| pair.strip_prefix("Action="));
    format!("{service}:{}", action.unwrap_or(&request.method))
}
