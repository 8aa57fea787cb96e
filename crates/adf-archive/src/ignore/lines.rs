//! The lines of an ignore file, cleaned as Docker cleans them.

/// Patterns in their order, an exception with its `!`; comments and blank lines are gone.
pub(super) fn clean(text: &str) -> impl Iterator<Item = String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // A comment starts in the first column; blanks before `#` make it a pattern.
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let line = line.trim();
        let (mark, path) = match line.strip_prefix('!') {
            Some(path) => ("!", path.trim()),
            None => ("", line),
        };
        if path.is_empty() {
            return (mark == "!").then(|| mark.to_owned());
        }
        let path = tidy(path);
        // A leading slash means the context's root, which is where every pattern starts.
        let path = path.strip_prefix('/').filter(|rest| !rest.is_empty()).unwrap_or(&path);
        Some(format!("{mark}{path}"))
    })
}

/// Go's `filepath.Clean`: no `.`, no doubled or trailing slash, `..` taken back where it can be.
fn tidy(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match (part, parts.last()) {
            ("..", Some(&last)) if last != ".." => drop(parts.pop()),
            ("..", None) if rooted => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cleaned_as_docker_cleans_them() {
        let text = "\u{feff}one\n/two\n/a/file/here\n\nlast  \n# a comment\n #no comment\r\n! /kept/path\n!\n! \n\
                    docs/\n./x//y/../z\n  blank\n/\n.\n!./k/\n../up\n/../over\n";
        let expected = [
            "one",
            "two",
            "a/file/here",
            "last",
            "#no comment",
            "!kept/path",
            "!",
            "!",
            "docs",
            "x/z",
            "blank",
            "/",
            ".",
            "!k",
            "../up",
            "over",
        ];
        assert_eq!(clean(text).collect::<Vec<_>>(), expected);
    }
}
