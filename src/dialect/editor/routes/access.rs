//! Who one is, logging out, the configuration.

use axum::http::Method;
use serde_json::json;

use super::{JSON, object};
use crate::dialect::editor::{config, log, user};
use crate::http::context::Context;
use crate::http::route::Route;

pub(super) fn routes() -> Vec<Route<Context>> {
    vec![
        Route::new(Method::GET, "/user", "editor_get_user", user::get_user)
            .summary("Who you are, as GitHub says it")
            .answer(200, "The user.", &object())
            .errors(&[401]),
        Route::new(Method::GET, "/logout", "editor_logout", user::logout)
            .with_session()
            .summary("End the session")
            .answer(200, "It is over.", &[(JSON, json!({ "type": "string" }))]),
        Route::new(Method::GET, "/log", "editor_get_log", log::get_log)
            .summary("What you did that is noted")
            .answer(200, "Lines of a page.", &[("text/html", json!({ "type": "string" }))])
            .errors(&[401]),
        Route::new(Method::GET, "/config", "editor_get_config", config::get_config)
            .summary("The configuration, secrets masked; for administrators by Basic credentials")
            .answer(200, "The configuration.", &object())
            .errors(&[401, 403]),
        Route::new(Method::POST, "/config", "editor_post_config", config::post_config)
            .summary("Change the configuration; a masked secret stays as it is")
            .body(&object())
            .answer(200, "Changed.", &object())
            .errors(&[400, 401, 403, 409, 413, 415]),
    ]
}
