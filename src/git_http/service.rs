//! The three addresses that git asks.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::advertise::{self, Service};
use super::input::{self, Input};
use super::packet::Packets;
use super::process::Git;
use super::turns::Who;
use super::{fetch, push};
use crate::auth::{Address, Caller};
use crate::base::blocking;
use crate::engine::Error;
use crate::http::context::Context;
use crate::http::fault::Fault;
use crate::http::parameters::Parameters;
use crate::resource::actor::Actor;
use crate::resource::key::WorkspaceName;
use crate::store::Workspace;

/// Bytes of a request that says what to fetch: what a client has, 50 bytes for each commit.
const REQUEST_MOST: u64 = 64 << 20;
/// Of what is pushed beyond the limit so much is read before the connection is cut.
const OVERRUN: u64 = 4;

/// `GET info/refs?service=…`.
pub(super) async fn info_refs(
    State(context): State<Context>,
    Extension(git): Extension<Arc<Git>>,
    Path((owner, repo)): Path<(String, String)>,
    caller: Caller,
    Address(address): Address,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let found = async {
        let named = Parameters::parse(&query).get("service").map(str::to_owned);
        let service = named.as_deref().and_then(Service::parse);
        let (workspace, who) =
            workspace(&context, caller, address, service.unwrap_or(Service::UploadPack), &owner, &repo)?;
        let Some(service) = service else {
            let why = "only git's smart protocol is served, by the services git-upload-pack and git-receive-pack: use \
                       git 1.6.6 or later";
            return Err(Fault::new(StatusCode::FORBIDDEN, why));
        };
        let version = advertise::version(headers.get("git-protocol").and_then(|value| value.to_str().ok()));
        let told = match service {
            Service::UploadPack if version == 2 => advertise::capabilities(),
            Service::UploadPack => {
                let mut out = advertise::preamble(service);
                out.extend(fetch::advertisement(&git, who, &workspace, version).await?);
                out
            }
            Service::ReceivePack => {
                // So that the client knows of what was edited on the disk before it pushes.
                context.engine.absorb_edits(&workspace).await?;
                let refs = blocking::run(move || workspace.refs()).await.map_err(Error::from)?;
                advertise::receive_pack(&refs)
            }
        };
        Ok(answer(&format!("application/x-{}-advertisement", service.name()), Body::from(told)))
    };
    found.await.unwrap_or_else(|fault| refusal(&headers, fault))
}

/// `POST git-upload-pack`.
pub(super) async fn upload_pack(
    State(context): State<Context>,
    Extension(git): Extension<Arc<Git>>,
    Path((owner, repo)): Path<(String, String)>,
    caller: Caller,
    Address(address): Address,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let found = async {
        let (workspace, who) = workspace(&context, caller, address, Service::UploadPack, &owner, &repo)?;
        let packets = packets(&context, Service::UploadPack, &parts.headers, body)?;
        let version = advertise::version(parts.headers.get("git-protocol").and_then(|value| value.to_str().ok()));
        let idle = Duration::from_secs(context.config().git.idle_timeout);
        fetch::upload_pack(&git, who, &workspace, version, packets, idle).await
    };
    match found.await {
        Ok(body) => answer("application/x-git-upload-pack-result", body),
        Err(fault) => refusal(&parts.headers, fault),
    }
}

/// `POST git-receive-pack`.
pub(super) async fn receive_pack(
    State(context): State<Context>,
    Extension(git): Extension<Arc<Git>>,
    Path((owner, repo)): Path<(String, String)>,
    caller: Caller,
    Address(address): Address,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let found = async {
        let (workspace, who) = workspace(&context, caller, address, Service::ReceivePack, &owner, &repo)?;
        let packets = packets(&context, Service::ReceivePack, &parts.headers, body)?;
        let config = context.config();
        let limits = push::Limits { pack: config.git.push_limit, file: config.limits.body as u64 };
        push::receive_pack(&context.engine, &git, who, &workspace, packets, limits).await
    };
    match found.await {
        Ok(body) => answer("application/x-git-receive-pack-result", body),
        Err(fault) => refusal(&parts.headers, fault),
    }
}

/// The workspace, when the caller may do this there; and whom their programs are counted for.
fn workspace(
    context: &Context,
    caller: Caller,
    address: Option<IpAddr>,
    service: Service,
    owner: &str,
    repo: &str,
) -> Result<(Arc<Workspace>, Who), Fault> {
    let actor = caller.0?;
    let who = Who::of(&actor, address);
    let engine = &context.engine;
    // Routes cannot end in a suffix, and names never do.
    let name = repo.strip_suffix(".git").unwrap_or(repo);
    let Ok(name) = WorkspaceName::new(owner, name) else {
        return Err(match actor {
            Actor::Anonymous => Error::LoginNeeded,
            _ => Error::NotFound("workspace of this name".into()),
        }
        .into());
    };
    let workspace = match service {
        Service::UploadPack => engine.fetchable(&actor, &name),
        Service::ReceivePack => engine.pushable(&actor, &name),
    }?;
    if workspace.git_dir().join("objects/info/alternates").exists() {
        let why = "this workspace borrows objects from elsewhere on the server's disk: repack it with `git repack -ad` \
                   and remove .git/objects/info/alternates";
        return Err(Fault::new(StatusCode::FORBIDDEN, why));
    }
    Ok((workspace, who))
}

/// The body of a request to a service.
fn packets(context: &Context, service: Service, headers: &HeaderMap, body: Body) -> Result<Packets, Fault> {
    let wanted = format!("application/x-{}-request", service.name());
    if headers.get(CONTENT_TYPE).is_none_or(|given| given.as_bytes() != wanted.as_bytes()) {
        return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("the content type must be {wanted}")));
    }
    let config = context.config();
    let most = match service {
        Service::UploadPack => REQUEST_MOST,
        Service::ReceivePack => config.git.push_limit.saturating_mul(OVERRUN).max(REQUEST_MOST),
    };
    let idle = Duration::from_secs(config.git.idle_timeout);
    Ok(Packets::new(Input::new(body, input::is_compressed(headers)?, most, idle)))
}

fn answer(kind: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    if let Ok(kind) = HeaderValue::from_str(kind) {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    // As git's own server.
    let never = HeaderValue::from_static("no-cache, max-age=0, must-revalidate");
    response.headers_mut().insert(CACHE_CONTROL, never);
    response
}

/// Git shows plain text to its user, and nothing else.
fn refusal(headers: &HeaderMap, fault: Fault) -> Response {
    let fault = if fault.status == StatusCode::UNAUTHORIZED { fault.challenge() } else { fault };
    let is_git = headers.get(USER_AGENT).is_some_and(|agent| agent.as_bytes().starts_with(b"git/"));
    let text = format!("{}\n", fault.message);
    let mut response = fault.into_response();
    if is_git {
        *response.body_mut() = Body::from(text);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    response
}
