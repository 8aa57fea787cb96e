//! Who changed which names, when and why, and what they were before.
//!
//! The partition `web#history` of the config table, one record for each change, its key ordered by time. A record holds
//! what the names were *before*: what they became is in the next record that has them, or in the table itself. So the
//! state at any time is known, also of values that clients of 2013 wrote, and a value is stored once.
//!
//! An item holds at most 400 KB, so a record of large values is several items.

use std::collections::{BTreeMap, HashMap};

use adf_types::{AppName, ConfigName, ReleaseName};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::change::{CONTENT, content};
use super::entry::{Entry, entry};
use super::size::{self, MOST_IN_AN_ITEM};
use crate::error::{Operation, StoreError};
use crate::keys::{Item, config_key, layer, number, text};
use crate::query::{Range, flag, string, unsigned};
use crate::{Partition, Signature, Store};

/// How the key of a record's first item ends.
const FIRST_PART: &str = "#00";

/// How long a record is kept: a year and a month, so that last year's season can be looked at.
const KEPT: SignedDuration = SignedDuration::from_hours(396 * 24);

/// What a change was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Set,
    Unset,
    /// Taken out of the live set by clean-up.
    Clean,
    /// Brought back, from clean-up or from the history.
    Restore,
    /// Secrets were encrypted anew; what they say did not change.
    Rekey,
    /// Nothing changed: secrets were shown to somebody.
    Reveal,
}

impl Action {
    /// For errors: `cannot change config of web`.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Set | Self::Unset => "change config of",
            Self::Clean => "clean up config of",
            Self::Restore => "restore config of",
            Self::Rekey => "encrypt anew config of",
            Self::Reveal => "record who saw config of",
        }
    }

    /// As it is stored and shown.
    fn word(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Unset => "unset",
            Self::Clean => "clean",
            Self::Restore => "restore",
            Self::Rekey => "rekey",
            Self::Reveal => "reveal",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        let all = [Self::Set, Self::Unset, Self::Clean, Self::Restore, Self::Rekey, Self::Reveal];
        all.into_iter().find(|action| action.word() == word)
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

/// One change as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Ordered by time; names the change for `restore`.
    pub id: String,
    pub at: Timestamp,
    /// The identity that AWS knew the author by.
    pub by: String,
    pub why: Option<String>,
    /// Whether the author was told why not, and did it all the same.
    pub forced: bool,
    pub action: Action,
    /// The release whose Overlay was changed; nothing for Base.
    pub release: Option<ReleaseName>,
    /// The version of the app's config that the change made.
    pub version: u64,
    /// What each name was before; nothing where it was not there.
    pub before: BTreeMap<ConfigName, Option<Entry>>,
}

/// What is to be recorded.
pub(super) struct Past<'a> {
    pub(super) action: Action,
    pub(super) layer: &'a str,
    pub(super) at: Timestamp,
    pub(super) version: u64,
    pub(super) by: &'a Signature,
    pub(super) names: &'a BTreeMap<ConfigName, Option<Item>>,
}

pub(super) fn partition(app: &AppName) -> String {
    Partition::History.key(app)
}

/// The items of a record.
pub(super) fn items(app: &AppName, past: &Past<'_>) -> Vec<Item> {
    let id = Uuid::now_v7();
    let (mut parts, mut filled) = (vec![HashMap::new()], 0);
    for (name, was) in past.names {
        let was: Item = content(was.as_ref())
            .into_iter()
            .flatten()
            .map(|(attribute, value)| (attribute.to_owned(), value.clone()))
            .collect();
        let bytes = name.as_str().len() + size::item(&was);
        if filled + bytes > MOST_IN_AN_ITEM && filled > 0 {
            parts.push(HashMap::new());
            filled = 0;
        }
        filled += bytes;
        if let Some(part) = parts.last_mut() {
            part.insert(name.to_string(), AttributeValue::M(was));
        }
    }
    let purge = u64::try_from((past.at + KEPT).as_second()).unwrap_or(u64::MAX);
    let item = |(part, names): (usize, Item)| {
        let attributes = [
            ("Id", text(id.to_string())),
            ("Action", text(past.action.word())),
            ("Layer", text(past.layer)),
            ("At", text(past.at.to_string())),
            ("By", text(&past.by.by)),
            ("Version", number(past.version)),
            ("PurgeAfter", number(purge)),
            ("Before", AttributeValue::M(names)),
        ];
        let why = past.by.why.iter().map(|why| ("Why", text(why)));
        let forced = past.by.forced.then_some(("Forced", AttributeValue::Bool(true)));
        let attributes =
            attributes.into_iter().chain(why).chain(forced).map(|(name, value)| (name.to_owned(), value));
        config_key(&partition(app), &format!("{id}#{part:02}")).into_iter().chain(attributes).collect()
    };
    parts.into_iter().enumerate().map(item).collect()
}

