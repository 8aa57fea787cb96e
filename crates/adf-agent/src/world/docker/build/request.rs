//! An order in Docker's words: `POST /build`, documented as `ImageBuild` in
//! <https://docs.docker.com/reference/api/engine/version/v1.41/>.

use std::collections::BTreeMap;
use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use hyper::Request;
use url::form_urlencoded::Serializer;

use super::Body;
use crate::world::{BuildOrder, Builder};

pub(super) fn build(order: &BuildOrder, session: Option<&str>, body: Body) -> io::Result<Request<Body>> {
    let mut request = Request::post(format!("/build?{}", query(order, session)))
        .header("Host", "docker")
        .header("Content-Type", "application/x-tar");
    // BuildKit asks for logins through the session; the classic builder is told them all at once.
    if order.builder == Builder::Classic && !order.logins.is_empty() {
        request = request.header("X-Registry-Config", registry_config(order));
    }
    request.body(body).map_err(io::Error::other)
}

fn query(order: &BuildOrder, session: Option<&str>) -> String {
    let json = |map: &BTreeMap<String, String>| serde_json::to_string(map).unwrap_or_default();
    let mut query = Serializer::new(String::new());
    query
        .append_pair("dockerfile", "Dockerfile")
        .append_pair("t", &order.tag)
        .append_pair("labels", &json(&order.labels))
        .append_pair("buildargs", &json(&order.args))
        .append_pair("rm", "1")
        .append_pair("forcerm", "1")
        .append_pair(
            "version",
            match order.builder {
                Builder::BuildKit => "2",
                Builder::Classic => "1",
            },
        );
    for (name, value) in [("target", &order.target), ("platform", &order.platform)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    if let Some(session) = session {
        query.append_pair("session", session);
    }
    query.finish()
}

fn registry_config(order: &BuildOrder) -> String {
    let login = |host: &String| {
        if host == "docker.io" { "https://index.docker.io/v1/".to_owned() } else { host.clone() }
    };
    let config: serde_json::Map<String, serde_json::Value> = order
        .logins
        .iter()
        .map(|(host, user)| {
            let entry = serde_json::json!({"username": user.username, "password": user.password.as_str()});
            (login(host), entry)
        })
        .collect();
    BASE64_URL_SAFE.encode(serde_json::Value::Object(config).to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::world::{Login, SecretValues};

    #[test]
    fn secrets_are_in_no_query_and_logins_only_in_the_classic_builders_header() {
        let login = Login { username: "ann".into(), password: "pa55".to_owned().into() };
        let order = BuildOrder {
            tag: "adf/web:v1".into(),
            labels: BTreeMap::new(),
            target: Some("final".into()),
            args: BTreeMap::from([("BASE".to_owned(), "node:22".to_owned())]),
            platform: Some("linux/arm64".into()),
            secrets: Arc::new(SecretValues::from([("NPM".to_owned(), "t0k3n".to_owned().into())])),
            logins: Arc::new(BTreeMap::from([("ghcr.io".to_owned(), login)])),
            builder: Builder::BuildKit,
        };
        let query = query(&order, Some("s1"));
        assert_eq!(
            query,
            "dockerfile=Dockerfile&t=adf%2Fweb%3Av1&labels=%7B%7D&buildargs=%7B%22BASE%22%3A%22node%3A22%22%7D&rm=1\
             &forcerm=1&version=2&target=final&platform=linux%2Farm64&session=s1"
        );
        assert!(!format!("{order:?}").contains("t0k3n") && !format!("{order:?}").contains("pa55"));
        let config = BASE64_URL_SAFE.decode(registry_config(&order)).expect("base64");
        assert_eq!(config, br#"{"ghcr.io":{"password":"pa55","username":"ann"}}"#);
    }
}
