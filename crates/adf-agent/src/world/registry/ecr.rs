//! Logging in to Amazon's registries with the instance's role.

use adf_types::ConfigValue;
use async_trait::async_trait;
use aws_config::{Region, SdkConfig};
use aws_sdk_ecr::Client;
use aws_sdk_ecr::config::Builder;
use aws_sdk_ecr::error::ProvideErrorMetadata as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Credentials, Ecr, EcrHost, RegistryError};
use crate::failure::chain;

pub(in crate::world) struct EcrClient(pub(in crate::world) SdkConfig);

#[async_trait]
impl Ecr for EcrClient {
    async fn login(&self, host: &EcrHost) -> Result<Credentials, RegistryError> {
        // A registry gives logins in its own region only.
        let config = Builder::from(&self.0).region(Region::new(host.region().to_owned())).build();
        let asked = Client::from_conf(config).get_authorization_token().send().await;
        let answer = asked.map_err(|error| {
            let refused = error.raw_response().is_some_and(|r| (400..500).contains(&r.status().as_u16()));
            let throttled = error.code().is_some_and(|code| code.contains("Throttl"));
            let problem = error.code().map_or_else(|| chain(&error), str::to_owned);
            if refused && !throttled {
                RegistryError::Role { host: host.to_string(), problem }
            } else {
                RegistryError::Unreachable { host: host.to_string(), image: "its login".to_owned(), problem }
            }
        })?;
        let token = answer.authorization_data().first().and_then(|data| data.authorization_token());
        token.and_then(login).ok_or_else(|| RegistryError::Role {
            host: host.to_string(),
            problem: "the answer holds no token".to_owned(),
        })
    }
}

/// `base64("AWS:<password>")`
fn login(token: &str) -> Option<Credentials> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    Some(Credentials { username: username.to_owned(), password: ConfigValue::secret(password) })
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecr::config::{BehaviorVersion, Credentials as Keys, SharedCredentialsProvider};
    use wiremock::matchers::{header, header_regex};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::failure::{Fault as _, Kind};

    const HOST: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

    async fn asked(answer: ResponseTemplate) -> Result<Credentials, RegistryError> {
        let server = MockServer::start().await;
        let target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
        Mock::given(header("x-amz-target", target))
            .and(header_regex("authorization", "/eu-west-1/ecr/"))
            .respond_with(answer)
            .mount(&server)
            .await;
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(server.uri())
            .credentials_provider(SharedCredentialsProvider::new(Keys::new(
                "AKIATEST", "secret", None, None, "test",
            )))
            .retry_config(aws_sdk_ecr::config::retry::RetryConfig::disabled())
            .build();
        EcrClient(config).login(&EcrHost::parse(HOST).expect("a registry")).await
    }

    fn refusal(status: u16, code: &str) -> ResponseTemplate {
        ResponseTemplate::new(status).set_body_json(serde_json::json!({ "__type": code, "message": "no" }))
    }

    #[tokio::test]
    async fn the_role_logs_in_where_the_registry_is() {
        let token = STANDARD.encode("AWS:hunter2");
        let body = serde_json::json!({ "authorizationData": [{ "authorizationToken": token }] });
        let login = asked(ResponseTemplate::new(200).set_body_json(body)).await.expect("logged in");
        assert_eq!((login.username.as_str(), login.password.expose()), ("AWS", "hunter2"));
    }

    #[tokio::test]
    async fn fault_10_a_role_that_may_not_log_in_is_final() {
        let error = asked(refusal(400, "AccessDeniedException")).await.expect_err("denied");
        assert_eq!(
            error.to_string(),
            format!(
                "E110 no login for {HOST}: AccessDeniedException; the instance's role needs ecr:GetAuthorizationToken"
            )
        );
        assert_eq!(error.kind(), Kind::Permanent);
        for (status, code) in [(400, "ThrottlingException"), (500, "ServerException")] {
            let error = asked(refusal(status, code)).await.expect_err(code);
            assert_eq!(error.kind(), Kind::Transient, "{error}");
        }
    }
}
