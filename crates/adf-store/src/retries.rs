//! How often a call to DynamoDB or KMS is repeated, and after what.

use std::time::Duration;

use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction, RetryConfig};

/// A schedule with full jitter: the delay after the nth failure is random, at most `first` times 2^(n-1) and
/// at most `max`.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    pub attempts: u32,
    pub first: Duration,
    pub max: Duration,
}

/// Ten attempts, up to 0.1, 0.2, 0.4 ... 12.8 and 20 s apart: at most 46 s, within an instance's boot and
/// within an operator's patience. The SDK's own three attempts give up in under two seconds, before
/// on-demand tables have adapted.
pub const RETRIES: Retries =
    Retries { attempts: 10, first: Duration::from_millis(100), max: Duration::from_secs(20) };

impl Retries {
    pub(crate) fn config(&self) -> RetryConfig {
        RetryConfig::standard()
            .with_max_attempts(self.attempts)
            .with_initial_backoff(self.first)
            .with_max_backoff(self.max)
    }

    /// The longest delay after the `failed`th failure; the first failure is 1.
    pub fn longest(&self, failed: u32) -> Duration {
        (self.first * 2_u32.saturating_pow(failed.saturating_sub(1))).min(self.max)
    }
}

/// Two answers that pass by themselves and that the SDK does not know as such: a limit in the words of a
/// validation error (fault 29), and a transaction that met another one on the same item. Both are told by
/// the text of the answer; the SDK's types have neither.
#[derive(Debug)]
pub(crate) struct AlsoThrottled;

impl ClassifyRetry for AlsoThrottled {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let failed = context.output_or_error().is_some_and(|result| result.is_err());
        let body = context.response().and_then(|answer| answer.body().bytes()).unwrap_or_default();
        if failed && passes_by_itself(&String::from_utf8_lossy(body)) {
            return RetryAction::throttling_error();
        }
        RetryAction::NoActionIndicated
    }

    fn name(&self) -> &'static str {
        "limits and conflicts of DynamoDB"
    }
}

/// Whether the answer is one of those.
pub(crate) fn passes_by_itself(body: &str) -> bool {
    let limit = body.contains("ValidationException") && body.to_ascii_lowercase().contains("limit exceeded");
    let met = body.contains("TransactionCanceledException")
        && ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]
            .iter()
            .any(|reason| body.contains(&format!("\"{reason}\"")))
        // A condition that does not hold is an answer, whatever else stood in the way.
        && !body.contains("\"ConditionalCheckFailed\"");
    limit || met
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_29_a_limit_in_the_words_of_a_validation_error_is_throttling() {
        assert!(passes_by_itself(r#"{"__type":"x#ValidationException","message":"Rate limit exceeded"}"#));
        assert!(!passes_by_itself(r#"{"__type":"x#ValidationException","message":"Item size"}"#));
    }

    #[test]
    fn a_transaction_that_met_another_is_tried_again_but_not_a_condition_that_failed() {
        let cancelled = |reasons: &str| {
            format!(r#"{{"__type":"x#TransactionCanceledException","CancellationReasons":[{reasons}]}}"#)
        };
        assert!(passes_by_itself(&cancelled(r#"{"Code":"None"},{"Code":"TransactionConflict"}"#)));
        assert!(!passes_by_itself(&cancelled(
            r#"{"Code":"ConditionalCheckFailed"},{"Code":"TransactionConflict"}"#
        )));
    }

    #[test]
    fn fault_29_the_delays_double_from_a_tenth_of_a_second_to_twenty() {
        let millis: Vec<u128> = (1..RETRIES.attempts).map(|n| RETRIES.longest(n).as_millis()).collect();
        assert_eq!(millis, [100, 200, 400, 800, 1600, 3200, 6400, 12800, 20000]);
    }
}
