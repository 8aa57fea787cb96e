//! CloudWatch: the metrics that load balancers publish, and alarms whose state somebody sets.
//!
//! - [`metrics`]: samples by the minute, and statistics over them;
//! - [`alarms`]: alarms by name;
//! - `wire`, `shapes`: the protocols that current SDKs speak with CloudWatch.
//!
//! `winterbaume-cloudwatch` was looked at: its `GetMetricData` reads no query and its clock is the wall's, which a judge that counts
//! errors in virtual time cannot use. Played here are the calls that ADF makes, `GetMetricData` and `DescribeAlarms`, and those that
//! set things up, `PutMetricData`, `PutMetricAlarm` and `SetAlarmState`. Nothing evaluates an alarm: its state is what was set.

pub mod alarms;
pub mod metrics;
mod shapes;
mod wire;

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::cloud::Cloud;
use alarms::{AlarmState, Alarms};
use metrics::{Metric, Metrics, TargetCounts};

pub(crate) use wire::{denial, operation};

/// One account's metrics and alarms.
#[derive(Debug, Default)]
pub(crate) struct CloudWatch(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    metrics: Metrics,
    alarms: Alarms,
}

impl CloudWatch {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cloud {
    /// Adds `count` samples of one value to a metric, at a time.
    pub fn add_metric(&self, metric: &Metric, value: f64, count: u64, at: Timestamp) {
        self.cloudwatch().inner().metrics.add(metric, value, count, at);
    }

    /// Publishes what a target group answered at a time, as its load balancers do: under the load balancer, and under the load
    /// balancer and the target group.
    pub fn count_requests(&self, target_group_arn: &str, counts: &TargetCounts, at: Timestamp) {
        let balancers: Vec<String> = self.model(|model, _| {
            let used_by = model.listeners().filter(|it| it.target_group_arn == target_group_arn);
            used_by.map(|listener| listener.load_balancer_arn.clone()).collect()
        });
        for balancer in balancers {
            self.cloudwatch().inner().metrics.count(&balancer, target_group_arn, counts, at);
        }
    }

    /// Puts an alarm into a state, and makes it if there is none of the name. One that rings fails the instance refreshes that watch it.
    pub fn set_alarm(&self, name: &str, state: AlarmState, reason: &str) {
        self.cloudwatch().inner().alarms.set(name, state, reason, self.now());
        if state == AlarmState::Alarm {
            self.model(|model, now| {
                let groups: Vec<String> = model.groups().map(|group| group.name.clone()).collect();
                for group in groups {
                    model.refresh_alarm(&group, name, now);
                }
            });
        }
    }
}
