//! A server that speaks TLS to who begins with a TLS handshake and plain HTTP to others, on one port; its answers are
//! written byte by byte, so that they can be cut and wrong.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A request as it was seen.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) tls: bool,
    head: String,
}

impl Seen {
    pub(super) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// `https://host/path`
    pub(super) fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.header("host").unwrap_or_default(), self.path())
    }
}

pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) root: reqwest::Certificate,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// The years of a certificate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Years(pub(super) i32, pub(super) i32);

pub(super) const VALID: Years = Years(2020, 2090);

impl Server {
    /// Answers each request as `script` says, then closes the connection. The certificate is for `names`.
    pub(super) async fn start(
        names: &[&str],
        years: Years,
        script: impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (root, tls) = certificates(names, years);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (script, kept) = (Arc::new(script), seen.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, tls.clone(), script.clone(), kept.clone()));
            }
        });
        Self { address, root, seen }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("one thread").clone()
    }

    pub(super) fn urls(&self) -> Vec<String> {
        self.seen().iter().map(Seen::url).collect()
    }
}

async fn connection(
    stream: TcpStream,
    tls: TlsAcceptor,
    script: Arc<impl Fn(&Seen) -> Vec<u8>>,
    seen: Arc<Mutex<Vec<Seen>>>,
) {
    const HANDSHAKE: u8 = 0x16;
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) if first[0] == HANDSHAKE => {
            if let Ok(stream) = tls.accept(stream).await {
                exchange(stream, true, script, seen).await;
            }
        }
        _ => exchange(stream, false, script, seen).await,
    }
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    tls: bool,
    script: Arc<impl Fn(&Seen) -> Vec<u8>>,
    seen: Arc<Mutex<Vec<Seen>>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let request = Seen { tls, head: String::from_utf8_lossy(&head).into_owned() };
    let answer = script(&request);
    seen.lock().expect("one thread").push(request);
    let _ = stream.write_all(&answer).await;
    let _ = stream.shutdown().await;
}

fn certificates(names: &[&str], years: Years) -> (reqwest::Certificate, TlsAcceptor) {
    let mut authority = CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().expect("a key");
    let authority = authority.self_signed(&authority_key).expect("signed");
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut leaf = CertificateParams::new(names).expect("names");
    leaf.not_before = date_time_ymd(years.0, 1, 1);
    leaf.not_after = date_time_ymd(years.1, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let leaf = leaf.signed_by(&key, &authority, &authority_key).expect("signed");
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)
        .expect("a certificate and its key");
    let root = reqwest::Certificate::from_der(authority.der()).expect("a certificate");
    (root, TlsAcceptor::from(Arc::new(config)))
}

/// An answer of head and body; the body's length is told unless `more` tells one.
pub(super) fn answer(status: &str, more: &[&str], body: &[u8]) -> Vec<u8> {
    let told = more.iter().any(|line| {
        let line = line.to_ascii_lowercase();
        line.starts_with("content-length") || line.starts_with("transfer-encoding")
    });
    let length = if told { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let more: String = more.iter().flat_map(|line| [*line, "\r\n"]).collect();
    let head = format!("HTTP/1.1 {status}\r\n{length}{more}Connection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

pub(super) fn redirect(to: &str) -> Vec<u8> {
    answer("302 Found", &[&format!("Location: {to}")], b"")
}
