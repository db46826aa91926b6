//! Schemas of descriptors (contracts/editor.md 1.11): those of the configuration as far as they were
//! fetched, the built-in ones where they were not.
//!
//! Nobody waits for another server: what is asked for is answered from memory, from the data
//! directory or from the kinds, and meanwhile each file is fetched by itself.

mod draft4;

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::answer::{Answer, json};
use super::fault::EditorFault;
use super::gate::InWorkspace;
use super::sonata::workspace::WorkspaceFile;
use crate::base::{blocking, hex};
use crate::config::SchemaSource;
use crate::http::context::Context;
use crate::http::path::Path as Captured;
use crate::outside;
use crate::resource::document::{self, Format};

/// How long a fetched file is believed, and how soon a failed one is tried again.
const FRESH: Duration = Duration::from_secs(60 * 60);
const AGAIN: Duration = Duration::from_secs(60);

/// Largest file of a schema, in bytes.
const MOST: u64 = 4 << 20;

/// What a schema is for: its name in addresses, its kind, and where it is below a source's URL.
const SORTS: [(&str, &str, &str); 2] = [
    ("vnf", "function", "function-descriptor/vnfd-schema.yml"),
    ("ns", "service", "service-descriptor/nsd-schema.yml"),
];

/// Files that were fetched, by URL.
#[derive(Clone, Default)]
pub(super) struct Schemas(Arc<Mutex<HashMap<String, Known>>>);

/// What is known of one file.
#[derive(Default)]
struct Known {
    schema: Option<Arc<Value>>,
    /// When it is to be fetched again; `None` while it is being fetched.
    due: Option<Instant>,
}

impl Schemas {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what was fetched by earlier runs, and fetches what is due, each file in a task of its own.
    async fn refresh(&self, context: &Context, sources: &[SchemaSource]) {
        let urls = sources.iter().flat_map(|source| SORTS.map(|(_, _, below)| format!("{}{below}", source.url)));
        for url in urls {
            let is_met = self.known().contains_key(&url);
            if !is_met {
                let file = kept_at(context, &url);
                let schema = blocking::run(move || fs::read(file)).await.ok().and_then(|bytes| parsed(&bytes).ok());
                let met = Known { schema: schema.map(Arc::new), due: Some(Instant::now()) };
                self.known().entry(url.clone()).or_insert(met);
            }
            let is_due = match self.known().get_mut(&url) {
                Some(known) if known.due.is_some_and(|due| due <= Instant::now()) => known.due.take().is_some(),
                _ => false,
            };
            if is_due {
                // Not the context: a fetch must not outlive the server's end.
                let (schemas, outside, file) = (self.clone(), context.outside.clone(), kept_at(context, &url));
                tokio::spawn(async move { schemas.fetch(&outside, url, file).await });
            }
        }
    }

    async fn fetch(&self, outside: &outside::Client, url: String, file: PathBuf) {
        let fetched = download(outside, &url, file).await;
        let mut known = self.known();
        let known = known.entry(url.clone()).or_default();
        match fetched {
            Ok(schema) => {
                known.schema = Some(Arc::new(schema));
                known.due = Some(Instant::now() + FRESH);
            }
            Err(why) => {
                tracing::warn!(url, why, "a schema cannot be fetched: what there was stays");
                known.due = Some(Instant::now() + AGAIN);
            }
        }
    }

    fn fetched(&self, url: &str) -> Option<Arc<Value>> {
        self.known().get(url)?.schema.clone()
    }
}

/// A file's schema, kept in the data directory from now on. The error is for the log.
async fn download(outside: &outside::Client, url: &str, file: PathBuf) -> Result<Value, String> {
    let bytes = match url.strip_prefix("file://") {
        Some(path) => {
            let path = PathBuf::from(path);
            blocking::run(move || read_bounded(&path)).await.map_err(|error| error.to_string())?
        }
        None => {
            let answer = outside.get(url).await.map_err(|error| error.to_string())?;
            if answer.status != 200 {
                return Err(format!("the answer's status is {}", answer.status));
            }
            answer.body
        }
    };
    let schema = parsed(&bytes)?;
    let kept = blocking::run(move || keep(&file, &bytes)).await;
    kept.map_err(|error| error.to_string()).map(|()| schema)
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > MOST {
        return Err(io::Error::other("the file is too large"));
    }
    fs::read(path)
}

/// A schema that a form can be made of: an object whose references stay inside.
fn parsed(bytes: &[u8]) -> Result<Value, String> {
    if bytes.len() as u64 > MOST {
        return Err("the file is too large".into());
    }
    let schema = document::parse(Format::Yaml, bytes).map_err(|error| error.message)?;
    if !schema.is_object() || jsonschema::draft4::meta::validate(&schema).is_err() {
        return Err("it is no JSON Schema of draft 4".into());
    }
    if leads_out(&schema) {
        return Err("it refers to other files".into());
    }
    Ok(schema)
}

fn leads_out(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => members.iter().any(|(key, value)| {
            let is_reference = key == "$ref" && value.as_str().is_some_and(|target| !target.starts_with('#'));
            is_reference || leads_out(value)
        }),
        Value::Array(items) => items.iter().any(leads_out),
        _ => false,
    }
}

/// Where a fetched file is kept.
fn kept_at(context: &Context, url: &str) -> PathBuf {
    let name = hex::encode(&Sha256::digest(url.as_bytes()));
    context.config().state_folder().join("schemas").join(format!("{name}.yml"))
}

fn keep(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().ok_or(io::ErrorKind::NotFound)?;
    fs::create_dir_all(folder)?;
    let mut unfinished = tempfile::NamedTempFile::new_in(folder)?;
    unfinished.write_all(bytes)?;
    unfinished.persist(file)?;
    Ok(())
}

/// `GET /workspaces/{ws}/schema/`: the sources of the configuration.
pub(super) async fn list_schemas(State(context): State<Context>, _: InWorkspace) -> Answer {
    let sources = context.config().schemas.clone();
    let shown = sources.iter().map(|source| json!({ "name": source.name, "url": source.url }));
    Ok(json(StatusCode::OK, &shown.collect()))
}

/// `GET /workspaces/{ws}/schema/{id}`, `vnf` or `ns`: the one that the workspace's index says.
pub(super) async fn get_schema(
    at: InWorkspace,
    Captured((_, id)): Captured<(String, String)>,
    Extension(schemas): Extension<Schemas>,
) -> Answer {
    let Some((_, kind, below)) = SORTS.into_iter().find(|(name, ..)| *name == id) else {
        return Err(EditorFault::not_found(format!("there is no schema '{id}': vnf and ns are there")));
    };
    let sources = at.context.config().schemas.clone();
    let index = WorkspaceFile::read(&at).await?.schema_index();
    schemas.refresh(&at.context, &sources).await;
    let fetched = sources.get(index).and_then(|source| schemas.fetched(&format!("{}{below}", source.url)));
    let kind = at.kind(kind)?;
    let schema = match fetched {
        Some(schema) => Value::clone(&schema),
        None if index < kind.schemas.len() => draft4::draft4(kind.schema_json(index)),
        None => {
            let text = format!("the schema with index {index} has not been fetched yet: try again in a moment");
            return Err(EditorFault::not_found(text));
        }
    };
    Ok(json(StatusCode::OK, &schema))
}
