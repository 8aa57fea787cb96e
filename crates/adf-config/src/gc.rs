//! Clean-up of Overlays that only unused releases have, with the proof.

use adf_store::{Cleaned, Ignored, OverlayPlan, Plan, Store, Swept};
use adf_types::{AppName, ConfigName, ReleaseName};
use serde::Serialize;

use crate::error::ConfigError;
use crate::printer::Text;
use crate::text::joined;

/// What clean-up would do, for every Overlay.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Proposal(Plan);

/// What clean-up did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Collected {
    pub app: AppName,
    #[serde(flatten)]
    pub swept: Swept,
}

impl Text for Proposal {
    fn text(&self) -> String {
        self.0.overlays.iter().map(overlay).collect()
    }
}

/// `v1  goes: FOO, BAR`, and below it why.
fn overlay(plan: &OverlayPlan) -> String {
    let verdict = match (plan.live.is_empty(), plan.goes()) {
        (true, _) => "is cleaned up".to_owned(),
        (false, true) => format!("goes: {}", joined(&plan.live)),
        (false, false) => format!("stays: {}", joined(&plan.live)),
    };
    let head = format!("{}  {verdict}\n", plan.release);
    let uses = plan.uses.iter().map(|used| format!("    {used}\n"));
    let unused = plan.goes().then(|| format!("    {}\n", proof(plan)));
    let cleaned = plan.cleaned.iter().map(|cleaned| cleaned_line(plan, cleaned));
    std::iter::once(head).chain(uses).chain(unused).chain(cleaned).collect()
}

fn cleaned_line(plan: &OverlayPlan, cleaned: &Cleaned) -> String {
    let Cleaned { name, restorable_until, .. } = cleaned;
    if cleaned.purged {
        return format!("    {name} was deleted\n");
    }
    let longer = if plan.previous { ", and as long as a rollback would go to this release" } else { "" };
    format!("    {name} can be restored until {restorable_until}{longer}\n")
}

fn proof(plan: &OverlayPlan) -> String {
    let last = match (&plan.last_deploy, plan.last_deploy_ended) {
        (Some(id), Some(ended)) => {
            format!("; the last deploy that had to do with it, {id}, ended at {ended}")
        }
        _ => "; none of the last deploys had to do with it".to_owned(),
    };
    format!("it is not the current release, no receipt names it, no open deploy does{last}")
}

impl Collected {
    /// One sentence for the operator.
    pub fn summary(&self) -> String {
        let layers = |of: &[(ReleaseName, Vec<ConfigName>)]| {
            let layer = |(release, names): &(ReleaseName, Vec<ConfigName>)| {
                format!("{} of {} {release}", joined(names), self.app)
            };
            of.iter().map(layer).collect::<Vec<_>>().join("; ")
        };
        let Swept { cleaned, purged, history } = &self.swept;
        let clauses = [
            (!cleaned.is_empty())
                .then(|| format!("cleaned up {}; to be restored within 30 days", layers(cleaned))),
            (!purged.is_empty()).then(|| format!("deleted for good {}", layers(purged))),
            (*history > 0).then(|| format!("deleted {history} old records of the history")),
        ];
        let clauses: Vec<_> = clauses.into_iter().flatten().collect();
        if clauses.is_empty() { "nothing to clean up".to_owned() } else { clauses.join("\n") }
    }
}

impl Text for Collected {
    fn text(&self) -> String {
        String::new()
    }
}

/// What clean-up would do with every Overlay, or with that of `release`.
pub async fn propose(
    store: &Store,
    app: &AppName,
    release: Option<&ReleaseName>,
) -> Result<Proposal, ConfigError> {
    Ok(Proposal(store.plan_clean_up(app, release, Ignored::default()).await?))
}

/// Cleans up every Overlay that nothing uses, or that of `release`: then it is an error that it is in use.
pub async fn collect(
    store: &Store,
    app: &AppName,
    release: Option<&ReleaseName>,
) -> Result<Collected, ConfigError> {
    let plan = store.plan_clean_up(app, release, Ignored::default()).await?;
    if let (Some(release), Some(overlay)) = (release, plan.overlays.first())
        && !overlay.uses.is_empty()
    {
        return Err(ConfigError::InUse { release: release.clone(), uses: overlay.uses.clone() });
    }
    let mut swept = store.clean_up(&plan).await?;
    swept.history = store.purge_history(app).await?;
    Ok(Collected { app: app.clone(), swept })
}
