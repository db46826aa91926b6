use serde_json::{Value, json};

use super::{Descriptor, Function, Manifest, Source, build, local_images, zip};
use crate::resource::document::{self, Format};

fn project() -> Value {
    json!({ "name": "p", "vendor": "org.example", "version": 0.1, "maintainer": "Ann", "description": "d" })
}

fn function() -> Value {
    json!({ "name": "f", "vendor": "v", "version": "1", "virtual_deployment_units": [
        { "id": "u1", "vm_image": "disk.img", "vm_image_format": "qcow2" },
        { "id": "u2", "vm_image": "file:///more", "vm_image_format": "raw" },
        { "id": "u 3", "vm_image": "https://example.org/i.img", "vm_image_md5": "0".repeat(32) },
        { "id": "u4", "vm_image": "registry/name:tag", "vm_image_format": "docker" },
        { "id": "u5" },
    ] })
}

fn source<'a>(
    project: &'a Value,
    service: &'a Value,
    function: &'a Value,
    images: &'a [(String, Vec<u8>)],
) -> Source<'a> {
    Source {
        project,
        schemas: "https://example.org/",
        service: Descriptor { file: "s.yml", value: service },
        functions: vec![Function { descriptor: Descriptor { file: "f.yml", value: function }, folder: "f", images }],
    }
}

#[test]
fn a_package_says_what_is_in_it() {
    let (project, service, function) = (project(), json!({ "name": "s", "a": 1 }), function());
    let images = ["disk.img", "more/a", "more/b/c", "unused"].map(|name| (name.to_owned(), name.as_bytes().to_vec()));
    let package = build(&source(&project, &service, &function, &images)).expect("it can be packaged");
    assert_eq!(package.name, "org.example.p.0.1.son");
    let again = build(&source(&project, &service, &function, &images)).expect("it can be packaged");
    assert_eq!(package.bytes, again.bytes);
    let manifest = zip::read(&package.bytes, Manifest::FILE, 1 << 20).expect("it is an archive").expect("it has one");
    insta::assert_snapshot!(String::from_utf8(manifest).expect("it is UTF-8"), @r#"
    artifact_dependencies:
      - md5: "00000000000000000000000000000000"
        name: f-u_3-vm_image
        url: https://example.org/i.img
        vendor: v
        version: "1"
    description: d
    descriptor_version: "1.0"
    entry_service_template: /service_descriptors/s.yml
    maintainer: Ann
    name: p
    package_content:
      - content-type: application/sonata.function_descriptor
        md5: 43691ac12e97a4fe6de21046442b7909
        name: /function_descriptors/f.yml
      - content-type: application/sonata.qcow2_files
        md5: e5816406de15f0864ab4f13cfdd592d1
        name: /qcow2_files/f/disk.img
      - content-type: application/sonata.raw_files
        md5: 2bd1b530468944138cae824bbbf58837
        name: /raw_files/f/more/a
      - content-type: application/sonata.raw_files
        md5: 801c53d0fdb6ecca365b861a51df9dea
        name: /raw_files/f/more/b/c
      - content-type: application/sonata.service_descriptor
        md5: a4041fb845233bbfea33db80ecb148f9
        name: /service_descriptors/s.yml
    schema: https://example.org/package-descriptor/pd-schema.yml
    sealed: true
    vendor: org.example
    version: "0.1"
    "#);
    let stored = zip::read(&package.bytes, "service_descriptors/s.yml", 1_000).expect("it is an archive");
    assert_eq!(stored.as_deref(), Some(&b"a: 1\nname: s\n"[..]));
    assert_eq!(zip::read(&package.bytes, "raw_files/f/more/b/c", 10), Ok(Some(b"more/b/c".to_vec())));
    assert_eq!(zip::read(&package.bytes, "raw_files/f/unused", 10), Ok(None));
}

#[test]
fn images_in_the_folder_are_named() {
    assert_eq!(local_images(&function()), ["disk.img", "more", "registry/name:tag"]);
}

#[test]
fn what_platforms_would_refuse_is_refused_here() {
    let refused = |change: &dyn Fn(&mut Value), service: &str, image: &str| {
        let mut project = project();
        change(&mut project);
        let function = json!({ "virtual_deployment_units": [{ "vm_image": image }] });
        let images = [(image.to_owned(), Vec::new())];
        let empty = json!({});
        let mut source = source(&project, &empty, &function, &images);
        source.service.file = service;
        build(&source).map(|package| package.name).map_err(|refused| refused.0)
    };
    let all = [
        refused(&|_| {}, "s.yml", "i"),
        refused(&|project| project["name"] = json!("Proj"), "s.yml", "i"),
        refused(&|project| project["version"] = json!("1a"), "s.yml", "i"),
        refused(&|project| project["vendor"] = json!("a b"), "s.yml", "i"),
        refused(&|project| *project = json!({ "name": "p", "maintainer": " " }), "s.yml", "i"),
        refused(&|project| *project = json!({ "package": project.clone() }), "s.yml", "i"),
        refused(&|_| {}, "a service.yml", "i"),
        refused(&|_| {}, "s.yml", "my image"),
    ];
    insta::assert_debug_snapshot!(all, @r#"
    [
        Ok(
            "org.example.p.0.1.son",
        ),
        Err(
            "the project's name \"Proj\" cannot be that of a package: use lower-case letters, digits, dot, dash and underscore only",
        ),
        Err(
            "the project's version \"1a\" cannot be that of a package: use digits, dot, dash and underscore only",
        ),
        Err(
            "the project's vendor \"a b\" cannot be that of a package: use lower-case letters, digits, dot, dash and underscore only",
        ),
        Err(
            "Please define vendor, version, maintainer, description in the project's settings (project.yml)",
        ),
        Ok(
            "org.example.p.0.1.son",
        ),
        Err(
            "\"service_descriptors/a service.yml\" cannot be in a package: ' ' is not allowed there; use letters, digits, dot, dash, underscore and slash",
        ),
        Err(
            "\"raw_files/f/my image\" cannot be in a package: ' ' is not allowed there; use letters, digits, dot, dash, underscore and slash",
        ),
    ]
    "#);
}

/// The schema that manifests keep to is another's: it is only looked at where reference data are.
#[test]
#[expect(clippy::disallowed_methods, reason = "configuration of the tests, not of the server")]
fn the_manifest_keeps_to_sonatas_schema() {
    let Ok(folder) = std::env::var("WORKLEAF_REFERENCE_DATA") else { return };
    let schema = std::fs::read(std::path::Path::new(&folder).join("sonata/schema/pd-schema.yml")).expect("it is there");
    let schema = document::parse(Format::Yaml, &schema).expect("it is YAML");
    let (project, service, function) = (project(), json!({ "name": "s" }), function());
    let package = build(&source(&project, &service, &function, &[])).expect("it can be packaged");
    let manifest = zip::read(&package.bytes, Manifest::FILE, 1 << 20).expect("it is an archive").expect("it has one");
    let manifest = document::parse(Format::Yaml, &manifest).expect("it is YAML");
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    let wrong: Vec<String> = validator.iter_errors(&manifest).map(|error| error.to_string()).collect();
    assert_eq!(wrong, Vec::<String>::new());
}
