//! Repositories over git's smart protocol, by git's own CGI program.

use std::path::Path;
use std::process::Stdio;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::AsyncWriteExt as _;

use super::Shared;
use super::api::refusal;

/// Most bytes of a request.
const BODY: usize = 64 << 20;

/// Makes an empty repository.
pub(super) fn make(folder: &Path) {
    std::fs::create_dir_all(folder).expect("the folder can be made");
    crate::support::git::run(folder, &["init", "--quiet", "--bare", "--initial-branch=main"]);
    crate::support::git::run(folder, &["config", "http.receivepack", "true"]);
}

/// Whatever is no part of the REST API.
pub(super) async fn serve(State(shared): State<Shared>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let mut parts = path.trim_start_matches('/').splitn(3, '/');
    let (Some(owner), Some(name), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return refusal(StatusCode::NOT_FOUND, "Not Found");
    };
    let name = name.strip_suffix(".git").unwrap_or(name);
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
    let query = head.uri.query().unwrap_or_default().to_owned();
    let is_push = rest == "git-receive-pack" || query.contains("git-receive-pack");
    let (key, folder) = ((owner.to_lowercase(), name.to_lowercase()), {
        let mut world = shared.world();
        world.authorizations.push((path.clone(), header("authorization")));
        world.folder(owner, name)
    });
    let admitted = {
        let world = shared.world();
        let token = header("authorization").strip_prefix("Basic ").and_then(|text| STANDARD.decode(text).ok());
        let token = token.and_then(|text| String::from_utf8(text).ok()).unwrap_or_default();
        let token = token.split_once(':').map_or("", |(_, token)| token);
        let holder = world.tokens.get(token);
        let is_owner = holder.is_some_and(|holder| {
            world.login(holder.person).eq_ignore_ascii_case(owner) && holder.scopes.iter().any(|scope| scope == "repo")
        });
        let known = world.repositories.get(&key);
        let is_private = known.is_none_or(|known| known["private"] == true);
        match known {
            Some(_) if is_owner || (!is_private && !is_push) => Ok(()),
            // Who may not see it is asked who they are.
            _ if holder.is_none() => Err(StatusCode::UNAUTHORIZED),
            Some(_) if !is_private => Err(StatusCode::FORBIDDEN),
            _ => Err(StatusCode::NOT_FOUND),
        }
    };
    match admitted {
        Err(StatusCode::UNAUTHORIZED) => {
            return (StatusCode::UNAUTHORIZED, [("www-authenticate", "Basic realm=\"GitHub\"")], "").into_response();
        }
        Err(status) => return (status, "Repository not found.\n").into_response(),
        Ok(()) => {}
    }
    let (method, kind) = (head.method.to_string(), header("content-type"));
    let (encoding, protocol) = (header("content-encoding"), header("git-protocol"));
    let body = to_bytes(body, BODY).await.expect("the body is whole");
    let mut command = tokio::process::Command::new("git");
    command
        .arg("http-backend")
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_PROJECT_ROOT", &folder)
        .env("PATH_INFO", format!("/{rest}"))
        .env("REQUEST_METHOD", method)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", kind)
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", encoding)
        .env("GIT_PROTOCOL", protocol)
        .env("REMOTE_USER", owner)
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut child = command.spawn().expect("git runs");
    let mut stdin = child.stdin.take().expect("piped");
    let fed = async move {
        // It may end before it has read all of it.
        let _ = stdin.write_all(&body).await;
    };
    let (output, ()) = tokio::join!(child.wait_with_output(), fed);
    answer(&output.expect("git ends").stdout)
}

/// What a CGI program says (RFC 3875, section 6).
fn answer(output: &[u8]) -> Response {
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").expect("headers end");
    let mut response = Response::new(Body::from(output[end + 4..].to_vec()));
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let (name, value) = line.split_once(": ").expect("a header");
        if name.eq_ignore_ascii_case("status") {
            let code = value.split(' ').next().and_then(|code| code.parse().ok()).expect("a status");
            *response.status_mut() = code;
        } else {
            let name: HeaderName = name.parse().expect("a header's name");
            response.headers_mut().insert(name, HeaderValue::from_str(value).expect("a header's value"));
        }
    }
    response
}
