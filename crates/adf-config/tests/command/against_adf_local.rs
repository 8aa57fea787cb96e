//! Every test that needs an AWS, against adf-local.

pub(crate) type Account = crate::account::Account<crate::aws::AdfLocal>;

#[path = "limits.rs"]
mod limits;
#[path = "session.rs"]
mod session;
#[path = "verbs.rs"]
mod verbs;
