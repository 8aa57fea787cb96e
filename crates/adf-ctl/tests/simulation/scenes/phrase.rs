//! The sentences of a script: what is given, and what happens. Each is one arm below and one line of the README.

use std::time::Duration;

use jiff::SignedDuration;

use super::person::Fall;
use crate::fate::{Fate, Fates};
use crate::scenario::Delivery;

/// What a scenario begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    Fleet(u32),
    /// Nothing was deployed yet; the group is made for so many.
    Empty(u32),
    Release(String, Fates),
    Delivery(Delivery),
    /// A key of adf.toml: section, line.
    Toml(String, String),
    Sizes(u32, u32),
    /// How many versions the launch template may have.
    Versions(usize),
    /// How many calls in a hundred.
    Throttled(u32),
    Lost(u32),
    Outage(Duration, Duration),
    Expired(Duration, Duration),
    Boot(Duration),
    Drain(u16),
    Seed(u64),
}

/// What happens beside the commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Which instance, and how it ends.
    Ends(Whom, End),
    Desired(u32),
    Capacity(Option<String>, Duration),
    Refresh,
    /// A launch template version goes.
    Deletes(u64),
    Suspends(String),
    Machine(String, Fall),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    InService,
    Of(String),
    InStandby,
    Canary,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Killed,
    Terminated,
    Spot,
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration =
        text.parse().map_err(|_| format!("{text:?} is no time; write 40s or 1m30s"))?;
    Duration::try_from(parsed).map_err(|_| format!("{text:?} is negative"))
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("{text:?} is no number that fits here"))
}

pub(super) fn given(text: &str) -> Result<Given, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    Ok(match words[..] {
        ["v1", "on", n, "instance" | "instances"] => Given::Fleet(number(n)?),
        ["nothing", "deployed", "yet,", "room", "for", n] => Given::Empty(number(n)?),
        ["releases", "are", "images"] => Given::Delivery(Delivery::Image),
        ["releases", "are", "archives", "that", "each", "instance", "builds"] => {
            Given::Delivery(Delivery::Archive)
        }
        ["releases", "are", "archives", "that", "one", "instance", "builds", "and", "pushes"] => {
            Given::Delivery(Delivery::Repository)
        }
        ["adf.toml", "says", section, ..] if section.starts_with('[') => {
            let line = text.split_once(section).map_or("", |(_, line)| line).trim();
            Given::Toml(section.to_owned(), line.to_owned())
        }
        ["a", "group", "between", min, "and", max] => Given::Sizes(number(min)?, number(max)?),
        ["a", "launch", "template", "with", "room", "for", n, "versions"] => Given::Versions(number(n)?),
        ["AWS", "throttles", n, "of", "100", "calls"] => Given::Throttled(number(n)?),
        [n, "of", "100", "answers", "are", "lost"] => Given::Lost(number(n)?),
        ["DynamoDB", "is", "away", "from", from, "to", to] => {
            let (from, lasts) = window(from, to)?;
            Given::Outage(from, lasts)
        }
        ["credentials", "are", "expired", "from", from, "to", to] => {
            let (from, lasts) = window(from, to)?;
            Given::Expired(from, lasts)
        }
        ["machines", "that", "boot", "in", time] => Given::Boot(duration(time)?),
        ["a", "drain", "of", time] => {
            Given::Drain(u16::try_from(duration(time)?.as_secs()).map_err(|_| "too long")?)
        }
        ["seed", n] => Given::Seed(number(n)?),
        [release @ ("v1" | "v2" | "v3"), ref fate @ ..] => Given::Release(release.to_owned(), fates(fate)?),
        _ => return Err(format!("nothing is known that could be given as {text:?}; see README.md")),
    })
}

fn window(from: &str, to: &str) -> Result<(Duration, Duration), String> {
    let (from, to) = (duration(from)?, duration(to)?);
    let lasts = to.checked_sub(from).ok_or("it ends before it begins")?;
    Ok((from, lasts))
}

/// What becomes of a release's instances; of some in a hundred, where the sentence ends so.
fn fates(words: &[&str]) -> Result<Fates, String> {
    if let [words @ .., "on", n, "of", "100", "instances"] = words {
        return Ok(Fates { fate: fate(words)?, percent: number(n)? });
    }
    Ok(Fates { fate: fate(words)?, percent: 100 })
}

fn fate(words: &[&str]) -> Result<Fate, String> {
    Ok(match words {
        ["exits", "at", "once"] => Fate::Exits,
        ["never", "answers"] => Fate::Silent,
        ["falls", "ill", "after", time] => Fate::IllAfter(duration(time)?),
        ["fails", "one", "probe", "in", "ten"] => Fate::Flaps,
        ["never", "boots"] => Fate::Dead,
        ["does", "not", "build"] => Fate::Unbuildable,
        _ => return Err(format!("{:?} is not what a release can do; see README.md", words.join(" "))),
    })
}

pub(super) fn event(text: &str) -> Result<Event, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    Ok(match words[..] {
        [ref whom @ .., "is", "killed"] => Event::Ends(whose(whom)?, End::Killed),
        [ref whom @ .., "is", "terminated", "by", "hand"] => Event::Ends(whose(whom)?, End::Terminated),
        [ref whom @ .., "gets", "a", "Spot", "notice"] => Event::Ends(whose(whom)?, End::Spot),
        ["somebody", "sets", "desired", "capacity", "to", n] => Event::Desired(number(n)?),
        ["no", "zone", "has", "capacity", "for", time] => Event::Capacity(None, duration(time)?),
        [zone, "has", "no", "capacity", "for", time] => {
            Event::Capacity(Some(zone.to_owned()), duration(time)?)
        }
        ["somebody", "starts", "an", "instance", "refresh"] => Event::Refresh,
        ["somebody", "deletes", "template", "version", n] => Event::Deletes(number(n)?),
        ["somebody", "suspends", process] => Event::Suspends(process.to_owned()),
        [who, "presses", "Ctrl-C"] => Event::Machine(who.to_owned(), Fall::Stops),
        [machine, "laptop", "dies"] => Event::Machine(owner(machine)?, Fall::Dies),
        [machine, "laptop", "sleeps", "for", time] => {
            Event::Machine(owner(machine)?, Fall::Sleeps(duration(time)?))
        }
        _ => return Err(format!("{text:?} is no command and nothing that can happen; see README.md")),
    })
}

fn whose(words: &[&str]) -> Result<Whom, String> {
    Ok(match words {
        ["an", "instance"] => Whom::InService,
        ["an", "instance", "in", "Standby"] => Whom::InStandby,
        ["an", "instance", "of", release] => Whom::Of((*release).to_owned()),
        ["the", "canary"] => Whom::Canary,
        _ => return Err(format!("{:?} is no instance; see README.md", words.join(" "))),
    })
}

fn owner(machine: &str) -> Result<String, String> {
    let who = machine.strip_suffix("'s");
    who.map(str::to_owned).ok_or_else(|| format!("{machine:?}: whose laptop? write ann's"))
}
