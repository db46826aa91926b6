//! Tools without opinions.

pub mod blocking;
pub mod clock;
pub mod hex;
pub mod nearest;
pub mod random;
