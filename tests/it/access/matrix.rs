//! Everybody × every operation of the OpenAPI document × every sort of workspace. An operation that
//! nobody decided about fails here.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use workleaf::resource::actor::{Actor, Role};
use workleaf::resource::key::WorkspaceName;

use crate::support::{Body, Client, TestApp, raw, typed};

/// What an operation asks of the one who calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// To be logged in.
    Account,
    /// To be logged in, by a signed token only (contracts/dmp.md 1.2).
    Signed,
    /// To be an administrator of the server.
    Server,
    /// A role in the workspace.
    Role(Role),
    /// To have been let into the workspace, not only to find it open.
    Member,
    /// To be in the group, or an administrator of the server.
    Group,
    /// To be logged in, and a role in the workspace: the editor shows nothing to who is not.
    Login(Role),
}

/// The decision for each operation; those of kinds go by what stands before the kind's name.
fn needs(operation: &str, kinds: &[String]) -> Option<Needs> {
    use Needs::{Account, Group, Member, Nothing, Server, Signed};
    let reads = Needs::Role(Role::Reader);
    let writes = Needs::Role(Role::Writer);
    Some(match operation {
        "get_page" | "get_page_asset" | "get_openapi" | "get_swagger" | "get_live" | "get_ready" | "get_metrics" => {
            Nothing
        }
        "get_root" | "get_root_slash" | "list_kinds" | "get_kind" => Nothing,
        "post_session" | "editor_logout" => Nothing,
        // Lists show what the caller may read; one workspace here is public.
        "list_workspaces" => Nothing,
        "login" | "editor_get_user" => Account,
        "get_session" | "delete_session" | "list_tokens" | "post_token" | "delete_token" | "list_groups" => Account,
        "post_workspace" => Account,
        "dmp_start" | "dmp_logout" | "dmp_change_password" | "dmp_get_refresh" | "dmp_post_refresh" => Signed,
        "editor_get_config" | "editor_post_config" => Server,
        // Of somebody else.
        "list_users" | "post_user" | "get_user" | "patch_user" | "delete_user" | "put_password" | "delete_identity" => {
            Server
        }
        "post_group" | "patch_group" | "delete_group" | "put_group_member" | "delete_group_member" | "list_audit" => {
            Server
        }
        "get_group" => Group,
        "list_members" | "get_member" => Member,
        "put_member" | "delete_member" | "patch_workspace" | "delete_workspace" => Needs::Role(Role::Admin),
        "get_workspace" | "list_files" | "get_file" => reads,
        "post_commits" | "put_file" | "delete_file" => writes,
        "git_info_refs" | "git_upload_pack" => reads,
        "git_receive_pack" => writes,
        "editor_list_workspaces" | "editor_post_workspace" | "editor_get_log" => Account,
        "editor_delete_workspace" => Needs::Login(Role::Admin),
        "editor_git_list" | "editor_git_status" | "editor_git_diff" => Needs::Login(Role::Reader),
        editor if editor.starts_with("editor_slash_") => Account,
        editor if editor.starts_with("editor_list_") || editor.starts_with("editor_get_") => Needs::Login(Role::Reader),
        editor if editor.starts_with("editor_") => Needs::Login(Role::Writer),
        // Everybody who is logged in shares the catalogue.
        dci if dci.starts_with("dci_") => Account,
        catalogue if catalogue.starts_with("catalogue_") => Account,
        other => {
            let (verb, kind) = ["_of_", "_"].iter().find_map(|joint| other.split_once(joint))?;
            let is_catalogue = ["component", "componenttype"].contains(&kind);
            if !kinds.iter().any(|known| known == kind || verb == "list") {
                return None;
            }
            match verb {
                "list" => Nothing,
                "get" | "history" | "diff" | "referrers" if is_catalogue => Account,
                "patch" | "move" | "restore" if is_catalogue => Account,
                "get" | "history" | "diff" | "referrers" | "get_remote" | "get_remote_diff" => reads,
                "put_remote" | "delete_remote" => writes,
                "post_remote_commit" | "post_remote_push" | "post_remote_pull" => writes,
                "post" | "put" | "patch" | "delete" | "move" | "restore" => writes,
                _ => return None,
            }
        }
    })
}

