//! Reads kinds from their folders: the built-in ones, then those that the configuration names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::resource::kind::{KindSource, Kinds, built_in};

/// Builds all kinds. A folder named in the configuration holds kinds itself or below `kinds/`.
pub fn load(folders: &[PathBuf]) -> Result<Kinds> {
    let mut sources = built_in();
    for folder in folders {
        for place in [folder.clone(), folder.join("kinds")] {
            sources.extend(read(&place).with_context(|| format!("cannot read the kinds in {}", place.display()))?);
        }
    }
    Kinds::build(sources).context("the kinds do not fit together")
}

/// Folders with a `kind.yaml`, in order of name.
fn read(folder: &Path) -> Result<Vec<KindSource>> {
    let mut found = Vec::new();
    if !folder.exists() {
        return Ok(found);
    }
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    entries.sort();
    for entry in entries.iter().filter(|entry| entry.join("kind.yaml").is_file()) {
        let mut files = BTreeMap::new();
        for file in std::fs::read_dir(entry)? {
            let file = file?.path();
            if let (true, Some(name)) = (file.is_file(), file.file_name().and_then(|name| name.to_str())) {
                files.insert(
                    name.to_owned(),
                    std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?,
                );
            }
        }
        let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        found.push(KindSource { folder: name, files });
    }
    Ok(found)
}
