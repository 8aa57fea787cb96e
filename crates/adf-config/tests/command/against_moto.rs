//! The same tests against moto, so that adf-local is not the only one who says what AWS does.

pub(crate) type Account = crate::account::Account<crate::aws::Moto>;

#[path = "limits.rs"]
mod limits;
#[path = "session.rs"]
mod session;
#[path = "verbs.rs"]
mod verbs;
