//! adf-local through the real AWS SDK, inside the process and in virtual time: what the wire makes of the model.

mod cloudwatch;
mod refresh;
mod weather;
mod world;
