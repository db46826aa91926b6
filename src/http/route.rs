//! The route table: every dialect adds its routes here, each with what OpenAPI says of it, so that
//! the router and the document cannot differ.

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tower::Layer;

use super::parameters::Parameters;

/// One operation: how it is reached, what answers it, what the document says.
pub struct Route<S> {
    pub method: Method,
    /// axum's syntax, `{name}` and `{*rest}`.
    pub path: String,
    handler: MethodRouter<S>,
    /// Whether it logs in or out, so that the cookie has to be set or cleared.
    pub has_session: bool,
    /// The OpenAPI operation object (OpenAPI 3.1, section 4.8.10).
    pub operation: Value,
}

impl<S: Clone + Send + Sync + 'static> Route<S> {
    pub fn new<H, T>(method: Method, path: impl Into<String>, id: &str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).expect("only standard methods are mounted");
        Route {
            method,
            path: path.into(),
            handler: on(filter, handler),
            has_session: false,
            operation: json!({ "operationId": id, "parameters": [], "responses": {} }),
        }
    }

    /// The handler takes a [`tower_sessions::Session`].
    pub fn with_session(mut self) -> Self {
        self.has_session = true;
        self
    }

    /// Wraps this route's handler.
    pub fn layered<L>(mut self, layer: L) -> Self
    where
        L: Layer<axum::routing::Route> + Clone + Send + Sync + 'static,
        L::Service: tower::Service<Request, Error = std::convert::Infallible> + Clone + Send + Sync + 'static,
        <L::Service as tower::Service<Request>>::Response: axum::response::IntoResponse + 'static,
        <L::Service as tower::Service<Request>>::Future: Send + 'static,
    {
        self.handler = self.handler.layer(layer);
        self
    }

    /// Lets another route answer what this one is asked with a query parameter of this name.
    pub fn with_parameter(mut self, name: &'static str, other: Route<S>) -> Self {
        let filter = MethodFilter::try_from(self.method.clone()).expect("only standard methods are mounted");
        self.handler = on(filter, ByParameter { name, with: other.handler, without: self.handler });
        self
    }

    pub fn tag(self, tag: &str) -> Self {
        self.set("tags", json!([tag]))
    }

    pub fn summary(self, text: &str) -> Self {
        self.set("summary", json!(text))
    }

    pub fn description(self, text: &str) -> Self {
        self.set("description", json!(text))
    }

    /// A query parameter; `schema` as in `{"type": "integer"}`.
    pub fn query(self, name: &str, schema: Value, text: &str) -> Self {
        self.parameter(json!({ "name": name, "in": "query", "schema": schema, "description": text }))
    }

    /// A request header.
    pub fn header(self, name: &str, required: bool, text: &str) -> Self {
        self.parameter(
            json!({ "name": name, "in": "header", "required": required, "schema": { "type": "string" }, "description": text }),
        )
    }

    /// The request body, one entry per content type.
    pub fn body(self, contents: &[(&str, Value)]) -> Self {
        let value = json!({ "required": true, "content": contents_of(contents) });
        self.set("requestBody", value)
    }

    /// An answer with a body.
    pub fn answer(mut self, status: u16, text: &str, contents: &[(&str, Value)]) -> Self {
        self.operation["responses"][status.to_string()] =
            json!({ "description": text, "content": contents_of(contents) });
        self
    }

    /// An answer without a body.
    pub fn empty(mut self, status: u16, text: &str) -> Self {
        self.operation["responses"][status.to_string()] = json!({ "description": text });
        self
    }

    /// Answers in the error envelope.
    pub fn errors(mut self, statuses: &[u16]) -> Self {
        for status in statuses {
            self.operation["responses"][status.to_string()] =
                json!({ "$ref": format!("#/components/responses/{}", super::openapi::error_name(*status)) });
        }
        self
    }

    fn parameter(mut self, parameter: Value) -> Self {
        if let Some(parameters) = self.operation["parameters"].as_array_mut() {
            parameters.push(parameter);
        }
        self
    }

    fn set(mut self, key: &str, value: Value) -> Self {
        self.operation[key] = value;
        self
    }
}

/// One of two handlers, by whether the query names a parameter.
#[derive(Clone)]
struct ByParameter<S> {
    name: &'static str,
    with: MethodRouter<S>,
    without: MethodRouter<S>,
}

impl<S: Clone + Send + Sync + 'static> Handler<(), S> for ByParameter<S> {
    type Future = <MethodRouter<S> as Handler<(), S>>::Future;

    fn call(self, request: Request, state: S) -> Self::Future {
        let is_named = request.uri().query().is_some_and(|query| Parameters::parse(query).get(self.name).is_some());
        if is_named { self.with.call(request, state) } else { self.without.call(request, state) }
    }
}

fn contents_of(contents: &[(&str, Value)]) -> Value {
    let entries = contents.iter().map(|(kind, schema)| ((*kind).to_owned(), json!({ "schema": schema })));
    Value::Object(Map::from_iter(entries))
}

/// The router of a table; routes of one path are merged.
pub fn router<S: Clone + Send + Sync + 'static>(routes: Vec<Route<S>>) -> Router<S> {
    let mut paths: BTreeMap<String, MethodRouter<S>> = BTreeMap::new();
    for route in routes {
        let merged = paths.remove(&route.path).unwrap_or_default().merge(route.handler);
        paths.insert(route.path, merged);
    }
    paths.into_iter().fold(Router::new(), |router, (path, methods)| router.route(&path, methods))
}
