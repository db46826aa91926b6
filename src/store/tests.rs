//! Whole sequences against the real git.
