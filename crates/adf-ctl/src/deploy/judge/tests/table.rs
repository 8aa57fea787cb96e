//! The table of docs/judge.md: computed here, committed there, and compared.

use std::fmt::Write as _;

use super::simulation::{BAKE, End, Load, Pair};

const LOADS: [(Load, &str); 3] = [
    (Load { canary: 50, fleet: 450 }, "50 requests/s to the canary, 450 to a fleet of nine"),
    (Load { canary: 50, fleet: 50 }, "50 requests/s to the canary, 50 to a fleet of one"),
    (Load { canary: 10, fleet: 40 }, "10 requests/s to the canary, 40 to a fleet of four"),
];
const RATES: [f64; 5] = [0.001, 0.005, 0.01, 0.02, 0.05];
const TIMES: [f64; 4] = [1.0, 1.5, 2.0, 3.0];
const RUNS: usize = 1_000;

const BEGIN: &str = "<!-- computed: begin -->\n";
const END: &str = "<!-- computed: end -->";

#[test]
fn the_table_of_the_docs_is_the_computed_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/judge.md");
    let page = std::fs::read_to_string(path).expect("docs/judge.md");
    let committed = page.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END));
    let (committed, _) = committed.expect("docs/judge.md has a place for the table");
    let computed = table();
    assert!(committed == computed, "docs/judge.md: the table is to be\n{BEGIN}{computed}{END}");
}

fn table() -> String {
    let mut table = String::new();
    for (load, title) in LOADS {
        let _ = writeln!(table, "\n{title}:\n");
        table += "| 5xx of the fleet | of the canary | found in 60 s | half within | 95 % within | ";
        table += "passes | fails | inconclusive |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n";
        for rate in RATES {
            for times in TIMES {
                table += &row(load, rate, times);
            }
        }
    }
    table + "\n"
}

fn row(load: Load, rate: f64, times: f64) -> String {
    let mut pair = Pair::new(load, rate, times, 0);
    let ends: Vec<End> = (0..RUNS).map(|_| pair.judged()).collect();
    let mut found: Vec<usize> = ends.iter().filter_map(second).collect();
    found.sort_unstable();
    let within = |share: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let place = (RUNS as f64 * share) as usize;
        found.get(place - 1).map_or_else(|| "-".to_owned(), |second| format!("{second} s"))
    };
    let soon = found.iter().filter(|second| **second <= BAKE).count();
    let are = |end: End| ends.iter().filter(|e| **e == end).count();
    format!(
        "| {} % | {} % | {} | {} | {} | {} | {} | {} |\n",
        rate * 100.0,
        (rate * times * 10_000.0).round() / 100.0,
        percent(soon),
        within(0.5),
        within(0.95),
        percent(are(End::Pass)),
        percent(found.len()),
        percent(are(End::Inconclusive)),
    )
}

fn second(end: &End) -> Option<usize> {
    if let End::Fail { second } = end { Some(*second) } else { None }
}

fn percent(runs: usize) -> String {
    let tenths = runs * 1_000 / RUNS;
    format!("{}.{} %", tenths / 10, tenths % 10)
}
