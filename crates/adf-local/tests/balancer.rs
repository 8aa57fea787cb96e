//! The load balancer between real clients and real targets: who gets how many requests, and that none fails.

mod common;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use adf_local::balancer::Balancer;
use adf_local::cloud::Cloud;
use adf_local::model::targets::{HealthCheckRequest, NewListener, NewLoadBalancer, NewTargetGroup};
use adf_local::model::templates::LaunchData;
use adf_local::model::{TargetKey, TargetState};
use bytes::Bytes;
use common::{Network, address, eventually, launch};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use reqwest::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

const PORT: u16 = 8080;

/// A target that counts. `/slow` takes 300 ms, `/health` passes while it is well, `/echo` shows what arrived.
struct App {
    served: Arc<AtomicUsize>,
    well: Arc<AtomicBool>,
    serving: AbortOnDropHandle<()>,
}

impl App {
    async fn start(address: Ipv4Addr) -> Self {
        let listener = TcpListener::bind((address, PORT)).await.expect("its address is free");
        let (served, well) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(true)));
        let state = (served.clone(), well.clone());
        let serving = AbortOnDropHandle::new(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let state = state.clone();
                connections.spawn(async move {
                    let service = service_fn(move |request| answer(state.clone(), address, request));
                    let http = hyper::server::conn::http1::Builder::new();
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        }));
        Self { served, well, serving }
    }

    fn served(&self) -> usize {
        self.served.load(Ordering::SeqCst)
    }
}

async fn answer(
    (served, well): (Arc<AtomicUsize>, Arc<AtomicBool>),
    address: Ipv4Addr,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut status = 200;
    let mut text = address.to_string();
    match request.uri().path() {
        "/health" if !well.load(Ordering::SeqCst) => status = 500,
        "/health" => {}
        path => {
            served.fetch_add(1, Ordering::SeqCst);
            match path {
                "/slow" => tokio::time::sleep(Duration::from_millis(300)).await,
                "/echo" => text = format!("{} {} {:?}", request.method(), request.uri(), request.headers()),
                _ => {}
            }
        }
    }
    let answer = Response::builder().status(status).header("keep-alive", "timeout=5");
    Ok(answer.body(Full::new(Bytes::from(text))).expect("a plain answer"))
}

/// A load balancer with one target group, its reconciliation running.
struct Site {
    cloud: Cloud,
    group: String,
    url: String,
    ids: Vec<String>,
    http: reqwest::Client,
    _network: Network,
    _reconciling: AbortOnDropHandle<()>,
}

impl Site {
    async fn open(instances: u32, health_checks: bool) -> Self {
        let network = Network::claim();
        let cloud = network.cloud();
        let ids = launch(&cloud, instances, LaunchData::default());
        let (group, balancer) = make_balancer(&cloud, health_checks);
        let site = Self {
            group,
            url: format!("http://{balancer}:80"),
            ids,
            http: reqwest::Client::builder().no_proxy().build().expect("a plain client"),
            _network: network,
            _reconciling: AbortOnDropHandle::new(tokio::spawn(reconcile(cloud.clone()))),
            cloud,
        };
        eventually("the load balancer answers", async || site.http.get(&site.url).send().await.is_ok()).await;
        site
    }

    async fn apps(&self) -> Vec<App> {
        let mut apps = Vec::new();
        for id in &self.ids {
            apps.push(App::start(address(&self.cloud, id)).await);
        }
        apps
    }

    fn register(&self, id: &str) {
        let key = TargetKey { id: id.to_owned(), port: PORT };
        self.cloud.model(|model, now| model.register_targets(&self.group, &[key], now)).expect("registered");
    }

    fn deregister(&self, id: &str) {
        let target = (id.to_owned(), Some(PORT));
        self.cloud
            .model(|model, now| model.deregister_targets(&self.group, &[target], now))
            .expect("deregistered");
    }

    fn state(&self, id: &str) -> TargetState {
        let key = TargetKey { id: id.to_owned(), port: PORT };
        self.cloud.model(|model, _| model.target_health(&self.group, &key)).expect("the group exists").state
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.expect("the balancer answers");
        (answer.status(), answer.text().await.expect("the whole body"))
    }
}

