//! Instance metadata and release archives over HTTP, from one server that knows when it was first asked.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::failure::{Result, While};

/// What is read from a file at once.
const PIECE: usize = 256 * 1024;

#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shelf: Arc<Mutex<Shelf>>,
}

#[derive(Debug, Default)]
struct Shelf {
    texts: HashMap<String, String>,
    files: HashMap<String, PathBuf>,
    first_asked: Option<Instant>,
    /// Added to every request, as a distance would.
    delay: Duration,
}

type Answer = Response<BoxBody<Bytes, std::io::Error>>;

impl Server {
    pub(crate) async fn start(address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).await.while_(format_args!("listening on {address}"))?;
        let address = listener.local_addr().while_("an address")?;
        let shelf = Arc::new(Mutex::new(Shelf::default()));
        tokio::spawn(accept(listener, shelf.clone()));
        Ok(Self { address, shelf })
    }

    pub(crate) fn text(&self, path: &str, text: impl Into<String>) {
        self.lock().texts.insert(path.to_owned(), text.into());
    }

    pub(crate) fn file(&self, path: &str, file: PathBuf) {
        self.lock().files.insert(path.to_owned(), file);
    }

    pub(crate) fn delay(&self, delay: Duration) {
        self.lock().delay = delay;
    }

    /// When the first request since the last call of this came.
    pub(crate) fn first_asked(&self) -> Option<Instant> {
        self.lock().first_asked.take()
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: TcpListener, shelf: Arc<Mutex<Shelf>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let shelf = shelf.clone();
        let service = service_fn(move |request| answer(shelf.clone(), request));
        tokio::spawn(async move {
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(shelf: Arc<Mutex<Shelf>>, request: Request<Incoming>) -> std::io::Result<Answer> {
    let (text, file, delay) = {
        let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.first_asked.get_or_insert_with(Instant::now);
        let path = request.uri().path();
        (shelf.texts.get(path).cloned(), shelf.files.get(path).cloned(), shelf.delay)
    };
    tokio::time::sleep(delay).await;
    if request.method() == Method::PUT {
        let mut token = whole(StatusCode::OK, "token".to_owned());
        // The SDK takes no token without its lifetime.
        token.headers_mut().insert("x-aws-ec2-metadata-token-ttl-seconds", HeaderValue::from_static("21600"));
        return Ok(token);
    }
    match (text, file) {
        (Some(text), _) => Ok(whole(StatusCode::OK, text)),
        (None, Some(file)) => stream(file).await,
        (None, None) => Ok(whole(StatusCode::NOT_FOUND, String::new())),
    }
}

fn whole(status: StatusCode, text: String) -> Answer {
    let body = Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed();
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}

async fn stream(path: PathBuf) -> std::io::Result<Answer> {
    let mut file = tokio::fs::File::open(path).await?;
    file.set_max_buf_size(PIECE);
    let size = file.metadata().await?.len();
    let (sender, receiver) = tokio::sync::mpsc::channel::<std::io::Result<Frame<Bytes>>>(4);
    tokio::spawn(async move {
        loop {
            let mut piece = bytes::BytesMut::with_capacity(PIECE);
            match file.read_buf(&mut piece).await {
                Ok(0) => return,
                Ok(_) => {
                    if sender.send(Ok(Frame::data(piece.freeze()))).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    let _ = sender.send(Err(error)).await;
                    return;
                }
            }
        }
    });
    let pieces = futures_util::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    let answer =
        Response::builder().header("content-length", size).header("content-type", "application/gzip");
    answer.body(BodyExt::boxed(StreamBody::new(pieces))).map_err(std::io::Error::other)
}
