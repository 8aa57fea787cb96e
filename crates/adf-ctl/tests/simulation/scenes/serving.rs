//! A look from outside at what serves, in a few lines.

use std::fmt::Write as _;

use adf_local::model::LifecycleState;

use crate::account::app;
use crate::oracle::Member;
use crate::stage::Stage;

pub(super) async fn words(stage: &Stage) -> String {
    let group = stage.group();
    let mut text = String::new();
    let mut members = group.members.clone();
    members.sort_by_key(|member| (!serves(member), member.state.name(), member.release.clone()));
    for member in &members {
        let release = member.release.as_ref().map_or("nothing", |release| release.as_str());
        let how = if serves(member) { "serves".to_owned() } else { format!("{} only", member.state.name()) };
        let _ = writeln!(text, "{} runs {release} and {how}", member.id);
    }
    for stranger in &group.strangers {
        let _ = writeln!(text, "{stranger} runs beside the group");
    }
    let starts = group.starts.as_ref().map_or("nothing", |release| release.as_str());
    let version = group.template.unwrap_or_default();
    let (min, max) = (group.min, group.max);
    let _ = writeln!(text, "desired capacity {} of {min} to {max}", group.desired);
    let _ = writeln!(text, "a scale-out starts {starts} (template version {version})");
    let open = stage.store().open_deploy(&app()).await.expect("readable");
    let lock = stage.store().lock(&app()).await.expect("readable");
    let open = open.map(|open| format!("deploy {} is open at step {}", open.id, open.step));
    let lock = lock.map(|lock| format!("locked by {}", lock.owner));
    let both = (open.unwrap_or("no deploy is open".to_owned()), lock.unwrap_or("no lock is held".to_owned()));
    let _ = writeln!(text, "{}; {}", both.0, both.1);
    text
}

fn serves(member: &Member) -> bool {
    member.target && member.state == LifecycleState::InService
}
