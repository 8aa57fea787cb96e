//! `adf-ctl init`: makes what is missing, in the order in which one thing needs another.

use serde::Serialize;

use crate::aws::create::{Found, NewGroup, NewLoadBalancer, NewTargetGroup, NewTemplate};
use crate::cli::InitArgs;
use crate::context::Context;
use crate::error::CtlError;
use crate::printer::Text;
use crate::settings::AppNames;

/// What there is now, in the order it was looked for.
#[derive(Debug, Default, Serialize)]
struct Initialised {
    things: Vec<Thing>,
    /// Where the app will answer: the load balancer's DNS name, `:`, the listener's port.
    address: Option<String>,
}

#[derive(Debug, Serialize)]
struct Thing {
    kind: &'static str,
    name: String,
    how: Found,
}

/// The notes on stderr have named every thing already.
impl Text for Initialised {
    fn text(&self) -> String {
        self.address.as_ref().map_or_else(String::new, |a| format!("address: {a}\n"))
    }
}

impl Initialised {
    fn add(&mut self, context: &Context, kind: &'static str, name: &str, how: Found) {
        let word = match how {
            Found::Created => "created",
            Found::Found => "found",
        };
        context.printer.note(&format!("{word} {kind} {name}"));
        self.things.push(Thing { kind, name: name.to_owned(), how });
    }
}

pub(super) async fn run(context: &Context, args: InitArgs) -> Result<(), CtlError> {
    if args.capacity.is_some() && context.settings.app()?.target_group.is_some() {
        can_take_traffic(context, &args)?;
    }
    let mut done = Initialised::default();
    tables(context, &mut done).await?;
    if let Ok(bucket) = context.settings.bucket() {
        let how = context.aws.ensure_bucket(bucket).await?;
        done.add(context, "bucket", bucket, how);
    }
    if let Some(capacity) = args.capacity {
        let names = context.settings.app()?;
        let target = traffic(context, names, &args, &mut done).await?;
        fleet(context, names, &args, capacity, target.as_deref(), &mut done).await?;
    }
    context.printer.data(&done);
    Ok(())
}

async fn tables(context: &Context, done: &mut Initialised) -> Result<(), CtlError> {
    let created = context.store.create_tables().await?;
    let tables = context.store.tables();
    for name in [&tables.config, &tables.state] {
        let how = if created.contains(name) { Found::Created } else { Found::Found };
        done.add(context, "table", name, how);
    }
    Ok(())
}

/// Target group, load balancer and listener; the target group's ARN. Nothing for an app without one.
async fn traffic(
    context: &Context,
    names: &AppNames,
    args: &InitArgs,
    done: &mut Initialised,
) -> Result<Option<String>, CtlError> {
    let Some(name) = names.target_group.as_deref() else { return Ok(None) };
    let run = &context.settings.file.run;
    let port = can_take_traffic(context, args)?;
    let vpc = context.aws.vpc_of(args.subnets.first().map_or("", String::as_str)).await?;
    let new = NewTargetGroup { name, port, vpc: &vpc, health: &run.health, drain_seconds: args.drain };
    let (target_arn, how) = context.aws.ensure_target_group(&new).await?;
    done.add(context, "target group", name, how);
    let balancer = NewLoadBalancer {
        name: names.app.as_str(),
        subnets: &args.subnets,
        security_groups: &args.security_groups,
    };
    let (balancer_arn, dns, how) = context.aws.ensure_load_balancer(&balancer).await?;
    done.add(context, "load balancer", names.app.as_str(), how);
    let how = context.aws.ensure_listener(&balancer_arn, args.listener_port, &target_arn).await?;
    let address = format!("{dns}:{}", args.listener_port);
    done.add(context, "listener", &address, how);
    done.address = Some(address);
    Ok(Some(target_arn))
}

/// What a load balancer needs beyond its name; the app's port. Asked for before anything is made.
fn can_take_traffic(context: &Context, args: &InitArgs) -> Result<u16, CtlError> {
    let refused =
        |reason: &str, hint: &str| CtlError::Refused { reason: reason.to_owned(), hint: hint.to_owned() };
    if args.subnets.len() < 2 {
        let hint = "say --subnet twice; or say --target-group none, for an app without a load balancer";
        return Err(refused("a load balancer needs two subnets, in two availability zones", hint));
    }
    args.port.or(context.settings.file.run.port).ok_or_else(|| {
        let hint = "say --port PORT, or write port = PORT under [run] in adf.toml";
        refused("a target group needs the port that the app listens on", hint)
    })
}

/// Launch template and group.
async fn fleet(
    context: &Context,
    names: &AppNames,
    args: &InitArgs,
    capacity: u32,
    target_group_arn: Option<&str>,
    done: &mut Initialised,
) -> Result<(), CtlError> {
    let new = NewTemplate {
        name: &names.template,
        app: &names.app,
        image_id: args.image_id.as_deref().unwrap_or_default(),
        instance_type: &args.instance_type,
        security_groups: &args.security_groups,
        instance_profile: args.instance_profile.as_deref(),
    };
    let (template_id, how) = context.aws.ensure_template(&new).await?;
    done.add(context, "launch template", &names.template, how);
    let new = NewGroup {
        name: &names.group,
        app: &names.app,
        template_id: &template_id,
        subnets: &args.subnets,
        target_group_arn,
        capacity,
    };
    let how = context.aws.ensure_group(&new).await?;
    done.add(context, "group", &names.group, how);
    Ok(())
}
