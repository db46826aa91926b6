//! The OpenAPI 3.1 document, built from the route table and the kinds' schemas.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::route::Route;

/// The document over all routes; `schemas` are its `components/schemas`.
pub fn document<S>(routes: &[Route<S>], schemas: Map<String, Value>, description: &str) -> Value {
    let mut paths = Map::new();
    for route in routes {
        let (path, captures) = template(&route.path);
        let mut operation = route.operation.clone();
        if let Some(parameters) = operation["parameters"].as_array_mut() {
            for (at, name) in captures.iter().enumerate() {
                parameters.insert(
                    at,
                    json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }),
                );
            }
        }
        let method = route.method.as_str().to_ascii_lowercase();
        if let Some(item) = paths.entry(path).or_insert_with(|| json!({})).as_object_mut() {
            item.insert(method, operation);
        }
    }
    let responses = ERRORS.iter().map(|status| {
        let text = StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error");
        let content = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } });
        (error_name(*status), json!({ "description": text, "content": content }))
    });
    let mut schemas = schemas;
    schemas.insert("Error".into(), error_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "workleaf",
            "version": env!("CARGO_PKG_VERSION"),
            "description": description,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "security": [{}, { "basic": [] }, { "bearer": [] }, { "session": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "basic": { "type": "http", "scheme": "basic", "description": "Account and password, or account and access token." },
                "bearer": { "type": "http", "scheme": "bearer", "description": "An access token (wl_...) or a signed token of GET /login." },
                "session": { "type": "apiKey", "in": "cookie", "name": "session", "description": "Set by logging in." },
            },
            "responses": Map::from_iter(responses),
            "schemas": schemas,
        },
    })
}

/// The statuses that have a shared error response.
const ERRORS: [u16; 16] = [400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429, 500, 502, 503, 504, 507];

/// The name of the shared response of an error status.
pub fn error_name(status: u16) -> String {
    debug_assert!(ERRORS.contains(&status), "{status} has no shared response");
    format!("Error{status}")
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "required": ["message", "status_code", "payload"],
        "properties": {
            "message": { "type": "string", "description": "What is wrong and what to do." },
            "status_code": { "type": "integer" },
            "payload": { "type": "object", "description": "Particulars, for example violations or valid names." },
        },
    })
}

/// A kind's schema as a component: its local references start at the component.
pub fn component(schema: &Value, name: &str) -> Value {
    fn moved(value: &Value, base: &str) -> Value {
        match value {
            Value::Object(map) => Value::Object(Map::from_iter(map.iter().map(|(key, inner)| {
                let inner = match (key.as_str(), inner) {
                    ("$ref", Value::String(target)) if target.starts_with("#/") => {
                        json!(format!("{base}{}", &target[1..]))
                    }
                    ("$ref", Value::String(target)) if target == "#" => json!(base),
                    _ => moved(inner, base),
                };
                (key.clone(), inner)
            }))),
            Value::Array(items) => items.iter().map(|item| moved(item, base)).collect(),
            other => other.clone(),
        }
    }
    let mut component = moved(schema, &format!("#/components/schemas/{name}"));
    if let Some(map) = component.as_object_mut() {
        map.remove("$schema");
        map.remove("$id");
    }
    component
}

/// axum's path as OpenAPI writes it, and its captures.
fn template(path: &str) -> (String, Vec<String>) {
    let mut captures = Vec::new();
    let segments: Vec<String> = path
        .split('/')
        .map(|segment| match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
            Some(name) => {
                let name = name.trim_start_matches('*');
                captures.push(name.to_owned());
                format!("{{{name}}}")
            }
            None => segment.to_owned(),
        })
        .collect();
    (segments.join("/"), captures)
}
