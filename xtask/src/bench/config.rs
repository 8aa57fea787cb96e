//! `cargo xtask bench config`: reads of config against the AWS SDK alone, and the calls of a boot.
//!
//! What is measured runs as processes, optimised: an example of adf-config is the endpoint and reads by both rivals, and
//! the shipped `adf-config` runs against a program that has the SDK only.

use std::collections::BTreeMap;
use std::process::{Command, ExitCode, Stdio};

use clap::Args;
use serde::Deserialize;
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Style};

use super::median;
use crate::failure::{Result, While};
use crate::{process, programs};

/// What a read may cost, as a multiple of the bare SDK's time.
const TIME_GOAL: f64 = 1.5;

/// AWS calls that a boot's read of its config may make, KMS's included.
const CALLS_GOAL: usize = 4;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Rounds for each case; medians are printed
    #[arg(long, default_value_t = 15)]
    rounds: u32,
    /// Names in the app's Base config
    #[arg(long, default_value_t = 5000)]
    names: u32,
    /// Cases: bytes of a name and its value together; from some 200 on it takes several pages
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1000])]
    bytes: Vec<u32>,
}

/// What the example prints.
#[derive(Debug, Deserialize)]
struct Seen {
    reads: Vec<Read>,
    boot: Boot,
}

/// One way to read, by both rivals.
#[derive(Debug, Deserialize)]
struct Read {
    how: String,
    bytes: u32,
    pages: usize,
    bare: Vec<Sample>,
    adf: Vec<Sample>,
}

/// In milliseconds.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Sample {
    time: f64,
    /// The processor's, without the endpoint's.
    cpu: f64,
}

#[derive(Debug, Deserialize)]
struct Boot {
    names: usize,
    secrets: usize,
    /// Calls that read the release's record, before the config.
    record: BTreeMap<String, usize>,
    calls: BTreeMap<String, usize>,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let programs = programs::config_bench()?;
    let bytes: Vec<String> = options.bytes.iter().map(u32::to_string).collect();
    let mut bench = Command::new(&programs.bench);
    bench.arg("--adf-config").arg(&programs.adf_config).arg("--bare-list").arg(&programs.bare_list);
    bench.arg(format!("--rounds={}", options.rounds)).arg(format!("--names={}", options.names));
    bench.arg(format!("--bytes={}", bytes.join(","))).stderr(Stdio::inherit());
    let printed = process::output(&mut bench)?;
    let seen: Seen = serde_json::from_str(&printed).while_("reading what the benchmark printed")?;
    println!(
        "Base config of {} names read whole, medians of {} rounds; goal: at most {TIME_GOAL} times the SDK's time\n",
        options.names, options.rounds
    );
    println!("{}", table(&seen.reads));
    println!("\n{}", calls(&seen.boot));
    Ok(ExitCode::SUCCESS)
}

fn table(reads: &[Read]) -> String {
    let mut table = Builder::new();
    table.push_record([
        "NAME=VALUE",
        "PAGES",
        "READ BY",
        "SDK ms",
        "ADF ms",
        "ADF/SDK",
        "GOAL",
        "SDK CPU ms",
        "ADF CPU ms",
        "CPU ADF/SDK",
    ]);
    for read in reads {
        table.push_record(row(read));
    }
    let mut table = table.build();
    table.with(Style::blank());
    table.modify(Columns::new(3..6), Alignment::right()).modify(Columns::new(7..), Alignment::right());
    table.to_string()
}

fn row(read: &Read) -> [String; 10] {
    let of = |samples: &[Sample], what: fn(&Sample) -> f64| median(samples.iter().map(what).collect());
    let [bare, adf] = [&read.bare, &read.adf].map(|samples| of(samples, |sample| sample.time));
    let [bare_cpu, adf_cpu] = [&read.bare, &read.adf].map(|samples| of(samples, |sample| sample.cpu));
    [
        format!("{} B", read.bytes),
        read.pages.to_string(),
        read.how.clone(),
        format!("{bare:.1}"),
        format!("{adf:.1}"),
        format!("{:.2}", adf / bare),
        verdict(adf / bare <= TIME_GOAL).to_owned(),
        format!("{bare_cpu:.1}"),
        format!("{adf_cpu:.1}"),
        format!("{:.2}", adf_cpu / bare_cpu),
    ]
}

fn calls(boot: &Boot) -> String {
    let all: usize = boot.calls.values().sum();
    format!(
        "a boot's config, {} names of Base and Overlay, {} of them secrets: {all} calls ({}); goal: at most {CALLS_GOAL}: {}\n\
         before it, the release's record, with the version of the config: {}",
        boot.names,
        boot.secrets,
        listed(&boot.calls),
        verdict(all <= CALLS_GOAL),
        listed(&boot.record)
    )
}

fn listed(calls: &BTreeMap<String, usize>) -> String {
    let each: Vec<String> = calls.iter().map(|(call, count)| format!("{count} {call}")).collect();
    each.join(", ")
}

fn verdict(met: bool) -> &'static str {
    if met { "PASS" } else { "MISSED" }
}

#[cfg(test)]
mod tests {
    use super::{Boot, Read, Sample, calls, row};

    #[test]
    fn a_ratio_is_of_medians_and_judged_by_its_goal() {
        let samples = |times: &[f64]| times.iter().map(|time| Sample { time: *time, cpu: 2.0 }).collect();
        let read = |adf: &[f64]| Read {
            how: "x".to_owned(),
            bytes: 100,
            pages: 1,
            bare: samples(&[10.0, 900.0, 8.0]),
            adf: samples(adf),
        };
        let cells = row(&read(&[15.0, 0.1, 700.0]));
        assert_eq!(cells[3..8], ["10.0", "15.0", "1.50", "PASS", "2.0"].map(str::to_owned));
        assert_eq!(row(&read(&[15.1]))[6], "MISSED");
    }

    #[test]
    fn the_calls_of_a_boot_are_added_up_and_named() {
        let with = |queries: usize| {
            let counts = [("dynamodb:Query".to_owned(), queries), ("kms:Decrypt".to_owned(), 1)];
            let record = [("dynamodb:TransactGetItems".to_owned(), 1)].into();
            calls(&Boot { names: 200, secrets: 50, record, calls: counts.into() })
        };
        assert!(with(3).contains("4 calls (3 dynamodb:Query, 1 kms:Decrypt)"));
        assert!(with(3).contains("PASS") && with(4).contains("MISSED"));
        assert!(with(3).ends_with("of the config: 1 dynamodb:TransactGetItems"));
    }
}
