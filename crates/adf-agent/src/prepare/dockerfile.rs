//! What of a Dockerfile only BuildKit can do.
//!
//! The classic builder refuses some of it, and silently reads the rest as something else: `RUN <<EOF` is for it a
//! command with an empty input. So it is not asked.

/// The first thing in `text` that the classic builder cannot do, in the words of the Dockerfile.
pub(super) fn needs_buildkit(text: &str) -> Option<&'static str> {
    text.lines().map(str::trim_start).find_map(line_needs)
}

fn line_needs(line: &str) -> Option<&'static str> {
    let (instruction, rest) = line.split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    let flag =
        |name: &str| rest.split_whitespace().take_while(|w| w.starts_with("--")).any(|w| w.starts_with(name));
    match instruction.to_ascii_uppercase().as_str() {
        "RUN" if flag("--mount") => Some("RUN --mount"),
        "RUN" if flag("--network") => Some("RUN --network"),
        "RUN" if flag("--security") => Some("RUN --security"),
        "COPY" | "ADD" if flag("--link") || flag("--chmod") || flag("--parents") || flag("--exclude") => {
            Some("COPY with flags of BuildKit")
        }
        "RUN" | "COPY" | "ADD" if rest.split_whitespace().any(is_here_document) => Some("a here-document"),
        _ => None,
    }
}

/// `<<EOF`, `<<-EOF`, `<<"EOF"`, but not the shell's `<<<`.
fn is_here_document(word: &str) -> bool {
    let Some((_, after)) = word.split_once("<<") else { return false };
    let name = after.trim_start_matches('-').trim_start_matches(['"', '\'']);
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_buildkit_can_do_is_found() {
        for (text, needs) in [
            ("FROM scratch\nRUN make\nCOPY --from=0 --chown=1 a b\n", None),
            ("FROM scratch\nrun --mount=type=cache,target=/c make\n", Some("RUN --mount")),
            ("FROM scratch\nRUN --network=none --mount=type=tmpfs,target=/t x\n", Some("RUN --mount")),
            ("FROM scratch\n  COPY --link a b\n", Some("COPY with flags of BuildKit")),
            ("FROM scratch\nRUN <<EOF\nmake\nEOF\n", Some("a here-document")),
            ("FROM scratch\nCOPY <<-\"END\" /f\nx\nEND\n", Some("a here-document")),
            ("FROM scratch\nRUN cat <<< word\n", None),
            ("FROM scratch\nRUN echo $((1 << 3))\n", None),
            ("# RUN --mount=x\nFROM scratch\n", None),
        ] {
            assert_eq!(needs_buildkit(text), needs, "{text}");
        }
    }
}
