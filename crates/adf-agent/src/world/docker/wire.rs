//! Single HTTP requests to Docker, for what bollard keeps to itself: a build whose session is ours.
//!
//! Neighbours: `build.rs` posts a build through here, `session.rs` opens the session that BuildKit asks for secrets
//! and logins. The rule: one request, one connection; dropping the answer closes it, and that is how a build is
//! cancelled.

use std::io;
use std::path::PathBuf;

use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Where Docker listens, as `DOCKER_HOST` says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    Unix(PathBuf),
    /// `host:port`
    Tcp(String),
}

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

impl Address {
    pub(super) fn from_env() -> io::Result<Self> {
        Self::parse(std::env::var("DOCKER_HOST").ok().as_deref())
    }

    fn parse(docker_host: Option<&str>) -> io::Result<Self> {
        let Some(text) = docker_host.filter(|text| !text.is_empty()) else {
            return Ok(Self::Unix(DEFAULT_SOCKET.into()));
        };
        match text.split_once("://") {
            Some(("unix", path)) => Ok(Self::Unix(path.into())),
            Some(("tcp" | "http", address)) => Ok(Self::Tcp(address.trim_end_matches('/').to_owned())),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("DOCKER_HOST={text} is neither unix:// nor tcp://"),
            )),
        }
    }

    /// Sends one request and waits for the head of its answer; the body follows as it comes.
    pub(super) async fn send(&self, request: Request<Body>) -> io::Result<Response<Incoming>> {
        match self {
            Self::Unix(path) => exchange(UnixStream::connect(path).await?, request).await,
            Self::Tcp(address) => exchange(TcpStream::connect(address).await?, request).await,
        }
    }
}

async fn exchange<S>(stream: S, request: Request<Body>) -> io::Result<Response<Incoming>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // It ends with the answer's body, or when the answer is dropped.
    tokio::spawn(connection.with_upgrades());
    sender.send_request(request).await.map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_is_found_where_docker_host_says() {
        let found = |text| Address::parse(text).ok();
        assert_eq!(found(None), Some(Address::Unix(DEFAULT_SOCKET.into())));
        assert_eq!(found(Some("unix:///run/d.sock")), Some(Address::Unix("/run/d.sock".into())));
        assert_eq!(found(Some("tcp://127.0.0.1:2375")), Some(Address::Tcp("127.0.0.1:2375".into())));
        assert_eq!(found(Some("ssh://elsewhere")), None);
    }
}
