//! The session of a build: what BuildKit may ask of us while it builds.
//!
//! Three gRPC services over one upgraded connection: health (BuildKit drops a session that does not answer), logins
//! for the registries of base images, and build secrets. bollard opens such a session by itself, but serves no
//! secrets in it; the protocol's types are bollard's. The rule: a secret leaves only as the answer to a `RUN
//! --mount=type=secret` that names it, and is wiped from memory with the session.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bollard::grpc::build::health::health_check_response::ServingStatus;
use bollard::grpc::build::health::health_server::{Health, HealthServer};
use bollard::grpc::build::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use bollard::grpc::build::moby::buildkit::secrets::v1::secrets_server::{Secrets, SecretsServer};
use bollard::grpc::build::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use bollard::grpc::build::moby::filesync::v1::auth_server::{Auth, AuthServer};
use bollard::grpc::build::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse, GetTokenAuthorityRequest,
    GetTokenAuthorityResponse, VerifyTokenAuthorityRequest, VerifyTokenAuthorityResponse,
};
use futures_util::Stream;
use futures_util::stream;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use tokio::task::AbortHandle;
use tonic::transport::Server;
use tonic::{Response, Status};

use super::image::{KeyringSoon, SecretValues};
use super::wire::Address;

/// What passes between the upgraded connection and the services at once.
const BUFFER: usize = 16 << 10;

/// How long BuildKit is kept waiting for a config that is still being read; it waits about as long itself.
const CONFIG_LIMIT: Duration = Duration::from_secs(20);

/// What BuildKit is told that this session answers.
const METHODS: [&str; 3] = [
    "/grpc.health.v1.Health/Check",
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
];

/// An open session; closed when dropped.
pub(super) struct Session {
    id: String,
    tasks: [AbortHandle; 2],
}

impl Drop for Session {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Session {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) async fn open(
        address: &Address,
        secrets: Arc<SecretValues>,
        keyring: KeyringSoon,
    ) -> std::io::Result<Self> {
        let id = format!("adf{}", uuid::Uuid::new_v4().simple());
        let answer = address.send(request(&id)?).await?;
        if answer.status() != hyper::StatusCode::SWITCHING_PROTOCOLS {
            return Err(std::io::Error::other(format!("POST /session answered {}", answer.status())));
        }
        let upgraded = hyper::upgrade::on(answer).await.map_err(std::io::Error::other)?;
        let (ours, mut theirs) = tokio::io::duplex(BUFFER);
        let pump = tokio::spawn(async move {
            // Ends when either side closes; whoever closed it says why.
            let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(upgraded), &mut theirs).await;
        });
        let serve = tokio::spawn(serve(ours, secrets, keyring));
        Ok(Self { id, tasks: [pump.abort_handle(), serve.abort_handle()] })
    }
}

fn request(id: &str) -> std::io::Result<Request<super::wire::Body>> {
    let mut request = Request::post("/session")
        .header("Host", "docker")
        .header("Connection", "Upgrade")
        .header("Upgrade", "h2c")
        .header("X-Docker-Expose-Session-Uuid", id);
    for method in METHODS {
        request = request.header("X-Docker-Expose-Session-Grpc-Method", method);
    }
    let body = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
    request.body(body).map_err(std::io::Error::other)
}

async fn serve(connection: DuplexStream, secrets: Arc<SecretValues>, keyring: KeyringSoon) {
    let served = Server::builder()
        .add_service(HealthServer::new(Alive))
        .add_service(AuthServer::new(LoginDesk(keyring)))
        .add_service(SecretsServer::new(SecretDesk(secrets)))
        .serve_with_incoming(stream::iter([Ok::<_, std::io::Error>(connection)]))
        .await;
    if let Err(error) = served {
        tracing::debug!("the build's session ended: {error}");
    }
}

/// Alive as long as it answers.
struct Alive;

#[tonic::async_trait]
impl Health for Alive {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(
        &self,
        _: tonic::Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() }))
    }

    async fn list(
        &self,
        _: tonic::Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented("health is checked, not listed"))
    }

    async fn watch(
        &self,
        _: tonic::Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("health is checked, not watched"))
    }
}

