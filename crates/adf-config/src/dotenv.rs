//! `.env` files: read as most programs read them, written so that every value survives.
//!
//! Not the crate dotenvy: it replaces `$NAME` by what the operator's own environment has, so that a password with a
//! dollar sign is imported as another one, and its errors repeat the line. Here a dollar sign is a dollar sign, as in
//! Node's dotenv and Docker's env files.
//!
//! A line is `NAME=value`, with `export` before it or not. A value is bare (to the end of the line or to ` #`), in single
//! quotes (literal), or in double quotes (with `\n`, `\r`, `\t`, `\"`, `\\`, `\$`, `` \` ``); a quoted one may have line
//! breaks in it.

/// Where and why a file is none. The line is not repeated: it may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct DotenvError {
    pub line: usize,
    pub problem: &'static str,
}

/// The names and values in order of the file. A byte order mark and CRLF are read.
pub(crate) fn parse(text: &str) -> Result<Vec<(String, String)>, DotenvError> {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut pairs, mut line) = (Vec::new(), 1);
    while !rest.is_empty() {
        let wrong = |problem| DotenvError { line, problem };
        let before = rest;
        let trimmed = rest.trim_start_matches([' ', '\t']);
        if trimmed.is_empty() || trimmed.starts_with(['#', '\n', '\r']) {
            rest = after_line(trimmed);
        } else {
            let (name, after) = trimmed
                .split_once('=')
                .filter(|(name, _)| !name.contains('\n'))
                .ok_or_else(|| wrong("there is no \"=\" in it; write NAME=value"))?;
            let name = name.trim().strip_prefix("export ").unwrap_or(name.trim()).trim();
            let (value, after) = value(after.trim_start_matches([' ', '\t'])).map_err(wrong)?;
            pairs.push((name.to_owned(), value));
            rest = after;
        }
        line += before[..before.len() - rest.len()].matches('\n').count();
    }
    Ok(pairs)
}

/// One line of a file, with its line break.
pub(crate) fn line(name: &str, value: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "_./:@%+,-=".contains(c);
    if !value.is_empty() && value.chars().all(is_bare) {
        return format!("{name}={value}\n");
    }
    let escaped = value.chars().fold(String::new(), |mut text, c| {
        match c {
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '"' | '\\' | '$' | '`' => text.extend(['\\', c]),
            c => text.push(c),
        }
        text
    });
    format!("{name}=\"{escaped}\"\n")
}

fn after_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, rest)| rest)
}

/// A value and what comes after its line.
fn value(text: &str) -> Result<(String, &str), &'static str> {
    if let Some(quoted) = text.strip_prefix('\'') {
        let (value, rest) = quoted.split_once('\'').ok_or("a single quote is not closed")?;
        return Ok((value.to_owned(), after_quote(rest)?));
    }
    if let Some(quoted) = text.strip_prefix('"') {
        let (value, rest) = double_quoted(quoted)?;
        return Ok((value, after_quote(rest)?));
    }
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let value = line.find(" #").map_or(line, |comment| &line[..comment]);
    let value = if value.starts_with('#') { "" } else { value };
    Ok((value.trim_end().to_owned(), rest))
}

fn double_quoted(text: &str) -> Result<(String, &str), &'static str> {
    let (mut value, mut chars) = (String::new(), text.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => value.push(match chars.next() {
                Some((_, 'n')) => '\n',
                Some((_, 'r')) => '\r',
                Some((_, 't')) => '\t',
                Some((_, c @ ('"' | '\\' | '$' | '`'))) => c,
                _ => {
                    return Err(
                        "an escape that is not one of \\n \\r \\t \\\" \\\\ \\$; double the backslash",
                    );
                }
            }),
            c => value.push(c),
        }
    }
    Err("a double quote is not closed")
}

/// Behind a closing quote there may be a comment, and nothing else.
fn after_quote(text: &str) -> Result<&str, &'static str> {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        Ok(rest)
    } else {
        Err("there is more behind the closing quote")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        parse(text).expect("valid")
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn the_usual_forms_are_read() {
        let text = "\u{feff}# a comment\r\nA=1\r\n\n export B = two words # and a comment\nC='$x #' # c\nD=\"a\\n\\\"b\\\"\nc\"\nE=\nF=#\nG=a#b";
        let wanted = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "$x #"),
            ("D", "a\n\"b\"\nc"),
            ("E", ""),
            ("F", ""),
            ("G", "a#b"),
        ];
        assert_eq!(read(text), pairs(&wanted));
    }

    #[test]
    fn a_dollar_sign_is_a_dollar_sign() {
        assert_eq!(read("A=ab$HOME\nB=\"${HOME}\""), pairs(&[("A", "ab$HOME"), ("B", "${HOME}")]));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_not_repeated() {
        let error = |text: &str| parse(text).expect_err("wrong").to_string();
        assert_eq!(error("A='1\n2'\nhunter2"), "line 3: there is no \"=\" in it; write NAME=value");
        assert_eq!(error("A=1\nB=\"hunter2\n"), "line 2: a double quote is not closed");
        assert_eq!(error("B='hunter2' x"), "line 1: there is more behind the closing quote");
        assert!(error("B=\"C:\\dir\"").starts_with("line 1: an escape"));
    }

    proptest! {
        #[test]
        fn every_value_survives(values in prop::collection::vec(any::<String>(), 0..5)) {
            let text: String = values.iter().enumerate().map(|(n, v)| line(&format!("N{n}"), v)).collect();
            let back: Vec<String> = parse(&text).expect("valid").into_iter().map(|(_, v)| v).collect();
            prop_assert_eq!(back, values);
        }
    }
}
