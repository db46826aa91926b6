//! `workleaf import`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use super::terminal::{bar, say};
use crate::config::Config;
use crate::control::{self, Command, Effect, Report, Source};

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// A folder, or one file.
    path: PathBuf,
    /// Where to; made if it is missing.
    #[arg(long, value_name = "OWNER/NAME")]
    workspace: String,
    /// The kind of the file, which then goes where the kind's pattern says.
    #[arg(long, value_name = "K")]
    kind: Option<String>,
    /// Folder in the workspace; by default a folder keeps its own name.
    #[arg(long, value_name = "DIR")]
    into: Option<String>,
}

impl Import {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        let (files, skipped) = sources(&self.path, self.into.as_deref(), self.kind.is_some())?;
        let bar = bar();
        let progress = {
            let bar = bar.clone();
            move |done, total| {
                bar.set_length(total);
                bar.set_position(done);
            }
        };
        let command = Command::Import { workspace: self.workspace, kind: self.kind };
        let report = control::run(config, command, files, &progress).await;
        bar.finish_and_clear();
        let Report::Imported { workspace, commit, files } = report? else {
            bail!("the server answered something else")
        };
        let mut taken = 0;
        let mut violations = 0;
        for file in &files {
            let name = file.path.as_deref().unwrap_or(&file.name);
            taken += usize::from(file.path.is_some());
            violations += file.violations.len();
            let effect = match file.effect {
                Some(Effect::Replaced) => ", replaced",
                Some(Effect::Added | Effect::None) | None => "",
            };
            match (&file.kind, &file.note) {
                (Some(kind), _) => say(format!("{name}: {kind}{effect}")),
                (None, Some(note)) => say(format!("{name}: {note}{effect}")),
                (None, None) => say(name),
            }
            for violation in &file.violations {
                say(format!("{name}:{}:{}: {}", violation.line, violation.column, violation.message));
            }
        }
        for (path, why) in &skipped {
            say(format!("{}: not imported: {why}", path.display()));
        }
        let what = match &commit {
            Some(commit) => format!("in commit {}", &commit[..12.min(commit.len())]),
            None => "and nothing had changed".to_owned(),
        };
        let count = |effect| files.iter().filter(|file| file.effect == Some(effect)).count();
        say(format!(
            "{taken} of {} files imported into {workspace} {what}, {} added, {} replaced, {violations} violations",
            files.len() + skipped.len(),
            count(Effect::Added),
            count(Effect::Replaced),
        ));
        Ok(if taken == files.len() { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// Something that is not imported, and why.
type Skipped = (PathBuf, &'static str);

/// What to import from a path, and what in it cannot be.
fn sources(path: &Path, into: Option<&str>, has_kind: bool) -> Result<(Vec<Source>, Vec<Skipped>)> {
    let meta = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    let canonical = path.canonicalize().with_context(|| format!("cannot read {}", path.display()))?;
    let own = canonical.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let into = into.map(|into| into.trim_matches('/'));
    let join = |folder: &str, rest: &str| if folder.is_empty() { rest.to_owned() } else { format!("{folder}/{rest}") };
    if meta.is_file() {
        let path = into.map(|into| join(into, &own));
        return Ok((vec![Source { file: canonical, name: own, path }], Vec::new()));
    }
    let mut found = Vec::new();
    let mut skipped = Vec::new();
    walk(&canonical, "", &mut found, &mut skipped)?;
    let prefix = into.unwrap_or(&own);
    let sources = found.into_iter().map(|(file, relative)| {
        let path = (!has_kind).then(|| join(prefix, &relative));
        let name = if has_kind { relative.rsplit('/').next().unwrap_or(&relative).to_owned() } else { relative };
        Source { file, name, path }
    });
    Ok((sources.collect(), skipped))
}

/// Regular files below a folder, without git's own, in order of name.
pub(super) fn walk(
    folder: &Path,
    relative: &str,
    found: &mut Vec<(PathBuf, String)>,
    skipped: &mut Vec<Skipped>,
) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut entries: Vec<_> = entries.collect::<std::io::Result<_>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let Ok(name) = entry.file_name().into_string() else {
            skipped.push((entry.path(), "its name is not UTF-8"));
            continue;
        };
        if name == ".git" {
            continue;
        }
        let below = if relative.is_empty() { name } else { format!("{relative}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), &below, found, skipped)?;
        } else if kind.is_file() {
            found.push((entry.path(), below));
        } else {
            skipped.push((entry.path(), "a symbolic link or a special file"));
        }
    }
    Ok(())
}
