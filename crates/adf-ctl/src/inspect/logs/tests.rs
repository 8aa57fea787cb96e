//! Whose logs are shown, and how.

use super::*;

fn log(state: Option<&str>, lines: &[&str], console: Option<Console>) -> Log {
    Log {
        instance: "i-1".parse().expect("an id"),
        why: "a member that is not well".to_owned(),
        release: Some("v2".parse().expect("a name")),
        state: state.map(str::to_owned),
        heard_at: None,
        notice: None,
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        console,
        ago: "40 s".to_owned(),
    }
}

#[test]
fn attack_a14_receipt_and_console_cannot_write_to_the_terminal() {
    let console = Console::Lines(vec!["\u{1b}]0;owned\u{7}".to_owned()]);
    let text = log(Some("failed in health: \u{1b}[2J"), &["a\rb"], Some(console)).text();
    assert!(text.contains("failed in health: \\u{1b}[2J, said 40 s ago\n  | a\\rb\n"), "{text}");
    assert!(text.contains("  | \\u{1b}]0;owned\\u{7}\n"), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\r'));
}

#[test]
fn an_instance_without_receipt_and_console_says_both() {
    let text = log(None, &[], Some(Console::Nothing)).text();
    assert!(text.contains("no receipt") && text.contains("console: nothing was printed"), "{text}");
}

#[test]
fn of_a_console_the_last_lines_are_shown_without_its_carriage_returns() {
    let boot = (0..100).map(|n| format!("[{n}] kernel\r\n")).collect::<Vec<_>>().concat();
    let lines = last_lines(&(boot + "adf-agent: failed in health: E170\r\n\r\n  \r\n"));
    assert_eq!(lines.len(), CONSOLE_LINES);
    assert_eq!(lines.last().map(String::as_str), Some("adf-agent: failed in health: E170"));
    assert_eq!(last_lines(""), Vec::<String>::new());
}
