//! The HTTP answers that mean "well": one status, a range, or a list of both.
//!
//! Written `200`, `"200-399"` or `[200, 204, "300-399"]` in adf.toml. Printed as a load balancer's matcher wants
//! it: `200,204,300-399`.

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Deserializer};

/// Never empty; every status is from 100 to 599.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedStatus(Vec<RangeInclusive<u16>>);

const STATUSES: RangeInclusive<u16> = 100..=599;

impl ExpectedStatus {
    pub fn accepts(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

/// 200 and nothing else: a redirect to a login page is not a healthy app.
impl Default for ExpectedStatus {
    fn default() -> Self {
        Self(vec![200..=200])
    }
}

impl fmt::Display for ExpectedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match (range.start(), range.end()) {
                (start, end) if start == end => write!(f, "{comma}{start}")?,
                (start, end) => write!(f, "{comma}{start}-{end}")?,
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Part {
    Status(u16),
    Range(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    One(Part),
    List(Vec<Part>),
}

impl<'de> Deserialize<'de> for ExpectedStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || {
            serde::de::Error::custom(
                "status is a number from 100 to 599, a range \"200-399\", or a list of these",
            )
        };
        let parts = match Written::deserialize(deserializer).map_err(|_| wrong())? {
            Written::One(part) => vec![part],
            Written::List(parts) => parts,
        };
        let ranges: Option<Vec<_>> = parts.iter().map(range).collect();
        ranges.filter(|ranges| !ranges.is_empty()).map(Self).ok_or_else(wrong)
    }
}

fn range(part: &Part) -> Option<RangeInclusive<u16>> {
    let range = match part {
        Part::Status(status) => *status..=*status,
        Part::Range(text) => {
            let (start, end) = text.split_once('-').unwrap_or((text, text));
            start.trim().parse().ok()?..=end.trim().parse().ok()?
        }
    };
    let known = STATUSES.contains(range.start()) && STATUSES.contains(range.end());
    (known && !range.is_empty()).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Holder {
        status: ExpectedStatus,
    }

    fn read(value: &str) -> Result<ExpectedStatus, toml::de::Error> {
        toml::from_str::<Holder>(&format!("status = {value}")).map(|holder| holder.status)
    }

    #[test]
    fn one_status_a_range_and_a_list_are_read_and_printed_as_a_matcher() {
        for (written, printed) in [
            ("204", "204"),
            ("\"204\"", "204"),
            ("\"200-399\"", "200-399"),
            ("[200, \"204\", \"300-399\"]", "200,204,300-399"),
        ] {
            assert_eq!(read(written).expect(written).to_string(), printed);
        }
    }

    #[test]
    fn what_is_expected_is_accepted_and_nothing_else() {
        let expected = read("[200, \"300-302\"]").expect("valid");
        let accepted: Vec<u16> = (100..600).filter(|status| expected.accepts(*status)).collect();
        assert_eq!(accepted, [200, 300, 301, 302]);
        assert!(ExpectedStatus::default().accepts(200) && !ExpectedStatus::default().accepts(301));
    }

    #[test]
    fn anything_else_is_an_error_that_shows_the_forms() {
        for wrong in ["[]", "99", "600", "\"300-200\"", "\"2xx\"", "true", "[[200]]", "-1"] {
            let error = read(wrong).expect_err(wrong).to_string();
            assert!(error.contains("a range \"200-399\""), "{wrong}: {error}");
        }
    }
}
