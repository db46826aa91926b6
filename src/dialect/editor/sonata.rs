//! The files of a SONATA workspace (contracts/editor.md 2).

pub(super) mod draft;
pub(super) mod text;
pub(super) mod workspace;
