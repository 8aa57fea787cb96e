//! Every test that needs an AWS, against adf-local.

pub(crate) type Account = crate::account::Account<crate::aws::AdfLocal>;

#[path = "care.rs"]
mod care;
#[path = "clean_up.rs"]
mod clean_up;
#[path = "limits.rs"]
mod limits;
#[path = "session.rs"]
mod session;
#[path = "tables_of_2013.rs"]
mod tables_of_2013;
#[path = "verbs.rs"]
mod verbs;
