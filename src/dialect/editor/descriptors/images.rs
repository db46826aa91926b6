//! The files beside a function's descriptor: images of its machines (contracts/editor.md 1.7.5).

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use bytes::Bytes;
use serde_json::json;

use super::functions::no_function;
use super::rename::planned;
use super::shelf::{Shelf, Sort};
use crate::base::blocking;
use crate::dialect::editor::answer::{Answer, json as answer};
use crate::dialect::editor::fault::{EditorFault, as_html};
use crate::dialect::editor::gate::{InProject, Last};
use crate::engine::{Change, Error, Operation, Payload, Reader};
use crate::http::body::Whole;
use crate::http::form;
use crate::http::path::Path;
use crate::resource::document::Format;
use crate::resource::etag::Expected;
use crate::resource::key::FilePath;

/// The path of a file beside the descriptor of a function.
fn beside(reader: &Reader, at: &InProject, id: u64, name: &str) -> Result<FilePath, EditorFault> {
    let function = Shelf::new(reader, at, Sort::Function)?.by_id(id)?.ok_or_else(|| no_function(id))?;
    Ok(FilePath::parse(&format!("{}/{name}", function.path()?.folder()))?)
}

/// A file's name as it can be stored: without folders, blanks as `_`, only letters, digits and
/// `_.-`, and no dot, dash or `_` in front. Empty when nothing is left.
fn sanitised(name: &str) -> String {
    let own = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let joined = own.split_whitespace().collect::<Vec<_>>().join("_");
    let plain: String = joined.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')).collect();
    plain.trim_start_matches(['.', '_', '-']).trim_end_matches(['.', '_']).to_owned()
}

fn text(body: String) -> axum::response::Response {
    (StatusCode::OK, [(CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}

/// `POST .../functions/{vnf}/upload`: a form with the file `image`.
pub(super) async fn post_image(at: InProject, Last(id): Last, headers: HeaderMap, Whole(body): Whole) -> Answer {
    at.workspace.writer()?;
    let nothing = || EditorFault::bad("No file attached!");
    let parts = form::parts(&headers, &body)?.ok_or_else(nothing)?;
    let image = parts.into_iter().find(|part| part.name == "image" && part.file_name.is_some()).ok_or_else(nothing)?;
    let given = image.file_name.unwrap_or_default();
    if given.is_empty() {
        return Err(nothing());
    }
    let name = sanitised(&given);
    if name.is_empty() {
        return Err(EditorFault::bad(format!("{given:?} has no letter or digit that a file's name could be made of")));
    }
    if Format::of(&name) == Some(Format::Yaml) {
        return Err(EditorFault::bad(format!(
            "{name} would be a descriptor: YAML files beside a descriptor are functions of their own"
        )));
    }
    store(&at, id, name.clone(), image.bytes).await?;
    Ok(text(format!("File {name} successfully uploaded!")))
}

async fn store(at: &InProject, id: u64, name: String, bytes: Bytes) -> Result<(), EditorFault> {
    let place = at.clone();
    planned(&at.workspace, move |reader| {
        let path = beside(reader, &place, id, &name)?;
        let operation = Operation::Put(Payload::Raw(bytes.clone()));
        Ok(((), vec![Change { path, expected: Expected::Any, operation }]))
    })
    .await?;
    Ok(())
}

/// `GET .../functions/{vnf}/upload`: names of files.
pub(super) async fn list_images(at: InProject, Last(id): Last) -> Answer {
    let names = blocking::run(move || {
        let reader = at.workspace.reader();
        let shelf = Shelf::new(&reader, &at, Sort::Function)?;
        let function = shelf.by_id(id)?.ok_or_else(|| no_function(id))?;
        let path = function.path()?;
        let files = super::rename::files(&reader, &at, path.folder())?;
        let images = files
            .iter()
            .map(|(path, _)| path)
            .filter(|file| file.folder() == path.folder() && shelf.kind.captures_of(file.as_str()).is_none());
        Ok::<_, EditorFault>(images.map(|file| json!(file.file_name())).collect())
    });
    Ok(answer(StatusCode::OK, &names.await?))
}

/// `DELETE .../functions/{vnf}/upload/{filename}`.
pub(super) async fn delete_image(
    at: InProject,
    Path((_, _, id, name)): Path<(String, String, String, String)>,
) -> Answer {
    at.workspace.writer()?;
    let id = crate::dialect::editor::gate::parsed(&id)
        .ok_or_else(|| EditorFault::not_found(format!("there is no function {id:?}")))?;
    let (place, sought) = (at.clone(), name.clone());
    planned(&at.workspace, move |reader| {
        let missing = || EditorFault::not_found(format!("File {sought} not found!"));
        let shelf = Shelf::new(reader, &place, Sort::Function)?;
        shelf.by_id(id)?.ok_or_else(|| no_function(id))?;
        if sought.contains('/') {
            return Err(missing());
        }
        let path = beside(reader, &place, id, &sought).map_err(|_| missing())?;
        let etag = match reader.file(&place.workspace.name, &path) {
            Ok((etag, _)) => etag,
            Err(Error::NotFound(_)) => return Err(missing()),
            Err(error) => return Err(error.into()),
        };
        if shelf.kind.captures_of(path.as_str()).is_some() {
            return Err(EditorFault::bad(format!("{sought} is a descriptor: delete the function instead")));
        }
        Ok(((), vec![Change { path, expected: Expected::At(vec![etag]), operation: Operation::Delete }]))
    })
    .await?;
    Ok(text(as_html(&format!("File {name} was deleted"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_uploads() {
        for (given, stored) in [
            ("../../my image.img", "my_image.img"),
            ("C:\\images\\disk one.qcow2", "disk_one.qcow2"),
            (".git", "git"),
            (".workleaf", "workleaf"),
            ("-rf", "rf"),
            ("a<b>&\"c\".img", "abc.img"),
            ("..", ""),
            ("/", ""),
            ("übung.raw", "bung.raw"),
            ("x.yml", "x.yml"),
        ] {
            assert_eq!(sanitised(given), stored, "{given}");
        }
    }
}
