//! Component types and components, as the clients of the Distributed CI control server know them.
//! The numbers in names of tests are those of the original's own tests.

mod components;
mod componenttypes;
mod conventions;
mod generic;
mod lists;
mod races;
mod refusals;

use serde_json::{Value, json};

use crate::support::Client;

const TYPES: &str = "/api/v1/componenttypes";
const COMPONENTS: &str = "/api/v1/components";

/// A new type, as the answer shows it.
async fn new_type(client: &Client, name: &str) -> Value {
    client.post(TYPES, json!({ "name": name })).await.expect(201).inner()
}

/// A new component of a type.
async fn new_component(client: &Client, name: &str, of: &Value) -> Value {
    client.post(COMPONENTS, json!({ "name": name, "componenttype_id": of["id"] })).await.expect(201).inner()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("no text {key} in {value}"))
}

/// The address of one object.
fn at(base: &str, object: &Value) -> String {
    format!("{base}/{}", text(object, "id"))
}

/// The objects and the count of a list.
async fn list(client: &Client, address: &str) -> (Vec<Value>, u64) {
    let body = client.get(address).await.expect(200).json();
    let plural = if body.get("componenttypes").is_some() { "componenttypes" } else { "components" };
    let objects = body[plural].as_array().unwrap_or_else(|| panic!("no list in {body}")).clone();
    (objects, body["_meta"]["count"].as_u64().expect("a count"))
}

/// The names in a list, in its order.
async fn names(client: &Client, address: &str) -> Vec<String> {
    list(client, address).await.0.iter().map(|object| text(object, "name").to_owned()).collect()
}
