//! The XML envelope and the filters of the operations that the generated crate does not have here (see `tags`).

use serde::Serialize;
use winterbaume_core::MockResponse;
use winterbaume_ec2_generated::model as wire;

use crate::wire::params::{Params, list};

/// The answer of an operation that returns nothing.
pub(super) fn done(action: &str) -> MockResponse {
    enveloped(action, "<return>true</return>")
}

/// The answer of an operation that returns `output`'s fields.
pub(super) fn answer(action: &str, output: &impl Serialize) -> MockResponse {
    let wrapped =
        quick_xml::se::to_string_with_root("Result", output).expect("these types are plain elements");
    let fields = wrapped.strip_prefix("<Result>").and_then(|rest| rest.strip_suffix("</Result>"));
    enveloped(action, fields.unwrap_or_default())
}

/// Filters, under the names `params::ec2_names` gives them.
pub(super) fn filters(params: &Params) -> Vec<wire::Filter> {
    let filter = |number: u32| {
        let prefix = format!("Filters.Filter.{number}");
        let name = params.get(&format!("{prefix}.Name"))?.clone();
        let items = list(params, &format!("{prefix}.Values.item"));
        Some(wire::Filter { name: Some(name), values: Some(wire::ValueStringList { items }) })
    };
    (1..).map_while(filter).collect()
}

fn enveloped(action: &str, fields: &str) -> MockResponse {
    let id = uuid::Uuid::new_v4();
    let namespace = "http://ec2.amazonaws.com/doc/2016-11-15/";
    MockResponse::xml(
        200,
        format!(
            "<{action}Response xmlns=\"{namespace}\"><requestId>{id}</requestId>{fields}</{action}Response>"
        ),
    )
}