/// A workspace of Ann's.
struct Place {
    name: &'static str,
    is_public: bool,
    is_shared: bool,
    /// Of each kind: id, etag, text, path, and a path that is free.
    documents: BTreeMap<String, Sample>,
    head: String,
    /// What the editor's addresses name, by the name there.
    numbers: Vec<(&'static str, String)>,
}

#[derive(Clone)]
struct Sample {
    id: String,
    etag: String,
    text: String,
    path: String,
    free: String,
    query: String,
}

const ACTORS: [&str; 6] = ["anonymous", "stranger", "reader", "writer", "admin", "root"];

impl Place {
    fn role(&self, actor: &str) -> Option<Role> {
        let given = match actor {
            "root" => Some(Role::Admin),
            "reader" => Some(Role::Reader),
            "writer" => Some(Role::Writer),
            "admin" => Some(Role::Admin),
            _ => None,
        };
        let given = given.filter(|_| self.is_shared || actor == "root");
        given.max(self.is_public.then_some(Role::Reader))
    }

    /// The refusal that the actor has to get; `None`: they are let in.
    fn refusal(&self, needs: Needs, actor: &str) -> Option<u16> {
        let is_anonymous = actor == "anonymous";
        let unknown = Some(if is_anonymous { 401 } else { 404 });
        let denied = Some(if is_anonymous { 401 } else { 403 });
        match needs {
            Needs::Nothing => None,
            Needs::Account => is_anonymous.then_some(401),
            Needs::Signed => Some(if is_anonymous { 401 } else { 422 }),
            Needs::Server => {
                if actor == "root" {
                    None
                } else {
                    denied
                }
            }
            Needs::Group => {
                if actor == "root" {
                    None
                } else {
                    unknown
                }
            }
            Needs::Login(_) if is_anonymous => Some(401),
            Needs::Role(needed) | Needs::Login(needed) => match self.role(actor) {
                None => unknown,
                Some(role) if role < needed => denied,
                Some(_) => None,
            },
            Needs::Member => match self.role(actor) {
                None => unknown,
                Some(_) if actor == "root" || (self.is_shared && actor != "stranger" && !is_anonymous) => None,
                Some(_) => denied,
            },
        }
    }
}

#[tokio::test]
async fn everybody_may_do_what_was_decided_and_no_more() {
    let app = TestApp::open().await;
    for name in ["stranger", "reader", "writer", "admin", "carol"] {
        app.account(name, false).await;
    }
    app.as_user("root").post("/api/v1/groups", json!({ "name": "g" })).await.expect(201);
    let document = app.anonymous().get("/openapi.json").await.expect(200).json();
    let kinds: Vec<String> = app.app().engine.kinds().iter().map(|kind| kind.name.to_string()).collect();
    let mut wrong = String::new();
    for place in [
        place(&app, "ann/private", false, false).await,
        place(&app, "ann/shared", false, true).await,
        place(&app, "ann/public", true, false).await,
    ] {
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("operations") {
                let id = operation["operationId"].as_str().expect("an id");
                let Some(needs) = needs(id, &kinds) else {
                    let _ = writeln!(wrong, "{id}: nobody decided who may");
                    continue;
                };
                for actor in ACTORS {
                    let client = if actor == "anonymous" { app.anonymous() } else { app.as_user(actor) };
                    carol(&app, &place).await;
                    let status = ask(&client, &place, &kinds, path, &method.to_uppercase(), id).await;
                    let refused =
                        [401, 403].contains(&status) || (status == 404 && !may_be_missing(id)) || status == 422;
                    let fits = match place.refusal(needs, actor) {
                        Some(refusal) => status == refusal,
                        None => !refused,
                    };
                    if !fits {
                        let _ = writeln!(wrong, "{id} by {actor} in {}: {status}", place.name);
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    app.finish().await;
}

/// Operations on something that is not there whoever asks.
fn may_be_missing(operation: &str) -> bool {
    operation.starts_with("dci_")
        || operation.starts_with("catalogue_")
        || operation.ends_with("_component")
        || operation.ends_with("_componenttype")
        || ["delete_token", "delete_identity", "delete_group", "delete_user", "delete_group_member"]
            .contains(&operation)
}

/// Somebody whose role is asked for and taken away again.
async fn carol(app: &TestApp, place: &Place) {
    let name = WorkspaceName::parse(place.name).expect("a name");
    app.app().engine.grant(&Actor::System, &name, "carol", Role::Reader).await.expect("granted");
}

async fn place(app: &TestApp, name: &'static str, is_public: bool, is_shared: bool) -> Place {
    app.workspace(name).await;
    let ann = app.as_user("ann");
    let workspace = format!("/api/v1/workspaces/{name}");
    if is_public {
        ann.patch(&workspace, json!({ "public": true })).await.expect(200);
    }
    for role in ["reader", "writer", "admin"].into_iter().filter(|_| is_shared) {
        ann.put(&format!("{workspace}/members/{role}"), json!({ "role": role })).await.expect(200);
    }
    let mut documents = BTreeMap::new();
    for kind in app.app().engine.kinds().iter() {
        if ["component", "componenttype"].contains(&&*kind.name) {
            continue;
        }
        let shown = ann.get(&format!("/api/v1/kinds/{}", kind.name)).await.expect(200).inner();
        let text = shown["starter"].as_str().map_or_else(|| shown["starter"].to_string(), str::to_owned);
        let keys: Vec<&str> = shown["place"].as_array().expect("keys").iter().filter_map(Value::as_str).collect();
        let list = shown["documents"].as_str().expect("an address");
        let query = |value: &str| {
            // Ids that are given are one's own all over the server.
            let unique = format!("{value}-{}", name.replace('/', "-"));
            let given: Vec<String> = keys.iter().map(|key| format!("&{key}={unique}")).collect();
            format!("?workspace={name}{}", given.concat())
        };
        let made = ann.post(&format!("{list}{}", query("alpha")), body(&text)).await.expect(201);
        let free = ann.post(&format!("{list}{}&dry_run=true", query("beta")), body(&text)).await;
        // Some have their place by what they say.
        let free = match free.status {
            409 => made.inner()["path"].as_str().expect("a path").replace("web-cache", "other"),
            _ => free.expect(200).inner()["path"].as_str().expect("a path").to_owned(),
        };
        let sample = Sample {
            id: made.id(),
            etag: made.etag(),
            text,
            path: made.inner()["path"].as_str().expect("a path").to_owned(),
            free,
            query: query("beta"),
        };
        documents.insert(kind.name.to_string(), sample);
    }
    let shown = ann.get(&workspace).await.expect(200).inner();
    let (head, id) = (shown["head"].as_str().expect("a commit").to_owned(), shown["id"].as_u64().expect("a number"));
    let mut numbers = vec![("{ws}", id.to_string()), ("{pj}", documents["project"].id.clone())];
    let descriptor = documents["function"].path.rsplit('/').next().unwrap_or_default().to_owned();
    numbers.extend([("{vnf}", documents["function"].id.clone()), ("{ns}", documents["service"].id.clone())]);
    // Not an image: refused, but not for who asks.
    numbers.push(("{filename}", descriptor));
    numbers.extend([("{vendor}", "org.example".to_owned()), ("{version}", "0.1".to_owned())]);
    numbers.push(("{uid}", "a:b:1".to_owned()));
    for (key, list) in [("{cat}", "catalogues"), ("{pl}", "platforms")] {
        // Private, so that nobody is called.
        let one = json!({ "name": "one", "url": "http://10.0.0.1" });
        let made = ann.post(&format!("/workspaces/{id}/{list}/"), one).await.expect(201).json();
        numbers.push((key, made["id"].to_string()));
    }
    Place { name, numbers, is_public, is_shared, documents, head }
}

fn body(text: &str) -> Body {
    if text.starts_with('{') { typed("application/json", text) } else { typed("application/yaml", text) }
}

/// Calls an operation on what is there, so that only who asks decides. Writes are rehearsed where
/// they can be.
async fn ask(client: &Client, place: &Place, kinds: &[String], path: &str, method: &str, id: &str) -> u16 {
    let (owner, name) = place.name.split_once('/').expect("OWNER/NAME");
    let kind = kinds.iter().filter(|kind| id.ends_with(&format!("_{kind}"))).max_by_key(|kind| kind.len());
    let any = place.documents.values().next().expect("there are kinds").clone();
    let sample = kind.and_then(|kind| place.documents.get(kind)).unwrap_or(&any);
    let is_file = path.contains("/files/{path}");
    let mut address = path
        .replace("{owner}", owner)
        .replace("{repo}", name)
        .replace("{path}", &sample.path)
        .replace("{who}", "carol")
        .replace("{kind}", "service")
        .replace("{group}", "g")
        .replace("{account}", "carol")
        .replace("{file}", "index.css")
        .replace("{provider}", "github")
        .replace("{subject}", "1")
        .replace("{id}", &sample.id);
    let user = if id == "delete_user" { "nobody" } else { "carol" };
    address = address.replace("/functions/{vendor}/{name}", "/functions/{vendor}/web-cache");
    address = address.replace("/services/{vendor}/{name}", "/services/{vendor}/cached-web");
    address = address.replace("{name}", if path.starts_with("/api/v1/users") { user } else { name });
    if id.starts_with("editor_") {
        address = address.replace("{sort}", "vnf");
        for (key, number) in &place.numbers {
            address = address.replace(key, number);
        }
    }
    let rehearsed =
        is_file && method != "GET" || ["delete_workspace", "patch_workspace", "post_workspace"].contains(&id);
    let body: Body = match id {
        "post_workspace" => json!({ "name": "new" }).into(),
        "patch_workspace" | "patch_user" => json!({}).into(),
        "put_member" => json!({ "role": "reader" }).into(),
        "put_password" => json!({ "password": "x" }).into(),
        "post_user" => json!({ "name": "a b" }).into(),
        "post_group" => json!({ "name": "" }).into(),
        "patch_group" => json!({ "description": "" }).into(),
        "post_token" => json!({ "name": "" }).into(),
        // Nothing that could be done: a key is missing, or the state is another.
        editor if editor.starts_with("editor_p") => json!({}).into(),
        "git_upload_pack" => typed("application/x-git-upload-pack-request", "0000"),
        "git_receive_pack" => typed("application/x-git-receive-pack-request", "0000"),
        "post_commits" => json!({ "changes": [] }).into(),
        "put_file" => typed("application/octet-stream", sample.text.clone()),
        _ if id.starts_with("post_") && kind.is_some() => body(&sample.text),
        _ if id.starts_with("put_") && kind.is_some() => body(&sample.text),
        _ if id.starts_with("patch_") => typed("application/merge-patch+json", "{}"),
        _ if id.starts_with("move_") => json!({ "path": sample.free }).into(),
        _ if id.starts_with("restore_") => json!({ "at": place.head }).into(),
        _ => raw(""),
    };
    if id == "git_info_refs" {
        address += "?service=git-upload-pack";
    } else if id.starts_with("diff_") {
        address = format!("{address}?from={0}&to={0}", place.head);
    } else if id.starts_with("post_") && kind.is_some() {
        address = format!("{address}{}&dry_run=true", sample.query);
    } else if rehearsed || (kind.is_some() && method != "GET" && !id.starts_with("dci_")) {
        address += "?dry_run=true";
    }
    if id == "delete_group" {
        // The one that there is stays for the others to be asked about.
        address = address.replace("/groups/g", "/groups/none");
    }
    // The editor has no rehearsals: what may be done fails on its state.
    let etag = if id.starts_with("editor_") { "0".repeat(40) } else { sample.etag.clone() };
    client.at(&etag).send(method, &address, body).await.status
}