struct LoginDesk(KeyringSoon);

/// Only names and passwords are ours; fetching tokens with them is `BuildKit`'s, as it is without a client.
#[tonic::async_trait]
impl Auth for LoginDesk {
    async fn credentials(
        &self,
        request: tonic::Request<CredentialsRequest>,
    ) -> Result<Response<CredentialsResponse>, Status> {
        let keyring = tokio::time::timeout(CONFIG_LIMIT, self.0.ask()).await.ok().flatten();
        let keyring =
            keyring.ok_or_else(|| Status::unavailable("the config, which holds the logins, was not read"))?;
        let found = keyring.login(&request.get_ref().host).await;
        let login = found.map_err(|error| Status::unauthenticated(error.to_string()))?;
        let answer = login.map_or_else(CredentialsResponse::default, |login| CredentialsResponse {
            username: login.username,
            secret: login.password.expose().to_owned(),
        });
        Ok(Response::new(answer))
    }

    async fn fetch_token(
        &self,
        _: tonic::Request<FetchTokenRequest>,
    ) -> Result<Response<FetchTokenResponse>, Status> {
        Err(Status::unimplemented("tokens are fetched by BuildKit"))
    }

    async fn get_token_authority(
        &self,
        _: tonic::Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("tokens are fetched by BuildKit"))
    }

    async fn verify_token_authority(
        &self,
        _: tonic::Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("tokens are fetched by BuildKit"))
    }
}

struct SecretDesk(Arc<SecretValues>);

#[tonic::async_trait]
impl Secrets for SecretDesk {
    async fn get_secret(
        &self,
        request: tonic::Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        let id = &request.get_ref().id;
        match self.0.get(id) {
            Some(value) => Ok(Response::new(GetSecretResponse { data: value.as_bytes().to_vec() })),
            None => Err(Status::not_found(format!(
                "secret {id} is not listed in adf.toml; add it to [build] secrets"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use adf_types::ConfigValue;

    use super::*;
    use crate::world::{Credentials, Ecr, EcrHost, Keyring, RegistryError};

    #[tokio::test]
    async fn a_secret_that_adf_toml_does_not_list_is_not_given() {
        let values: SecretValues = BTreeMap::from([("TOKEN".to_owned(), "t0k3n".to_owned().into())]);
        let desk = SecretDesk(Arc::new(values));
        let ask = |id: &str| {
            tonic::Request::new(GetSecretRequest { id: id.to_owned(), annotations: HashMap::new() })
        };
        let given = desk.get_secret(ask("TOKEN")).await.expect("listed").into_inner();
        assert_eq!(given.data, b"t0k3n");
        let refused = desk.get_secret(ask("OTHER")).await.expect_err("not listed");
        assert_eq!(refused.message(), "secret OTHER is not listed in adf.toml; add it to [build] secrets");
    }

    struct NoEcr;

    #[tonic::async_trait]
    impl Ecr for NoEcr {
        async fn login(&self, _: &EcrHost) -> Result<Credentials, RegistryError> {
            unreachable!("no registry of Amazon's is asked for")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_is_given_to_its_registry_only_once_the_config_is_known() {
        let (giver, soon) = KeyringSoon::new();
        let desk = LoginDesk(soon);
        let ask = |host: &str| tonic::Request::new(CredentialsRequest { host: host.to_owned() });
        let early = desk.credentials(ask("ghcr.io")).await.expect_err("nobody is known yet");
        assert_eq!(early.message(), "the config, which holds the logins, was not read");
        let secret = r#"{"docker.io": {"username": "ann", "password": "hunter2hunter2"}}"#;
        giver.wanted().await;
        giver.give(Keyring::new(Arc::new(NoEcr), Some(ConfigValue::secret(secret))));
        let hub = desk.credentials(ask("https://index.docker.io/v1/")).await.expect("answers").into_inner();
        assert_eq!((hub.username.as_str(), hub.secret.as_str()), ("ann", "hunter2hunter2"));
        let other = desk.credentials(ask("ghcr.io")).await.expect("answers").into_inner();
        assert_eq!(other, CredentialsResponse::default());
    }
}
