//! Other servers: the catalogues and service platforms that a workspace names (contracts/editor.md
//! 1.8, 1.9).

mod platform;
mod proxy;
mod remote;
pub(super) mod search;
pub(super) mod tokens;

use axum::Extension;
use axum::http::Method;
use serde_json::{Value, json};

use super::answer::slashed;
use super::catalogue::Shelf;
use crate::http::context::Context;
use crate::http::route::Route;

const JSON: &str = "application/json";

pub(super) fn routes() -> Vec<Route<Context>> {
    let mut table = proxies(Shelf::Functions, "functions");
    table.extend(proxies(Shelf::Services, "services"));
    const PUSH: &str = "/workspaces/{ws}/platforms/{pl}/services";
    table.push(
        Route::new(Method::POST, format!("{PUSH}/"), "editor_push_service", platform::push)
            .summary("Package the project of a service and upload it to a platform")
            .description(
                "The project has to hold exactly one service. Afterwards the service and the functions it uses are \
                 published to the workspace's private catalogue.",
            )
            .body(&[(JSON, json!({ "type": "object", "required": ["id"] }))])
            .answer(200, "The platform has this package already.", &object())
            .answer(201, "`message`, and `service_uuid` as the platform gave it.", &object())
            .errors(&[400, 401, 403, 404, 409, 502, 504]),
    );
    table.push(moved(PUSH, "push_service", Method::POST));
    table
}

fn object() -> [(&'static str, Value); 1] {
    [(JSON, json!({ "type": "object" }))]
}

fn moved(path: &str, name: &str, method: Method) -> Route<Context> {
    let id = format!("editor_slash_{}_{name}", method.as_str().to_ascii_lowercase());
    Route::new(method, path, &id, slashed)
        .summary("Moved: it is there with a slash at the end")
        .empty(301, "Where it is.")
        .errors(&[401])
}

/// The resources of one sort in a catalogue.
fn proxies(shelf: Shelf, sort: &str) -> Vec<Route<Context>> {
    let list = format!("/workspaces/{{ws}}/catalogues/{{cat}}/{sort}");
    let all = format!("{list}/");
    let one = format!("{list}/{{uid}}");
    let made = if shelf == Shelf::Functions { 201 } else { 200 };
    let id = |verb: &str| format!("editor_{verb}_catalogue_{sort}");
    let of = |text: &str| format!("{text} (vendor:name:version)");
    let table = vec![
        Route::new(Method::GET, &all, &id("list"), proxy::list)
            .summary(&format!("The {sort} that a catalogue has"))
            .answer(
                200,
                "Descriptors with their ids.",
                &[(JSON, json!({ "type": "array", "items": { "type": "object" } }))],
            )
            .errors(&[400, 401, 404, 502, 504]),
        Route::new(Method::POST, &all, &id("post"), proxy::post)
            .summary("Publish one of the workspace's own, by its number, to a catalogue")
            .body(&[(JSON, json!({ "type": "object", "required": ["id"] }))])
            .answer(made, "The descriptor as the catalogue has it, with its id.", &object())
            .errors(&[400, 401, 403, 404, 409, 502, 504]),
        Route::new(Method::GET, &one, &id("get"), proxy::get)
            .summary(&of("A catalogue's descriptor"))
            .answer(200, "The descriptor with its id.", &object())
            .errors(&[400, 401, 404, 502, 504]),
        Route::new(Method::PUT, &one, &id("put"), proxy::put)
            .summary(&of("Replace a catalogue's descriptor"))
            .body(&[(JSON, json!({ "type": "object", "required": ["descriptor"] }))])
            .empty(200, "Replaced.")
            .errors(&[400, 401, 403, 404, 409, 502, 504]),
        Route::new(Method::DELETE, &one, &id("delete"), proxy::delete)
            .summary(&of("Delete a catalogue's descriptor"))
            .empty(200, "Deleted.")
            .errors(&[400, 401, 403, 404, 502, 504]),
    ];
    let moves = [Method::GET, Method::POST].map(|method| moved(&list, &format!("catalogue_{sort}"), method));
    table.into_iter().chain(moves).map(|route| route.layered(Extension(shelf))).collect()
}
