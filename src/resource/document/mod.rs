//! The text of a document: reading it, finding a value in it, writing it anew and changing it in
//! place.
//!
//! The stored text is the user's. [`parse`] reads it with limits on depth and on what aliases may
//! add; [`edit()`] changes the bytes that must change and keeps all others: comments, order,
//! quoting, indentation, line ends. Both stand on one parser per format that knows where in the
//! text each value stands; what it builds is up to [`build::Build`]: a JSON value, or a tree of
//! places.

mod build;
mod edit;
mod emit;
mod format;
mod json;
mod positions;
mod resolve;
mod text;
mod tree;
mod value;
mod yaml;

#[cfg(test)]
mod tests;

pub use edit::{EditError, edit, same};
pub use emit::render;
pub use format::{DEPTH, Format, ParseError, parse};
pub use positions::{Positions, positions};
