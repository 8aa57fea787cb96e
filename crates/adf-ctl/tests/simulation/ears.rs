//! Whatever operators and agents write to their logs and terminals, heard for secrets.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use adf_agent::redact::Redacting;
use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, Registry, fmt};

use crate::SENTINEL;
use crate::stage::Stage;

const AGENT: &str = "adf_agent";

/// A log that is only listened to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ears(Arc<Mutex<Heard>>);

#[derive(Debug, Default)]
struct Heard {
    lines: u64,
    /// The first line with a secret.
    secret: Option<String>,
}

impl Ears {
    /// Hears what this thread logs, for as long as the guard lives: ours at every level. The agent's lines go through what
    /// keeps its secrets on an instance; nobody else's do.
    pub(crate) fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let agent = fmt::layer().with_ansi(false).with_writer(self.clone());
        let agent = Redacting(agent).with_filter(filter_fn(|line| line.target().starts_with(AGENT)));
        let others = fmt::layer().with_ansi(false).with_writer(self.clone());
        let others = others.with_filter(filter_fn(|line| {
            let talks = line.target().starts_with("adf") || *line.level() <= Level::INFO;
            talks && !line.target().starts_with(AGENT)
        }));
        tracing::subscriber::set_default(Registry::default().with(agent).with(others))
    }

    /// What was heard, held against the rule.
    pub(crate) fn tell(&self, stage: &Stage) {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stage.tally(|tally| tally.played("log lines", heard.lines));
        let told = stage.trace.lines().into_iter().find(|line| line.contains(SENTINEL));
        let secret = heard.secret.clone().or(told);
        stage.check("a secret is in no log", secret.is_none(), || format!("{secret:?}"));
    }
}

impl io::Write for Ears {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.lines += 1;
        if heard.secret.is_none() && line.windows(SENTINEL.len()).any(|part| part == SENTINEL.as_bytes()) {
            heard.secret = Some(String::from_utf8_lossy(line).into_owned());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Ears {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
