//! Fetches from a server of our own on loopback, over TLS under any name: what it was asked, what was made of its
//! answers, and that some requests are never made.

mod failures;
mod part;
mod redirects;
mod resume;
mod server;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use adf_types::ConfigValue;
use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use reqwest::Client;

use super::hop::AllowedHosts;
use super::http::Http;
use super::resolver::{CheckedResolver, Lookup};
use super::{Access, Download, FetchError, address};
use server::Server;

const TOKEN: &str = "ghp_hunter2";

/// Names, each with its answers: one a lookup, the last one for ever.
#[derive(Default)]
struct Names(Mutex<HashMap<&'static str, Vec<Vec<SocketAddr>>>>);

#[async_trait]
impl Lookup for Names {
    async fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        let mut names = self.0.lock().expect("one thread");
        let answers = names.get_mut(name).ok_or_else(|| io::Error::other("no such host"))?;
        Ok(if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() })
    }
}

/// The real rules, but for the loopback address that plays the internet here.
fn refusal(ip: IpAddr, local: bool) -> Option<&'static str> {
    if ip.is_loopback() { None } else { address::refusal(ip, local) }
}

/// A client that trusts the server's root and finds it under `names`; more names have addresses of their own.
fn http(server: &Server, names: &[&'static str], more: &[(&'static str, &[&str])]) -> Http {
    let here: HashMap<_, _> = names.iter().map(|name| (*name, vec![vec![server.address]])).collect();
    let others = more.iter().map(|(name, answers)| {
        let address = |ip: &str| match ip {
            "here" => server.address,
            ip => SocketAddr::new(ip.parse().expect("an address"), 0),
        };
        (*name, answers.iter().map(|answer| answer.split(' ').map(address).collect()).collect())
    });
    let lookup = Arc::new(Names(Mutex::new(here.into_iter().chain(others).collect())));
    let builder = Client::builder().no_proxy().tls_certs_merge([server.root.clone()]);
    Http::with(builder, CheckedResolver { lookup, refusal }, AllowedHosts::default())
}

async fn open(http: &Http, url: &str) -> Result<Download, FetchError> {
    http.open(&url.parse().expect("a URL"), &Access::default()).await
}

async fn open_with_token(http: &Http, url: &str) -> Result<Download, FetchError> {
    let access = Access { github_token: Some(ConfigValue::secret(TOKEN)) };
    http.open(&url.parse().expect("a URL"), &access).await
}

async fn body(download: Download) -> Result<Vec<u8>, FetchError> {
    download.body.try_fold(Vec::new(), async |all, piece| Ok([all, piece.to_vec()].concat())).await
}
