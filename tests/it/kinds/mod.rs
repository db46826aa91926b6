//! The built-in kinds: that they build, that each rule of their schemas holds, and that the
//! schemas agree with those of the formats' authors.

mod built;
mod parity;
mod rules;
mod variants;
