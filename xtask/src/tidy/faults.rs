//! Every fault and attack that the agent answers for has a test that says so in its name.
//!
//! `fault_07_…` and `attack_a05_…`: the number is how somebody who reads the list of faults finds the proof.

use std::collections::BTreeSet;

use super::sources::Source;

/// What happens to the software by itself.
const FAULTS: std::ops::RangeInclusive<u32> = 1..=45;

/// What somebody does to it.
const ATTACKS: std::ops::RangeInclusive<u32> = 1..=16;

pub(super) fn violations(sources: &[Source]) -> Vec<String> {
    let tested: BTreeSet<String> = sources.iter().flat_map(|source| numbers(&source.text)).collect();
    let names = FAULTS.map(|n| format!("fault_{n:02}_")).chain(ATTACKS.map(|n| format!("attack_a{n:02}_")));
    names
        .filter(|name| !tested.contains(name))
        .map(|name| format!("no test is called {name}…: each of these faults and attacks has one"))
        .collect()
}

/// The numbers in a test's name, `fault_29_30_…` having two.
fn numbers(text: &str) -> Vec<String> {
    let names = text.lines().filter_map(|line| {
        let line = line.trim_start();
        line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")
    });
    names.flat_map(|name| of(name, "fault_", "").chain(of(name, "attack_", "a"))).collect()
}

fn of<'a>(name: &'a str, kind: &'a str, letter: &'a str) -> impl Iterator<Item = String> {
    let words = name.strip_prefix(kind).unwrap_or_default().split('_');
    let numbers = words.map_while(move |word| {
        let digits = word.strip_prefix(letter)?;
        (digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
    });
    numbers.map(move |digits| format!("{kind}{letter}{digits}_")).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_the_names_of_tests() {
        let text = "    fn fault_29_30_the_table_is_down() {\n    async fn attack_a05_a_name_leads_home() {\nfn fault_tolerant() {\n";
        assert_eq!(numbers(text), ["fault_29_", "fault_30_", "attack_a05_"]);
    }
}
