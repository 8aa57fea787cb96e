//! Every outside call through the failpoint, see [`crate::failpoint`]: the real systems wrapped, nothing else changed.
//!
//! To add a call: its line below, as in the trait; without it the tests do not compile.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adf_types::{
    AppName, Config, Digest, ImageRef, InstanceId, Receipt, ReleaseImage, ReleaseName, ReleaseRecord,
    ReleaseUrl,
};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

use super::{
    Access, ActionResult, Aws, BuildError, BuildOrder, Completion, Connect, Container, ContainerSpec,
    ContainerState, Credentials, Docker, DockerError, Download, Ecr, EcrHost, Fetch, FetchError, Guard,
    GuardError, Healthcheck, Image, Imds, ImdsError, Lifecycle, LifecycleError, LifecycleHook, Membership,
    Owner, ProbeTarget, Prober, RegistryError, Stock, Table, TableError, Transition, World,
};
use crate::failpoint::crossing;

struct Crossing<T: ?Sized>(Arc<T>);

impl World {
    pub(super) fn through_failpoints(self) -> Self {
        Self {
            imds: Arc::new(Crossing(self.imds)),
            docker: Arc::new(Crossing(self.docker)),
            prober: Arc::new(Crossing(self.prober)),
            connect: Arc::new(Crossing(self.connect)),
            guard: Arc::new(Crossing(self.guard)),
            host: self.host,
        }
    }
}

#[async_trait]
impl Connect for Crossing<dyn Connect> {
    async fn connect(&self, region: &str) -> Aws {
        let aws = self.0.connect(region).await;
        Aws {
            table: Arc::new(Crossing(aws.table)),
            fetch: Arc::new(Crossing(aws.fetch)),
            ecr: Arc::new(Crossing(aws.ecr)),
            lifecycle: Arc::new(Crossing(aws.lifecycle)),
        }
    }
}

#[async_trait]
impl Fetch for Crossing<dyn Fetch> {
    async fn open(&self, url: &ReleaseUrl, access: &Access) -> Result<Download, FetchError> {
        crossing("Fetch::open begins");
        let download = self.0.open(url, access).await?;
        let body = download.body.inspect(|_| crossing("Fetch: a piece arrived")).boxed();
        Ok(Download { body, ..download })
    }
}

/// Metadata is asked often and changes nothing: the token alone stands for it.
#[async_trait]
impl Imds for Crossing<dyn Imds> {
    async fn token(&self) -> Result<String, ImdsError> {
        crossing("Imds::token begins");
        self.0.token().await
    }

    async fn get(&self, path: &str, token: &str) -> Result<Option<Bytes>, ImdsError> {
        self.0.get(path, token).await
    }
}

macro_rules! crossed {
    ($trait:ident { $( $name:ident($($arg:ident: $ty:ty),*) -> $ret:ty; )* }) => {
        #[async_trait]
        impl $trait for Crossing<dyn $trait> {
            $(
                async fn $name(&self, $($arg: $ty),*) -> $ret {
                    crossing(concat!(stringify!($trait), "::", stringify!($name), " begins"));
                    let answer = self.0.$name($($arg),*).await;
                    crossing(concat!(stringify!($trait), "::", stringify!($name), " answered"));
                    answer
                }
            )*
        }
    };
}

crossed!(Docker {
    ping() -> Result<(), DockerError>;
    image(tag: &str) -> Result<Option<Image>, DockerError>;
    build(order: &BuildOrder, context: BoxStream<'static, std::io::Result<Bytes>>) -> Result<(), BuildError>;
    pull(image: &ImageRef, login: Option<&Credentials>) -> Result<(), RegistryError>;
    tag(image: &str, tag: &str) -> Result<(), DockerError>;
    push(image: &ImageRef, login: Option<&Credentials>) -> Result<Digest, RegistryError>;
    data_root() -> Result<Option<PathBuf>, DockerError>;
    stock() -> Result<Stock, DockerError>;
    remove_image(tag: &str) -> Result<(), DockerError>;
    empty_build_cache() -> Result<(), DockerError>;
    containers(label: &str, value: &str) -> Result<Vec<Container>, DockerError>;
    create(spec: &ContainerSpec) -> Result<String, DockerError>;
    owner(id: &str) -> Result<Owner, DockerError>;
    start(id: &str) -> Result<(), DockerError>;
    state(id: &str) -> Result<ContainerState, DockerError>;
    healthcheck(id: &str) -> Result<Healthcheck, DockerError>;
    logs(id: &str, lines: usize) -> Result<Vec<String>, DockerError>;
    stop(id: &str, grace: Duration) -> Result<(), DockerError>;
    remove(id: &str) -> Result<(), DockerError>;
});

crossed!(Table {
    read_config(app: &AppName, release: &ReleaseName) -> Result<Config, TableError>;
    release(app: &AppName, release: &ReleaseName) -> Result<Option<ReleaseRecord>, TableError>;
    release_image(app: &AppName, release: &ReleaseName) -> Result<Option<ReleaseImage>, TableError>;
    put_release_image(app: &AppName, release: &ReleaseName, image: &ReleaseImage) -> Result<ReleaseImage, TableError>;
    put_receipt(receipt: &Receipt) -> Result<(), TableError>;
});

crossed!(Ecr {
    login(host: &EcrHost) -> Result<Credentials, RegistryError>;
});

crossed!(Prober {
    probe(target: &ProbeTarget, timeout: Duration) -> Result<(), String>;
});

crossed!(Guard {
    holds() -> Result<bool, GuardError>;
    raise() -> Result<(), GuardError>;
});

crossed!(Lifecycle {
    membership(instance: &InstanceId) -> Result<Option<Membership>, LifecycleError>;
    hooks(group: &str, transition: Transition) -> Result<Vec<LifecycleHook>, LifecycleError>;
    complete(group: &str, hook: &str, instance: &InstanceId, result: ActionResult) -> Result<Completion, LifecycleError>;
    heartbeat(group: &str, hook: &str, instance: &InstanceId) -> Result<(), LifecycleError>;
    set_unhealthy(instance: &InstanceId) -> Result<(), LifecycleError>;
});
