//! A connection that breaks at the n-th write, after it took effect: the caller never learns more.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use adf_local::cloud::Cloud;
use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

#[derive(Clone, Debug)]
pub(crate) struct Fuse {
    cloud: Cloud,
    left: Arc<AtomicI64>,
}

impl Fuse {
    pub(crate) fn new(cloud: &Cloud, writes: i64) -> Self {
        Self { cloud: cloud.clone(), left: Arc::new(AtomicI64::new(writes)) }
    }

    pub(crate) fn sdk_config(&self) -> SdkConfig {
        self.cloud.sdk_config().into_builder().http_client(SharedHttpClient::new(self.clone())).build()
    }

    pub(crate) fn is_blown(&self) -> bool {
        self.left.load(Ordering::SeqCst) <= 0
    }
}

impl HttpClient for Fuse {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Fuse {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let cost = i64::from(writes(&request));
        let left = self.left.fetch_sub(cost, Ordering::SeqCst) - cost;
        if left > 0 {
            return self.cloud.call(request);
        }
        let last = left == 0 && cost == 1;
        let effect = last.then(|| self.cloud.call(request));
        HttpConnectorFuture::new(async move {
            if let Some(effect) = effect {
                let _ = effect.await;
            }
            std::future::pending().await
        })
    }
}

/// Whether a request may change something.
fn writes(request: &HttpRequest) -> bool {
    let reads_items = request
        .headers()
        .get("x-amz-target")
        .is_some_and(|t| ["GetItem", "Query", "BatchGetItem"].iter().any(|verb| t.ends_with(verb)));
    let body = request.body().bytes().unwrap_or_default();
    let describes = body.starts_with(b"Action=Describe") || body.starts_with(b"Action=GetCaller");
    !reads_items && !describes
}
