//! `cargo xtask` and what CONTRIBUTING.md says of it.

use std::process::Command;

#[test]
fn every_command_is_in_the_contributing_guide() {
    let help = Command::new(env!("CARGO_BIN_EXE_xtask")).arg("--help").output().expect("xtask runs");
    let help = String::from_utf8(help.stdout).expect("help is text");
    let (_, commands) = help.split_once("Commands:\n").expect("help lists the commands");
    // A description that goes on in the next line is indented further.
    let lines =
        commands.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.strip_prefix("  "));
    let names: Vec<_> =
        lines.filter_map(|line| line.split(' ').next().filter(|name| !name.is_empty())).collect();
    assert!(names.contains(&"demo"), "{help}");

    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../CONTRIBUTING.md");
    let guide = std::fs::read_to_string(guide).expect("there is a guide");
    for name in names.into_iter().filter(|name| *name != "help") {
        let told = ["`", " "].iter().any(|end| guide.contains(&format!("`cargo xtask {name}{end}")));
        assert!(told, "CONTRIBUTING.md does not tell of {name}");
    }
}
