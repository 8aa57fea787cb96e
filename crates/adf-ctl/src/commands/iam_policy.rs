//! `adf-ctl iam-policy`.

use adf_store::Tables;

use crate::cli::IamPolicyArgs;
use crate::error::CtlError;
use crate::policy::{Place, Role, Scope, policy};
use crate::printer::Printer;
use crate::settings::Settings;

pub(super) fn run(settings: &Settings, args: IamPolicyArgs, printer: Printer) -> Result<(), CtlError> {
    let role = args.role;
    let scope = scope(settings, args)?;
    if scope.bucket.is_none() && role != Role::Reader {
        printer.note(
            "no bucket is named, so the policy holds nothing about S3; say --bucket where releases are there",
        );
    }
    printer.data(&policy(role, &scope));
    Ok(())
}

fn scope(settings: &Settings, args: IamPolicyArgs) -> Result<Scope, CtlError> {
    let names = settings.app()?.clone();
    Ok(Scope {
        tables: Tables::default(),
        place: Place { region: settings.region.clone(), account: args.account },
        bucket: settings.bucket().ok().map(str::to_owned),
        kms_key: args.kms_key,
        instance_role: args.instance_role.unwrap_or_else(|| names.app.to_string()),
        canary_target_group: settings.file.deploy.canary_target_group.clone(),
        alarms: !settings.file.deploy.alarms.is_empty(),
        image_repository: args.image_repository,
        replace_unhealthy: args.replace_unhealthy,
        names,
    })
}
