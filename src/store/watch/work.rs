//! What is done for one workspace once its files rest.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Outcome, Work};
use crate::base::blocking;
use crate::store::error::Error;
use crate::store::hands;
use crate::store::heads;
use crate::store::workspace::Workspace;

pub(super) async fn work(workspace: Arc<Workspace>, work: Work, is_comparison: bool, quiet: Duration) -> Outcome {
    let start = Instant::now();
    let mut outcome = Outcome {
        name: Some(workspace.name().to_arc()),
        left: None,
        is_comparison,
        took: Duration::ZERO,
        gone: false,
        skipped: Vec::new(),
    };
    match take_in(&workspace, &work, quiet, &mut outcome).await {
        Ok(true) => {}
        Ok(false) => outcome.left = Some(work),
        Err(Error::NoWorkspace(_)) => outcome.gone = true,
        Err(error) if !workspace.git_dir.exists() => {
            tracing::debug!(workspace.name = %workspace.name(), %error, "a workspace went");
            outcome.gone = true;
        }
        Err(error) => {
            // It was said once.
            if !matches!(error, Error::Busy(_) | Error::NoMain(_)) {
                tracing::warn!(workspace.name = %workspace.name(), %error, "edits on disk are not taken in yet");
            }
            outcome.left = Some(work);
        }
    }
    outcome.took = start.elapsed();
    outcome
}

/// False: not now.
async fn take_in(
    workspace: &Arc<Workspace>,
    work: &Work,
    quiet: Duration,
    outcome: &mut Outcome,
) -> Result<bool, Error> {
    let look = {
        let (workspace, paths) = (workspace.clone(), work.paths.clone());
        move || {
            if workspace.is_removed() || !workspace.git_dir.exists() {
                return Err(Error::NoWorkspace(workspace.name().clone()));
            }
            let is_moved = heads::read_main(&workspace.git_dir)? != Some(workspace.head());
            let differing = workspace.differing(&paths)?;
            // Last, so that what was begun before the looks above is seen.
            Ok((hands::is_at_work(&workspace.git_dir), is_moved, differing))
        }
    };
    let (is_hand_at_work, is_moved, paths) = blocking::run(look).await?;
    if !work.whole && !is_moved && paths.is_empty() {
        // The server's own writes end here.
        return Ok(true);
    }
    if is_hand_at_work {
        return Ok(false);
    }
    if is_moved {
        workspace.refresh().await?;
    }
    let absorbed = match work.whole {
        true => workspace.absorb_resting(quiet).await?,
        false => workspace.absorb_disk(Some(paths)).await?,
    };
    if let Some(committed) = &absorbed.committed {
        tracing::info!(workspace.name = %workspace.name(), commit = %committed.commit, "edits on disk were committed");
    }
    outcome.skipped = absorbed.skipped;
    if !absorbed.waits {
        workspace.resets.note(&workspace.git_dir);
    }
    Ok(!absorbed.waits)
}
