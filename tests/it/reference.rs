//! Reference data: real descriptors and plans, and the schemas that others wrote for them. They
//! are no part of the package; `WORKLEAF_REFERENCE_DATA` names the folder that holds them.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder; `None`, with a note, where there is none.
#[expect(clippy::print_stdout, reason = "scripts/test counts these notes")]
pub(crate) fn folder() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "configuration of the tests, not of the server")]
    let folder = std::env::var("WORKLEAF_REFERENCE_DATA").ok().map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: WORKLEAF_REFERENCE_DATA is not set");
    }
    folder
}

/// A YAML or JSON file.
pub(crate) fn load(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    // Every JSON file is YAML, but for tabs; JSON's own reader is also the faster one.
    let parsed = match path.extension() {
        Some(end) if end == "json" => serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
        _ => serde_yaml::from_slice(&bytes).map_err(|error| error.to_string()),
    };
    parsed.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below `folder` whose path satisfies `wanted`, sorted.
pub(crate) fn files(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if wanted(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
