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
