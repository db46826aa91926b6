//! Credentials for a workspace's catalogues. They are kept sealed in the state database, never in
//! git and never shown, and sent to the one address that they were given for.

use crate::dialect::editor::fault::EditorFault;
use crate::dialect::editor::gate::InWorkspace;
use crate::dialect::editor::sonata::draft::Wish;
use crate::dialect::editor::sonata::workspace::{Sort, WorkspaceFile};
use crate::engine::Error;
use crate::resource::actor::Role;

/// Longest token, in bytes.
const BYTES: usize = 4_096;

/// What a token is sealed for: with another address it does not open, so that nobody learns it by
/// changing where it is sent.
fn purpose(at: &InWorkspace, entry: u64, url: &str) -> String {
    format!("catalogue {} {entry} {url}", at.id)
}

/// Refuses what no header can carry.
pub(in crate::dialect::editor) fn check(token: &str) -> Result<(), EditorFault> {
    if token.len() > BYTES || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(EditorFault::bad(format!(
            "'token' must be at most {BYTES} letters, digits and signs, without blanks"
        )));
    }
    Ok(())
}

/// Keeps a catalogue's token; an empty one is forgotten.
async fn keep(at: &InWorkspace, entry: u64, url: &str, token: &str) -> Result<(), EditorFault> {
    let sealed = (!token.is_empty()).then(|| at.context.keys.seal(token, &purpose(at, entry, url)));
    at.context.state.set_server_token(at.id, entry, sealed.as_deref()).await.map_err(Error::from)?;
    Ok(())
}

/// Keeps the tokens that catalogues of this file were given.
pub(in crate::dialect::editor) async fn keep_all(
    at: &InWorkspace,
    file: &WorkspaceFile,
    wishes: &[Wish],
) -> Result<(), EditorFault> {
    let entries = file.entries(Sort::Catalogue);
    for wish in wishes {
        let entry = entries.iter().find(|entry| entry.name == wish.name && entry.url == wish.url);
        if let (Some(token), Some(entry)) = (&wish.token, entry) {
            keep(at, entry.id, &entry.url, token).await?;
        }
    }
    Ok(())
}

/// The token of a catalogue at this address, for whoever may change the workspace: others see what
/// the catalogue shows to everybody.
pub(in crate::dialect::editor) async fn of(
    at: &InWorkspace,
    entry: u64,
    url: &str,
) -> Result<Option<String>, EditorFault> {
    if at.role < Role::Writer {
        return Ok(None);
    }
    let sealed = at.context.state.server_token(at.id, entry).await.map_err(Error::from)?;
    Ok(sealed.and_then(|sealed| at.context.keys.unseal(&sealed, &purpose(at, entry, url))))
}
