//! The HTTP/1.1 server under every address that adf-local listens on: the endpoint, IMDS, the load balancers.
//!
//! A [`Server`] that is dropped closes its port and every connection, so nothing outlives its owner.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

/// A body that is there, or that still streams in from elsewhere.
pub(crate) type Body = UnsyncBoxBody<Bytes, hyper::Error>;
pub(crate) type Answer = Response<Body>;

/// The connection a request came on.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) peer: SocketAddr,
    socket: Arc<std::net::TcpStream>,
}

impl Connection {
    /// Sets the TTL of the IP packets that carry what is answered from now on.
    pub(crate) fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket.set_ttl(ttl)
    }
}

/// A listening address and all connections made to it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    _accepting: AbortOnDropHandle<()>,
}

impl Server {
    /// Listens on `address` and answers each request with what `handle` makes of it.
    pub(crate) async fn bind<H, F>(address: SocketAddr, handle: H) -> io::Result<Self>
    where
        H: Fn(Connection, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let accepting = AbortOnDropHandle::new(tokio::spawn(accept(listener, handle)));
        Ok(Self { address, _accepting: accepting })
    }
}

async fn accept<H, F>(listener: TcpListener, handle: H)
where
    H: Fn(Connection, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, peer)) => {
                connections.spawn(converse(stream, peer, handle.clone()));
            }
            // Out of file descriptors, mostly; accepting again at once would only spin.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

async fn converse<H, F>(stream: TcpStream, peer: SocketAddr, handle: H)
where
    H: Fn(Connection, Request<Incoming>) -> F,
    F: Future<Output = Answer>,
{
    let Ok((stream, socket)) = with_handle(stream) else { return };
    let connection = Connection { peer, socket: Arc::new(socket) };
    let service = service_fn(|request| {
        let answer = handle(connection.clone(), request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    // A client that goes away in the middle is its own affair.
    let _ = builder.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
}

/// The same socket twice: one to talk, one to set options while hyper owns the first.
fn with_handle(stream: TcpStream) -> io::Result<(TcpStream, std::net::TcpStream)> {
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    let handle = stream.try_clone()?;
    Ok((TcpStream::from_std(stream)?, handle))
}

/// An answer of plain text.
pub(crate) fn text(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(full(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain"));
    answer
}

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Mutex;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    /// A connection that has had one answer and stays open.
    async fn ask(server: &Server, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(server.address).await.expect("it listens");
        let request = format!("GET {path} HTTP/1.1\r\nhost: h\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        assert_ne!(stream.read(&mut [0; 1024]).await.expect("answered"), 0);
        stream
    }

    #[tokio::test]
    async fn a_ttl_is_set_on_the_connection_that_was_asked_and_on_no_other() {
        let ttls = Arc::new(Mutex::new(Vec::new()));
        let seen = ttls.clone();
        let server = Server::bind(ANY, move |connection: Connection, request| {
            if request.uri().path() == "/near" {
                connection.set_ttl(3).expect("a socket option");
            }
            seen.lock().expect("no panic").push(connection.socket.ttl().expect("a socket option"));
            async { text(StatusCode::OK, "") }
        });
        let server = server.await.expect("a free port");
        ask(&server, "/near").await;
        ask(&server, "/far").await;
        let ttls = ttls.lock().expect("no panic");
        assert!(ttls[0] == 3 && ttls[1] > 3, "{ttls:?}");
    }

    #[tokio::test]
    async fn a_dropped_server_closes_its_port_and_its_connections() {
        let server = Server::bind(ANY, |_, _| async { text(StatusCode::OK, "") }).await.expect("a free port");
        let (address, mut open) = (server.address, ask(&server, "/").await);
        drop(server);
        let rest = open.read(&mut [0; 16]).await;
        assert!(matches!(rest, Ok(0) | Err(_)), "the connection is still open: {rest:?}");
        assert!(TcpStream::connect(address).await.is_err(), "the port is still open");
    }
}
