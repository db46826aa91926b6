//! Who may fetch and push.

use serde_json::json;

use super::client::{Place, SERVICE};
use crate::support::basic;

#[tokio::test(flavor = "multi_thread")]
async fn credentials_decide() {
    let place = Place::open().await;
    let refs = |service: &str| format!("/git/ann/lab.git/info/refs?service=git-{service}");
    let nobody = place.app.anonymous();
    let answer = nobody.get(&refs("upload-pack")).await.expect(401);
    assert!(answer.header("www-authenticate").starts_with("Basic realm="), "{:?}", answer.headers);
    // What somebody may not see is not there, and nobody learns which.
    nobody.get("/git/ann/none.git/info/refs?service=git-upload-pack").await.expect(401);
    nobody.get("/git/../x/info/refs?service=git-upload-pack").await.expect(401);
    let bob = place.app.as_user("bob");
    bob.get(&refs("upload-pack")).await.expect(404);
    bob.get(&refs("receive-pack")).await.expect(404);
    bob.get("/git/ann/a%2fb.git/info/refs?service=git-upload-pack").await.expect(404);
    let wrong = place.app.anonymous().header("authorization", &basic("ann", "wrong"));
    let answer = wrong.get(&refs("upload-pack")).await.expect(401);
    assert!(answer.header("www-authenticate").starts_with("Basic realm="), "{:?}", answer.headers);

    let ann = place.app.as_user("ann");
    ann.put("/api/v1/workspaces/ann/lab/members/bob", json!({ "role": "reader" })).await.expect(200);
    place.git(&["clone", "-q", &place.url("bob", "ann/lab"), "bob"]).await.ok();
    let clone = super::client::Clone { folder: place.folder("bob") };
    clone.write("services/fw.yml", SERVICE);
    clone.commit("A service").await;
    // git shows the reason.
    clone.push().await.fails(&["403", "remote: you may read ann/lab but not change it"]);

    ann.patch("/api/v1/workspaces/ann/lab", json!({ "public": true })).await.expect(200);
    place.git(&["clone", "-q", &place.url("", "ann/lab"), "public"]).await.ok();
    let clone = super::client::Clone { folder: place.folder("public") };
    clone.write("services/fw.yml", SERVICE);
    clone.commit("A service").await;
    clone.push().await.fails(&["could not read Username"]);
    place.app.account("carol", false).await;
    clone.git(&["push", &place.url("carol", "ann/lab"), "HEAD:main"]).await.fails(&["403"]);
    ann.put("/api/v1/workspaces/ann/lab/members/bob", json!({ "role": "writer" })).await.expect(200);
    clone.git(&["push", &place.url("bob", "ann/lab"), "HEAD:main"]).await.ok();
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_serve_as_passwords() {
    let place = Place::open().await;
    let ann = place.app.as_user("ann");
    let token = async |scope: &str| {
        let made = ann.post("/api/v1/tokens", json!({ "name": scope, "scope": scope })).await.expect(201);
        made.inner()["token"].as_str().expect("a token").to_owned()
    };
    let (read, write) = (token("read").await, token("write").await);
    let url = |who: &str, token: &str| format!("http://{who}:{token}@{}/git/ann/lab.git", place.address);
    place.git(&["clone", "-q", &url("ann", &read), "c"]).await.ok();
    let clone = super::client::Clone { folder: place.folder("c") };
    clone.write("services/fw.yml", SERVICE);
    clone.commit("A service").await;
    clone.push().await.fails(&["403"]);
    clone.git(&["push", &url("bob", &write), "HEAD:main"]).await.fails(&["Authentication failed"]);
    clone.git(&["push", &url("ann", "wl_none"), "HEAD:main"]).await.fails(&["Authentication failed"]);
    clone.git(&["push", &url("ann", &write), "HEAD:main"]).await.ok();
    let header = format!("http.extraHeader=Authorization: Bearer {read}");
    place.git(&["-c", &header, "ls-remote", &place.url("", "ann/lab")]).await.ok();
    place.finish().await;
}