fn make_balancer(cloud: &Cloud, health_checks: bool) -> (String, Ipv4Addr) {
    cloud.model(|model, now| {
        let health = HealthCheckRequest {
            enabled: Some(health_checks),
            path: Some("/health".to_owned()),
            interval: Some(5),
            timeout: Some(2),
            ..HealthCheckRequest::default()
        };
        let group = NewTargetGroup {
            name: "web".to_owned(),
            protocol: "HTTP".to_owned(),
            port: PORT,
            vpc_id: Some(model.network().vpc_id.clone()),
            health,
            ..NewTargetGroup::default()
        };
        let group = model.create_target_group(group).expect("a target group");
        let subnet_ids = model.network().subnets.iter().map(|subnet| subnet.id.clone()).collect();
        let balancer = NewLoadBalancer { name: "web".to_owned(), subnet_ids, ..NewLoadBalancer::default() };
        let balancer = model.create_load_balancer(balancer, now).expect("a load balancer");
        let listener = NewListener {
            load_balancer_arn: balancer.clone(),
            port: 80,
            protocol: "HTTP".to_owned(),
            target_group_arn: group.clone(),
            ..NewListener::default()
        };
        model.create_listener(listener).expect("a listener");
        let address = model.existing_load_balancer(&balancer).expect("it was just made").address;
        (group, address)
    })
}

