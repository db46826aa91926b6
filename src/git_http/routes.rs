//! The addresses of a workspace for git.

use axum::http::Method;
use serde_json::json;

use super::service;
use crate::http::context::Context;
use crate::http::route::Route;

/// The routes. They take the [`super::Git`] of an extension.
pub fn routes() -> Vec<Route<Context>> {
    const REPOSITORY: &str = "/git/{owner}/{repo}";
    let at = |rest: &str| format!("{REPOSITORY}/{rest}");
    let result = |name: &str| format!("application/x-{name}-result");
    let request = |name: &str| format!("application/x-{name}-request");
    let gzip = "May be `gzip`, as git sends what is long.";
    let protocol = "`version=2`, as git sends it; without it the older protocol is spoken.";
    vec![
        Route::new(Method::GET, at("info/refs"), "git_info_refs", service::info_refs)
            .tag("git")
            .summary("What there is to fetch, or where to push to")
            .description("For git: `git clone URL/git/OWNER/NAME.git`. Only git's smart protocol is served.")
            .query(
                "service",
                json!({ "type": "string", "enum": ["git-upload-pack", "git-receive-pack"] }),
                "To fetch or to push.",
            )
            .header("Git-Protocol", false, protocol)
            .answer(200, "Packets of git's protocol.", &[("application/x-git-upload-pack-advertisement", json!({}))])
            .errors(&[401, 403, 404, 503]),
        Route::new(Method::POST, at("git-upload-pack"), "git_upload_pack", service::upload_pack)
            .tag("git")
            .summary("Fetch")
            .header("Git-Protocol", false, protocol)
            .header("Content-Encoding", false, gzip)
            .body(&[(&request("git-upload-pack"), json!({}))])
            .answer(200, "A pack, as long as it takes.", &[(&result("git-upload-pack"), json!({}))])
            .errors(&[400, 401, 403, 404, 413, 415, 503]),
        Route::new(Method::POST, at("git-receive-pack"), "git_receive_pack", service::receive_pack)
            .tag("git")
            .summary("Push")
            .description(
                "Whatever is refused is refused in git's own report, with the reason. Only `main` is searched; \
                 it cannot be deleted, and forced only where the workspace's `force_push` says so.",
            )
            .header("Content-Encoding", false, gzip)
            .body(&[(&request("git-receive-pack"), json!({}))])
            .answer(200, "What became of each ref.", &[(&result("git-receive-pack"), json!({}))])
            .errors(&[400, 401, 403, 404, 413, 415, 503]),
    ]
}
