//! What images and containers of a release are called.

use adf_types::Digest;

use crate::claim::Order;

/// Docker allows 128 characters in a tag; 12 digits of the digest and a dash always fit.
const MAX_RELEASE: usize = 128 - 13;

/// `<prefix>/<app>:<release>-<first 12 digits of the digest or of the URL's hash>`
pub fn image_tag(prefix: &str, order: &Order) -> String {
    let digest = order.digest.clone().unwrap_or_else(|| Digest::of_bytes(order.url.to_string().as_bytes()));
    let release: String = order.release.as_str().chars().take(MAX_RELEASE).collect();
    format!("{prefix}/{}:{release}-{}", repository(order.app.as_str()), digest.short())
}

pub fn container_name(order: &Order) -> String {
    format!("adf-{}-{}", order.app, order.instance)
}

/// Docker's repository names are lower case, with single separators between letters or digits.
fn repository(app: &str) -> String {
    let lower = app.to_ascii_lowercase();
    let parts = lower.split(['.', '_', '-']).filter(|part| !part.is_empty());
    let separators_are_single = lower.split(['.', '_', '-']).all(|part| !part.is_empty());
    if separators_are_single { lower } else { parts.collect::<Vec<_>>().join("-") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_app_and_release_name_makes_a_valid_tag(
            app in "[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
            release in "[A-Za-z0-9][A-Za-z0-9._-]{0,127}",
        ) {
            let order = Order {
                instance: "i-1".parse().expect("valid"),
                region: "us-east-1".into(),
                named: true,
                app: app.parse().expect("valid"),
                release: release.parse().expect("valid"),
                url: "s3://b/k".parse().expect("valid"),
                digest: None,
                deploy: None,
            };
            let full = image_tag("adf", &order);
            let (repository, tag) = full.rsplit_once(':').expect("a tag");
            let name = repository.strip_prefix("adf/").expect("the prefix");
            prop_assert!(tag.len() <= 128);
            prop_assert!(name.split(['.', '_', '-']).all(|p| !p.is_empty() && p.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())));
        }
    }
}