impl Store {
    /// Records that secrets are shown. Nothing may be shown when this fails.
    pub async fn record_reveal(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        names: &[ConfigName],
    ) -> Result<(), StoreError> {
        let layer = layer(app, release);
        let names = names.iter().map(|name| (name.clone(), None)).collect();
        let past = Past {
            action: Action::Reveal,
            layer: &layer,
            at: Timestamp::now(),
            version: self.config_version(app).await?.0,
            by: &self.signature,
            names: &names,
        };
        for item in items(app, &past) {
            let put = self.client.put_item().table_name(&self.tables.config).set_item(Some(item));
            put.send().await.map_err(|error| {
                let (verb, table) = (Action::Reveal.verb(), self.tables.config.clone());
                StoreError::from_sdk(Operation { verb, table, key: layer.clone() }, error)
            })?;
        }
        Ok(())
    }

    /// The changes of an app's config, newest first; at most `limit` of them.
    pub async fn history(&self, app: &AppName, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        let mut most = limit;
        loop {
            let items = self.query_config(&partition(app), Range::Newest(most)).await?;
            let mut records = self.records(app, &items)?;
            if records.len() >= limit || items.len() < most {
                records.truncate(limit);
                return Ok(records);
            }
            // Records of large values took the place of others.
            most = most.saturating_mul(2);
        }
    }

    /// Puts records together of their items, newest first. The last may lack some of its items and is left out.
    fn records(&self, app: &AppName, items: &[Item]) -> Result<Vec<Recorded>, StoreError> {
        let mut records: Vec<Recorded> = Vec::new();
        let mut whole = 0;
        for item in items {
            let part = self.recorded(app, item)?;
            match records.last_mut() {
                Some(record) if record.id == part.id => record.before.extend(part.before),
                _ => records.push(part),
            }
            if string(item, "Name").is_some_and(|name| name.ends_with(FIRST_PART)) {
                whole = records.len();
            }
        }
        records.truncate(whole);
        // Their ids follow the clocks of their authors; the versions are in the order in which the changes were made.
        records.sort_by_key(|record| std::cmp::Reverse(record.version));
        Ok(records)
    }

    fn recorded(&self, app: &AppName, item: &Item) -> Result<Recorded, StoreError> {
        parse(app, item).ok_or_else(|| StoreError::Malformed {
            operation: Operation {
                verb: "read",
                table: self.tables.config.clone(),
                key: format!("{}/{}", partition(app), string(item, "Name").unwrap_or_default()),
            },
            source: "an attribute is missing or of another type".into(),
        })
    }
}

fn parse(app: &AppName, item: &Item) -> Option<Recorded> {
    let layer = string(item, "Layer")?;
    let release = match layer.strip_prefix(app.as_str())?.strip_prefix('@') {
        Some(release) => Some(release.parse().ok()?),
        None => None,
    };
    let mut before = BTreeMap::new();
    for (name, was) in item.get("Before")?.as_m().ok()? {
        let was = was.as_m().ok()?;
        // What clean-up had taken away was not there for anybody, and neither was what could not be read.
        let entry = if was.is_empty() || was.contains_key("Cleaned") {
            None
        } else {
            let item = config_key(&layer, name).into_iter().chain(was.clone()).collect();
            entry(&layer, &item).ok().map(|(_, entry)| entry)
        };
        before.insert(name.parse().ok()?, entry);
    }
    Some(Recorded {
        id: string(item, "Id")?,
        at: string(item, "At")?.parse().ok()?,
        by: string(item, "By")?,
        why: string(item, "Why"),
        forced: flag(item, "Forced"),
        action: Action::parse(&string(item, "Action")?)?,
        release,
        version: unsigned(item, "Version")?,
        before,
    })
}

/// The attributes by which an item says this.
pub(super) fn attributes(entry: &Entry) -> Item {
    let (attribute, value) = match entry {
        Entry::Value(value) => ("Value", text(value.expose())),
        Entry::Secret(sealed) => ("Secret", AttributeValue::B(Blob::new(sealed.as_bytes()))),
        Entry::Unset => ("Unset", AttributeValue::Bool(true)),
    };
    debug_assert!(CONTENT.contains(&attribute));
    Item::from([(attribute.to_owned(), value)])
}
