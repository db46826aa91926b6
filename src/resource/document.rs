//! Text and content of a document.

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Yaml,
    Json,
}

/// Where values stand in a text.
pub struct Positions;

impl Positions {
    pub fn locate(&self, _pointer: &str) -> (u32, u32) {
        (1, 1)
    }
}

pub fn positions(_format: Format, _text: &str) -> Positions {
    Positions
}
