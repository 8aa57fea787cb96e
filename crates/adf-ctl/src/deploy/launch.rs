//! What failed launches of a group mean for a deploy: pure.

use super::fleet::LaunchTrouble;
use crate::aws::FailedLaunch;

/// Words of AWS for machines that it does not have now and may have later, see "Troubleshoot instance launch
/// issues" in the EC2 guide and the messages of Auto Scaling's activities.
const LATER: [&str; 4] = [
    "InsufficientInstanceCapacity",
    "do not have sufficient",
    "UnfulfillableCapacity",
    "capacity-not-available",
];

/// How the reason of launches that fail begins.
pub(super) const MARK: &str = "E205";

/// What else may pass: once is no proof.
const PROOF: usize = 2;

/// What keeps the group from launching, given its failed launches, newest first.
pub(super) fn trouble(failures: &[FailedLaunch]) -> Option<LaunchTrouble> {
    let newest = failures.first()?;
    let tries = failures.len();
    let later = LATER.iter().any(|words| newest.message.contains(words));
    let times = if tries == 1 { "1 try".to_owned() } else { format!("{tries} tries") };
    Some(LaunchTrouble {
        reason: format!("{MARK} launches fail ({times}): {}", newest.message),
        lasting: !later && tries >= PROOF,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(messages: &[&str]) -> Vec<FailedLaunch> {
        let failure =
            |(n, message): (usize, &&str)| FailedLaunch { id: n.to_string(), message: (*message).to_owned() };
        messages.iter().enumerate().map(failure).collect()
    }

    const NO_CAPACITY: &str = "We currently do not have sufficient c7g.large capacity in us-east-1a.";
    const BROKEN: &str = "The image id '[ami-0]' does not exist. Launching EC2 instance failed.";

    #[test]
    fn a_zone_without_machines_may_have_some_later() {
        let trouble = trouble(&failures(&[NO_CAPACITY, NO_CAPACITY, NO_CAPACITY])).expect("trouble");
        assert!(!trouble.lasting);
        assert!(trouble.reason.starts_with("E205 launches fail (3 tries): We currently"), "{trouble:?}");
    }

    #[test]
    fn what_is_wrong_twice_is_wrong() {
        assert_eq!(trouble(&[]), None);
        assert!(!trouble(&failures(&[BROKEN])).expect("trouble").lasting);
        assert!(trouble(&failures(&[BROKEN, BROKEN])).expect("trouble").lasting);
    }
}
