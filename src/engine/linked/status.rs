//! What differs between a linked folder and its newest published commit, in git's words.

use super::super::Error;
use super::{Abroad, Linked, Now};
use crate::base::blocking;
use crate::store::{Compared, Difference, FIRST_BRANCH, Verb};

/// A linked folder, its published history and its repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkStatus {
    /// Whether the folder is linked, or was made a repository of its own.
    pub is_linked: bool,
    pub url: Option<String>,
    pub branch: String,
    /// Hex; the newest published commit.
    pub published: Option<String>,
    /// Hex; what the repository was last seen at.
    pub remote: Option<String>,
    /// Published commits that the repository has not, and the other way round, where both are known.
    pub ahead_behind: Option<(usize, usize)>,
    pub differences: Vec<Difference>,
    /// As `git status` says it.
    pub text: String,
}

impl Linked {
    /// Compares the folder with its newest published commit. With `abroad` its repository is asked
    /// first where it is; that this fails is part of the text.
    pub async fn status(&self, abroad: Option<&Abroad>) -> Result<LinkStatus, Error> {
        let mut now = self.now().await?;
        let mut branch = FIRST_BRANCH.to_owned();
        let mut warning = String::new();
        if let Some(abroad) = abroad {
            match self.refresh(abroad, &mut now).await {
                Ok(advertised) => branch = advertised.map_or(branch, |advertised| advertised.branch),
                Err(error @ (Error::Internal(_) | Error::Full)) => return Err(error),
                Err(error) => warning = format!("warning: the repository was not asked: {}\n", words(&error)),
            }
        }
        let this = self.clone();
        blocking::run(move || {
            let compared = this.workspace.compare_trees(now.root, Some(now.tree))?;
            let both = now.published.head.zip(now.published.remote);
            let ahead_behind = both.map(|(head, remote)| this.workspace.ahead_behind(head, remote)).transpose()?;
            let text = if now.is_linked() {
                warning + &text(&now, &branch, ahead_behind, &compared.differences)
            } else {
                "fatal: not a git repository (or any of the parent directories): .git".to_owned()
            };
            Ok(LinkStatus {
                is_linked: now.is_linked(),
                url: now.url,
                branch,
                published: now.published.head.map(|id| id.to_string()),
                remote: now.published.remote.map(|id| id.to_string()),
                ahead_behind,
                differences: compared.differences,
                text,
            })
        })
        .await
    }

    /// What differs, as `git diff` shows it; empty where nothing does.
    pub async fn diff(&self) -> Result<String, Error> {
        let now = self.started().await?;
        let workspace = self.workspace.clone();
        let compared: Compared = blocking::run(move || workspace.compare_trees(now.root, Some(now.tree))).await?;
        Ok(compared.unified)
    }
}

/// An error in the words of a line of text.
fn words(error: &Error) -> String {
    match error {
        Error::BadRequest { message, .. } => message.clone(),
        Error::Conflict(why) | Error::Elsewhere(why) | Error::Busy(why) | Error::TooLarge(why) => why.clone(),
        _ => "it failed".to_owned(),
    }
}

fn text(now: &Now, branch: &str, ahead_behind: Option<(usize, usize)>, differences: &[Difference]) -> String {
    let mut out = format!("On branch {branch}\n");
    let s = |count: usize| if count == 1 { "" } else { "s" };
    match ahead_behind {
        Some((0, 0)) => out.push_str(&format!("Your branch is up to date with 'origin/{branch}'.\n")),
        Some((ahead, 0)) => {
            out.push_str(&format!("Your branch is ahead of 'origin/{branch}' by {ahead} commit{}.\n", s(ahead)));
        }
        Some((0, behind)) => {
            out.push_str(&format!("Your branch is behind 'origin/{branch}' by {behind} commit{}.\n", s(behind)));
        }
        Some((ahead, behind)) => out.push_str(&format!(
            "Your branch and 'origin/{branch}' have diverged,\nand have {ahead} and {behind} different commits each, respectively.\n"
        )),
        None => {}
    }
    if now.published.head.is_none() {
        out.push_str("\nNo commits yet\n");
    }
    if differences.is_empty() {
        out.push_str("nothing to commit, working tree clean\n");
        return out;
    }
    out.push_str("\nChanges to be committed:\n");
    for difference in differences {
        let (verb, path) = (difference.verb, &difference.path);
        let line = match (verb, &difference.from) {
            (Verb::Renamed, Some(from)) => format!("\trenamed:    {from} -> {path}\n"),
            (Verb::New, _) => format!("\tnew file:   {path}\n"),
            (Verb::Deleted, _) => format!("\tdeleted:    {path}\n"),
            (Verb::Modified | Verb::Renamed, _) => format!("\tmodified:   {path}\n"),
        };
        out.push_str(&line);
    }
    out
}
