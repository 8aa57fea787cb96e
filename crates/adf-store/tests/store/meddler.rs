//! Somebody else, who changes the table between two requests of ours.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use adf_local::cloud::Cloud;
use adf_store::{Store, Tables};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use futures_util::future::BoxFuture;

use crate::store;

/// What is done before the nth request, with a store that nobody meddles with.
pub(crate) type Meddling = fn(Store, usize) -> BoxFuture<'static, ()>;

/// An HTTP client that meddles just before some of its requests, counted from 1.
#[derive(Clone)]
struct Meddler {
    cloud: Cloud,
    behind: Store,
    sent: Arc<AtomicUsize>,
    before: fn(usize) -> bool,
    meddle: Meddling,
}

impl fmt::Debug for Meddler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meddler")
    }
}

impl HttpClient for Meddler {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Meddler {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let meddler = self.clone();
        HttpConnectorFuture::new(async move {
            let number = meddler.sent.fetch_add(1, Ordering::Relaxed) + 1;
            if (meddler.before)(number) {
                (meddler.meddle)(meddler.behind.clone(), number).await;
            }
            HttpConnector::call(&meddler.cloud, request).await
        })
    }
}

/// A store that is meddled with before some of its requests, counted from 1, and one that is not; both of the same
/// empty tables.
pub(crate) async fn meddled(before: fn(usize) -> bool, meddle: Meddling) -> (Store, Store) {
    let (cloud, behind) = store().await;
    let sent = Arc::default();
    let meddler = Meddler { cloud: cloud.clone(), behind: behind.clone(), sent, before, meddle };
    let sdk = cloud.sdk_config().to_builder().http_client(SharedHttpClient::new(meddler)).build();
    (Store::connect(&sdk, Tables::default()), behind)
}
