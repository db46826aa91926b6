//! A SONATA catalogue of our own, in the shape that our client calls: descriptors and packages in
//! the shared workspace, so that one workleaf publishes to another (contracts/editor.md 1.8, 1.9).
//!
//! Whoever may read the shared workspace may read it here, nobody in particular when it is public.
//! Changes need somebody's credentials.

mod descriptors;
mod packages;

use axum::Extension;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::engine::Error;
use crate::http::context::Context;
use crate::http::fault::Fault;
use crate::http::parameters::Parameters;
use crate::http::route::Route;

pub(super) use descriptors::Shelf;

type Answer = Result<Response, Fault>;

const BASE: &str = "/catalogues/api/v2";

/// Most entries of one list; more by `offset`.
const LISTED: usize = 10_000;

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body.to_string()).into_response()
}

/// Which entries a list is to hold.
#[derive(Debug, Default)]
struct Wanted {
    vendor: Option<String>,
    name: Option<String>,
    version: Option<String>,
    limit: usize,
    offset: usize,
}

impl Wanted {
    fn of(parameters: &Parameters) -> Result<Self, Error> {
        parameters.only(&["vendor", "name", "version", "limit", "offset"])?;
        let text = |name: &str| parameters.get(name).map(str::to_owned);
        Ok(Wanted {
            vendor: text("vendor"),
            name: text("name"),
            version: text("version"),
            limit: parameters.number("limit", LISTED, LISTED)?,
            offset: parameters.number("offset", 0, crate::http::parameters::OFFSET_MOST)?,
        })
    }

    fn admits(&self, vendor: &str, name: &str, version: &str) -> bool {
        let is = |wanted: &Option<String>, given: &str| wanted.as_deref().is_none_or(|wanted| wanted == given);
        is(&self.vendor, vendor) && is(&self.name, name) && is(&self.version, version)
    }
}

/// One list and its entries, for each sort of content, with and without a trailing slash.
pub(super) fn routes() -> Vec<Route<Context>> {
    let mut table = Vec::new();
    for slash in ["", "/"] {
        for shelf in [Shelf::Functions, Shelf::Services] {
            let of_shelf = descriptor_routes(shelf, slash);
            table.extend(of_shelf.into_iter().map(|route| route.layered(Extension(shelf)).tag("catalogue")));
        }
        table.extend(package_routes(slash).into_iter().map(|route| route.tag("catalogue")));
    }
    table
}

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
pub(super) const ZIP: &str = "application/zip";

fn listed(route: Route<Context>) -> Route<Context> {
    let text = || json!({ "type": "string" });
    let whole = || json!({ "type": "integer", "minimum": 0 });
    route
        .query("vendor", text(), "Only those of this vendor.")
        .query("name", text(), "Only those of this name.")
        .query("version", text(), "Only those of this version.")
        .query("limit", whole(), "At most this many, by default and at most 10000.")
        .query("offset", whole(), "Leave out this many first.")
        .errors(&[400, 401])
}

/// With `If-Match`, honoured when it is sent.
fn conditional(route: Route<Context>) -> Route<Context> {
    route.header("If-Match", false, "The stored file's etag; without it the newest state is changed.")
}

fn id(verb: &str, what: &str, slash: &str) -> String {
    let tail = if slash.is_empty() { "" } else { "_slash" };
    format!("catalogue_{verb}_{}{tail}", what.replace('-', "_"))
}

fn descriptor_routes(shelf: Shelf, slash: &str) -> Vec<Route<Context>> {
    let plural = shelf.plural();
    let id = |verb: &str| id(verb, plural, slash);
    let all = format!("{BASE}/{plural}{slash}");
    let one = format!("{BASE}/{plural}/vendor/{{vendor}}/name/{{name}}/version/{{version}}{slash}");
    let object = || [(JSON, json!({ "type": "object" }))];
    let body = || [(JSON, json!({ "type": "object" })), (YAML, json!({ "type": "object" }))];
    vec![
        listed(Route::new(Method::GET, &all, &id("list"), descriptors::list))
            .summary(&format!("The catalogue's {}", shelf.title()))
            .answer(200, "The descriptors.", &[(JSON, json!({ "type": "array", "items": { "type": "object" } }))]),
        Route::new(Method::POST, &all, &id("post"), descriptors::post)
            .summary(&format!("Publish to the catalogue's {}", shelf.title()))
            .body(&body())
            .answer(200, "It was there already, the same.", &object())
            .answer(201, "The descriptor.", &object())
            .errors(&[400, 401, 403, 409, 413, 415, 422, 503]),
        Route::new(Method::GET, &one, &id("get"), descriptors::get)
            .summary(&format!("One of the catalogue's {}", shelf.title()))
            .answer(200, "The descriptor.", &object())
            .errors(&[400, 401, 404]),
        conditional(Route::new(Method::PUT, &one, &id("put"), descriptors::put))
            .summary("Replace a descriptor; one of another identity is published beside it")
            .body(&body())
            .answer(200, "The descriptor.", &object())
            .errors(&[400, 401, 403, 404, 409, 412, 413, 415, 422, 503]),
        conditional(Route::new(Method::DELETE, &one, &id("delete"), descriptors::delete))
            .summary("Take a descriptor out of the catalogue")
            .answer(200, "It is gone.", &object())
            .errors(&[400, 401, 403, 404, 412, 503]),
    ]
}

fn package_routes(slash: &str) -> Vec<Route<Context>> {
    let id = |verb: &str| id(verb, "packages", slash);
    let all = format!("{BASE}/packages{slash}");
    let one = format!("{BASE}/packages/vendor/{{vendor}}/name/{{name}}/version/{{version}}{slash}");
    let object = || [(JSON, json!({ "type": "object" }))];
    let file = || json!({ "type": "string", "format": "binary" });
    let form = json!({ "type": "object", "required": ["package"], "properties": { "package": file() } });
    let body = || [("multipart/form-data", form.clone()), (ZIP, file())];
    vec![
        listed(Route::new(Method::GET, &all, &id("list"), packages::list)).summary("The catalogue's packages").answer(
            200,
            "Their manifests.",
            &[(JSON, json!({ "type": "array", "items": { "type": "object" } }))],
        ),
        Route::new(Method::POST, &all, &id("post"), packages::post)
            .summary("Publish a package (.son), as service platforms take them")
            .body(&body())
            .answer(201, "`service_uuid` and the package's identity.", &object())
            .errors(&[400, 401, 403, 409, 413, 415, 503]),
        Route::new(Method::GET, &one, &id("get"), packages::get)
            .summary("A package's manifest; its file for Accept: application/zip")
            .answer(200, "The manifest, or the file.", &[(JSON, json!({ "type": "object" })), (ZIP, file())])
            .errors(&[400, 401, 404]),
        conditional(Route::new(Method::PUT, &one, &id("put"), packages::put))
            .summary("Replace a package by one of the same identity")
            .body(&body())
            .answer(200, "`service_uuid` and the package's identity.", &object())
            .errors(&[400, 401, 403, 404, 409, 412, 413, 415, 503]),
        conditional(Route::new(Method::DELETE, &one, &id("delete"), packages::delete))
            .summary("Take a package out of the catalogue")
            .answer(200, "It is gone.", &object())
            .errors(&[400, 401, 403, 404, 412, 503]),
    ]
}
