//! Whether a document keeps to its kind, and where and how it does not.

mod branch;
mod first;
mod message;
mod violation;

#[cfg(test)]
mod tests;

pub use first::{First, first};
pub use violation::{Violation, check};
