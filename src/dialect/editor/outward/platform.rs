//! Uploading a service to a platform (contracts/editor.md 1.9, 8).

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::remote::{repeated, unreachable};
use crate::base::{blocking, hex, random};
use crate::dialect::editor::answer::{Answer, json as answer};
use crate::dialect::editor::descriptors::private::publication;
use crate::dialect::editor::descriptors::shelf::{Descriptor, Shelf, Sort};
use crate::dialect::editor::fault::EditorFault;
use crate::dialect::editor::fields::Fields;
use crate::dialect::editor::gate::{InProject, InWorkspace, PROJECT, parsed, undisturbed};
use crate::dialect::editor::neighbours::{Found, Neighbours, uid};
use crate::dialect::editor::package::{self, Package, Source};
use crate::dialect::editor::sonata::workspace::{self, Entry, Sort as Server, WorkspaceFile};
use crate::dialect::editor::topology;
use crate::engine::{Error, Options, Reader};
use crate::http::path::Path;
use crate::outside::{self, Body, Method, Request};
use crate::resource::document::{self, Format};
use crate::resource::key::{DocumentId, FilePath};
use crate::resource::query::Filter;

/// What an upload may take: less than this request may.
const TIME: Duration = Duration::from_secs(45);

/// `POST /workspaces/{ws}/platforms/{pl}/services/`: `{"id": number of a service}`.
pub(super) async fn push(at: InWorkspace, Path((_, platform)): Path<(String, String)>, fields: Fields) -> Answer {
    at.writer()?;
    let missing = || EditorFault::not_found(format!("Platform with id {platform} could not be found"));
    let id = parsed(&platform).ok_or_else(missing)?;
    let entries = WorkspaceFile::read(&at).await?.entries(Server::Platform);
    let platform = entries.into_iter().find(|entry| entry.id == id).ok_or_else(missing)?;
    let id = fields.number("id")?.ok_or_else(|| EditorFault::missing("id"))?;
    let (project, package) = {
        let at = at.clone();
        blocking::run(move || packed(&at, id)).await?
    };
    let token = token(&at, &platform).await?;
    let told = upload(&at, &platform, token.as_deref(), package).await?;
    let status = told.status;
    // The upload cannot be taken back: what is missing afterwards is said, not refused.
    let published = publish(&project, id).await.err().map(|fault| fault.text().to_owned());
    let mut body = told.body;
    if let Some(why) = published {
        body["warning"] = json!(format!("It was not published to the private catalogue: {why}"));
    }
    Ok(answer(status, &body))
}

/// The project of a service and its package. Blocking.
fn packed(at: &InWorkspace, id: u64) -> Result<(InProject, Package), EditorFault> {
    let reader = at.reader();
    let project = project_of(&reader, at, id)?;
    let services = Shelf::new(&reader, &project, Sort::Service)?.all()?;
    let [service] = &services[..] else {
        return Err(EditorFault::bad(format!(
            "Project must have exactly one service to push to platform. Number of services: {}",
            services.len()
        )));
    };
    valid(service, "service")?;
    let functions = functions(&reader, &project, service)?;
    let project_file = reader.content(&project.found.row)?.value().unwrap_or_default();
    let workspace_file = match reader.file(&at.name, &workspace::path()?) {
        Ok(stored) => WorkspaceFile::of(at.id, Some(stored)),
        Err(Error::NotFound(_)) => WorkspaceFile::of(at.id, None),
        Err(error) => return Err(error.into()),
    };
    let config = at.context.config();
    let schemas = config.schemas.get(workspace_file.schema_index()).map_or("", |schemas| &*schemas.url);
    let source = Source {
        project: &project_file,
        schemas,
        service: package::Descriptor { file: file_name(&service.found.row.path), value: &service.value },
        functions: functions
            .iter()
            .map(|function| package::Function {
                descriptor: package::Descriptor { file: &function.file, value: &function.found.descriptor.value },
                folder: &function.folder,
                images: &function.images,
            })
            .collect(),
    };
    let package = package::build(&source).map_err(|refused| EditorFault::conflict(refused.0))?;
    Ok((project, package))
}

