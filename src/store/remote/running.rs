//! One git command that talks to another server: bounded in time, output and what it may write,
//! ended with all that it started when nobody waits any more.

use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt as _;

use super::RemoteError;
use crate::store::error::Error;

/// However slow the other side is.
const TIME_MOST: Duration = Duration::from_secs(600);
/// Bytes of output and of complaints that are kept.
const KEPT_MOST: usize = 256 << 10;

/// How a command ended.
pub(super) struct Ended {
    pub(super) success: bool,
    pub(super) output: Vec<u8>,
    pub(super) complaints: String,
}

/// Everything that a command started, ended when this goes.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0.take() {
            // It may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Runs a command to its end; no file that it writes gets larger than `most` bytes.
pub(super) async fn run(command: Command, most: Option<u64>) -> Result<Ended, RemoteError> {
    let mut command = tokio::process::Command::from(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).process_group(0);
    let mut child = command.spawn().map_err(Error::io("start git"))?;
    let mut group = Group(child.id().and_then(|id| Pid::from_raw(id.cast_signed())));
    if let Some(most) = most {
        bound(group.0, most);
    }
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let ended = async {
        let (output, complaints) = tokio::join!(kept(stdout), kept(stderr));
        (child.wait().await, output, complaints)
    };
    let Ok((status, output, complaints)) = tokio::time::timeout(TIME_MOST, ended).await else {
        return Err(RemoteError::TimedOut);
    };
    // Its number may be another's from here on.
    group.0 = None;
    let success = status.map_err(Error::io("wait for git"))?.success();
    Ok(Ended { success, output, complaints: String::from_utf8_lossy(&complaints).into_owned() })
}

/// Before it has connected, so before anything comes that it could write.
fn bound(process: Option<Pid>, most: u64) {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, prlimit};
        for (what, most) in [(Resource::Fsize, most), (Resource::As, 2 << 30)] {
            let limit = Rlimit { current: Some(most), maximum: Some(most) };
            if let Err(error) = prlimit(process, what, limit) {
                tracing::warn!(%error, "what git fetches is not bounded while it comes");
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (process, most);
}

/// Reads to the end, so that nobody waits for a reader, and keeps the beginning.
async fn kept(pipe: Option<impl tokio::io::AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    if let Some(mut pipe) = pipe {
        while let Ok(length @ 1..) = pipe.read(&mut buffer).await {
            let room = KEPT_MOST.saturating_sub(kept.len());
            kept.extend_from_slice(&buffer[..length.min(room)]);
        }
    }
    kept
}
