//! `adf-agent check`: everything up to the build, changing nothing.

use adf_types::{AgentName, AppName, ConfigValue, ReleaseUrl};

use crate::agent::Agent;
use crate::claim::{Order, agreed_digest, fixed, is_of, order};
use crate::failure::Failure;
use crate::identify::identify;
use crate::prepare::name::image_tag;
use crate::redact;
use crate::world::{Access, wants_token};

/// What `run` would do, as lines.
pub async fn check(agent: &Agent) -> Result<Vec<String>, Failure> {
    let identified = identify(agent).await?;
    let mut order = order(&identified)?;
    let aws = agent.aws(&order.region).await;
    if order.named {
        let record = aws.table.release(&order.app, &order.release).await?;
        order.digest = agreed_digest(order.digest, record.as_ref())?;
    }
    let mut lines = vec![
        format!("instance  {} in {}", order.instance, order.region),
        format!("app       {}", shown(&order.app, order.named)),
        format!("release   {}", order.release),
        format!("url       {}", order.url.public()),
        format!(
            "digest    {}",
            order.digest.as_ref().map_or_else(|| "not given".to_owned(), ToString::to_string)
        ),
    ];
    let mut access = Access::default();
    if order.named {
        let config = aws.table.read_config(&order.app, &order.release).await?;
        redact::learn(&config);
        lines.push(format!("config    {} names, hash {}", config.len(), config.hash().short()));
        if wants_token(&order.url) {
            access.github_token = config.for_agent(AgentName::GithubToken).map(ConfigValue::secret);
        }
    }
    fixed(&order, &agent.settings)?;
    if !matches!(order.url, ReleaseUrl::Docker(_)) {
        aws.fetch.open(&order.url, &access).await?;
        lines.push("archive   can be read".to_owned());
    }
    lines.push(image_line(agent, &order).await?);
    Ok(lines)
}

fn shown(app: &AppName, named: bool) -> String {
    if named {
        app.to_string()
    } else {
        format!("{app} (no APP given: no config, no receipt in the state table)")
    }
}

async fn image_line(agent: &Agent, order: &Order) -> Result<String, Failure> {
    let tag = image_tag(&agent.settings.image_prefix, order);
    agent.world.docker.ping().await?;
    let here = agent.world.docker.image(&tag).await?.filter(|image| is_of(image, order));
    Ok(match here {
        Some(image) => format!("image     {tag} is here ({})", image.id),
        None => match &order.url {
            ReleaseUrl::Docker(image) => format!("image     {image} would be pulled"),
            _ => format!("image     {tag} would be built"),
        },
    })
}
