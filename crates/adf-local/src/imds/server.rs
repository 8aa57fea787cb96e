//! The protocol of one instance's metadata service: a token first, then everything by GET with the token.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};

use winterbaume_core::percent_decode;

use super::role::RoleCredentials;
use super::token::Tokens;
use super::tree;
use crate::cloud::Cloud;
use crate::http::{Answer, Connection, Server, text};

const TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");
const TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
/// What answers other than a token's travel with: Linux's default.
const USUAL_HOPS: u32 = 64;

struct Service {
    cloud: Cloud,
    instance: String,
    session: Mutex<Session>,
}

#[derive(Default)]
struct Session {
    tokens: Tokens,
    role: RoleCredentials,
}

pub(super) async fn open(cloud: Cloud, instance: String, address: SocketAddr) -> std::io::Result<Server> {
    let service = Arc::new(Service { cloud, instance, session: Mutex::default() });
    Server::bind(address, move |connection, request| {
        let answer = service.answer(&connection, &request);
        async move { answer }
    })
    .await
}

impl Service {
    fn answer(&self, connection: &Connection, request: &Request<Incoming>) -> Answer {
        let path = request.uri().path();
        match (request.method(), path) {
            (&Method::PUT, "/latest/api/token") => self.token(connection, request.headers()),
            (&Method::GET, "/") => text(StatusCode::OK, "latest"),
            (&Method::GET, _) => self.get(connection, request.headers(), path),
            _ => text(StatusCode::METHOD_NOT_ALLOWED, "405 - Method Not Allowed"),
        }
    }

    /// A token never leaves through a proxy or, with the hop limit of 1, through a container's bridge.
    fn token(&self, connection: &Connection, headers: &HeaderMap) -> Answer {
        if headers.contains_key("x-forwarded-for") {
            return text(StatusCode::FORBIDDEN, "403 - Forbidden");
        }
        let hops =
            self.cloud.model(|model, _| model.instance(&self.instance).map(|it| it.metadata.hop_limit));
        let now = self.cloud.now();
        let ttl = headers.get(TTL).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((token, seconds)) = session.tokens.issue(ttl, now) else {
            return text(StatusCode::BAD_REQUEST, "400 - Bad Request");
        };
        if connection.set_ttl(hops.unwrap_or(1).into()).is_err() {
            return text(StatusCode::INTERNAL_SERVER_ERROR, "the hop limit could not be set");
        }
        let mut answer = text(StatusCode::OK, token);
        answer.headers_mut().insert(TTL, HeaderValue::from(seconds));
        answer
    }

    fn get(&self, connection: &Connection, headers: &HeaderMap, path: &str) -> Answer {
        // Failing leaves the lower limit, which the client on this machine does not notice.
        let _ = connection.set_ttl(USUAL_HOPS);
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let token = headers.get(TOKEN).map(|value| value.to_str().unwrap_or_default());
        let found = self.cloud.model(|model, now| {
            let instance = model.instance(&self.instance)?;
            let allowed = match token {
                Some(token) => session.tokens.holds(token, now),
                None => !instance.metadata.http_tokens_required,
            };
            if !allowed {
                return Some(Err(StatusCode::UNAUTHORIZED));
            }
            let path = percent_decode(path.strip_prefix("/latest")?);
            let settings = model.settings();
            let role = &mut session.role;
            tree::read(instance, &settings.account, &settings.region, &path, || role.document(now)).map(Ok)
        });
        match found {
            Some(Ok(content)) => text(StatusCode::OK, content),
            Some(Err(status)) => text(status, "401 - Unauthorized"),
            None => text(StatusCode::NOT_FOUND, "404 - Not Found"),
        }
    }
}
