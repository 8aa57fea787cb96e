//! The app of the demo: every request is answered with `answer.txt`, its `$NAMES` filled in from the
//! environment when the process starts. `/healthz` says that it is up.
//!
//! On SIGTERM it accepts no more connections, finishes the requests it has, and exits: what a load balancer
//! and an agent expect of an app that is replaced while it serves.

use std::error::Error;
use std::net::Ipv4Addr;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

const PORT: u16 = 8080;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // As process 1 of its container it must ask for SIGTERM: without a handler the kernel discards it.
    let mut terminate = signal(SignalKind::terminate())?;
    let template =
        std::fs::read_to_string("/answer.txt").or_else(|_| std::fs::read_to_string("answer.txt"))?;
    let answer = fill(&template, |name| std::env::var(name).ok())?;

    let app = Router::new()
        .route("/", get(move || async move { answer.clone() }))
        .route("/healthz", get(async || "ok\n"));
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
    println!("hello answers on port {PORT}");
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            terminate.recv().await;
            println!("hello was told to stop; finishing what is in flight");
        })
        .await?;
    Ok(())
}

/// Replaces each `$NAME` by its value; a name without a value is an error, never an empty text.
fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut parts = template.split('$');
    let mut answer = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        let value = value(name).ok_or_else(|| format!("answer.txt uses ${name}, which is not configured"))?;
        answer.push_str(&value);
        answer.push_str(rest);
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::fill;

    fn value(name: &str) -> Option<String> {
        (name != "ABSENT").then(|| name.to_lowercase())
    }

    #[test]
    fn every_name_is_replaced_by_its_value() {
        assert_eq!(fill("Hello $FOO from $RELEASE!\n", value).as_deref(), Ok("Hello foo from release!\n"));
    }

    #[test]
    fn a_text_without_names_stays_as_it_is() {
        assert_eq!(fill("Hello\n", value).as_deref(), Ok("Hello\n"));
    }

    #[test]
    fn a_name_without_a_value_is_an_error_that_names_it() {
        let error = fill("Hello $ABSENT", value).expect_err("no value");
        assert!(error.contains("$ABSENT"), "{error}");
    }
}
