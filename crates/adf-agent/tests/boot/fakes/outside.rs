//! The traits of `adf_agent::world`, answered from the plan.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use adf_agent::failure::Kind;
use adf_agent::world::{
    Access, ActionResult, Aws, BuildError, BuildOrder, BuildProblem, Builder, Completion, Connect, Container,
    ContainerSpec, ContainerState, Credentials, Disk, Docker, DockerError, Download, Ecr, EcrHost, Fetch,
    FetchError, Guard, GuardError, Healthcheck, Host, Image, Imds, ImdsError, Lifecycle, LifecycleError,
    LifecycleHook, Membership, ProbeTarget, Prober, RegistryError, Stock, Table, TableError, Transition,
};
use adf_types::{
    AppName, Config, ConfigValue, Digest, ImageRef, InstanceId, Receipt, ReleaseImage, ReleaseName,
    ReleaseRecord, ReleaseUrl,
};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};

use super::{Outside, Plan, docker_down};

pub(super) struct Gate(pub(super) Arc<Outside>);

#[async_trait]
impl Connect for Gate {
    async fn connect(&self, _: &str) -> Aws {
        Aws { table: self.0.clone(), fetch: self.0.clone(), ecr: self.0.clone(), lifecycle: self.0.clone() }
    }
}

#[async_trait]
impl Imds for Outside {
    async fn token(&self) -> Result<String, ImdsError> {
        self.call("imds token");
        Ok("token".to_owned())
    }

    async fn get(&self, path: &str, _: &str) -> Result<Option<Bytes>, ImdsError> {
        self.call(format!("imds {path}"));
        if let Some(error) = self.plan(|p| p.imds.pop_front()) {
            return Err(error);
        }
        Ok(self.plan(|p| match path {
            "meta-data/instance-id" => Some(p.instance.into()),
            "meta-data/placement/region" => Some("us-east-1".into()),
            "meta-data/ami-id" => Some("ami-1".into()),
            "user-data" => {
                Some(p.raw_user_data.map_or_else(|| p.user_data.clone().into(), Bytes::from_static))
            }
            "meta-data/tags/instance" if !p.tags.is_empty() => {
                Some(p.tags.iter().map(|(k, _)| *k).collect::<Vec<_>>().join("\n").into())
            }
            other if p.metadata.contains_key(other) => p.metadata.get(other).cloned().map(Bytes::from),
            other => {
                let key = other.strip_prefix("meta-data/tags/instance/")?;
                p.tags.iter().find(|(k, _)| *k == key).map(|(_, v)| (*v).into())
            }
        }))
    }
}

#[async_trait]
impl Table for Outside {
    async fn read_config(&self, app: &AppName, release: &ReleaseName) -> Result<Config, TableError> {
        let (takes, config) = self.plan(|p| (p.config_takes, p.config.clone()));
        tokio::time::sleep(takes).await;
        self.call(format!("config {app} {release}"));
        let pair = |(name, value): (&str, &str)| (name.parse().expect("a name"), value.to_owned());
        config.map(|pairs| pairs.into_iter().map(pair).collect())
    }

    async fn release(&self, _: &AppName, _: &ReleaseName) -> Result<Option<ReleaseRecord>, TableError> {
        self.call("release record");
        self.plan(|p| p.record_refused.clone().map_or_else(|| Ok(p.record.clone()), Err))
    }

    async fn release_image(&self, _: &AppName, _: &ReleaseName) -> Result<Option<ReleaseImage>, TableError> {
        self.call("release image");
        Ok(self.plan(|p| p.release_image.clone()))
    }

    async fn put_release_image(
        &self,
        app: &AppName,
        release: &ReleaseName,
        image: &ReleaseImage,
    ) -> Result<ReleaseImage, TableError> {
        self.call(format!("record image {app} {release} {}", image.image));
        Ok(self.plan(|p| p.release_image.get_or_insert(image.clone()).clone()))
    }

    async fn put_receipt(&self, receipt: &Receipt) -> Result<(), TableError> {
        if self.plan(|p| p.receipts_refused) {
            return Err(TableError { kind: Kind::Transient, message: "E151 not reachable".to_owned() });
        }
        let state = serde_json::to_value(&receipt.state).expect("serialises");
        self.call(format!("receipt {}", state["state"].as_str().expect("a word")));
        self.receipts.lock().expect("not poisoned").push(receipt.clone());
        Ok(())
    }
}

#[async_trait]
impl Fetch for Outside {
    async fn open(&self, url: &ReleaseUrl, access: &Access) -> Result<Download, FetchError> {
        let token =
            access.github_token.as_ref().map_or_else(String::new, |t| format!(" with {}", t.expose()));
        self.call(format!("fetch {}{token}", url.public()));
        if let Some(error) = self.plan(|p| p.opens.pop_front()) {
            return Err(error);
        }
        if url.to_string().ends_with(".minisig") {
            let (url, status, advice) = (url.public(), "404".to_owned(), "sign it");
            let found = self.plan(|p| p.signature.clone());
            let text = found.ok_or(FetchError::NotFound { url, status, advice })?;
            return Ok(Download { content_type: None, body: stream::iter([Ok(text.into())]).boxed() });
        }
        let pieces: Vec<_> =
            self.plan(|p| p.archive.chunks(100).map(Bytes::copy_from_slice).map(Ok).collect());
        Ok(Download { content_type: None, body: stream::iter(pieces).boxed() })
    }
}

