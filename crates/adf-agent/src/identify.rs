//! Stage identify: who is this instance, and what was it told at launch? IMDSv2 only.
//!
//! The rule: identity comes from metadata at every start and never from a file, because a file may have
//! come with the AMI.

use std::collections::BTreeMap;
use std::time::Duration;

use adf_types::{InstanceId, Receipt};
use bytes::Bytes;

use crate::agent::Agent;
use crate::failure::Failure;
use crate::report::Reached;
use crate::retry::{Schedule, retry};

/// Metadata may come up after the agent: 1, 1.3, 1.69, 2.2, 2.86, 3.71, 4.83, then every 5 s, until [`LIMIT`].
/// Where metadata answers late in its calls' own 2 s, that is 36 tries; where it refuses at once, 52.
pub const SCHEDULE: Schedule = Schedule {
    what: "instance metadata",
    first: Duration::from_secs(1),
    factor: 1.3,
    max: Duration::from_secs(5),
    tries: u32::MAX,
    jitter: false,
};

/// What all reads may take together, however the tries add up.
pub const LIMIT: Duration = Duration::from_mins(4);

/// What metadata told. User data and tags are still raw: `claim` reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    pub instance: InstanceId,
    pub region: String,
    pub ami: Option<String>,
    pub user_data: Bytes,
    pub tags: BTreeMap<String, String>,
}

impl Reached for Identified {
    fn record(&self, receipt: &mut Receipt) {
        receipt.ami.clone_from(&self.ami);
    }
}

pub async fn identify(agent: &Agent) -> Result<Identified, Failure> {
    let reader = Reader { agent };
    tokio::time::timeout(LIMIT, reader.identity()).await.unwrap_or_else(|_| {
        let last = agent.reporter.last_trouble().map(|t| format!("; last: {}", t.problem)).unwrap_or_default();
        Err(Failure::transient(format!(
            "E120 instance metadata not reachable for {} s{last}; on EC2 look at the instance's metadata options",
            LIMIT.as_secs()
        )))
    })
}

/// Single reads of metadata, retried.
struct Reader<'a> {
    agent: &'a Agent,
}

impl Reader<'_> {
    async fn identity(&self) -> Result<Identified, Failure> {
        let instance = self.required("meta-data/instance-id").await?;
        let region = self.required("meta-data/placement/region").await?;
        let ami = self.text("meta-data/ami-id").await?;
        let user_data = self.get("user-data").await?.unwrap_or_default();
        let tags = self.tags().await?;
        let instance = instance.parse().map_err(|e| Failure::permanent(format!("instance metadata: {e}")))?;
        Ok(Identified { instance, region, ami, user_data, tags })
    }

    /// Empty where tags in metadata are switched off (404).
    async fn tags(&self) -> Result<BTreeMap<String, String>, Failure> {
        let Some(keys) = self.text("meta-data/tags/instance").await? else {
            return Ok(BTreeMap::new());
        };
        let mut tags = BTreeMap::new();
        for key in keys.lines().filter(|k| !k.is_empty()) {
            if let Some(value) = self.text(&format!("meta-data/tags/instance/{key}")).await? {
                tags.insert(key.to_owned(), value);
            }
        }
        Ok(tags)
    }

    async fn required(&self, path: &str) -> Result<String, Failure> {
        let missing =
            || Failure::permanent(format!("instance metadata has no {path}; is this an EC2 instance?"));
        self.text(path).await?.ok_or_else(missing)
    }

    async fn text(&self, path: &str) -> Result<Option<String>, Failure> {
        let found = self.get(path).await?;
        Ok(found.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()))
    }

    async fn get(&self, path: &str) -> Result<Option<Bytes>, Failure> {
        let read = async || self.agent.metadata.get(path).await;
        Ok(retry(&SCHEDULE, &self.agent.reporter, read).await?)
    }
}
