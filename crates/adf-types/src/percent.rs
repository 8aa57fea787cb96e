//! A share as people write it: `2%`, `0.5%`.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// From 0 to 100 %, exact to a hundredth of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(into = "String")]
pub struct Percent {
    hundredths: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is not a share; write 2% or 0.25%, from 0% to 100%", .0.escape_debug())]
pub struct PercentError(String);

const WHOLE: u16 = 10_000;

impl Percent {
    pub const ZERO: Self = Self { hundredths: 0 };

    /// At most 100.
    pub const fn whole(percent: u8) -> Self {
        assert!(percent <= 100, "a share is at most 100 %");
        Self { hundredths: percent as u16 * 100 }
    }

    /// As a number from 0 to 1.
    pub fn share(self) -> f64 {
        f64::from(self.hundredths) / f64::from(WHOLE)
    }
}

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        parse(text).ok_or_else(|| PercentError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Percent> {
    let number = text.strip_suffix('%')?.trim_end();
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 2 {
        return None;
    }
    let part = part.parse::<u16>().ok()? * if part.len() == 1 { 10 } else { 1 };
    let hundredths = whole.parse::<u16>().ok()?.checked_mul(100)?.checked_add(part)?;
    (hundredths <= WHOLE).then_some(Percent { hundredths })
}

/// A number without its sign is refused in these words, too: nobody knows whether 0.5 is a half or half a percent.
impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Share;
        impl Visitor<'_> for Share {
            type Value = Percent;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a share from \"0%\" to \"100%\", such as \"2%\" or \"0.25%\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Percent, E> {
                text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Share)
    }
}

impl From<Percent> for String {
    fn from(percent: Percent) -> Self {
        percent.to_string()
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.hundredths / 100, self.hundredths % 100);
        match (part, part % 10) {
            (0, _) => write!(f, "{whole}%"),
            (_, 0) => write!(f, "{whole}.{}%", part / 10),
            _ => write!(f, "{whole}.{part:02}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_written_as_it_was_read() {
        for text in ["0%", "2%", "0.5%", "0.05%", "99.99%", "100%"] {
            assert_eq!(text.parse::<Percent>().expect(text).to_string(), text);
        }
        assert_eq!("0.50 %".parse::<Percent>().expect("spaced").to_string(), "0.5%");
    }

    #[test]
    fn what_is_no_share_is_told_what_to_write() {
        for text in ["2", "", "%", "-1%", "+1%", "101%", "100.01%", "0.005%", "1.%", ".5%", "99999999%"] {
            let error = text.parse::<Percent>().expect_err(text).to_string();
            assert!(error.contains("write 2% or 0.25%"), "{error}");
        }
    }

    #[test]
    fn a_share_is_a_number_from_0_to_1() {
        assert!((Percent::whole(2).share() - 0.02).abs() < 1e-12);
    }
}