#[async_trait]
impl Docker for Outside {
    async fn ping(&self) -> Result<(), DockerError> {
        self.call("docker ping");
        self.plan(|p| p.pings.pop_front()).map_or(Ok(()), Err)
    }

    async fn image(&self, _: &str) -> Result<Option<Image>, DockerError> {
        Ok(self.plan(|p| p.image.clone()))
    }

    async fn build(
        &self,
        order: &BuildOrder,
        mut context: BoxStream<'static, std::io::Result<Bytes>>,
    ) -> Result<(), BuildError> {
        for (name, value) in order.secrets.iter() {
            self.call(format!("build is given {name}={}", value.as_str()));
        }
        let builder = if order.builder == Builder::BuildKit { "buildkit" } else { "classic" };
        self.call(format!("build begins {builder}"));
        tokio::time::sleep(self.plan(|p| p.build_takes)).await;
        while let Some(piece) = context.next().await {
            piece.map_err(|e| BuildError::bare(BuildProblem::Lost(e.to_string())))?;
        }
        if let Some(error) = self.plan(|p| p.builds.pop_front()) {
            self.plan(|p| p.image = p.image_after_build.clone());
            return Err(error);
        }
        self.call("build completes");
        let image = Image { id: "sha256:built".into(), labels: order.labels.clone(), ..Image::default() };
        self.plan(|p| p.image = Some(image));
        Ok(())
    }

    async fn pull(&self, image: &ImageRef, login: Option<&Credentials>) -> Result<(), RegistryError> {
        self.call(format!("pull {}{}", image.exact(), shown(login)));
        if let Some(error) = self.plan(|p| p.pulls.pop_front()) {
            return Err(error);
        }
        self.plan(|p| p.image = p.pulled.clone());
        Ok(())
    }

    async fn tag(&self, image: &str, tag: &str) -> Result<(), DockerError> {
        self.call(format!("tag {image} {tag}"));
        Ok(())
    }

    async fn push(&self, image: &ImageRef, login: Option<&Credentials>) -> Result<Digest, RegistryError> {
        self.call(format!("push {}{}", image.exact(), shown(login)));
        tokio::time::sleep(self.plan(|p| p.push_takes)).await;
        match self.plan(|p| p.pushes.pop_front()) {
            Some(error) => Err(error),
            None => Ok(Digest::of_bytes(b"pushed")),
        }
    }

    async fn data_root(&self) -> Result<Option<PathBuf>, DockerError> {
        Ok(Some("/var/lib/docker".into()))
    }

    async fn stock(&self) -> Result<Stock, DockerError> {
        Ok(self.plan(|p| p.stock.clone()))
    }

    async fn remove_image(&self, tag: &str) -> Result<(), DockerError> {
        self.call(format!("remove image {tag}"));
        self.plan(|p| {
            p.stock.images.retain(|image| !image.tags.iter().any(|t| t == tag));
            p.disk.free_bytes += p.image_frees;
        });
        Ok(())
    }

    async fn empty_build_cache(&self) -> Result<(), DockerError> {
        self.call("empty build cache");
        self.plan(|p| p.disk.free_bytes += p.cache_frees);
        Ok(())
    }

