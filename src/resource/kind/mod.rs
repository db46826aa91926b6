//! Kinds: the types of documents, declared as data in `templates/kinds/<kind>/`.
//!
//! [`Kinds::build`] reads the folders' files (someone else fetched them from disk or from the
//! binary) and either gives every kind, checked against each other, or says what is wrong.
//! Nothing here knows a kind by name.

mod built_in;
mod catalogue;
mod declaration;
mod draft;
mod error;
mod fields;
mod links;
mod model;
mod pattern;
mod place;
mod pointer;
mod requirement;
mod schema;
mod spelling;

#[cfg(test)]
mod link_tests;
#[cfg(test)]
mod place_tests;
#[cfg(test)]
mod tests;

pub use built_in::built_in;
pub use catalogue::{KindSource, Kinds, RESERVED_PLURALS};
pub use error::KindError;
pub use fields::{EncodeError, Encoded, Field, FieldType, Source};
pub use links::{Link, LinkKey, LinkMatch, Meaning, OnDelete, Within};
pub use model::{Kind, Unique, Values};
pub use pattern::{Captures, Pattern};
pub use place::PlaceError;
pub use pointer::Pointer;
pub(super) use pointer::escape;
pub use requirement::version_fits;
pub use schema::{Schema, Select};
pub use spelling::slug;
