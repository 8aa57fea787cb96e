//! Release archives, good and bad.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;

/// An archive in the making: files below one top folder.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    files: Vec<(String, Vec<u8>)>,
}

impl Archive {
    #[must_use]
    pub(crate) fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.to_owned(), content.into()));
        self
    }

    /// An app that works, but for what `mode` breaks.
    pub(crate) fn app(mode: &str) -> Self {
        Self::default()
            .file(
                "Dockerfile",
                format!("FROM scratch\nCOPY server /server\nENV MODE={mode}\nCMD [\"/server\"]\n"),
            )
            .file("adf.toml", ADF_TOML)
            .file("server", fs::read(static_server()).expect("the server was compiled"))
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, content) in &self.files {
            let mut header = tar::Header::new_gnu();
            header.set_size(u64::try_from(content.len()).expect("a length"));
            header.set_mode(0o755);
            tar.append_data(&mut header, format!("app/{path}"), content.as_slice()).expect("memory takes it");
        }
        tar.into_inner().and_then(GzEncoder::finish).expect("memory takes it")
    }
}

/// Patience is short: these apps answer at once or never.
const ADF_TOML: &str = r#"
[run]
port = 8080
interval = "200ms"
grace = "4s"
stop_grace = "1s"
health = { type = "http", path = "/" }
"#;

/// The server of `tests/fixtures`, compiled without a dynamic linker so that it runs from scratch.
fn static_server() -> PathBuf {
    let server = Path::new(env!("CARGO_TARGET_TMPDIR")).join("server");
    if !server.exists() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/server.rs");
        let made = server.with_extension(std::process::id().to_string());
        let compiled = Command::new("rustc")
            .args([
                "--edition",
                "2024",
                "-O",
                "-C",
                "target-feature=+crt-static",
                "-C",
                "strip=symbols",
                "-o",
            ])
            .args([&made, &source])
            .status()
            .expect("rustc runs");
        assert!(compiled.success(), "rustc could not compile {}", source.display());
        fs::rename(&made, &server).expect("same folder");
    }
    server
}
