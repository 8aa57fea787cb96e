//! On an instance the command knows its app from the metadata service.

use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::against_adf_local::Account;
use crate::{signed, stderr};

/// A metadata service with this user data and these tags.
async fn imds(user_data: Option<&str>, app_tag: Option<&str>) -> MockServer {
    let server = MockServer::start().await;
    let token = ResponseTemplate::new(200).set_body_string("token");
    let token = token.insert_header("x-aws-ec2-metadata-token-ttl-seconds", "21600");
    Mock::given(method("PUT")).and(path("/latest/api/token")).respond_with(token).mount(&server).await;
    let told = [
        ("/latest/user-data", user_data),
        ("/latest/meta-data/tags/instance/APP", app_tag),
        ("/latest/meta-data/placement/region", Some("us-east-1")),
    ];
    for (at, text) in told {
        let answer = text.map_or_else(
            || ResponseTemplate::new(404),
            |text| ResponseTemplate::new(200).set_body_string(text),
        );
        Mock::given(method("GET")).and(path(at)).respond_with(answer).mount(&server).await;
    }
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn app_and_region_need_not_be_said() {
    let account = Account::open().await;
    account.says(&["set", "FOO=1"], "");
    let told = [
        (Some("RELEASE_URL=\"https://example.org/v1.tar.gz\"\nAPP=\"web\"\n"), Some("shop")),
        (Some("RELEASE_URL=\"https://example.org/v1.tar.gz\"\n"), Some("web")),
        (None, Some("web")),
    ];
    for (user_data, tag) in told {
        let imds = imds(user_data, tag).await;
        let mut command = signed(&["list"], &account.url());
        command.env_remove("AWS_EC2_METADATA_DISABLED").env_remove("AWS_REGION");
        command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds.uri());
        let output = command.assert().success().get_output().stdout.clone();
        assert_eq!(String::from_utf8_lossy(&output), "FOO=1\n", "{user_data:?} {tag:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_was_launched_by_hand_has_no_app() {
    let account = Account::open().await;
    let imds = imds(Some("RELEASE_URL=\"https://example.org/v1.tar.gz\"\n"), None).await;
    let mut command = signed(&["list"], &account.url());
    command.env_remove("AWS_EC2_METADATA_DISABLED").env("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds.uri());
    let said = stderr(&mut command, 2);
    assert!(said.contains("no app is named") && said.contains("hint: say --app APP"), "{said}");
}
