//! Every route of the DMP tool, each with its documentation. None ends in a slash
//! (contracts/dmp.md 1.1).

use axum::http::Method;
use serde_json::{Value, json};

use super::login;
use crate::http::context::Context;
use crate::http::route::Route;

const JSON: &str = "application/json";

fn object() -> Value {
    json!({ "type": "object" })
}

/// Whether pages of all origins may call this path.
pub fn is_open_to_all_origins(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    matches!(first, "start" | "login" | "logout" | "changepassword" | "refresh")
}

/// The routes but `GET /login`, which the server shares out (decisions.md 14).
pub fn routes() -> Vec<Route<Context>> {
    let refreshed =
        |route: Route<Context>| route.summary("New tokens for a refresh token, which is good once").errors(&[401, 422]);
    let table = vec![
        Route::new(Method::GET, "/start", "dmp_start", login::start)
            .summary("Whether an access token is good")
            .answer(200, "It is.", &[("text/plain", json!({ "type": "string" }))])
            .errors(&[401, 422]),
        Route::new(Method::DELETE, "/logout", "dmp_logout", login::logout)
            .summary("End a login by signed tokens")
            .answer(200, "Ended.", &[(JSON, object())])
            .errors(&[401, 422]),
        Route::new(Method::PUT, "/changepassword", "dmp_change_password", login::change_password)
            .summary("Change one's password; ends every login")
            .header("newpassword", true, "The new password.")
            .answer(200, "Changed.", &[(JSON, object())])
            .errors(&[400, 401, 422]),
        refreshed(Route::new(Method::GET, "/refresh", "dmp_get_refresh", login::refresh)).answer(
            200,
            "The tokens.",
            &[(JSON, object())],
        ),
        refreshed(Route::new(Method::POST, "/refresh", "dmp_post_refresh", login::refresh)).answer(
            201,
            "The tokens.",
            &[(JSON, object())],
        ),
    ];
    table.into_iter().map(|route| route.tag("dmp")).collect()
}
