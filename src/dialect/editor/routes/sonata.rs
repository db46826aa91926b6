//! Workspaces, their catalogues and platforms, projects.

use axum::Extension;
use axum::http::Method;

use super::{array, object};
use crate::dialect::editor::answer::slashed;
use crate::dialect::editor::schemas::{self, Schemas};
use crate::dialect::editor::sonata::workspace::Sort;
use crate::dialect::editor::{projects, servers, workspaces};
use crate::http::context::Context;
use crate::http::route::Route;

pub(super) fn routes() -> Vec<Route<Context>> {
    let mut table = workspaces();
    table.extend(servers(Sort::Catalogue));
    table.extend(servers(Sort::Platform));
    table.extend(projects());
    table.extend(descriptor_schemas());
    table
}

/// A collection without its slash.
fn moved(path: &str, name: &str) -> [Route<Context>; 2] {
    [(Method::GET, "get"), (Method::POST, "post")].map(|(method, verb)| {
        Route::new(method, path, &format!("editor_slash_{verb}_{name}"), slashed)
            .summary("Moved: it is there with a slash at the end")
            .empty(301, "Where it is.")
            .errors(&[401])
    })
}

/// With `If-Match`, honoured when it is sent.
fn conditional(route: Route<Context>) -> Route<Context> {
    route.header("If-Match", false, "The ETag that was read; without it the newest state is changed.")
}

fn workspaces() -> Vec<Route<Context>> {
    const LIST: &str = "/workspaces/";
    const ONE: &str = "/workspaces/{ws}";
    let mut table = vec![
        Route::new(Method::GET, LIST, "editor_list_workspaces", workspaces::list_workspaces)
            .summary("Your workspaces and those that you were let into, in order of creation")
            .answer(200, "The workspaces.", &array())
            .errors(&[401]),
        Route::new(Method::POST, LIST, "editor_post_workspace", workspaces::post_workspace)
            .summary("Make a workspace; the catalogues and platforms that are given have to answer")
            .body(&object())
            .answer(201, "The workspace.", &object())
            .errors(&[400, 401, 403, 404, 409, 413, 415]),
        Route::new(Method::GET, ONE, "editor_get_workspace", workspaces::get_workspace)
            .summary("One workspace")
            .answer(200, "The workspace.", &object())
            .errors(&[401, 404]),
        conditional(Route::new(Method::PUT, ONE, "editor_put_workspace", workspaces::put_workspace))
            .summary("Rename a workspace, replace its catalogues and platforms")
            .body(&object())
            .answer(200, "The workspace.", &object())
            .errors(&[400, 401, 403, 404, 409, 412, 413, 415]),
        conditional(Route::new(Method::DELETE, ONE, "editor_delete_workspace", workspaces::delete_workspace))
            .summary("Delete a workspace and its history")
            .answer(200, "What it was.", &object())
            .errors(&[401, 403, 404, 412]),
    ];
    table.extend(moved("/workspaces", "workspaces"));
    table
}

fn servers(sort: Sort) -> Vec<Route<Context>> {
    let (one, all, key) = match sort {
        Sort::Catalogue => ("catalogue", "catalogues", "cat"),
        Sort::Platform => ("platform", "platforms", "pl"),
    };
    let list = format!("/workspaces/{{ws}}/{all}/");
    let item = format!("{list}{{{key}}}");
    let id = |verb: &str, what: &str| format!("editor_{verb}_{what}");
    let mut table = vec![
        Route::new(Method::GET, &*list, &id("list", all), servers::list)
            .summary(&format!("A workspace's {all}"))
            .answer(200, "Each with id, name and url.", &array())
            .errors(&[401, 404]),
        Route::new(Method::POST, &*list, &id("post", one), servers::post)
            .summary(&format!("Add a {one}; its server is not asked"))
            .body(&object())
            .answer(201, "With its id.", &object())
            .errors(&[400, 401, 403, 404, 409, 413, 415]),
        Route::new(Method::GET, &*item, &id("get", one), servers::get)
            .summary(&format!("One {one}"))
            .answer(200, "Its id, name and url.", &object())
            .errors(&[401, 404]),
        conditional(Route::new(Method::PUT, &*item, &id("put", one), servers::put))
            .summary(&format!("Change a {one}'s name and address; its id stays"))
            .body(&object())
            .answer(200, "As it is now.", &object())
            .errors(&[400, 401, 403, 404, 409, 412, 413, 415]),
        conditional(Route::new(Method::DELETE, &*item, &id("delete", one), servers::delete))
            .summary(&format!("Take a {one} away"))
            .answer(200, "What it was.", &object())
            .errors(&[400, 401, 403, 404, 409, 412]),
    ];
    table.extend(moved(list.trim_end_matches('/'), all));
    table.into_iter().map(|route| route.layered(Extension(sort))).collect()
}

fn projects() -> Vec<Route<Context>> {
    const LIST: &str = "/workspaces/{ws}/projects/";
    const ONE: &str = "/workspaces/{ws}/projects/{pj}";
    let mut table = vec![
        Route::new(Method::GET, LIST, "editor_list_projects", projects::list_projects)
            .summary("A workspace's projects in order of creation")
            .answer(200, "The projects.", &array())
            .errors(&[401, 404]),
        Route::new(Method::POST, LIST, "editor_post_project", projects::post_project)
            .summary("Make a project with a sample service and the function that it uses")
            .body(&object())
            .answer(201, "The project.", &object())
            .errors(&[400, 401, 403, 404, 409, 413, 415]),
        Route::new(Method::GET, ONE, "editor_get_project", projects::get_project)
            .summary("One project")
            .answer(200, "The project.", &object())
            .errors(&[401, 404]),
        conditional(Route::new(Method::PUT, ONE, "editor_put_project", projects::put_project))
            .summary("Rename a project, change what it says of itself; its id stays")
            .body(&object())
            .answer(200, "The project.", &object())
            .errors(&[400, 401, 403, 404, 409, 412, 413, 415]),
        conditional(Route::new(Method::DELETE, ONE, "editor_delete_project", projects::delete_project))
            .summary("Delete a project with all its files")
            .answer(200, "What it was.", &object())
            .errors(&[401, 403, 404, 412]),
    ];
    table.extend(moved("/workspaces/{ws}/projects", "projects"));
    table
}

fn descriptor_schemas() -> Vec<Route<Context>> {
    const LIST: &str = "/workspaces/{ws}/schema/";
    let mut table = vec![
        Route::new(Method::GET, LIST, "editor_list_schemas", schemas::list_schemas)
            .summary("Where schemas of descriptors come from; a workspace's schema_index counts them")
            .answer(200, "Each with name and url.", &array())
            .errors(&[401, 404]),
        Route::new(Method::GET, "/workspaces/{ws}/schema/{sort}", "editor_get_schema", schemas::get_schema)
            .summary("The schema of functions (vnf) or services (ns) that holds in the workspace, of draft 4")
            .answer(200, "A JSON Schema.", &object())
            .errors(&[401, 404])
            .layered(Extension(Schemas::default())),
    ];
    let [get, _] = moved("/workspaces/{ws}/schema", "schemas");
    table.push(get);
    table
}
