//! The documents that are measured, and the data directories that hold them.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::client::{ACCOUNT, Client, post};
use crate::load;
use crate::report::tell;
use crate::server::{self, Server};

/// Documents of one group: what `where=group:...` finds.
pub(crate) const HITS: usize = 200;

const KIND: &str = "\
kind: item
plural: items
title: What is measured
file: items/{shard}/{id}.json
schema: schema.json
starter: starter.json
index: { group: keyword, rank: number, title: text }
label: '{title}'
";
const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "required": ["group", "rank", "title"],
  "properties": {
    "group": { "type": "string" },
    "rank": { "type": "number" },
    "title": { "type": "string", "maxLength": 255 },
    "text": { "type": "string" }
  }
}"#;
const STARTER: &str = r#"{ "group": "g0", "rank": 0, "title": "item", "text": "" }"#;

const WORDS: [&str; 16] = [
    "network",
    "service",
    "function",
    "catalogue",
    "workspace",
    "descriptor",
    "virtual",
    "firewall",
    "balancer",
    "gateway",
    "monitor",
    "storage",
    "compute",
    "session",
    "archive",
    "planner",
];

/// Writes a configuration with a kind of our own; returns the file.
pub(crate) fn configuration(folder: &Path) -> Result<PathBuf> {
    let kind = folder.join("templates/kinds/item");
    fs::create_dir_all(&kind)?;
    fs::write(kind.join("kind.yaml"), KIND)?;
    fs::write(kind.join("schema.json"), SCHEMA)?;
    fs::write(kind.join("starter.json"), STARTER)?;
    let file = folder.join("config.yaml");
    fs::write(&file, "templates: [templates/kinds]\n")?;
    Ok(file)
}

/// An item's id.
pub(crate) fn id(n: usize) -> String {
    format!("item-{n:07}")
}

fn path(id: &str) -> String {
    let digest = Sha256::digest(id.as_bytes());
    format!("items/{:02x}/{id}.json", digest[0])
}

/// An item of about `size` bytes, one of `groups` groups; neighbours in rank are far apart in time.
pub(crate) fn item(n: usize, groups: usize, size: usize) -> Value {
    let word = |k: usize| WORDS[(n / 16usize.pow(k as u32 % 5) + k * 7 + n) % 16];
    let mut text = String::with_capacity(size);
    for k in 0.. {
        if text.len() + 130 >= size {
            break;
        }
        text.push_str(word(k));
        text.push(' ');
    }
    json!({
        "group": format!("g{}", n % groups),
        "rank": n.wrapping_mul(7_919) % 1_000_003,
        "title": format!("{} {} number {n}", word(0), word(1)),
        "text": text,
    })
}

/// How a data directory is filled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fill {
    pub(crate) documents: usize,
    pub(crate) workspaces: usize,
    /// Documents of one commit; 1 goes the way of single creates, 16 at once.
    pub(crate) per_commit: usize,
    /// Bytes of one document.
    pub(crate) size: usize,
}

impl Fill {
    pub(crate) fn groups(self) -> usize {
        (self.documents / HITS).max(1)
    }
}

/// A data directory with an account and documents.
pub(crate) struct Data {
    pub(crate) folder: PathBuf,
    pub(crate) fill: Fill,
}

/// `bench/w<n>`.
pub(crate) fn workspace(n: usize) -> String {
    format!("{ACCOUNT}/w{n}")
}

/// Makes a data directory through a server that is stopped again.
pub(crate) async fn prepare(binary: &Path, config: &Path, folder: PathBuf, fill: Fill) -> Result<Data> {
    tell(&format!(
        "loading {} documents into {} workspaces, {} per commit",
        fill.documents, fill.workspaces, fill.per_commit
    ));
    let begun = std::time::Instant::now();
    server::create_account(binary, config, &folder)?;
    let server = Server::serve(binary, config, &folder)?;
    let mut client = Client::connect(&server.address).await?;
    for n in 0..fill.workspaces {
        client.json(&post("/api/v1/workspaces", &json!({ "name": format!("w{n}") }))).await?;
    }
    if fill.per_commit == 1 {
        singly(&server, fill).await?;
    } else {
        in_bulk(&mut client, fill).await?;
    }
    // The server has closed a connection that asked nothing for so long.
    let mut client = Client::connect(&server.address).await?;
    let found = client.json(&crate::client::get("/api/v1/items?limit=0")).await?;
    ensure!(found["_meta"]["count"] == fill.documents, "the list counts {}", found["_meta"]["count"]);
    server.stop()?;
    tell(&format!("loaded in {:.1} s", begun.elapsed().as_secs_f64()));
    Ok(Data { folder, fill })
}

/// Consecutive documents go to one workspace, so that groups spread over all.
async fn in_bulk(client: &mut Client, fill: Fill) -> Result<()> {
    let numbers: Vec<usize> = (0..fill.documents).collect();
    for (at, chunk) in numbers.chunks(fill.per_commit).enumerate() {
        let change = |n: &usize| {
            let content = item(*n, fill.groups(), fill.size);
            json!({ "op": "put", "path": path(&id(*n)), "absent": true, "content": content })
        };
        let body = json!({ "message": "load", "changes": chunk.iter().map(change).collect::<Vec<_>>() });
        let target = format!("/api/v1/workspaces/{}/commits", workspace(at % fill.workspaces));
        client.json(&post(&target, &body)).await?;
    }
    Ok(())
}

/// A request that creates item `n`.
pub(crate) fn create(n: usize, fill: Fill, out: &mut Vec<u8>) {
    let target = format!("/api/v1/items?workspace={}&id={}", workspace(n % fill.workspaces), id(n));
    out.extend_from_slice(&post(&target, &item(n, fill.groups(), fill.size)));
}

async fn singly(server: &Server, fill: Fill) -> Result<()> {
    let mut done = 0;
    while done < fill.documents {
        // A round is bounded in time, not in count: the last ones one by one.
        if fill.documents - done > 20_000 {
            let from = done;
            let requests: load::Requests = Rc::new(move |_, n, out: &mut Vec<u8>| create(from + n, fill, out));
            done += load::run(server, load::CONNECTIONS, Duration::from_secs(2), 201, requests).await?.answered;
        } else {
            let mut clients = Vec::new();
            for _ in 0..load::CONNECTIONS {
                clients.push(Client::connect(&server.address).await?);
            }
            let all = tokio::task::LocalSet::new();
            for (at, mut client) in clients.into_iter().enumerate() {
                all.spawn_local(async move {
                    for n in (done + at..fill.documents).step_by(load::CONNECTIONS) {
                        let mut request = Vec::new();
                        create(n, fill, &mut request);
                        if !matches!(client.send(&request).await, Ok(201)) {
                            return;
                        }
                    }
                });
            }
            all.await;
            done = fill.documents;
        }
    }
    Ok(())
}
