//! The same tests against moto, so that adf-local is not the only one who says what AWS does.

pub(crate) type Account = crate::account::Account<crate::aws::Moto>;

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