fn project_of(reader: &Reader, at: &InWorkspace, service: u64) -> Result<InProject, EditorFault> {
    let missing = || EditorFault::not_found(format!("Service with id '{service}' does not exist"));
    let found = reader.numbered(&at.kind("service")?, service, &at.name).map_err(|error| match error {
        Error::NotFound(_) => missing(),
        other => other.into(),
    })?;
    let captures = found.kind.captures_of(&found.row.path).unwrap_or_default();
    let folder = captures.get("project").ok_or_else(missing)?;
    let kind = at.kind(PROJECT)?;
    let mut conditions = vec![Filter::in_workspace(at.name.to_arc())];
    if let Ok((column, encoded)) = kind.encode("project", folder) {
        conditions.push(encoded.filter(column));
    }
    let rows = reader.every(&kind, Filter::All(conditions))?;
    let file = format!("projects/{folder}/project.yml");
    let row = rows
        .into_iter()
        .find(|row| *row.path == *file)
        .ok_or_else(|| EditorFault::conflict(format!("{file} is not there: a package is named by what it says")))?;
    match DocumentId::from_stored(&row.id) {
        DocumentId::Number(id) => at.project(id),
        DocumentId::Text(_) => Err(missing()),
    }
}

/// What breaks its schema is refused by platforms too.
fn valid(descriptor: &Descriptor, what: &str) -> Result<(), EditorFault> {
    match descriptor.content.violations.first() {
        None => Ok(()),
        Some(first) => Err(EditorFault::conflict(format!(
            "the {what} {} breaks its schema, mend it first: line {}, {}",
            uid(descriptor),
            first.line,
            first.message
        ))),
    }
}

/// A function as it is packaged.
struct Packed {
    found: Found,
    /// The descriptor's name in the package.
    file: String,
    folder: String,
    images: Vec<(String, Vec<u8>)>,
}

/// The functions that a service asks for, each once, with their images.
fn functions(reader: &Reader, project: &InProject, service: &Descriptor) -> Result<Vec<Packed>, EditorFault> {
    let found = Neighbours::new(reader, project).of(&service.value)?;
    let mut packed: Vec<Packed> = Vec::new();
    let mut room = package::CONTENT_MOST as u64;
    for (found, (sort, wanted)) in found.into_iter().zip(topology::wanted(&service.value)) {
        if sort == topology::Sort::Service {
            return Err(EditorFault::conflict(format!(
                "the service contains the service {wanted}: packages hold one service, so put its functions into this one"
            )));
        }
        let found = found.ok_or_else(|| {
            EditorFault::conflict(format!(
                "the service uses the function {wanted}, which is neither in the project nor in the workspace's private \
                 catalogue: create it, publish it there, or change the service"
            ))
        })?;
        let path = found.descriptor.found.row.path.clone();
        if packed.iter().any(|known| known.found.descriptor.found.row.path == path) {
            continue;
        }
        valid(&found.descriptor, "function")?;
        let triple = found.descriptor.triple.as_ref();
        let stem = triple.map(|triple| format!("{}-{}-{}.yml", triple.vendor, triple.name, triple.version));
        // Those of the catalogue are all called alike.
        let own = found.is_local.then(|| file_name(&path).to_owned());
        let file = own.or(stem).unwrap_or_else(|| file_name(&path).to_owned());
        let inside = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let name = triple.map(|triple| triple.name.clone()).unwrap_or_default();
        let folder = if found.is_local { file_name(inside).to_owned() } else { name };
        let images = images(reader, project, inside, &found.descriptor.value, &mut room)?;
        packed.push(Packed { found, file, folder, images });
    }
    Ok(packed)
}

