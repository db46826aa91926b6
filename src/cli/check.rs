//! `workleaf check`: the server's verdicts, offline.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};

use super::import::walk;
use super::terminal::say;
use crate::config::Config;
use crate::kinds;
use crate::resource::check;
use crate::resource::document::{self, Format};
use crate::resource::kind::{Kind, Kinds};

#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// Files and folders.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Take every file for this kind, wherever it is.
    #[arg(long, value_name = "K")]
    kind: Option<String>,
}

impl Check {
    pub(super) fn run(self, config: &Config) -> Result<ExitCode> {
        let kinds = kinds::load(&config.templates)?;
        let forced = match &self.kind {
            Some(name) => Some(kinds.by_name(name).ok_or_else(|| {
                let known: Vec<&str> = kinds.iter().map(|kind| &*kind.name).collect();
                anyhow!("there is no kind {name:?}; there are {}", known.join(", "))
            })?),
            None => None,
        };
        let (mut documents, mut violations) = (0, 0);
        for path in &self.paths {
            let mut files = Vec::new();
            let meta = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
            if meta.is_dir() {
                walk(path, "", &mut files, &mut Vec::new())?;
            } else {
                files.push((path.clone(), String::new()));
            }
            for (file, _) in files {
                let Some(kind) = forced.or_else(|| claimed(&kinds, &file)) else {
                    say(format!("{}: no kind claims this path", file.display()));
                    continue;
                };
                documents += 1;
                violations += judge(&kinds, kind, &file)?;
            }
        }
        say(format!("{documents} documents, {violations} violations"));
        Ok(if violations == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// The kind that claims the file where its workspace begins at one of its folders, the outermost
/// first.
fn claimed<'k>(kinds: &'k Kinds, file: &Path) -> Option<&'k std::sync::Arc<Kind>> {
    suffixes(file).find_map(|(_, path)| kinds.claim(&path).map(|(kind, _)| kind))
}

/// Each folder on the way to a file with the file's path below it.
fn suffixes(file: &Path) -> impl Iterator<Item = (PathBuf, String)> {
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let parts: Vec<String> = file.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    (0..parts.len()).map(move |at| (parts[..at].iter().collect(), parts[at..].join("/")))
}

fn judge(kinds: &Kinds, kind: &Kind, file: &Path) -> Result<usize> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let name = file.display().to_string();
    let Some(format) = Format::of(&name) else {
        say(format!("{name}:1:1: the name ends in none of .yml, .yaml, .json"));
        return Ok(1);
    };
    let value = match document::parse(format, &bytes) {
        Ok(value) => value,
        Err(error) => {
            say(format!("{name}:{}:{}: {}", error.line, error.column, error.message));
            return Ok(1);
        }
    };
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    let violations = check::check(kind, generation(kinds, kind, file), format, text, &value);
    for violation in &violations {
        say(format!("{name}:{}:{}: {}", violation.line, violation.column, violation.message));
    }
    if violations.is_empty() {
        say(format!("{name}: {}", kind.name));
    }
    Ok(violations.len())
}

/// As the workspace around the file selects it.
fn generation(kinds: &Kinds, kind: &Kind, file: &Path) -> usize {
    let root =
        suffixes(file).find(|(_, path)| kinds.claim(path).is_some_and(|(claiming, _)| claiming.name == kind.name));
    let selector = root.zip(kind.select.as_ref()).and_then(|((root, _), select)| {
        let bytes = std::fs::read(root.join(select.file.as_str())).ok()?;
        document::parse(Format::of(select.file.as_str())?, &bytes).ok()
    });
    kind.schema_for(selector.as_ref())
}
