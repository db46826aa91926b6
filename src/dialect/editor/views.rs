//! What can be seen of a service beside its descriptor: its picture and what is wrong with it.

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::answer::{Answer, json as answer};
use super::check::{self, Subject};
use super::descriptors::meta;
use super::descriptors::shelf::{Descriptor, Shelf, Sort};
use super::fault::EditorFault;
use super::gate::{InProject, Last};
use super::graph;
use super::neighbours::{Neighbours, uid};
use super::topology::Topology;
use crate::base::blocking;
use crate::engine::Reader;
use crate::http::conditions::{answer_etag, is_fresh};
use crate::http::context::Context;
use crate::http::route::Route;
use crate::resource::document::Format;

const SVG: &str = "image/svg+xml";

fn service(reader: &Reader, at: &InProject, id: u64) -> Result<Descriptor, EditorFault> {
    let found = Shelf::new(reader, at, Sort::Service)?.by_id(id)?;
    found.ok_or_else(|| EditorFault::not_found(format!("No Service matching id {id}")))
}

/// `GET .../services/{ns}/check`.
async fn check_service(at: InProject, Last(id): Last) -> Answer {
    let body = blocking::run(move || {
        let reader = at.workspace.reader();
        let service = service(&reader, &at, id)?;
        let neighbours = Neighbours::new(&reader, &at).judged(&service)?;
        let bytes = reader.bytes(&service.found.row, service.etag())?;
        let path = &*service.found.row.path;
        let mut body = check::check(&Subject {
            descriptor: &service.value,
            text: std::str::from_utf8(&bytes).unwrap_or_default(),
            format: Format::of(path).unwrap_or(Format::Yaml),
            violations: &service.content.violations,
            neighbours: &neighbours,
        });
        body["uid"] = json!(uid(&service));
        body["path"] = json!(path);
        body["etag"] = json!(service.etag().to_string());
        Ok::<Value, EditorFault>(body)
    });
    Ok(answer(StatusCode::OK, &body.await?))
}

/// `GET .../services/{ns}/graph.svg`.
async fn draw_service(at: InProject, Last(id): Last, headers: HeaderMap) -> Answer {
    let drawn = blocking::run(move || {
        let reader = at.workspace.reader();
        let service = service(&reader, &at, id)?;
        let found = Neighbours::new(&reader, &at).of(&service.value)?;
        let descriptor = |part: usize| Some(&found.get(part)?.as_ref()?.descriptor.value);
        let topology = Topology::read(&service.value, descriptor);
        let meta = meta::read(&reader, &at, &service)?;
        let svg = graph::svg(&uid(&service), &topology, &meta);
        Ok::<_, EditorFault>((svg, service.etag()))
    });
    let (svg, etag) = drawn.await?;
    let tag = answer_etag(etag, svg.as_bytes());
    let mut response = if is_fresh(&headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, HeaderValue::from_static(SVG))], svg).into_response()
    };
    let headers = response.headers_mut();
    // A picture runs nothing, whoever opens it on a page of its own.
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    );
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    Ok(response)
}

pub(super) fn routes() -> Vec<Route<Context>> {
    const ONE: &str = "/workspaces/{ws}/projects/{pj}/services/{ns}";
    vec![
        Route::new(Method::GET, format!("{ONE}/check"), "editor_get_check", check_service)
            .summary("What is wrong with a service's network")
            .description(
                "References without a descriptor, links without a point, paths that go nowhere: each finding has a \
                 severity (error, warning, note), a code, a JSON pointer, line and column in the stored file, and a \
                 message. `valid` is true where there are no errors.",
            )
            .answer(200, "The findings.", &[("application/json", json!({ "type": "object" }))])
            .errors(&[401, 404]),
        Route::new(Method::GET, format!("{ONE}/graph.svg"), "editor_get_graph", draw_service)
            .summary("A picture of a service's network")
            .answer(200, "The picture.", &[(SVG, json!({ "type": "string" }))])
            .empty(304, "The client has it.")
            .errors(&[401, 404]),
    ]
}
