//! The few questions xtask asks of Docker, over its HTTP API: no Docker command is needed on the machine.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::failure::{Failure, Result, While};

/// Docker answers a question in milliseconds; a busy machine may need seconds.
const ANSWER: Duration = Duration::from_secs(20);

/// Where Debian's package listens.
const SOCKET: &str = "/var/run/docker.sock";

#[derive(Debug, Clone)]
pub(crate) struct Engine {
    address: Address,
    configured: bool,
}

#[derive(Debug, Clone)]
enum Address {
    Unix(PathBuf),
    Tcp(String),
}

impl Engine {
    /// What `DOCKER_HOST` says, else this machine's own socket.
    pub(crate) fn from_env() -> Result<Self> {
        let host = std::env::var("DOCKER_HOST").unwrap_or_default();
        let address = match host.split_once("://") {
            None if host.is_empty() => Address::Unix(SOCKET.into()),
            Some(("unix", path)) => Address::Unix(path.into()),
            Some(("tcp" | "http", address)) => Address::Tcp(address.trim_end_matches('/').to_owned()),
            _ => {
                return Err(Failure::new(format!(
                    "DOCKER_HOST is `{host}`, of a kind that ADF does not speak"
                ))
                .hint("use unix:///path or tcp://host:port"));
            }
        };
        Ok(Self { address, configured: !host.is_empty() })
    }

    /// Whether `DOCKER_HOST` chose it.
    pub(crate) fn is_configured(&self) -> bool {
        self.configured
    }

    /// Whether it listens, but not for us.
    pub(crate) fn denies_us(&self) -> bool {
        let Address::Unix(path) = &self.address else { return false };
        let opened = std::os::unix::net::UnixStream::connect(path);
        opened.is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
    }

    pub(crate) async fn version(&self) -> Result<String> {
        let version = self.get("/version").await?;
        Ok(version["Version"].as_str().unwrap_or("of unknown version").to_owned())
    }

    /// Every image whose name starts with `image_prefix/`, and every container of these instances, in words.
    pub(crate) async fn left_by(&self, image_prefix: &str, instances: &[String]) -> Result<Vec<String>> {
        let containers = self.get("/containers/json?all=true").await?;
        let images = self.get("/images/json").await?;
        let prefix = format!("{image_prefix}/");
        let containers = list(&containers)
            .filter(|container| instances.contains(&text(&container["Labels"]["adf.instance"])))
            .map(|container| format!("container {}", text(&container["Names"][0])));
        let images = list(&images)
            .flat_map(|image| list(&image["RepoTags"]).map(text))
            .filter(|tag| tag.starts_with(&prefix))
            .map(|tag| format!("image {tag}"));
        Ok(containers.chain(images).collect())
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let asked = async {
            match &self.address {
                Address::Unix(socket) => ask(UnixStream::connect(socket).await, path).await,
                Address::Tcp(address) => ask(TcpStream::connect(address).await, path).await,
            }
        };
        let answer = tokio::time::timeout(ANSWER, asked).await;
        answer
            .unwrap_or_else(|_| Err(Failure::new(format!("no answer within {} s", ANSWER.as_secs()))))
            .map_err(|failure| Failure::new(format!("Docker at {self} does not answer: {failure}")))
    }
}

async fn ask<S>(stream: std::io::Result<S>, path: &str) -> Result<Value>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(stream.while_("connecting")?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.while_("connecting")?;
    tokio::spawn(connection);
    let request = Request::get(path).header("host", "docker").body(Empty::<Bytes>::new());
    let answer = sender.send_request(request.while_(path)?).await.while_(path)?;
    let status = answer.status();
    let body = answer.into_body().collect().await.while_(path)?.to_bytes();
    if !status.is_success() {
        return Err(Failure::new(format!("{path}: {status}: {}", String::from_utf8_lossy(&body).trim())));
    }
    serde_json::from_slice(&body).while_(path)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().trim_start_matches('/').to_owned()
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Unix(path) => write!(f, "unix://{}", path.display()),
            Address::Tcp(address) => write!(f, "tcp://{address}"),
        }
    }
}
