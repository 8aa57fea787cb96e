//! The cases of moby/patternmatcher's own tables, written anew.

use super::*;

fn out(patterns: &[&str], path: &str) -> bool {
    let ignore = Ignore::parse(DOCKERIGNORE, patterns.join("\n")).expect("valid patterns");
    !Sieve::new(Some(ignore)).passes(path)
}

#[test]
fn a_single_pattern_matches_as_in_docker() {
    for (pattern, path, expected) in [
        ("**", "file", true),
        ("**/", "file", true),
        ("**", "dir/file", true),
        ("**/**", "dir/file", true),
        ("dir/**", "dir/file", true),
        ("dir/**", "dir/dir2/file", true),
        ("**/dir", "dir", true),
        ("**/dir", "dir/file", true),
        ("**/dir2/*", "dir/dir2/file", true),
        ("**/dir2/**", "dir/dir2/dir3/file", true),
        ("**file", "file", true),
        ("**file", "dir/dir/file", true),
        ("**/file", "dir/dir/file", true),
        ("**/file*", "dir/dir/file.txt", true),
        ("**/file*txt", "dir/dir/file.txt", true),
        ("**/file*.txt*", "dir/dir/file.txt", true),
        ("**/**/*.txt", "dir/dir/file.txt", true),
        ("**/**/*.txt2", "dir/dir/file.txt", false),
        ("**/**/*.txt", "file.txt", true),
        ("a**/*.txt", "a/file.txt", true),
        ("a**/*.txt", "a/dir/dir/file.txt", true),
        ("a/*.txt", "a/dir/file.txt", false),
        ("a/*.txt**", "a/file.txt", true),
        ("a[b-d]e", "ae", false),
        ("a[b-d]e", "ace", true),
        ("a[b-d]e", "aae", false),
        ("a[^b-d]e", "aze", true),
        (".*", ".foo", true),
        (".*", "foo", false),
        ("abc.def", "abcdef", false),
        ("abc.def", "abc.def", true),
        ("abc.def", "abcZdef", false),
        ("abc?def", "abcZdef", true),
        ("abc?def", "abcdef", false),
        ("**/foo/bar", "foo/bar", true),
        ("**/foo/bar", "dir/dir2/foo/bar", true),
        ("abc/**", "abc", false),
        ("abc/**", "abc/def/ghi", true),
        ("**/.foo", ".foo", true),
        ("**/.foo", "bar.foo", false),
        ("a(b)c/def", "a(b)c/def", true),
        ("a(b)c/def", "a(b)c/xyz", false),
        ("a.|)$(}+{bc", "a.|)$(}+{bc", true),
        ("dist/*.whl", "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", true),
        (r"a\*b", "a*b", true),
        (r"a\*b", "ab", false),
        ("*c", "abc", true),
        ("a*", "ab/c", true),
        ("a*/b", "a/c/b", false),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/f", true),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", false),
        ("a*b?c*x", "abxbbxdbxebxczzx", true),
        ("a*b?c*x", "abxbbxdbxebxczzy", false),
        ("a?b", "a☺b", true),
        ("a???b", "a☺b", false),
        ("[a-ζ]*", "α", true),
        ("*[a-ζ]", "A", false),
        ("a?b", "a/b", false),
        (r"[\]a]", "]", true),
        (r"[x\-]", "-", true),
        (r"[x\-]", "z", false),
        (r"[\-x]", "a", false),
        (r"[[]x", "[x", true),
        ("[a&&b]", "&", true),
    ] {
        assert_eq!(out(&[pattern], path), expected, "pattern {pattern}, path {path}");
    }
}

#[test]
fn the_last_pattern_that_matches_decides() {
    for (patterns, path, expected) in [
        (&["!fileutils.go", "*.go"][..], "fileutils.go", true),
        (&["*.go", "!fileutils.go"], "fileutils.go", false),
        (&["docs", "!docs/README.md"], "docs/README.md", false),
        (&["docs/", "!docs/README.md"], "docs/README.md", false),
        (&["docs/*", "!docs/README.md"], "docs/README.md", false),
        (&["docs", "!docs/README.md"], "docs/other.md", true),
        (&["**", "!util/docker/web"], "util/docker/web/foo", false),
        (&["**", "!util/docker/web", "util/docker/web/foo"], "util/docker/web/foo", true),
        (&["**", "!dist/*.whl"], "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", false),
        (&["*", "!**/*.go"], "cmd/deep/main.go", false),
        (&["*", "!**/*.go"], "cmd/deep/main.c", true),
        (&["# *", "", "  "], "x", false),
    ] {
        assert_eq!(out(patterns, path), expected, "patterns {patterns:?}, path {path}");
    }
}

#[test]
fn what_the_build_cannot_start_without_is_always_sent() {
    for path in ["Dockerfile", ".dockerignore"] {
        assert!(!out(&["*", "Dockerfile", ".dockerignore"], path), "{path}");
    }
    assert!(out(&["*"], "Dockerfile.dockerignore") && out(&["*"], "sub/Dockerfile"));
}

#[test]
fn malformed_patterns_are_refused_by_name() {
    for bad in ["!", "[", "[]a]", "[-]", "[x-]", "[-x]", "\\", "[a-b-c]", "[^", "[^bc", "a[", "[z-a]"] {
        let error = Ignore::parse(DOCKERIGNORE, bad.to_owned()).expect_err(bad).to_string();
        assert!(error.starts_with("E142 .dockerignore has a pattern that Docker does not take, "), "{error}");
    }
}

#[test]
fn patterns_that_would_need_too_much_memory_are_refused() {
    let text = "[a-z]?[^x]**/".repeat(5000);
    let error = Ignore::parse(DOCKERIGNORE, text).expect_err("too much").to_string();
    assert!(error.contains("need more than 8388608 bytes"), "{error}");
}
