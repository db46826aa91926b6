//! The routes of functions, services, images, the private catalogue and the look-up.

use axum::http::Method;
use serde_json::{Value, json};

use super::{functions, images, lookup, private, services};
use crate::dialect::editor::answer::slashed;
use crate::http::context::Context;
use crate::http::route::Route;

const JSON: &str = "application/json";
const TEXT: &str = "text/plain";
const FORM: &str = "multipart/form-data";
const PROJECT: &str = "/workspaces/{ws}/projects/{pj}";

fn object() -> [(&'static str, Value); 1] {
    [(JSON, json!({ "type": "object" }))]
}

fn array(items: &str) -> [(&'static str, Value); 1] {
    [(JSON, json!({ "type": "array", "items": { "type": items } }))]
}

fn text() -> [(&'static str, Value); 1] {
    [(TEXT, json!({ "type": "string" }))]
}

pub(in crate::dialect::editor) fn routes() -> Vec<Route<Context>> {
    [of_functions(), of_services(), of_images(), of_catalogue()].into_iter().flatten().collect()
}

fn of_functions() -> Vec<Route<Context>> {
    let all = format!("{PROJECT}/functions/");
    let one = format!("{PROJECT}/functions/{{vnf}}");
    vec![
        Route::new(Method::GET, format!("{PROJECT}/functions"), "editor_slash_functions", slashed)
            .summary("Moved: with a slash at the end")
            .empty(301, "Where it is.")
            .errors(&[401]),
        Route::new(Method::GET, &all, "editor_list_functions", functions::list_functions)
            .summary("A project's functions in order of creation")
            .answer(200, "The functions.", &array("object"))
            .errors(&[401, 404]),
        Route::new(Method::POST, &all, "editor_post_function", functions::post_function)
            .summary("Make a function: {\"descriptor\"}")
            .body(&object())
            .answer(201, "The function.", &object())
            .errors(&[400, 401, 403, 404, 409, 413, 415, 503]),
        Route::new(Method::GET, &one, "editor_get_function", functions::get_function)
            .summary("One function")
            .answer(200, "The function.", &object())
            .errors(&[401, 404]),
        Route::new(Method::PUT, &one, "editor_put_function", functions::put_function)
            .summary("Change a function: {\"descriptor\", \"edit_mode\": \"replace_refs\" or \"create_new\"}")
            .description(
                "With another vendor, name or version it moves, its files with it, and services that refer to it \
                 follow (replace_refs) or keep it, and a new function is made (create_new).",
            )
            .header("If-Match", false, "The etag.")
            .body(&object())
            .answer(200, "The function as it is now.", &object())
            .errors(&[400, 401, 403, 404, 409, 412, 413, 415, 503]),
        Route::new(Method::DELETE, &one, "editor_delete_function", functions::delete_function)
            .summary("Delete a function with its files, unless a service refers to it")
            .header("If-Match", false, "The etag.")
            .answer(200, "The function as it was.", &object())
            .errors(&[400, 401, 403, 404, 409, 412, 503]),
        Route::new(Method::GET, format!("{one}/publish"), "editor_publish_function", private::publish_function)
            .summary("Put a function into the workspace's private catalogue")
            .answer(201, "It is there.", &object())
            .errors(&[400, 401, 403, 404, 409, 503]),
    ]
}

fn of_services() -> Vec<Route<Context>> {
    let all = format!("{PROJECT}/services/");
    let one = format!("{PROJECT}/services/{{ns}}");
    vec![
        Route::new(Method::GET, format!("{PROJECT}/services"), "editor_slash_services", slashed)
            .summary("Moved: with a slash at the end")
            .empty(301, "Where it is.")
            .errors(&[401]),
        Route::new(Method::GET, &all, "editor_list_services", services::list_services)
            .summary("A project's services in order of creation")
            .answer(200, "The services.", &array("object"))
            .errors(&[401, 404]),
        Route::new(Method::POST, &all, "editor_post_service", services::post_service)
            .summary("Make a service: {\"descriptor\", \"meta\"}")
            .body(&object())
            .answer(201, "The service.", &object())
            .errors(&[400, 401, 403, 404, 409, 413, 415, 503]),
        Route::new(Method::GET, &one, "editor_get_service", services::get_service)
            .summary("One service")
            .answer(200, "The service.", &object())
            .errors(&[401, 404]),
        Route::new(Method::PUT, &one, "editor_put_service", services::put_service)
            .summary("Change a service: {\"descriptor\"?, \"meta\"?}")
            .description(
                "With another vendor, name or version it moves; where other services refer to it, they keep it, and a \
                 new one is made.",
            )
            .header("If-Match", false, "The etag.")
            .body(&object())
            .answer(200, "The service as it is now.", &object())
            .errors(&[400, 401, 403, 404, 409, 412, 413, 415, 503]),
        Route::new(Method::DELETE, &one, "editor_delete_service", services::delete_service)
            .summary("Delete a service, unless another one refers to it")
            .header("If-Match", false, "The etag.")
            .answer(200, "The service as it was.", &object())
            .errors(&[400, 401, 403, 404, 409, 412, 503]),
        Route::new(Method::GET, format!("{one}/publish"), "editor_publish_service", private::publish_service)
            .summary("Put a service into the workspace's private catalogue")
            .answer(201, "It is there.", &object())
            .errors(&[400, 401, 403, 404, 409, 503]),
    ]
}

fn of_images() -> Vec<Route<Context>> {
    let all = format!("{PROJECT}/functions/{{vnf}}/upload");
    let form = json!({ "type": "object", "properties": { "image": { "type": "string", "format": "binary" } } });
    vec![
        Route::new(Method::GET, &all, "editor_list_images", images::list_images)
            .summary("Names of the files beside a function's descriptor")
            .answer(200, "The names.", &array("string"))
            .errors(&[401, 404]),
        Route::new(Method::POST, &all, "editor_post_image", images::post_image)
            .summary("Store a file beside a function's descriptor; an older one of its name is replaced")
            .body(&[(FORM, form)])
            .answer(200, "The name that it has now.", &text())
            .errors(&[400, 401, 403, 404, 409, 413, 503]),
        Route::new(Method::DELETE, format!("{all}/{{filename}}"), "editor_delete_image", images::delete_image)
            .summary("Delete a file beside a function's descriptor")
            .answer(200, "It is gone.", &text())
            .errors(&[400, 401, 403, 404, 503]),
    ]
}

fn of_catalogue() -> Vec<Route<Context>> {
    let by_name = |sort: &str| format!("{PROJECT}/nsfs/{sort}/{{vendor}}/{{name}}/{{version}}");
    vec![
        Route::new(
            Method::GET,
            "/workspaces/{ws}/functions",
            "editor_list_private_functions",
            private::list_private_functions,
        )
        .summary("The functions of the workspace's private catalogue")
        .answer(200, "The functions.", &array("object"))
        .errors(&[401, 404]),
        Route::new(
            Method::GET,
            "/workspaces/{ws}/services",
            "editor_list_private_services",
            private::list_private_services,
        )
        .summary("The services of the workspace's private catalogue")
        .answer(200, "The services.", &array("object"))
        .errors(&[401, 404]),
        Route::new(Method::GET, by_name("functions"), "editor_get_named_function", lookup::find_function)
            .summary("A function by its identity: of the project, the private catalogue, or the other catalogues")
            .answer(200, "The function.", &object())
            .errors(&[401, 404]),
        Route::new(Method::GET, by_name("services"), "editor_get_named_service", lookup::find_service)
            .summary("A service by its identity: of the project, the private catalogue, or the other catalogues")
            .answer(200, "The service.", &object())
            .errors(&[401, 404]),
    ]
}
