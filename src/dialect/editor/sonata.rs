//! The files of a SONATA workspace (contracts/editor.md 2).

pub(super) mod text;
pub(super) mod workspace;
