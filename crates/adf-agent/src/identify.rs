//! Stage identify: who is this instance, and what was it told at launch? IMDSv2 only.
//!
//! The rule: identity comes from metadata at every start and never from a file, because a file may have
//! come with the AMI.

use std::collections::BTreeMap;
use std::time::Duration;

use adf_types::{InstanceId, Receipt};
use bytes::Bytes;
use tokio::sync::Mutex;

use crate::failure::Failure;
use crate::report::{Reached, Reporter};
use crate::retry::{Schedule, retry};
use crate::world::{Imds, ImdsError};

/// Metadata may come up after the agent: 1, 1.3, 1.7, 2.2, 2.9, 3.7, 4.8, then every 5 s; with 2 s a call
/// that hangs, 36 tries are at most 240 s.
pub const SCHEDULE: Schedule = Schedule {
    what: "instance metadata",
    first: Duration::from_secs(1),
    factor: 1.3,
    max: Duration::from_secs(5),
    tries: 36,
    jitter: false,
};

/// However the tries add up.
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

pub async fn identify(imds: &dyn Imds, reporter: &Reporter) -> Result<Identified, Failure> {
    let asked = tokio::time::timeout(LIMIT, ask(&Session::new(imds, reporter))).await;
    asked.unwrap_or_else(|_| {
        Err(Failure::transient(format!("E120 instance metadata not reachable for {} s", LIMIT.as_secs())))
    })
}

async fn ask(session: &Session<'_>) -> Result<Identified, Failure> {
    let instance = session.required("meta-data/instance-id").await?;
    let region = session.required("meta-data/placement/region").await?;
    let ami = session.text("meta-data/ami-id").await?;
    let user_data = session.get("user-data").await?.unwrap_or_default();
    let tags = tags(session).await?;
    let instance = instance.parse().map_err(|e| Failure::permanent(format!("instance metadata: {e}")))?;
    Ok(Identified { instance, region, ami, user_data, tags })
}

/// Empty where tags in metadata are switched off (404).
async fn tags(session: &Session<'_>) -> Result<BTreeMap<String, String>, Failure> {
    let Some(keys) = session.text("meta-data/tags/instance").await? else {
        return Ok(BTreeMap::new());
    };
    let mut tags = BTreeMap::new();
    for key in keys.lines().filter(|k| !k.is_empty()) {
        if let Some(value) = session.text(&format!("meta-data/tags/instance/{key}")).await? {
            tags.insert(key.to_owned(), value);
        }
    }
    Ok(tags)
}

/// A token and its renewal around single calls.
struct Session<'a> {
    imds: &'a dyn Imds,
    reporter: &'a Reporter,
    token: Mutex<Option<String>>,
}

impl<'a> Session<'a> {
    fn new(imds: &'a dyn Imds, reporter: &'a Reporter) -> Self {
        Self { imds, reporter, token: Mutex::default() }
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
        Ok(retry(&SCHEDULE, self.reporter, async || self.once(path).await).await?)
    }

    /// One read; an expired token is renewed once.
    async fn once(&self, path: &str) -> Result<Option<Bytes>, ImdsError> {
        let mut token = self.token.lock().await;
        let held = match token.as_ref() {
            Some(held) => held.clone(),
            None => token.insert(self.imds.token().await?).clone(),
        };
        match self.imds.get(path, &held).await {
            Err(ImdsError::TokenExpired) => {
                let fresh = token.insert(self.imds.token().await?).clone();
                self.imds.get(path, &fresh).await
            }
            other => other,
        }
    }
}
