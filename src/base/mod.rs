//! Tools without opinions.

pub mod blocking;
pub mod clock;
pub mod nearest;
