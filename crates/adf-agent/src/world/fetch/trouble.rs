//! Why a request had no answer. The HTTP client only says that sending failed; the cause is further down its chain
//! of errors, and some links of that chain hide inside `io::Error`.

use std::error::Error;
use std::io;

use jiff::Timestamp;
use rustls::CertificateError;
use rustls::pki_types::UnixTime;
use url::Url;

use super::error::{ConnectStep, FetchError};
use super::resolver::LookupError;

/// What stood at the end of the chain.
pub(super) enum Trouble {
    /// A certificate outside its dates: the clock may be to blame.
    Dates(FetchError),
    Other(FetchError),
}

pub(super) fn of(url: &Url, error: reqwest::Error) -> Trouble {
    let host = url.host_str().unwrap_or_default().to_owned();
    let connecting = error.is_connect();
    let timed_out = error.is_timeout();
    // The client's own text names the URL with its query.
    let error = error.without_url();
    if let Some(lookup) = find::<LookupError>(&error) {
        return Trouble::Other(looked_up(host, lookup));
    }
    match find::<rustls::Error>(&error) {
        Some(rustls::Error::InvalidCertificate(refused)) => return certificate(host, refused),
        Some(tls) => return connect(host, ConnectStep::Tls, tls.to_string()),
        None => {}
    }
    let step = if connecting { ConnectStep::Connect } else { ConnectStep::Answer };
    let problem = if timed_out { "timed out".to_owned() } else { last(&error).to_string() };
    connect(host, step, problem)
}

fn connect(host: String, step: ConnectStep, problem: String) -> Trouble {
    Trouble::Other(FetchError::Connect { host, step, problem })
}

fn looked_up(host: String, error: &LookupError) -> FetchError {
    let problem = error.to_string();
    match error {
        LookupError::Refused { .. } => FetchError::Host { host, problem },
        LookupError::Failed(_) | LookupError::Empty => {
            FetchError::Connect { host, step: ConnectStep::Dns, problem }
        }
    }
}

fn certificate(host: String, refused: &CertificateError) -> Trouble {
    let told = |problem| FetchError::Certificate { host, problem, clock: Timestamp::now() };
    let date = |time: &UnixTime| {
        let seconds = i64::try_from(time.as_secs()).ok();
        seconds.and_then(|s| Timestamp::from_second(s).ok()).map(|t| format!(" {t}")).unwrap_or_default()
    };
    match refused {
        CertificateError::Expired => Trouble::Dates(told("it has expired".to_owned())),
        CertificateError::ExpiredContext { not_after, .. } => {
            Trouble::Dates(told(format!("it expired{}", date(not_after))))
        }
        CertificateError::NotValidYet => Trouble::Dates(told("it is not valid yet".to_owned())),
        CertificateError::NotValidYetContext { not_before, .. } => {
            Trouble::Dates(told(format!("it is valid from{}", date(not_before))))
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            Trouble::Other(told("nobody trusted has signed it".to_owned()))
        }
        other => Trouble::Other(told(other.to_string())),
    }
}

/// The error and its causes, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error))
}

/// An `io::Error` passes over what it wraps when it is asked for its source.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The innermost cause, which is the one that says something.
fn last<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    causes(error).last().unwrap_or(error)
}
