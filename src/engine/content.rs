//! Documents read once and kept: their content as JSON text and their violations.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::Value;

use crate::resource::check::{self, Violation};
use crate::resource::document::{self, Format};
use crate::resource::etag::Etag;
use crate::resource::kind::Kind;

/// What a stored file says.
#[derive(Debug)]
pub struct Content {
    /// Compact JSON; `null` for a file that cannot be read.
    pub json: Box<str>,
    pub violations: Vec<Violation>,
    /// Whether the file could be read at all.
    pub is_readable: bool,
}

impl Content {
    /// The content as a value; `None` when the file cannot be read.
    pub fn value(&self) -> Option<Value> {
        serde_json::from_str(&self.json).ok()
    }
}

/// What the same bytes may be judged differently by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    etag: Etag,
    /// Address of the kind: unique while the kinds are in use; the cache is emptied when they change.
    kind: usize,
    generation: usize,
    format: Format,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Key, Arc<Content>> for Bytes {
    fn weight(&self, _: &Key, content: &Arc<Content>) -> u64 {
        let violations: usize = content.violations.iter().map(|v| v.message.len() + v.pointer.len() + 64).sum();
        (content.json.len() + violations + 160) as u64
    }
}

/// Contents from this weight on may not find a place in the cache.
const LARGE: u64 = 256 << 10;

/// Recently used contents, bounded in bytes.
pub(super) struct Contents {
    cache: Cache<Key, Arc<Content>, Bytes>,
    /// Large ones that somebody still holds: what a write has judged is not read again on its way.
    held: Mutex<HashMap<Key, Weak<Content>>>,
}

impl Contents {
    pub(super) fn new(bytes: u64) -> Self {
        Contents { cache: Cache::with_weighter((bytes / 2048) as usize, bytes, Bytes), held: Mutex::default() }
    }

    /// The content that is kept for this blob.
    pub(super) fn kept(&self, kind: &Arc<Kind>, generation: usize, path: &str, etag: Etag) -> Option<Arc<Content>> {
        self.get(&key(kind, generation, path, etag))
    }

    fn get(&self, key: &Key) -> Option<Arc<Content>> {
        self.cache.get(key).or_else(|| self.held().get(key)?.upgrade())
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Key, Weak<Content>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The content of these bytes, kept or read now.
    pub(super) fn of(&self, kind: &Arc<Kind>, generation: usize, path: &str, etag: Etag, bytes: &[u8]) -> Arc<Content> {
        let key = key(kind, generation, path, etag);
        if let Some(content) = self.get(&key) {
            return content;
        }
        let content = Arc::new(read(kind, generation, key.format, bytes));
        if Bytes.weight(&key, &content) >= LARGE {
            let mut held = self.held();
            held.retain(|_, content| content.strong_count() > 0);
            held.insert(key, Arc::downgrade(&content));
        }
        self.cache.insert(key, content.clone());
        content
    }

    pub(super) fn clear(&self) {
        self.cache.clear();
        self.held().clear();
    }
}

fn key(kind: &Arc<Kind>, generation: usize, path: &str, etag: Etag) -> Key {
    Key { etag, kind: Arc::as_ptr(kind) as usize, generation, format: format(path) }
}

/// The format that a document's file name stands for. Kinds only claim names that have one.
pub(super) fn format(path: &str) -> Format {
    Format::of(path).unwrap_or(Format::Yaml)
}

/// Reads and judges bytes.
fn read(kind: &Kind, generation: usize, format: Format, bytes: &[u8]) -> Content {
    match document::parse(format, bytes) {
        Ok(value) => {
            // `parse` took the bytes, so they are UTF-8.
            let text = std::str::from_utf8(bytes).unwrap_or_default();
            Content {
                json: value.to_string().into(),
                violations: check::check(kind, generation, format, text, &value),
                is_readable: true,
            }
        }
        Err(error) => Content { json: "null".into(), violations: vec![Violation::from(error)], is_readable: false },
    }
}
