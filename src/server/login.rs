//! `GET /login` is three APIs' address (decisions.md 14): with Basic credentials the DMP tool's,
//! with a provider's answer or nothing the editor's.

use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::AUTHORIZATION;
use axum::response::Response;
use serde_json::json;
use tower_sessions::Session;

use crate::dialect::{dmp, editor};
use crate::http::context::Context;
use crate::http::parameters::Parameters;
use crate::http::route::Route;

pub(super) fn route() -> Route<Context> {
    let text = || json!({ "type": "string" });
    Route::new(Method::GET, "/login", "login", login)
        .with_session()
        .tag("server")
        .summary("Log in: signed tokens for Basic credentials, otherwise by way of GitHub or another provider")
        .query("provider", text(), "Which provider, when there are two.")
        .query("link", text(), "true: link the provider's identity to the account that is logged in.")
        .query("code", text(), "From the provider.")
        .query("state", text(), "From the provider.")
        .answer(200, "Signed tokens.", &[("application/json", json!({ "type": "object" }))])
        .empty(302, "On to the provider, or back to the front end.")
        .errors(&[401, 409, 429, 502, 503])
}

async fn login(State(context): State<Context>, session: Session, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let parameters = Parameters::parse(parts.uri.query().unwrap_or_default());
    let comes_back = parameters.get("code").is_some() || parameters.get("error").is_some();
    if parts.headers.contains_key(AUTHORIZATION) && parameters.get("link").is_none() {
        dmp::login(&context, &parts).await
    } else if comes_back {
        editor::complete(&context, &parts, &session).await
    } else {
        editor::start(&context, &parts).await
    }
}
