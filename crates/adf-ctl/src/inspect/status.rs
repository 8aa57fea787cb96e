//! What there is of an app now.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use adf_types::{AppName, DeployId, DeployRecord, Direction, ReleaseName, Step};
use jiff::Timestamp;
use serde::Serialize;

use super::fleet::{Row, fleet_table, rows};
use super::history::way;
use crate::context::Context;
use crate::error::CtlError;
use crate::printer::{Text, plain};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    pub app: AppName,
    pub current: Option<ReleaseName>,
    pub previous: Option<ReleaseName>,
    pub group: Option<Group>,
    pub deploy: Option<OpenDeploy>,
    pub lock: Option<Held>,
    pub instances: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    pub name: String,
    pub desired: u32,
    pub min: u32,
    pub max: u32,
}

/// A deploy that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenDeploy {
    pub id: DeployId,
    pub from: Option<ReleaseName>,
    pub to: ReleaseName,
    pub step: Step,
    pub direction: Direction,
    pub owner: String,
    pub started_at: Timestamp,
    /// Since when an operator keeps it where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_at: Option<Timestamp>,
}

/// Who holds the deploy lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    pub owner: String,
    pub taken_at: Timestamp,
}

/// Reads everything about the app that the settings name.
pub async fn status(context: &Context, now: Timestamp) -> Result<Status, CtlError> {
    let names = context.settings.app()?;
    let (app, store) = (&names.app, &context.store);
    let current = store.current(app).await?;
    let group = context.aws.group(&names.group).await?;
    let targets = match group.as_ref().and_then(|g| g.target_groups.first()) {
        Some(arn) => context.aws.target_health(arn).await?,
        None => BTreeMap::default(),
    };
    let members = group.as_ref().map_or(&[][..], |g| &g.members);
    let instances = rows(members, &targets, &store.receipts(app).await?, now);
    if current.is_none() && group.is_none() && instances.is_empty() && !super::is_known(context, app).await? {
        return Err(CtlError::UnknownApp(app.clone()));
    }
    Ok(Status {
        app: app.clone(),
        current: current.as_ref().map(|c| c.current.clone()),
        previous: current.and_then(|c| c.previous),
        group: group.map(|g| Group { name: g.name, desired: g.desired, min: g.min, max: g.max }),
        deploy: store.open_deploy(app).await?.map(OpenDeploy::of),
        lock: store.lock(app).await?.map(|l| Held { owner: l.owner, taken_at: l.taken_at }),
        instances,
    })
}

impl OpenDeploy {
    fn of(record: DeployRecord) -> Self {
        Self {
            id: record.id,
            from: record.from,
            to: record.to,
            step: record.step,
            direction: record.direction,
            owner: record.owner,
            started_at: record.started_at,
            paused_at: record.progress.paused_at,
        }
    }
}

impl Text for Status {
    fn text(&self) -> String {
        let name =
            |release: &Option<ReleaseName>| release.as_ref().map_or("none".to_owned(), ToString::to_string);
        let mut text = String::new();
        let _ = writeln!(text, "app       {}", self.app);
        let _ = writeln!(text, "release   {} (previous: {})", name(&self.current), name(&self.previous));
        match &self.group {
            Some(g) => {
                let _ = writeln!(
                    text,
                    "group     {}: desired {}, min {}, max {}",
                    g.name, g.desired, g.min, g.max
                );
            }
            None => text.push_str("group     none; adf-ctl init --capacity makes it\n"),
        }
        match &self.deploy {
            Some(deploy) => text.push_str(&deploy.text()),
            None => text.push_str("deploy    none is open\n"),
        }
        match &self.lock {
            Some(held) => {
                let owner = plain(&held.owner);
                let _ = writeln!(text, "lock      held by {owner} since {:.0}", held.taken_at);
            }
            None => text.push_str("lock      free\n"),
        }
        if self.instances.is_empty() {
            return text + "fleet     no instances\n";
        }
        text + "\n" + &fleet_table(&self.instances)
    }
}

impl Text for OpenDeploy {
    fn text(&self) -> String {
        let back = match &self.direction {
            Direction::Forward => String::new(),
            Direction::Back { reason, .. } => format!(", going back: {}", plain(reason)),
        };
        let paused = self.paused_at.map_or_else(String::new, |since| {
            format!("          paused since {since:.0}; adf-ctl resume lets it go on\n")
        });
        let what = way(self.from.as_ref(), &self.to, self.step);
        let owner = plain(&self.owner);
        format!(
            "deploy    {}: {what}, step {}{back}\n          by {owner} since {:.0}\n{paused}",
            self.id, self.step, self.started_at
        )
    }
}
