//! Packages (`.son`): a service with its functions and their images as one file that service
//! platforms take (contracts/editor.md 8).

mod manifest;
pub(super) mod zip;

#[cfg(test)]
mod tests;

use serde_json::Value;

pub(super) use manifest::Manifest;

/// What goes into a package.
#[derive(Debug)]
pub(super) struct Source<'a> {
    /// What `project.yml` says.
    pub(super) project: &'a Value,
    /// Where the schema of manifests is; ends in a slash. Empty where that is not known.
    pub(super) schemas: &'a str,
    pub(super) service: Descriptor<'a>,
    /// The functions that the service asks for.
    pub(super) functions: Vec<Function<'a>>,
}

/// A descriptor and its file's name.
#[derive(Debug)]
pub(super) struct Descriptor<'a> {
    pub(super) file: &'a str,
    pub(super) value: &'a Value,
}

#[derive(Debug)]
pub(super) struct Function<'a> {
    pub(super) descriptor: Descriptor<'a>,
    /// The name of its folder in the project.
    pub(super) folder: &'a str,
    /// Image files beside it by their path in that folder.
    pub(super) images: &'a [(String, Vec<u8>)],
}

/// A package.
#[derive(Debug)]
pub(super) struct Package {
    /// `vendor.name.version.son`.
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// Why there is no package; the text says what to do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refused(pub(super) String);

/// Most bytes of descriptors and images together.
pub(super) const CONTENT_MOST: usize = 256 << 20;

/// Builds a package: the same source gives the same bytes.
pub(super) fn build(source: &Source<'_>) -> Result<Package, Refused> {
    let mut contents = manifest::contents(source)?;
    let size: usize = contents.files.iter().map(|file| file.bytes.len()).sum();
    if size > CONTENT_MOST {
        return Err(too_large());
    }
    let manifest = manifest::manifest(source, &contents)?;
    let mut files = vec![(Manifest::FILE.to_owned(), manifest.text)];
    files.extend(contents.files.drain(..).map(|file| (file.name, file.bytes)));
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    let bytes = zip::write(&files).map_err(|error| Refused(format!("the package cannot be written: {error}")))?;
    Ok(Package { name: manifest.name, bytes: bytes.ok_or_else(too_large)? })
}

pub(super) fn too_large() -> Refused {
    let most = CONTENT_MOST >> 20;
    Refused(format!(
        "the package would hold more than {most} MiB: take large images out and name them by a URL in vm_image"
    ))
}

/// The image files that a function's descriptor names, as paths in its folder; a folder stands for
/// all that is in it.
pub(super) fn local_images(function: &Value) -> Vec<String> {
    manifest::images(function)
        .filter_map(|image| match image.place {
            manifest::Place::Local(path) => Some(path),
            manifest::Place::Url(_) => None,
        })
        .collect()
}