/// The files in a function's folder that its units run from.
fn images(
    reader: &Reader,
    project: &InProject,
    folder: &str,
    function: &Value,
    room: &mut u64,
) -> Result<Vec<(String, Vec<u8>)>, EditorFault> {
    let wanted = package::local_images(function);
    let files = match reader.files(&project.workspace.name, folder, usize::MAX, 0) {
        Ok(files) => files,
        Err(Error::NotFound(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut images = Vec::new();
    for (file, size) in files.entries.iter().zip(&files.sizes) {
        let Some(inside) = file.path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')) else { continue };
        let is_wanted = |image: &String| {
            inside == image || inside.strip_prefix(image.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        if !wanted.iter().any(is_wanted) {
            continue;
        }
        *room = room.checked_sub(*size).ok_or_else(|| EditorFault::conflict(package::too_large().0))?;
        let (_, bytes) = reader.file(&project.workspace.name, &FilePath::parse(&file.path)?)?;
        images.push((inside.to_owned(), bytes.to_vec()));
    }
    Ok(images)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What the platform's `token_file` holds, when it names one.
async fn token(at: &InWorkspace, platform: &Entry) -> Result<Option<String>, EditorFault> {
    let named = platform.more.get("credentials").and_then(|credentials| credentials["token_file"].as_str());
    let Some(name) = named.filter(|name| *name != "empty" && !name.is_empty()) else { return Ok(None) };
    let path = FilePath::parse(&format!("platforms/{name}"))?;
    let (_, bytes) = at.file(&path).await?.ok_or_else(|| {
        EditorFault::conflict(format!("the platform's token should be in {path}, which is not there: give it again"))
    })?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    super::tokens::check(&text)?;
    Ok(Some(text))
}

/// What the platform said, for the front end.
struct Told {
    status: StatusCode,
    body: Value,
}

async fn upload(
    at: &InWorkspace,
    platform: &Entry,
    token: Option<&str>,
    package: Package,
) -> Result<Told, EditorFault> {
    let url = format!("{}/api/v2/packages", platform.url.trim_end_matches('/'));
    let request = Request { method: Method::POST, url: &url, body: Some(form(package)), token, time: Some(TIME) };
    let answer = at.context.outside.send(request).await.map_err(|error| match error {
        outside::Error::Unreachable { .. } => EditorFault::not_found("Could not connect to platform."),
        other => unreachable(&url, &other),
    })?;
    let reason = repeated(&answer.body);
    match answer.status {
        201 | 200 => {
            let said = document::parse(Format::Json, &answer.body).unwrap_or_default();
            let uuid = ["service_uuid", "uuid"].into_iter().find_map(|key| said[key].as_str());
            let message = format!("Deployed successfully: {}", uuid.unwrap_or(&reason));
            Ok(Told { status: StatusCode::CREATED, body: json!({ "message": message, "service_uuid": uuid }) })
        }
        409 => {
            let message = format!("The platform has this package already: {reason}");
            Ok(Told { status: StatusCode::OK, body: json!({ "message": message }) })
        }
        status => Err(EditorFault::conflict(format!(
            "The platform refused the package: it answered with status {status}, {reason}"
        ))),
    }
}

/// A form with the file as its one field (RFC 7578).
fn form(package: Package) -> Body {
    let boundary = format!("workleaf-{}", hex::encode(&random::bytes::<16>()));
    let mut bytes = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"package\"; filename=\"{}\"\r\n\
         Content-Type: application/zip\r\n\r\n",
        package.name
    )
    .into_bytes();
    bytes.extend(package.bytes);
    bytes.extend(format!("\r\n--{boundary}--\r\n").into_bytes());
    Body { content_type: format!("multipart/form-data; boundary={boundary}"), bytes }
}

/// Publishes the service and the functions it uses to the private catalogue, as one commit.
async fn publish(project: &InProject, id: u64) -> Result<(), EditorFault> {
    let plan = {
        let project = project.clone();
        move |reader: &Reader| {
            let Some(service) = Shelf::new(reader, &project, Sort::Service)?.by_id(id)? else {
                return Ok(((), Vec::new()));
            };
            let mut changes = publication(reader, &project.workspace, Sort::Service, &service)?;
            let mut seen = Vec::new();
            for found in Neighbours::new(reader, &project).of(&service.value)?.into_iter().flatten() {
                let path = found.descriptor.found.row.path.clone();
                if found.is_local && !seen.contains(&path) {
                    seen.push(path);
                    changes.extend(publication(reader, &project.workspace, Sort::Function, &found.descriptor)?);
                }
            }
            Ok::<_, EditorFault>(((), changes))
        }
    };
    undisturbed(|| async {
        let options = Options { message: Some("catalogue: publish what was deployed".into()), ..Options::default() };
        project.workspace.writer()?.commit_planned(plan.clone(), options).await
    })
    .await?;
    Ok(())
}
