//! Samples by the minute.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Load balancers publish by the minute, and no metric here is finer.
pub const MINUTE: i64 = 60;

/// The name of a series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    /// `AWS/ApplicationELB`
    pub namespace: String,
    /// `RequestCount`
    pub name: String,
    pub dimensions: BTreeMap<String, String>,
}

/// What a target group answered; each count is of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetCounts {
    /// All that reached a target.
    pub requests: u64,
    pub target_2xx: u64,
    pub target_3xx: u64,
    pub target_4xx: u64,
    pub target_5xx: u64,
    /// Answered with 5xx by the load balancer itself.
    pub elb_5xx: u64,
    /// Connections that a target refused or broke.
    pub connection_errors: u64,
}

/// A statistic over the samples of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    Sum,
    Average,
    SampleCount,
    Minimum,
    Maximum,
}

impl Statistic {
    /// AWS's name; percentiles are not kept.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "Sum" => Some(Self::Sum),
            "Average" => Some(Self::Average),
            "SampleCount" => Some(Self::SampleCount),
            "Minimum" => Some(Self::Minimum),
            "Maximum" => Some(Self::Maximum),
            _ => None,
        }
    }

    fn of(self, samples: &Samples) -> f64 {
        match self {
            Self::Sum => samples.sum,
            Self::Average => samples.sum / samples.count,
            Self::SampleCount => samples.count,
            Self::Minimum => samples.least,
            Self::Maximum => samples.most,
        }
    }
}

/// The samples of one minute, as a statistic set.
#[derive(Clone, Copy, Debug)]
struct Samples {
    sum: f64,
    count: f64,
    least: f64,
    most: f64,
}

impl Samples {
    fn join(&mut self, other: &Self) {
        (self.sum, self.count) = (self.sum + other.sum, self.count + other.count);
        (self.least, self.most) = (self.least.min(other.least), self.most.max(other.most));
    }
}

/// Which data points are asked for. Times are Unix seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: i64,
    /// Exclusive.
    pub(super) end: i64,
    /// A multiple of a minute.
    pub(super) period: i64,
    /// Minutes that end later are not published yet.
    pub(super) published: i64,
}

#[derive(Debug, Default)]
pub(super) struct Metrics(BTreeMap<Metric, BTreeMap<i64, Samples>>);

impl Metrics {
    pub(super) fn add(&mut self, metric: &Metric, value: f64, count: u64, at: Timestamp) {
        if count == 0 {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "nobody sends 2^53 requests in a minute")]
        let count = count as f64;
        let samples = Samples { sum: value * count, count, least: value, most: value };
        let minutes = self.0.entry(metric.clone()).or_default();
        minutes.entry(floor(at.as_second(), MINUTE)).and_modify(|it| it.join(&samples)).or_insert(samples);
    }

    pub(super) fn count(&mut self, balancer: &str, group: &str, counts: &TargetCounts, at: Timestamp) {
        let of_balancer = BTreeMap::from([("LoadBalancer".to_owned(), tail(balancer, "loadbalancer/"))]);
        let mut of_group = of_balancer.clone();
        of_group.insert("TargetGroup".to_owned(), tail(group, ":targetgroup/"));
        let both = [&of_balancer, &of_group];
        let mut publish = |name: &str, count: u64, under: &[&BTreeMap<String, String>]| {
            for dimensions in under {
                let (namespace, name) = ("AWS/ApplicationELB".to_owned(), name.to_owned());
                let metric = Metric { namespace, name, dimensions: (*dimensions).clone() };
                self.add(&metric, 1.0, count, at);
            }
        };
        publish("RequestCount", counts.requests, &both);
        publish("HTTPCode_Target_2XX_Count", counts.target_2xx, &both);
        publish("HTTPCode_Target_3XX_Count", counts.target_3xx, &both);
        publish("HTTPCode_Target_4XX_Count", counts.target_4xx, &both);
        publish("HTTPCode_Target_5XX_Count", counts.target_5xx, &both);
        publish("TargetConnectionErrorCount", counts.connection_errors, &both);
        publish("HTTPCode_ELB_5XX_Count", counts.elb_5xx, &both[..1]);
    }

    /// Data points in order of time; a period without samples has none.
    pub(super) fn data(&self, metric: &Metric, statistic: Statistic, span: Span) -> Vec<(i64, f64)> {
        let mut periods: BTreeMap<i64, Samples> = BTreeMap::new();
        let minutes = self.0.get(metric).into_iter().flat_map(|minutes| minutes.range(span.start..span.end));
        for (minute, samples) in minutes.filter(|(minute, _)| *minute + MINUTE <= span.published) {
            let period = floor(*minute, span.period);
            periods.entry(period).and_modify(|it| it.join(samples)).or_insert(*samples);
        }
        periods.into_iter().map(|(start, samples)| (start, statistic.of(&samples))).collect()
    }
}

fn floor(second: i64, period: i64) -> i64 {
    second - second.rem_euclid(period)
}

/// `app/web/0123` of a load balancer's ARN, `targetgroup/web/0123` of a target group's, as the dimensions have it.
fn tail(arn: &str, before: &str) -> String {
    let at = arn.find(before).unwrap_or(0);
    let rest = &arn[at..];
    rest.strip_prefix(':').or(rest.strip_prefix(before)).unwrap_or(rest).to_owned()
}
