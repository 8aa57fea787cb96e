//! An order in Docker's words: `POST /build`, documented as `ImageBuild` in
//! <https://docs.docker.com/reference/api/engine/version/v1.41/>.

use std::collections::BTreeMap;
use std::io;

use hyper::Request;
use url::form_urlencoded::Serializer;

use super::Body;
use crate::world::{BuildOrder, Builder};

pub(super) fn build(order: &BuildOrder, session: Option<&str>, body: Body) -> io::Result<Request<Body>> {
    Request::post(format!("/build?{}", query(order, session)))
        .header("Host", "docker")
        .header("Content-Type", "application/x-tar")
        .body(body)
        .map_err(io::Error::other)
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::world::{KeyringSoon, SecretValues};

    #[test]
    fn secrets_are_in_no_query() {
        let order = BuildOrder {
            tag: "adf/web:v1".into(),
            labels: BTreeMap::new(),
            target: Some("final".into()),
            args: BTreeMap::from([("BASE".to_owned(), "node:22".to_owned())]),
            platform: Some("linux/arm64".into()),
            secrets: Arc::new(SecretValues::from([("NPM".to_owned(), "t0k3n".to_owned().into())])),
            keyring: KeyringSoon::new().1,
            builder: Builder::BuildKit,
        };
        let query = query(&order, Some("s1"));
        assert_eq!(
            query,
            "dockerfile=Dockerfile&t=adf%2Fweb%3Av1&labels=%7B%7D&buildargs=%7B%22BASE%22%3A%22node%3A22%22%7D&rm=1\
             &forcerm=1&version=2&target=final&platform=linux%2Farm64&session=s1"
        );
        assert!(!format!("{order:?}").contains("t0k3n"));
    }
}
