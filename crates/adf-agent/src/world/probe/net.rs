//! Probes of the app, as a load balancer would make them.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Client;

use super::{ProbeTarget, Prober};

pub(in crate::world) struct NetProber {
    client: Client,
}

impl NetProber {
    pub(in crate::world) fn new() -> Self {
        let client = Client::builder()
            .no_proxy()
            // Plain http only: the system's root certificates are not read for it.
            .tls_certs_only([])
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("adf-agent/", env!("CARGO_PKG_VERSION")))
            .build()
            .expect("a client without options that can fail");
        Self { client }
    }
}

#[async_trait]
impl Prober for NetProber {
    async fn probe(&self, target: &ProbeTarget, timeout: Duration) -> Result<(), String> {
        match target {
            ProbeTarget::Http { address, path, status } => {
                let request = self.client.get(format!("http://{address}{path}")).timeout(timeout);
                let response = request.send().await.map_err(|e| reason(&e))?;
                let got = response.status().as_u16();
                if status.accepts(got) { Ok(()) } else { Err(got.to_string()) }
            }
            ProbeTarget::Tcp { address } => {
                match tokio::time::timeout(timeout, tokio::net::TcpStream::connect(address)).await {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err(error)) => Err(error.to_string()),
                    Err(_) => Err("no answer in time".to_owned()),
                }
            }
        }
    }
}

/// The innermost cause: the outer ones only repeat the URL.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
