//! One pattern as a regular expression.
//!
//! `*` and `?` stop at a slash, `**` does not; classes and escapes are those of Go's `filepath.Match`, whose idea of
//! a malformed pattern holds too. Three forms have a meaning of their own: `**` in front (any path that ends so),
//! `**` at the very end (any path that begins so), and nothing special (this path).

use std::iter::Peekable;
use std::str::Chars;

type Source<'a> = Peekable<Chars<'a>>;

/// What has been seen of a pattern so far decides what `**` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// This path.
    Exact,
    /// `a**`: whatever begins so.
    Prefix,
    /// `**a`: whatever ends so.
    Suffix,
    Glob,
}

/// The expression for a cleaned pattern without its `!`.
pub(super) fn expression(pattern: &str) -> Result<String, &'static str> {
    let (mut source, mut out, mut form) = (pattern.chars().peekable(), String::new(), Form::Exact);
    let mut first = true;
    while let Some(c) = source.next() {
        match c {
            '*' if source.next_if_eq(&'*').is_some() => {
                source.next_if_eq(&'/');
                form = double(first, form, source.peek().is_none(), &mut out);
            }
            '*' => {
                out.push_str("[^/]*");
                form = Form::Glob;
            }
            '?' => {
                out.push_str("[^/]");
                form = Form::Glob;
            }
            '[' => {
                class(&mut source, &mut out)?;
                form = Form::Glob;
            }
            '\\' => {
                literal(source.next().ok_or("it ends in a backslash")?, &mut out);
                form = Form::Glob;
            }
            c => literal(c, &mut out),
        }
        first = false;
    }
    Ok(match form {
        Form::Exact | Form::Glob => format!("^(?:{out})$"),
        Form::Prefix => format!("^(?:{out})"),
        Form::Suffix => suffix(pattern),
    })
}

/// `**`, together with a slash behind it.
fn double(first: bool, form: Form, at_end: bool, out: &mut String) -> Form {
    let form = match (at_end, form) {
        (true, Form::Exact) => Form::Prefix,
        (true, _) => {
            out.push_str(".*");
            Form::Glob
        }
        (false, _) => {
            out.push_str("(?:.*/)?");
            Form::Glob
        }
    };
    if first { Form::Suffix } else { form }
}

/// `**` in front and nothing special behind it: `**/foo` is `foo` anywhere, `**foo` any path that ends so.
fn suffix(pattern: &str) -> String {
    let end = &pattern[2..];
    match end.strip_prefix('/') {
        Some(name) => format!("(?:^|/){}$", regex::escape(name)),
        None => format!("{}$", regex::escape(end)),
    }
}

/// `[a-z]` or `[^a-z]`, behind its first bracket.
fn class(source: &mut Source<'_>, out: &mut String) -> Result<(), &'static str> {
    const OPEN: &str = "its [ has no ]";
    out.push('[');
    if source.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut ranges = 0;
    loop {
        if ranges > 0 && source.next_if_eq(&']').is_some() {
            out.push(']');
            return Ok(());
        }
        let low = member(source).ok_or(OPEN)?;
        let high = if source.next_if_eq(&'-').is_some() { member(source).ok_or(OPEN)? } else { low };
        if low > high {
            return Err("a range in [] runs backwards");
        }
        for (mark, end) in [("", low), ("-", high)] {
            out.push_str(mark);
            out.push_str("\\x");
            out.extend(end.escape_unicode().skip(2));
        }
        ranges += 1;
    }
}

/// One character of a class; `-` and `]` need a backslash.
fn member(source: &mut Source<'_>) -> Option<char> {
    match source.next()? {
        '-' | ']' => None,
        '\\' => source.next(),
        c => Some(c),
    }
}

fn literal(c: char, out: &mut String) {
    out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
}
