//! That an item of config still has the content it was read with.

use std::collections::HashMap;

use super::change::CONTENT;
use crate::keys::Item;

/// A condition of a write.
pub(super) struct Condition {
    pub(super) expression: String,
    pub(super) names: Option<HashMap<String, String>>,
    pub(super) values: Option<Item>,
}

impl Condition {
    /// That the item is what it was, or still not there.
    pub(super) fn that(was: Option<&Item>) -> Self {
        let Some(was) = was else {
            return Self { expression: "attribute_not_exists(App)".to_owned(), names: None, values: None };
        };
        let (mut clauses, mut names, mut values) = (Vec::new(), HashMap::new(), Item::new());
        for attribute in CONTENT {
            names.insert(format!("#{attribute}"), attribute.to_owned());
            clauses.push(match was.get(attribute) {
                Some(value) => {
                    values.insert(format!(":{attribute}"), value.clone());
                    format!("#{attribute} = :{attribute}")
                }
                None => format!("attribute_not_exists(#{attribute})"),
            });
        }
        let values = (!values.is_empty()).then_some(values);
        Self { expression: clauses.join(" AND "), names: Some(names), values }
    }
}
