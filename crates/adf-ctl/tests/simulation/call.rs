//! One call of an AWS service, as a connection sees it.

use std::fmt::Write as _;

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

/// What is called, and with what.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// `ec2`, `dynamodb`.
    pub(crate) service: String,
    /// `RunInstances`
    pub(crate) operation: String,
    pub(crate) body: Vec<u8>,
}

impl Call {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let body = request.body().bytes().unwrap_or_default().to_vec();
        let host = request.uri().split("://").nth(1).unwrap_or_default();
        let service = host.split('.').next().unwrap_or_default().to_owned();
        let target = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next());
        let operation = target.map(str::to_owned).or_else(|| parameter(&body, "Action"));
        let operation = operation.unwrap_or_else(|| request.method().to_owned());
        Self { service, operation, body }
    }

    /// Whether it may change something.
    pub(crate) fn writes(&self) -> bool {
        const READS: [&str; 9] = [
            "HEAD",
            "GetItem",
            "Query",
            "BatchGetItem",
            "TransactGetItems",
            "GetCallerIdentity",
            "Decrypt",
            "GenerateDataKey",
            "DescribeTable",
        ];
        !self.operation.starts_with("Describe") && !READS.contains(&self.operation.as_str())
    }

    pub(crate) fn is_dynamodb(&self) -> bool {
        self.service == "dynamodb"
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        parameter(&self.body, name)
    }

    /// For people: the operation and what it says.
    pub(crate) fn words(&self) -> String {
        const QUIET: [&str; 8] = [
            "Action",
            "Version",
            "AutoScalingGroupName",
            "ClientToken",
            "TargetGroupArn",
            "LaunchTemplateId",
            "LaunchTemplate.LaunchTemplateId",
            "LifecycleActionToken",
        ];
        let mut words = self.operation.clone();
        if self.is_dynamodb() || self.service == "kms" {
            return words + &self.items();
        }
        for (key, value) in pairs(&self.body) {
            if !QUIET.contains(&key.as_str()) && !key.contains("UserData") && !key.contains("Tag") {
                let _ = write!(words, " {key}={value}");
            }
        }
        words
    }

    /// The state that a receipt tells, found without reading all of it: receipts are most of all calls.
    pub(crate) fn state(&self) -> Option<String> {
        const BEFORE: &[u8] = br#""state":{"S":""#;
        let at = self.body.windows(BEFORE.len()).position(|part| part == BEFORE)?;
        let rest = &self.body[at + BEFORE.len()..];
        let end = rest.iter().position(|byte| *byte == b'"')?;
        Some(String::from_utf8_lossy(&rest[..end]).into_owned())
    }

    /// What a write to a table says: the last line of a deploy's log, the state of a receipt.
    fn items(&self) -> String {
        let Ok(body) = serde_json::from_slice::<serde_json::Value>(&self.body) else { return String::new() };
        let mut words = String::new();
        for key in [&body["Key"], &body["Item"]] {
            if let Some(sk) = key["Sk"]["S"].as_str() {
                let _ = write!(words, " {sk}");
            }
        }
        if let Some(state) = body["Item"]["state"]["M"]["state"]["S"].as_str() {
            let _ = write!(words, " {state}");
        }
        for item in body["TransactItems"].as_array().into_iter().flatten() {
            let item = &item["Put"]["Item"];
            if let Some(last) = item["log"]["L"].as_array().and_then(|log| log.last()) {
                let said = |name: &str| last["M"][name]["S"].as_str().unwrap_or("...");
                let _ = write!(words, " [{}] {} -> {}", said("step"), said("intent"), said("result"));
            } else if let Some(current) = item["current"]["S"].as_str() {
                let _ = write!(words, " current {current}");
            }
        }
        words
    }

    /// A refusal in the form of its service.
    pub(crate) fn refusal(&self, status: u16, code: &str, message: &str) -> HttpResponse {
        let body = match self.service.as_str() {
            "dynamodb" | "kms" => serde_json::json!({ "__type": code, "message": message }).to_string(),
            "ec2" => format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>\
                 <RequestID>sim</RequestID></Response>"
            ),
            _ => format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>\
                 </Error><RequestId>sim</RequestId></ErrorResponse>"
            ),
        };
        HttpResponse::new(StatusCode::try_from(status).expect("an HTTP status"), SdkBody::from(body))
    }
}

fn parameter(body: &[u8], name: &str) -> Option<String> {
    pairs(body).find(|(key, _)| key == name).map(|(_, value)| value)
}

fn pairs(body: &[u8]) -> impl Iterator<Item = (String, String)> {
    let text = String::from_utf8_lossy(body).into_owned();
    let pairs: Vec<_> = text
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.replace("%2C", ",").replace("%3A", ":").replace('+', " ")))
        .collect();
    pairs.into_iter()
}
