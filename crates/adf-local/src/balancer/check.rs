//! Health checks: each target of a target group that a listener uses, by the target group's settings.
//!
//! One task a target: a check at once, then one every interval; each result goes to the model, which counts.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::Request;
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::task::AbortOnDropHandle;

use crate::cloud::Cloud;
use crate::model::{
    HealthCheckSettings, HealthPort, Model, Probe, ProbeFailure, Protocol, TargetGroup, TargetKey,
};

/// A target in a target group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Checked {
    target_group: String,
    target: TargetKey,
}

/// What is checked, and how; a change of either starts the checks anew.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Plan {
    address: SocketAddr,
    settings: HealthCheckSettings,
}

/// The checks that run now.
#[derive(Debug)]
pub(super) struct Checks {
    cloud: Cloud,
    running: BTreeMap<Checked, (Plan, AbortOnDropHandle<()>)>,
}

impl Checks {
    pub(super) fn new(cloud: Cloud) -> Self {
        Self { cloud, running: BTreeMap::new() }
    }

    pub(super) fn reconcile(&mut self) {
        let wanted = self.cloud.model(|model, _| plans(model));
        self.running.retain(|checked, (plan, _)| wanted.get(checked) == Some(plan));
        for (checked, plan) in wanted {
            let cloud = &self.cloud;
            self.running.entry(checked.clone()).or_insert_with(|| {
                let task = tokio::spawn(check_forever(cloud.clone(), checked, plan.clone()));
                (plan, AbortOnDropHandle::new(task))
            });
        }
    }
}

fn plans(model: &Model) -> BTreeMap<Checked, Plan> {
    let of_group = |group: &TargetGroup| {
        let (arn, settings) = (group.arn.clone(), group.health.clone());
        let targets = model.checked_targets(&arn);
        targets.into_iter().map(move |(target, address)| plan(arn.clone(), settings.clone(), target, address))
    };
    model.target_groups().flat_map(of_group).collect()
}

fn plan(
    target_group: String,
    settings: HealthCheckSettings,
    target: TargetKey,
    address: Ipv4Addr,
) -> (Checked, Plan) {
    let port = match settings.port {
        HealthPort::TrafficPort => target.port,
        HealthPort::Fixed(port) => port,
    };
    (Checked { target_group, target }, Plan { address: SocketAddr::from((address, port)), settings })
}

async fn check_forever(cloud: Cloud, checked: Checked, plan: Plan) {
    let mut due = tokio::time::interval(plan.settings.interval.max(Duration::from_millis(10)));
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        let probe = check(&plan).await;
        cloud.model(|model, now| model.health_checked(&checked.target_group, &checked.target, probe, now));
    }
}

async fn check(plan: &Plan) -> Probe {
    let settings = &plan.settings;
    let reason = match tokio::time::timeout(settings.timeout, ask(plan)).await {
        Ok(Ok(status)) if status.is_none_or(|status| settings.matcher.matches(status)) => {
            return Probe::Passed;
        }
        Ok(Ok(status)) => ProbeFailure::ResponseCode(status.unwrap_or_default()),
        Ok(Err(error)) => ProbeFailure::Failed(error.to_string()),
        Err(_) => ProbeFailure::Timeout,
    };
    Probe::Failed { reason }
}

/// The status of the answer; none where opening the connection is the check.
async fn ask(plan: &Plan) -> Result<Option<u16>, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(plan.address).await?;
    if plan.settings.protocol == Protocol::Tcp {
        return Ok(None);
    }
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
    let request = Request::get(&plan.settings.path)
        .header(HOST, plan.address.to_string())
        .header(USER_AGENT, "ELB-HealthChecker/2.0")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())?;
    Ok(Some(sender.send_request(request).await?.status().as_u16()))
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;

    use super::*;
    use crate::http::{Server, text};
    use crate::model::Matcher;

    /// A target that answers `/500` with 500, `/slow` never, and everything else with 204.
    async fn target() -> Server {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let target = Server::bind(address, |_, request| async move {
            match request.uri().path() {
                "/500" => text(StatusCode::INTERNAL_SERVER_ERROR, ""),
                "/slow" => std::future::pending().await,
                _ => text(StatusCode::NO_CONTENT, ""),
            }
        });
        target.await.expect("a free port")
    }

    fn plan(address: SocketAddr, path: &str, matcher: &str) -> Plan {
        let settings = HealthCheckSettings {
            enabled: true,
            protocol: Protocol::Http,
            port: HealthPort::TrafficPort,
            path: path.to_owned(),
            matcher: Matcher::parse(matcher).expect("a matcher"),
            interval: Duration::from_secs(5),
            timeout: Duration::from_millis(300),
            healthy_threshold: 2,
            unhealthy_threshold: 2,
        };
        Plan { address, settings }
    }

    fn failed(reason: ProbeFailure) -> Probe {
        Probe::Failed { reason }
    }

    #[tokio::test]
    async fn the_matcher_decides_about_the_status() {
        let target = target().await;
        assert_eq!(check(&plan(target.address, "/", "200-299")).await, Probe::Passed);
        assert_eq!(check(&plan(target.address, "/", "200")).await, failed(ProbeFailure::ResponseCode(204)));
        assert_eq!(
            check(&plan(target.address, "/500", "200-299")).await,
            failed(ProbeFailure::ResponseCode(500))
        );
    }

    #[tokio::test]
    async fn no_answer_in_time_is_a_timeout() {
        let target = target().await;
        assert_eq!(check(&plan(target.address, "/slow", "200")).await, failed(ProbeFailure::Timeout));
    }

    #[tokio::test]
    async fn an_open_port_is_enough_for_tcp_and_a_closed_one_fails() {
        let target = target().await;
        let mut plan = plan(target.address, "/500", "200");
        plan.settings.protocol = Protocol::Tcp;
        assert_eq!(check(&plan).await, Probe::Passed);
        drop(target);
        assert!(matches!(check(&plan).await, Probe::Failed { reason: ProbeFailure::Failed(_) }));
    }
}
