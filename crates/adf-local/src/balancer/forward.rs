//! One request, from a client to a target and back, streamed both ways.
//!
//! As an ALB does: the `Host` stays the client's, `X-Forwarded-For` grows by the client's address, hop-by-hop
//! headers end here. 503 without a target, 502 when the target refuses or breaks the connection, 504 when it does
//! not accept within 10 seconds. A request is never sent to a second target: AWS documents no such retry. What is
//! retried, on the same target, is a request that a kept connection had not taken yet when the target closed it.
//! Source: "Troubleshoot your Application Load Balancers" and "HTTP headers and Application Load Balancers".

use std::error::Error as _;
use std::net::SocketAddr;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, StatusCode, Uri, Version};

use super::listener::Routes;
use crate::cloudwatch::metrics::TargetCounts;
use crate::http::{Answer, Connection, text};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// Headers about one connection; those that `Connection` names are added to them.
const HOP_BY_HOP: [&str; 7] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

pub(super) async fn forward(routes: &Routes, connection: &Connection, request: Request<Incoming>) -> Answer {
    let Some((target, client)) = routes.pick() else {
        routes.count(&TargetCounts { elb_5xx: 1, ..TargetCounts::default() });
        return text(StatusCode::SERVICE_UNAVAILABLE, "503 Service Temporarily Unavailable\n");
    };
    match client.request(outgoing(request, target, connection.peer)).await {
        Ok(answer) => {
            routes.count(&answered(answer.status()));
            let (mut parts, body) = answer.into_parts();
            strip_hop_by_hop(&mut parts.headers);
            parts.version = Version::HTTP_11;
            Answer::from_parts(parts, body.boxed_unsync())
        }
        Err(error) => {
            let cause = error.source().map(ToString::to_string).unwrap_or_default();
            tracing::warn!(%target, %error, cause, "a request could not be forwarded");
            routes.count(&TargetCounts { elb_5xx: 1, connection_errors: 1, ..TargetCounts::default() });
            failure(&error)
        }
    }
}

fn answered(status: StatusCode) -> TargetCounts {
    let of = |class: u16| u64::from(status.as_u16() / 100 == class);
    TargetCounts {
        requests: 1,
        target_2xx: of(2),
        target_3xx: of(3),
        target_4xx: of(4),
        target_5xx: of(5),
        ..TargetCounts::default()
    }
}

fn outgoing(request: Request<Incoming>, target: SocketAddr, client: SocketAddr) -> Request<Incoming> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = Uri::builder()
        .scheme("http")
        .authority(target.to_string())
        .path_and_query(path)
        .build()
        .expect("a path that was parsed and a socket address make a URI");
    parts.version = Version::HTTP_11;
    strip_hop_by_hop(&mut parts.headers);
    add_forwarded(&mut parts.headers, client);
    Request::from_parts(parts, body)
}

fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(',').map(|name| name.trim().to_ascii_lowercase()))
        .collect();
    for name in named.iter().map(String::as_str).chain(HOP_BY_HOP) {
        headers.remove(name);
    }
}

fn add_forwarded(headers: &mut HeaderMap, client: SocketAddr) {
    let earlier = headers.get(FORWARDED_FOR).and_then(|value| value.to_str().ok());
    let all =
        earlier.map_or_else(|| client.ip().to_string(), |earlier| format!("{earlier}, {}", client.ip()));
    headers.insert(FORWARDED_FOR, all.parse().expect("a header and an address make a header"));
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
}

fn failure(error: &hyper_util::client::legacy::Error) -> Answer {
    let timed_out = |error: &std::io::Error| error.kind() == std::io::ErrorKind::TimedOut;
    let mut cause = error.source();
    while let Some(inner) = cause {
        if error.is_connect() && inner.downcast_ref().is_some_and(timed_out) {
            return text(StatusCode::GATEWAY_TIMEOUT, "504 Gateway Time-out\n");
        }
        cause = inner.source();
    }
    text(StatusCode::BAD_GATEWAY, "502 Bad Gateway\n")
}
