//! The only layer that says tantivy: answers [`crate::resource::query::Query`] over
//! [`crate::resource::row::Row`]s.
//!
//! What was applied since the last commit of tantivy sits in a recent layer in memory, matched by
//! the query itself, and hides its older selves; a background thread commits. Each commit carries
//! the heads it covers, so an intact index restarts with no work, and one that a crash cut short is
//! an older but consistent one that git catches up.
//!
//! In reading order: `schema` (what is stored), `codec` (rows as bytes), `segment` (one segment's
//! columns and postings), `plan` and `drive` (a filter on one segment), `collect` (the hits of one segment),
//! `recent` (the layer in memory), `search`, `text` (words, phrases, snippets), `writer` (the
//! thread that commits), `handle` (the face), `rebuild` (a workspace exchanged as a whole).

mod codec;
mod collect;
mod drive;
mod error;
mod handle;
mod open;
mod plan;
mod rebuild;
mod recent;
mod schema;
mod search;
mod segment;
mod text;
mod writer;

pub use error::Error;
pub use handle::{Batch, Head, Index, KindCount, Page};
pub use rebuild::Rebuild;

#[cfg(test)]
mod tests;
