//! What is in a package and what its manifest says of it.

use std::collections::BTreeMap;

use md5::{Digest as _, Md5};
use serde_json::{Map, Value, json};

use super::{Descriptor, Function, Refused, Source};
use crate::base::hex;
use crate::dialect::editor::sonata::text::yaml;

/// A file of the package.
pub(super) struct File {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    content_type: String,
}

/// All files but the manifest, by name.
pub(super) struct Contents {
    pub(super) files: Vec<File>,
    /// Images that are elsewhere.
    artifacts: Vec<Value>,
    entry: String,
}

/// A manifest as it is stored.
pub(in crate::dialect::editor) struct Manifest {
    /// `vendor.name.version.son`.
    pub(super) name: String,
    pub(super) text: Vec<u8>,
}

impl Manifest {
    /// Its place in the package.
    pub(in crate::dialect::editor) const FILE: &str = "META-INF/MANIFEST.MF";
}

/// What an image's name in a descriptor stands for.
pub(super) enum Place {
    /// A path in the function's folder, where there may be nothing.
    Local(String),
    Url(String),
}

pub(super) struct Image {
    unit: String,
    pub(super) format: String,
    md5: Option<String>,
    pub(super) place: Place,
}

/// The images of a function's units.
pub(super) fn images(function: &Value) -> impl Iterator<Item = Image> {
    let units = function["virtual_deployment_units"].as_array().into_iter().flatten();
    units.filter_map(|unit| {
        let text = |key: &str| unit[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let name = text("vm_image")?;
        let place = match name.strip_prefix("file://") {
            Some(path) => Place::Local(path.trim_start_matches('/').to_owned()),
            None if name.contains("://") => Place::Url(name),
            None => Place::Local(name),
        };
        Some(Image {
            unit: text("id").unwrap_or_default(),
            format: text("vm_image_format").unwrap_or_else(|| "raw".to_owned()),
            md5: text("vm_image_md5"),
            place,
        })
    })
}

/// Descriptors and images under their names in the package.
pub(super) fn contents(source: &Source<'_>) -> Result<Contents, Refused> {
    let mut files: BTreeMap<String, File> = BTreeMap::new();
    let mut add = |name: String, content_type: String, bytes: Vec<u8>| match files.get(&name) {
        // Two units may have one image.
        Some(there) if there.bytes == bytes => Ok(()),
        Some(_) => Err(Refused(format!("two files of the package would be called {name:?}: rename one of them"))),
        None => {
            plain(&name)?;
            files.insert(name.clone(), File { name, bytes, content_type });
            Ok(())
        }
    };
    let text = |descriptor: &Descriptor<'_>| yaml(descriptor.value).to_vec();
    let entry = format!("service_descriptors/{}", source.service.file);
    add(entry.clone(), "application/sonata.service_descriptor".into(), text(&source.service))?;
    let mut artifacts = Vec::new();
    for function in &source.functions {
        let name = format!("function_descriptors/{}", function.descriptor.file);
        add(name, "application/sonata.function_descriptor".into(), text(&function.descriptor))?;
        for image in images(function.descriptor.value) {
            match &image.place {
                Place::Url(url) => artifacts.push(artifact(function, &image, url)),
                Place::Local(path) => {
                    let inside = format!("{path}/");
                    for (file, bytes) in
                        function.images.iter().filter(|(file, _)| file == path || file.starts_with(&inside))
                    {
                        let name = format!("{}_files/{}/{file}", image.format, function.folder);
                        add(name, format!("application/sonata.{}_files", image.format), bytes.clone())?;
                    }
                }
            }
        }
    }
    Ok(Contents { files: files.into_values().collect(), artifacts, entry })
}

fn artifact(function: &Function<'_>, image: &Image, url: &str) -> Value {
    let name = |text: &str| text.chars().map(|c| if is_plain(c) { c } else { '_' }).collect::<String>();
    let of = |key: &str| function.descriptor.value[key].as_str().unwrap_or_default();
    let called = of("name");
    let mut artifact = Map::new();
    artifact.insert("vendor".into(), json!(of("vendor")));
    artifact.insert("version".into(), json!(of("version")));
    artifact.insert("name".into(), json!(name(&format!("{called}-{}-vm_image", image.unit))));
    artifact.insert("url".into(), json!(url));
    if let Some(md5) = &image.md5 {
        artifact.insert("md5".into(), json!(md5));
    }
    Value::Object(artifact)
}

/// What manifests may name.
fn plain(name: &str) -> Result<(), Refused> {
    match name.chars().find(|c| !is_plain(*c)) {
        None => Ok(()),
        Some(c) => Err(Refused(format!(
            "{name:?} cannot be in a package: {c:?} is not allowed there; use letters, digits, dot, dash, underscore and slash"
        ))),
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/')
}

pub(super) fn manifest(source: &Source<'_>, contents: &Contents) -> Result<Manifest, Refused> {
    let text = |key: &str| {
        let value = match &source.project["package"][key] {
            Value::Null => &source.project[key],
            inner => inner,
        };
        match value {
            Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    };
    let keys = ["vendor", "name", "version", "maintainer", "description"];
    let missing: Vec<&str> = keys.into_iter().filter(|key| text(key).is_none()).collect();
    if !missing.is_empty() {
        return Err(Refused(format!("Please define {} in the project's settings (project.yml)", missing.join(", "))));
    }
    let [vendor, name, version, maintainer, description] = keys.map(|key| text(key).unwrap_or_default());
    let is_lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    for (key, text) in [("vendor", &vendor), ("name", &name)] {
        if !text.chars().all(is_lower) {
            return Err(Refused(format!(
                "the project's {key} {text:?} cannot be that of a package: use lower-case letters, digits, dot, dash and underscore only"
            )));
        }
    }
    if !version.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '_' | '.')) {
        return Err(Refused(format!(
            "the project's version {version:?} cannot be that of a package: use digits, dot, dash and underscore only"
        )));
    }
    let listed: Vec<Value> = contents
        .files
        .iter()
        .map(|file| {
            let md5 = hex::encode(&Md5::digest(&file.bytes));
            json!({ "name": format!("/{}", file.name), "content-type": file.content_type, "md5": md5 })
        })
        .collect();
    let mut manifest = json!({
        "descriptor_version": "1.0",
        "vendor": vendor,
        "name": name,
        "version": version,
        "maintainer": maintainer,
        "description": description,
        "sealed": true,
        "entry_service_template": format!("/{}", contents.entry),
        "package_content": listed,
    });
    if !source.schemas.is_empty() {
        manifest["schema"] = json!(format!("{}package-descriptor/pd-schema.yml", source.schemas));
    }
    if !contents.artifacts.is_empty() {
        manifest["artifact_dependencies"] = Value::Array(contents.artifacts.clone());
    }
    Ok(Manifest { name: format!("{vendor}.{name}.{version}.son"), text: yaml(&manifest).to_vec() })
}
