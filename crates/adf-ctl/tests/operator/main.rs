//! What an operator does with `adf-ctl`, against the AWS that adf-local plays.

mod command;
mod common;
mod release;
mod ship;