    async fn containers(&self, label: &str, value: &str) -> Result<Vec<Container>, DockerError> {
        let ours = |c: &Container| c.labels.get(label).is_some_and(|v| v == value);
        Ok(self.plan(|p| p.containers.iter().filter(|c| ours(c)).cloned().collect()))
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<String, DockerError> {
        let made =
            self.calls.lock().expect("not poisoned").iter().filter(|(_, c)| c.starts_with("create")).count();
        let id = if made == 0 { "new".to_owned() } else { format!("new{}", made + 1) };
        self.call(format!("create {} {}", spec.name, spec.env.join(" ")));
        let container = Container { id: id.clone(), labels: spec.labels.clone(), running: false };
        self.plan(|p| p.containers.push(container));
        Ok(id)
    }

    async fn start(&self, id: &str) -> Result<(), DockerError> {
        self.call(format!("start {id}"));
        if let Some(error) = self.plan(|p| p.starts.pop_front()) {
            return Err(error);
        }
        self.plan(|p| p.run(id, true));
        Ok(())
    }

    async fn state(&self, id: &str) -> Result<ContainerState, DockerError> {
        if self.plan(|p| p.docker_down) {
            return Err(docker_down());
        }
        let found = |p: &Plan| match p.containers.iter().find(|c| c.id == id) {
            Some(container) if container.running => ContainerState::Running,
            Some(_) => ContainerState::Exited { code: 0, out_of_memory: false },
            None => ContainerState::Gone,
        };
        let scripted = self.plan(|p| p.states.pop_front());
        // A container that exited stays so until it is started.
        if let Some(ContainerState::Exited { .. }) = scripted {
            self.plan(|p| p.run(id, false));
        }
        Ok(scripted.unwrap_or_else(|| self.plan(|p| found(p))))
    }

    async fn healthcheck(&self, _: &str) -> Result<Healthcheck, DockerError> {
        self.call("docker healthcheck");
        let next = |p: &mut Plan| {
            if p.healthchecks.len() > 1 {
                p.healthchecks.pop_front()
            } else {
                p.healthchecks.front().cloned()
            }
        };
        Ok(self.plan(next).unwrap_or(Healthcheck::Absent))
    }

    async fn logs(&self, _: &str, _: usize) -> Result<Vec<String>, DockerError> {
        Ok(vec!["starting".to_owned(), "panic: no database".to_owned()])
    }

    async fn stop(&self, id: &str, grace: Duration) -> Result<(), DockerError> {
        self.call(format!("stop {id} {}s", grace.as_secs()));
        tokio::time::sleep(self.plan(|p| p.stop_takes)).await;
        self.plan(|p| p.run(id, false));
        Ok(())
    }

    async fn remove(&self, id: &str) -> Result<(), DockerError> {
        self.call(format!("remove {id}"));
        self.plan(|p| p.containers.retain(|c| c.id != id));
        Ok(())
    }
}

#[async_trait]
impl Ecr for Outside {
    async fn login(&self, host: &EcrHost) -> Result<Credentials, RegistryError> {
        self.call(format!("ecr login {host}"));
        Ok(Credentials { username: "AWS".to_owned(), password: ConfigValue::secret("by-role") })
    }
}

fn shown(login: Option<&Credentials>) -> String {
    login.map_or_else(String::new, |l| format!(" as {}:{}", l.username, l.password.expose()))
}

#[async_trait]
impl Guard for Outside {
    async fn holds(&self) -> Result<bool, GuardError> {
        self.plan(|p| p.guard_broken.clone().map_or(Ok(p.guarded), Err))
    }

    async fn raise(&self) -> Result<(), GuardError> {
        self.call("guard raised");
        self.plan(|p| p.guarded = true);
        Ok(())
    }
}

impl Host for Outside {
    fn memory(&self) -> Option<u64> {
        Some(4_187_593_113)
    }

    fn disk(&self, _: &Path) -> Option<Disk> {
        Some(self.plan(|p| p.disk))
    }

    fn oom_kills(&self) -> Option<u64> {
        Some(self.plan(|p| {
            // Each build that is followed by a look has had its own kills.
            p.oom_kills += p.kills_while_building;
            p.oom_kills
        }))
    }

    fn oom_victim(&self) -> Option<String> {
        self.plan(|p| p.oom_victim.map(str::to_owned))
    }
}

#[async_trait]
impl Prober for Outside {
    async fn probe(&self, _: &ProbeTarget, _: Duration) -> Result<(), String> {
        let result = self.plan(|p| p.probes.pop_front().unwrap_or_else(|| p.probes_then.clone()));
        self.call(if result.is_ok() { "probe passes" } else { "probe fails" });
        result
    }
}

#[async_trait]
impl Lifecycle for Outside {
    async fn membership(&self, _: &InstanceId) -> Result<Option<Membership>, LifecycleError> {
        if self.plan(|p| p.lifecycle_down) {
            return Err(LifecycleError::Failed {
                operation: "autoscaling:Describe",
                problem: "503".to_owned(),
            });
        }
        self.call("membership");
        let state = self.plan(|p| p.group);
        Ok(state.map(|state| Membership { group: "web".to_owned(), state: state.to_owned() }))
    }

    async fn hooks(&self, _: &str, transition: Transition) -> Result<Vec<LifecycleHook>, LifecycleError> {
        let heartbeat = self.plan(|p| p.heartbeat);
        let hook = |name: &str| vec![LifecycleHook { name: name.to_owned(), heartbeat }];
        Ok(match transition {
            Transition::Launching => hook("adf-launch"),
            Transition::Terminating if self.plan(|p| p.terminating_hook) => hook("adf-terminate"),
            Transition::Terminating => vec![],
        })
    }

    async fn set_unhealthy(&self, instance: &InstanceId) -> Result<(), LifecycleError> {
        self.call(format!("set unhealthy {instance}"));
        Ok(())
    }

    async fn complete(
        &self,
        group: &str,
        hook: &str,
        _: &InstanceId,
        result: ActionResult,
    ) -> Result<Completion, LifecycleError> {
        self.call(format!("{result:?} {group} {hook}"));
        if let Some(answer) = self.plan(|p| p.completions.pop_front()) {
            return answer;
        }
        self.plan(|p| {
            p.group = Some(match (hook, p.group) {
                ("adf-terminate", _) => "Terminating:Proceed",
                (_, Some("Warmed:Pending:Wait")) => "Warmed:Running",
                _ => "InService",
            });
        });
        Ok(Completion::Completed)
    }

    async fn heartbeat(&self, _: &str, hook: &str, _: &InstanceId) -> Result<(), LifecycleError> {
        self.call(format!("heartbeat {hook}"));
        Ok(())
    }
}