async fn reconcile(cloud: Cloud) {
    let mut balancer = Balancer::new(cloud);
    loop {
        balancer.reconcile().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn requests_go_round_and_each_target_gets_exactly_its_share() {
    let site = Site::open(3, false).await;
    let apps = site.apps().await;
    site.ids.iter().for_each(|id| site.register(id));
    for _ in 0..30 {
        assert_eq!(site.get("/").await.0, StatusCode::OK);
    }
    assert_eq!(apps.iter().map(App::served).collect::<Vec<_>>(), [10, 10, 10]);
}

#[tokio::test]
async fn a_target_sees_the_clients_request_and_address() {
    let site = Site::open(1, false).await;
    let _apps = site.apps().await;
    site.register(&site.ids[0]);
    let request = site.http.post(format!("{}/echo?a=%20b", site.url)).header("x-forwarded-for", "10.1.2.3");
    let answer = request.header("host", "www.example.com").body("text").send().await.expect("an answer");
    assert!(answer.headers().get("keep-alive").is_none(), "a hop-by-hop header went through");
    let seen = answer.text().await.expect("a text");
    assert!(seen.starts_with("POST /echo?a=%20b "), "{seen}");
    for part in [
        "\"host\": \"www.example.com\"",
        "\"x-forwarded-for\": \"10.1.2.3, 127.0.0.1\"",
        "\"content-length\": \"4\"",
    ] {
        assert!(seen.contains(part), "{part} is not in {seen}");
    }
}

#[tokio::test]
async fn without_a_target_it_is_503_and_a_refusing_target_is_502() {
    let site = Site::open(1, false).await;
    assert_eq!(site.get("/").await.0, StatusCode::SERVICE_UNAVAILABLE);
    site.register(&site.ids[0]);
    assert_eq!(site.get("/").await.0, StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn only_targets_that_pass_their_health_check_get_requests() {
    let site = Site::open(2, true).await;
    let apps = site.apps().await;
    apps[0].well.store(false, Ordering::SeqCst);
    site.ids.iter().for_each(|id| site.register(id));
    eventually("the well one is healthy", async || site.state(&site.ids[1]) == TargetState::Healthy).await;
    for _ in 0..10 {
        assert_eq!(site.get("/").await.0, StatusCode::OK);
    }
    assert_eq!((apps[0].served(), apps[1].served()), (0, 10));
    assert_ne!(site.state(&site.ids[0]), TargetState::Healthy);
}

#[tokio::test]
async fn a_request_in_flight_outlives_the_deregistration_of_its_target() {
    let site = Site::open(2, false).await;
    let apps = site.apps().await;
    site.register(&site.ids[0]);
    let slow = site.get("/slow");
    tokio::pin!(slow);
    eventually("the request is with the target", async || {
        tokio::select! {
            biased;
            answer = &mut slow => panic!("answered too soon: {answer:?}"),
            () = tokio::time::sleep(Duration::from_millis(1)) => apps[0].served() == 1,
        }
    })
    .await;
    site.register(&site.ids[1]);
    site.deregister(&site.ids[0]);
    for _ in 0..10 {
        assert_eq!(site.get("/").await, (StatusCode::OK, address(&site.cloud, &site.ids[1]).to_string()));
    }
    assert_eq!(slow.await, (StatusCode::OK, address(&site.cloud, &site.ids[0]).to_string()));
    assert_eq!((apps[0].served(), apps[1].served()), (1, 10));
}

#[tokio::test]
async fn a_kept_connection_that_its_target_closed_is_not_used_again() {
    let site = Site::open(1, false).await;
    let address = SocketAddr::from((address(&site.cloud, &site.ids[0]), PORT));
    // It answers one request a connection, says nothing about closing, and closes a moment later.
    let listener = TcpListener::bind(address).await.expect("its address is free");
    let _target = AbortOnDropHandle::new(tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }));
    site.register(&site.ids[0]);
    for _ in 0..10 {
        assert_eq!(site.get("/").await, (StatusCode::OK, "ok".to_owned()));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_targets_come_and_go_under_load() {
    let site = Arc::new(Site::open(3, true).await);
    let mut apps = site.apps().await;
    let mut served = 0;
    site.register(&site.ids[0]);
    eventually("the first is healthy", async || site.state(&site.ids[0]) == TargetState::Healthy).await;

    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for _ in 0..8 {
        clients.spawn(load(site.clone(), stop.clone()));
    }
    // Each turn a fresh target takes over and the one before is drained, then really ends.
    for turn in 1..9 {
        let (old, new) = (&site.ids[(turn - 1) % 3], &site.ids[turn % 3]);
        site.register(new);
        eventually("the next one is healthy", async || site.state(new) == TargetState::Healthy).await;
        site.deregister(old);
        let (gone, before) = ((turn - 1) % 3, apps[(turn - 1) % 3].served());
        let (next, taken) = (turn % 3, apps[turn % 3].served());
        // In lieu of the deregistration delay: all requests that were under way have long been answered.
        tokio::time::sleep(Duration::from_millis(200)).await;
        eventually("the next one serves", async || apps[next].served() >= taken + 50).await;
        let after = apps[gone].served();
        assert!(after - before <= 8, "a deregistered target got {} new requests", after - before);
        served += after;
        // A new process on the address: kept connections to the old one are dead.
        apps[gone].serving.abort();
        eventually("its port is free", async || {
            TcpListener::bind((address(&site.cloud, old), PORT)).await.is_ok()
        })
        .await;
        apps[gone] = App::start(address(&site.cloud, old)).await;
    }
    stop.store(true, Ordering::SeqCst);
    let mut sent = 0;
    while let Some(client) = clients.join_next().await {
        sent += client.expect("no request failed");
    }
    served += apps.iter().map(App::served).sum::<usize>();
    assert!(sent >= 400, "only {sent} requests in the whole test");
    assert_eq!(sent, served);
}

/// Sends requests until told to stop; every one must be answered with 200. Gives how many.
async fn load(site: Arc<Site>, stop: Arc<AtomicBool>) -> usize {
    let mut sent = 0;
    while !stop.load(Ordering::SeqCst) {
        assert_eq!(site.get("/").await.0, StatusCode::OK);
        sent += 1;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    sent
}

#[tokio::test]
async fn a_listener_that_is_deleted_closes_its_port() {
    let site = Site::open(1, false).await;
    site.cloud
        .model(|model, _| {
            let arn = model.listeners().next().expect("there is one").arn.clone();
            model.delete_listener(&arn)
        })
        .expect("it exists");
    let address: SocketAddr = site.url["http://".len()..].parse().expect("an address");
    eventually("its port is closed", async || tokio::net::TcpStream::connect(address).await.is_err()).await;
}
