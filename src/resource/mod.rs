//! The core: what documents, kinds, names and queries are. Pure data and rules, no I/O, no async.

pub mod actor;
pub mod check;
pub mod document;
pub mod etag;
pub mod key;
pub mod kind;
pub mod query;
pub mod row;
