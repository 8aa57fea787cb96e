//! The metadata service over real connections, with a plain HTTP client.

mod common;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use adf_local::cloud::Cloud;
use adf_local::imds::{Imds, PORT};
use adf_local::model::templates::{LaunchData, MetadataRequest, TagSpecification};
use base64::Engine as _;
use common::{Network, address, launch};
use reqwest::{Client, Method, StatusCode};

const TOKEN: &str = "X-aws-ec2-metadata-token";
const TTL: &str = "X-aws-ec2-metadata-token-ttl-seconds";

struct Metadata {
    http: Client,
    base: String,
}

impl Metadata {
    fn of(address: Ipv4Addr) -> Self {
        let http = Client::builder().no_proxy().build().expect("a plain client");
        Self { http, base: format!("http://{address}:{PORT}") }
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> (StatusCode, String) {
        let request = self.http.request(method, format!("{}{path}", self.base));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.expect("the service answers");
        (answer.status(), answer.text().await.expect("a text"))
    }

    async fn token(&self) -> String {
        let (status, token) = self.ask(Method::PUT, "/latest/api/token", &[(TTL, "60")]).await;
        assert_eq!(status, StatusCode::OK);
        token
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        let token = self.token().await;
        self.ask(Method::GET, &format!("/latest/{path}"), &[(TOKEN, &token)]).await
    }

    async fn text(&self, path: &str) -> String {
        let (status, text) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        text
    }
}

/// A cloud with one instance of this data, and its metadata.
async fn instance(network: &Network, data: LaunchData) -> (Cloud, Imds, String, Metadata) {
    let cloud = network.cloud();
    let id = launch(&cloud, 1, data).remove(0);
    let mut imds = Imds::new(cloud.clone());
    imds.reconcile().await;
    let metadata = Metadata::of(address(&cloud, &id));
    (cloud, imds, id, metadata)
}

fn described() -> LaunchData {
    let tags =
        BTreeMap::from([("adf:app".to_owned(), "web".to_owned()), ("RELEASE".to_owned(), "v1".to_owned())]);
    LaunchData {
        user_data: Some(base64::engine::general_purpose::STANDARD.encode("RELEASE_URL=\"s3://b/k\"\n")),
        iam_profile_name: Some("adf-instance".to_owned()),
        tag_specifications: vec![TagSpecification { resource_type: "instance".to_owned(), tags }],
        metadata: Some(MetadataRequest {
            instance_tags: Some("enabled".to_owned()),
            ..MetadataRequest::default()
        }),
        ..LaunchData::default()
    }
}

#[tokio::test]
async fn nothing_is_told_without_a_token_of_this_instance() {
    let network = Network::claim();
    let (cloud, mut imds, _, metadata) = instance(&network, LaunchData::default()).await;
    let other = launch(&cloud, 1, LaunchData::default()).remove(0);
    imds.reconcile().await;
    let foreign = Metadata::of(address(&cloud, &other)).token().await;
    let path = "/latest/meta-data/instance-id";
    for headers in [&[][..], &[(TOKEN, "made-up")], &[(TOKEN, &foreign)]] {
        assert_eq!(metadata.ask(Method::GET, path, headers).await.0, StatusCode::UNAUTHORIZED, "{headers:?}");
    }
}

#[tokio::test]
async fn a_token_needs_a_lifetime_and_no_proxy_between() {
    let network = Network::claim();
    let (_cloud, _imds, _, metadata) = instance(&network, LaunchData::default()).await;
    let put =
        async |headers: &[(&str, &str)]| metadata.ask(Method::PUT, "/latest/api/token", headers).await.0;
    assert_eq!(put(&[]).await, StatusCode::BAD_REQUEST);
    assert_eq!(put(&[(TTL, "0")]).await, StatusCode::BAD_REQUEST);
    assert_eq!(put(&[(TTL, "21601")]).await, StatusCode::BAD_REQUEST);
    assert_eq!(put(&[(TTL, "60"), ("X-Forwarded-For", "10.0.0.1")]).await, StatusCode::FORBIDDEN);
    assert_eq!(put(&[(TTL, "21600")]).await, StatusCode::OK);
}

#[tokio::test]
async fn an_instance_learns_what_it_is() {
    let network = Network::claim();
    let (cloud, _imds, id, metadata) = instance(&network, described()).await;
    assert_eq!(metadata.text("meta-data/instance-id").await, id);
    assert_eq!(metadata.text("meta-data/local-ipv4").await, address(&cloud, &id).to_string());
    assert_eq!(metadata.text("meta-data/ami-id").await, "ami-0adf0000000000001");
    assert_eq!(metadata.text("meta-data/placement/region").await, "us-east-1");
    assert_eq!(metadata.text("meta-data/placement/availability-zone").await, "us-east-1a");
    assert_eq!(metadata.text("meta-data/placement/").await, "availability-zone\nregion");
    assert_eq!(metadata.text("meta-data/tags/instance").await, "RELEASE\nadf:app");
    assert_eq!(metadata.text("meta-data/tags/instance/adf:app").await, "web");
    assert_eq!(metadata.text("user-data").await, "RELEASE_URL=\"s3://b/k\"\n");
    let document: serde_json::Value =
        serde_json::from_str(&metadata.text("dynamic/instance-identity/document").await).expect("JSON");
    assert_eq!((&document["instanceId"], &document["region"]), (&id.into(), &"us-east-1".into()));
}

#[tokio::test]
async fn what_an_instance_does_not_have_is_not_found() {
    let network = Network::claim();
    let (_cloud, _imds, _, metadata) = instance(&network, LaunchData::default()).await;
    for path in [
        "user-data",
        "meta-data/tags/instance",
        "meta-data/iam/security-credentials/",
        "meta-data/autoscaling/target-lifecycle-state",
        "meta-data/spot/instance-action",
        "meta-data/no-such-name",
    ] {
        assert_eq!(metadata.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn an_interrupted_instance_learns_it_two_minutes_before() {
    let network = Network::claim();
    let (cloud, _imds, id, metadata) = instance(&network, LaunchData::default()).await;
    let paths = ["meta-data/spot/instance-action", "meta-data/events/recommendations/rebalance"];
    for path in paths {
        assert_eq!(metadata.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    let now = cloud.model(|model, now| model.interrupt_spot(&id, now).map(|()| now)).expect("it exists");
    let document =
        async |path| -> serde_json::Value { serde_json::from_str(&metadata.text(path).await).expect("JSON") };
    let time = |value: &serde_json::Value| -> jiff::Timestamp {
        value.as_str().expect("a string").parse().expect("a time")
    };
    let action = document(paths[0]).await;
    assert_eq!(action["action"], "terminate");
    assert_eq!((time(&action["time"]).as_second() - now.as_second()), 120);
    assert_eq!(time(&document(paths[1]).await["noticeTime"]).as_second(), now.as_second());
}

#[tokio::test]
async fn a_role_has_credentials_that_expire() {
    let network = Network::claim();
    let (cloud, _imds, _, metadata) = instance(&network, described()).await;
    let role = metadata.text("meta-data/iam/security-credentials/").await;
    assert_eq!(role, "adf-instance");
    let document = metadata.text(&format!("meta-data/iam/security-credentials/{role}")).await;
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(document["Code"], "Success");
    assert!(document["AccessKeyId"].as_str().is_some_and(|key| key.starts_with("ASIA") && key.len() == 20));
    let expires: jiff::Timestamp = document["Expiration"].as_str().expect("text").parse().expect("a time");
    assert!(expires > cloud.now());
}

#[tokio::test]
async fn a_terminated_instance_has_no_metadata_any_more() {
    let network = Network::claim();
    let (cloud, mut imds, id, metadata) = instance(&network, LaunchData::default()).await;
    let terminated = [id.clone()];
    cloud.model(|model, now| model.terminate_instances(&terminated, now)).expect("it exists");
    imds.reconcile().await;
    assert_eq!(metadata.text("meta-data/instance-id").await, id, "it is still shutting down");
    cloud.model(|model, now| model.instance_halted(&id, now));
    imds.reconcile().await;
    common::eventually("its port is closed", async || {
        metadata.http.get(&metadata.base).send().await.is_err_and(|error| error.is_connect())
    })
    .await;
}
