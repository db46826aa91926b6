//! Every route about accounts and access, each with its documentation.

use axum::http::Method;
use serde_json::{Value, json};

use super::{audit, groups, members, session, tokens, users};
use crate::http::context::Context;
use crate::http::route::Route;

const JSON: &str = "application/json";

fn object() -> Value {
    json!({ "type": "object" })
}

fn members_of(required: &[&str], properties: Value) -> [(&'static str, Value); 1] {
    let schema =
        json!({ "type": "object", "required": required, "additionalProperties": false, "properties": properties });
    [(JSON, schema)]
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn paged(route: Route<Context>) -> Route<Context> {
    route
        .query("limit", json!({ "type": "integer", "minimum": 0, "maximum": 1000, "default": 20 }), "Size of a page.")
        .query("offset", json!({ "type": "integer", "minimum": 0, "default": 0 }), "Entries to skip.")
}

/// Sessions, tokens, users, groups, members, the audit log.
pub(in crate::dialect::rest) fn routes() -> Vec<Route<Context>> {
    let mut table = vec![
        Route::new(Method::GET, "/api/v1/session", "get_session", session::get_session)
            .tag("access")
            .summary("Who you are")
            .answer(200, "Your account and what your credential is good for.", &[(JSON, object())])
            .errors(&[400, 401]),
        Route::new(Method::POST, "/api/v1/session", "post_session", session::post_session)
            .with_session()
            .tag("access")
            .summary("Log in with a password; the answer sets a session cookie")
            .body(&members_of(
                &["name", "password"],
                json!({ "name": text("The account."), "password": text("Its password.") }),
            ))
            .answer(200, "Who you are now.", &[(JSON, object())])
            .errors(&[400, 401, 403, 413, 415, 429]),
        Route::new(Method::DELETE, "/api/v1/session", "delete_session", session::delete_session)
            .with_session()
            .tag("access")
            .summary("Log out")
            .empty(204, "The session is over.")
            .errors(&[401, 403]),
        Route::new(Method::GET, "/api/v1/tokens", "list_tokens", tokens::list_tokens)
            .tag("access")
            .summary("Your access tokens, without their secrets")
            .answer(200, "The tokens.", &[(JSON, object())])
            .errors(&[400, 401, 403]),
        Route::new(Method::POST, "/api/v1/tokens", "post_token", tokens::post_token)
            .tag("access")
            .summary("Make an access token; the secret is shown only now")
            .body(&members_of(
                &["name"],
                json!({
                    "name": text("What it is for."),
                    "scope": { "enum": ["read", "write", "admin"], "default": "write" },
                    "expires_in_days": { "type": "integer", "minimum": 1, "maximum": 36500 },
                }),
            ))
            .answer(201, "The token.", &[(JSON, object())])
            .errors(&[400, 401, 403, 413, 415]),
        Route::new(Method::DELETE, "/api/v1/tokens/{id}", "delete_token", tokens::delete_token)
            .tag("access")
            .summary("Revoke an access token")
            .empty(204, "Revoked.")
            .errors(&[401, 403, 404]),
    ];
    table.extend(user_routes());
    table.extend(group_routes());
    table.extend(member_routes());
    let day = json!({ "type": "string", "format": "date-time" });
    let plain = json!({ "type": "string" });
    table.push(
        paged(Route::new(Method::GET, "/api/v1/audit", "list_audit", audit::list_audit))
            .tag("access")
            .summary("What happened to accounts and access, newest first; for administrators")
            .query("actor", plain.clone(), "Who did it.")
            .query("action", plain.clone(), "For example login.failed, or login for all that start so.")
            .query("subject", plain, "What it was done to.")
            .query("since", day.clone(), "At this time or later.")
            .query("until", day, "Before this time.")
            .answer(200, "The events.", &[(JSON, object())])
            .errors(&[400, 401, 403]),
    );
    table
}

fn user_routes() -> Vec<Route<Context>> {
    const USER: &str = "/api/v1/users/{name}";
    vec![
        paged(Route::new(Method::GET, "/api/v1/users", "list_users", users::list_users))
            .tag("access")
            .summary("All accounts; for administrators")
            .answer(200, "The accounts.", &[(JSON, object())])
            .errors(&[400, 401, 403]),
        Route::new(Method::POST, "/api/v1/users", "post_user", users::post_user)
            .tag("access")
            .summary("Make an account; for administrators")
            .body(&members_of(
                &["name"],
                json!({
                    "name": text("Letters, digits, ., _ and -."),
                    "email": text("For commits."),
                    "password": text("Without one, a password is made and shown once."),
                    "admin": { "type": "boolean", "default": false },
                }),
            ))
            .answer(201, "The account.", &[(JSON, object())])
            .errors(&[400, 401, 403, 409, 413, 415]),
        Route::new(Method::GET, USER, "get_user", users::get_user)
            .tag("access")
            .summary("An account: your own, or any for administrators")
            .answer(200, "The account.", &[(JSON, object())])
            .errors(&[401, 403, 404]),
        Route::new(Method::PATCH, USER, "patch_user", users::patch_user)
            .tag("access")
            .summary("Change an account; who is an administrator is for administrators to say")
            .body(&members_of(&[], json!({ "email": { "type": ["string", "null"] }, "admin": { "type": "boolean" } })))
            .answer(200, "The account.", &[(JSON, object())])
            .errors(&[400, 401, 403, 404, 409, 413, 415]),
        Route::new(Method::PUT, "/api/v1/users/{name}/password", "put_password", users::put_password)
            .tag("access")
            .summary("Change a password; ends all sessions, logins and tokens of the account")
            .body(&members_of(
                &["password"],
                json!({ "password": text("The new one."), "current": text("The one until now, when it is your own.") }),
            ))
            .empty(204, "Changed.")
            .errors(&[400, 401, 403, 404, 413, 415, 429]),
        Route::new(Method::DELETE, USER, "delete_user", users::delete_user)
            .tag("access")
            .summary("Delete an account; its workspaces stay; for administrators")
            .empty(204, "Deleted.")
            .errors(&[401, 403, 404, 409]),
        Route::new(
            Method::DELETE,
            "/api/v1/users/{name}/identities/{provider}/{subject}",
            "delete_identity",
            users::delete_identity,
        )
        .tag("access")
        .summary("Unlink an account from a login provider")
        .empty(204, "Unlinked.")
        .errors(&[401, 403, 404]),
    ]
}

fn group_routes() -> Vec<Route<Context>> {
    const GROUP: &str = "/api/v1/groups/{group}";
    const MEMBER: &str = "/api/v1/groups/{group}/members/{account}";
    vec![
        paged(Route::new(Method::GET, "/api/v1/groups", "list_groups", groups::list_groups))
            .tag("access")
            .summary("Your groups; all for administrators")
            .answer(200, "The groups.", &[(JSON, object())])
            .errors(&[400, 401]),
        Route::new(Method::POST, "/api/v1/groups", "post_group", groups::post_group)
            .tag("access")
            .summary("Make a group; for administrators")
            .body(&members_of(&["name"], json!({ "name": text("Any text."), "description": text("What it is.") })))
            .answer(201, "The group.", &[(JSON, object())])
            .errors(&[400, 401, 403, 409, 413, 415]),
        Route::new(Method::GET, GROUP, "get_group", groups::get_group)
            .tag("access")
            .summary("A group and its members")
            .answer(200, "The group.", &[(JSON, object())])
            .errors(&[401, 404]),
        Route::new(Method::PATCH, GROUP, "patch_group", groups::patch_group)
            .tag("access")
            .summary("Describe a group anew; for administrators")
            .body(&members_of(&["description"], json!({ "description": text("What it is.") })))
            .answer(200, "The group.", &[(JSON, object())])
            .errors(&[400, 401, 403, 404, 413, 415]),
        Route::new(Method::DELETE, GROUP, "delete_group", groups::delete_group)
            .tag("access")
            .summary("Delete a group and what it was granted; for administrators")
            .empty(204, "Deleted.")
            .errors(&[401, 403, 404]),
        Route::new(Method::PUT, MEMBER, "put_group_member", groups::put_member)
            .tag("access")
            .summary("Put an account into a group; for administrators")
            .empty(204, "It is in.")
            .errors(&[401, 403, 404]),
        Route::new(Method::DELETE, MEMBER, "delete_group_member", groups::delete_member)
            .tag("access")
            .summary("Take an account out of a group; for administrators")
            .empty(204, "It is out.")
            .errors(&[401, 403, 404]),
    ]
}

fn member_routes() -> Vec<Route<Context>> {
    const MEMBERS: &str = "/api/v1/workspaces/{owner}/{name}/members";
    const MEMBER: &str = "/api/v1/workspaces/{owner}/{name}/members/{who}";
    vec![
        Route::new(Method::GET, MEMBERS, "list_members", members::list_members)
            .tag("workspaces")
            .summary("Who else may do what here; for members")
            .answer(200, "Accounts, then groups, each with its role.", &[(JSON, object())])
            .errors(&[400, 401, 403, 404]),
        Route::new(Method::GET, MEMBER, "get_member", members::get_member)
            .tag("workspaces")
            .summary("The role of an account, or of a group as group:NAME")
            .answer(200, "The role.", &[(JSON, object())])
            .errors(&[401, 403, 404]),
        Route::new(Method::PUT, MEMBER, "put_member", members::put_member)
            .tag("workspaces")
            .summary("Give an account, or a group as group:NAME, a role here")
            .body(&members_of(&["role"], json!({ "role": { "enum": ["reader", "writer", "admin"] } })))
            .answer(200, "The role.", &[(JSON, object())])
            .errors(&[400, 401, 403, 404, 413, 415]),
        Route::new(Method::DELETE, MEMBER, "delete_member", members::delete_member)
            .tag("workspaces")
            .summary("Take a role away; one's own may be given up")
            .empty(204, "Taken away.")
            .errors(&[401, 403, 404]),
    ]
}
