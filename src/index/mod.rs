//! The only layer that says tantivy.
