//! The stand-in for GitHub keeps to what GitHub documents, also where only later tests need it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::github::{CLIENT_SECRET, GitHub};

/// A caller of its API.
struct Api<'g> {
    github: &'g GitHub,
    authorization: String,
}

impl Api<'_> {
    async fn ask(&self, method: Method, path: &str, body: Value) -> (u16, Value, reqwest::header::HeaderMap) {
        let request = reqwest::Client::new().request(method, format!("{}{path}", self.github.url));
        let request = request.header("authorization", &self.authorization).json(&body);
        let answer = request.send().await.expect("it answers");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.expect("a text");
        (status, serde_json::from_str(&text).unwrap_or(Value::Null), headers)
    }
}

/// A token with these scopes, exchanged as the original backend did: JSON, without PKCE.
async fn token(github: &GitHub, scope: &str) -> String {
    let page = format!("{}/login/oauth/authorize/?scope={scope}&client_id=Iv1.workleaf", github.url);
    let back = github.press(&page, "authorize").await;
    let code = super::query(&back, "code").expect("a code");
    assert_eq!(super::query(&back, "state"), None);
    let api = Api { github, authorization: String::new() };
    let body = json!({ "client_id": "Iv1.workleaf", "client_secret": CLIENT_SECRET, "code": code });
    let client = reqwest::Client::new().post(format!("{}/login/oauth/access_token", github.url));
    let form = client.try_clone().expect("it has no body").json(&body).send().await.unwrap().text().await.unwrap();
    assert!(form.starts_with("access_token=gho_") && form.ends_with("&token_type=bearer"), "{form}");
    let again = client.json(&body).header("accept", "application/json").send().await.unwrap();
    assert_eq!(again.status(), 200);
    assert_eq!(again.json::<Value>().await.unwrap()["error"], "bad_verification_code");
    assert_eq!(api.ask(Method::GET, "/user", json!({})).await.0, 401);
    form["access_token=".len()..].split('&').next().expect("a token").to_owned()
}

#[tokio::test]
async fn tokens_do_what_their_scopes_say() {
    let github = GitHub::open();
    github.person(7, "ina");
    let poor = Api { github: &github, authorization: format!("token {}", token(&github, "").await) };
    let rich = token(&github, "user%3Aemail+repo+delete_repo").await;
    let rich = Api { github: &github, authorization: format!("Bearer {rich}") };
    let (status, user, headers) = poor.ask(Method::GET, "/user", json!({})).await;
    assert_eq!((status, &user["id"]), (200, &json!(7)));
    for header in ["limit", "remaining", "used", "reset", "resource"] {
        assert!(headers.contains_key(format!("x-ratelimit-{header}")), "{header}");
    }
    assert_eq!(poor.ask(Method::GET, "/user/emails", json!({})).await.0, 404);
    let (_, emails, headers) = rich.ask(Method::GET, "/user/emails", json!({})).await;
    assert_eq!(emails.as_array().unwrap().len(), 2);
    assert_eq!(headers["x-oauth-scopes"], "user:email, repo, delete_repo");
    let stranger = Api { github: &github, authorization: "Bearer gho_x".into() };
    let (status, body, _) = stranger.ask(Method::GET, "/user", json!({})).await;
    assert_eq!((status, &body["message"]), (401, &json!("Bad credentials")));

    let make = |name: &str| json!({ "name": name, "private": false });
    assert_eq!(poor.ask(Method::POST, "/user/repos", make("lab")).await.0, 404);
    let (status, made, _) = rich.ask(Method::POST, "/user/repos", make("lab")).await;
    assert_eq!((status, &made["full_name"]), (201, &json!("ina/lab")));
    let (status, told, _) = rich.ask(Method::POST, "/user/repos", make("Lab")).await;
    assert_eq!((status, &told["errors"][0]["message"]), (422, &json!("name already exists on this account")));
    assert_eq!(rich.ask(Method::POST, "/user/repos", make("lab2")).await.0, 201);
    let (_, listed, headers) = poor.ask(Method::GET, "/users/Ina/repos?per_page=1", json!({})).await;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert!(headers["link"].to_str().unwrap().contains("page=2>; rel=\"next\""));
    let (_, listed, headers) = poor.ask(Method::GET, "/users/ina/repos?per_page=1&page=2", json!({})).await;
    assert_eq!((&listed[0]["name"], headers.get("link")), (&json!("lab2"), None));

    let statuses = "/repos/ina/lab/deployments/5/statuses";
    let (status, made, _) = rich.ask(Method::POST, statuses, json!({ "state": "success" })).await;
    assert_eq!((status, &made["state"]), (201, &json!("success")));
    assert_eq!(rich.ask(Method::POST, statuses, json!({ "state": "perfect" })).await.0, 422);
    assert_eq!(poor.ask(Method::DELETE, "/repos/ina/lab", json!({})).await.0, 403);
    assert_eq!(rich.ask(Method::DELETE, "/repos/ina/lab", json!({})).await.0, 204);
    assert_eq!(rich.ask(Method::DELETE, "/repos/ina/lab", json!({})).await.0, 404);
    assert_eq!(rich.ask(Method::GET, "/zen", json!({})).await.0, 404);
}
