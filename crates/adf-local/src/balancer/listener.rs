//! A listener that is open: its port, and the clients that keep connections to its targets.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::forward;
use crate::cloud::Cloud;
use crate::cloudwatch::metrics::TargetCounts;
use crate::http::Server;

/// An ALB gives a target this long to accept a connection, then answers 504.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// An ALB's default idle timeout.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

/// What talks to one target; it keeps idle connections to it.
pub(super) type TargetClient = Client<HttpConnector, Incoming>;

#[derive(Debug)]
pub(super) struct OpenListener {
    server: Server,
    routes: Arc<Routes>,
}

impl OpenListener {
    pub(super) async fn open(cloud: Cloud, arn: String, address: SocketAddr) -> io::Result<Self> {
        let routes = Arc::new(Routes { cloud, arn, next: AtomicUsize::new(0), clients: Mutex::default() });
        let serving = routes.clone();
        let handle = move |connection, request| {
            let routes = serving.clone();
            async move { forward::forward(&routes, &connection, request).await }
        };
        Ok(Self { server: Server::bind(address, handle).await?, routes })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Closes the idle connections to targets that get no requests any more, so that none is used when the target
    /// comes back as another process.
    pub(super) fn forget_gone_targets(&self) {
        let routable = self.routes.routable();
        self.routes.clients().retain(|address, _| routable.contains(address));
    }
}

/// Where the requests of one listener go.
#[derive(Debug)]
pub(super) struct Routes {
    cloud: Cloud,
    arn: String,
    next: AtomicUsize,
    clients: Mutex<BTreeMap<SocketAddr, TargetClient>>,
}

impl Routes {
    /// The next target in turn and the client for it; `None` when the target group has none.
    pub(super) fn pick(&self) -> Option<(SocketAddr, TargetClient)> {
        let routable = self.routable();
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let target = *routable.get(turn.checked_rem(routable.len())?)?;
        let client = self.clients().entry(target).or_insert_with(new_client).clone();
        Some((target, client))
    }

    /// Publishes what became of a request, as a load balancer does.
    pub(super) fn count(&self, counts: &TargetCounts) {
        let group = self.cloud.model(|model, _| {
            model.listeners().find(|it| it.arn == self.arn).map(|it| it.target_group_arn.clone())
        });
        if let Some(group) = group {
            self.cloud.count_requests(&group, counts, self.cloud.now());
        }
    }

    fn routable(&self) -> Vec<SocketAddr> {
        self.cloud.model(|model, _| {
            let group = model
                .listeners()
                .find(|listener| listener.arn == self.arn)
                .map(|it| it.target_group_arn.clone());
            group.map(|arn| model.routable(&arn)).unwrap_or_default()
        })
    }

    fn clients(&self) -> std::sync::MutexGuard<'_, BTreeMap<SocketAddr, TargetClient>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn new_client() -> TargetClient {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .build(connector)
}
