//! Mounts the dialects; the whole middleware stack; health, metrics, the OpenAPI document.

mod figures;
mod listen;
mod login;
mod pages;
mod router;
mod stack;

pub use listen::serve;
pub use router::{Health, document, router};
pub use stack::Settings;
