//! The judge against single situations, and against many canaries at once.

mod simulation;
mod situations;
mod statistics;
mod table;
