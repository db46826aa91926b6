//! What every built-in kind must have.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Value, json};
use workleaf::resource::check::check;
use workleaf::resource::document::{Format, parse};
use workleaf::resource::etag::Etag;
use workleaf::resource::key::shard as shard_of;
use workleaf::resource::kind::{Kind, Kinds, Source, built_in};
use workleaf::resource::row::{Column, Moment, Row};

use crate::reference;

pub(super) fn kinds() -> &'static Kinds {
    static KINDS: LazyLock<Kinds> = LazyLock::new(|| Kinds::build(built_in()).expect("the built-in kinds are sound"));
    &KINDS
}

/// A validator of one generation, formats included.
pub(super) fn validator(kind: &Kind, generation: usize) -> jsonschema::Validator {
    compile(kind.schema_json(generation))
}

pub(super) fn compile(schema: &Value) -> jsonschema::Validator {
    jsonschema::options().offline().should_validate_formats(true).build(schema).expect("the schema compiles")
}

/// Of a kind's files.
fn format(kind: &Kind) -> Format {
    Format::of(kind.patterns[0].as_str()).expect("patterns end in a known way")
}

fn starter(kind: &Kind) -> Value {
    parse(format(kind), kind.starter.as_bytes()).expect("the starter can be read")
}

#[test]
fn every_folder_is_embedded_and_builds() {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/kinds");
    let on_disk: BTreeMap<String, Vec<String>> = std::fs::read_dir(&folders)
        .expect("the folder exists")
        .map(|entry| {
            let folder = entry.expect("the folder can be read").path();
            let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name(&folder), reference::files(&folder, &|_| true).iter().map(|path| name(path)).collect())
        })
        .collect();
    let embedded: BTreeMap<String, Vec<String>> =
        built_in().into_iter().map(|source| (source.folder, source.files.into_keys().collect())).collect();
    assert_eq!(embedded, on_disk, "touch src/resource/kind/built_in.rs");

    let kinds = kinds();
    for name in embedded.keys() {
        assert!(kinds.by_name(name).is_some(), "folder {name} declares a kind of another name");
    }
}

#[test]
fn starters_are_valid() {
    for kind in kinds().iter() {
        let default = kind.select.as_ref().map_or(0, |select| select.default);
        let content = starter(kind);
        let wrong = check(kind, default, format(kind), &kind.starter, &content);
        assert!(wrong.is_empty(), "{}: {wrong:#?}", kind.name);
        // JSON has no comments.
        if format(kind) == Format::Yaml {
            assert!(kind.starter.contains("# "), "{}: the starter explains nothing", kind.name);
            assert_ne!(kind.label(&content, "id"), "id", "{}: the starter has no label", kind.name);
        }
    }
}

#[test]
fn starters_fill_what_is_indexed() {
    // What a starter only shows in a comment, or has no use for.
    let absent = [
        ("project", vec!["repo_url"]),
        ("service", vec!["licence", "ns_name", "manager", "depends_on"]),
        ("function", vec!["license", "manager", "flavour"]),
        ("dmp", vec!["user", "embargo_date", "tags"]),
        (
            "madmp",
            vec![
                "alternate_identifier",
                "related_identifier",
                "grant",
                "cost",
                "byte_size",
                "certified_with",
                "metadata_standard",
            ],
        ),
    ];
    for kind in kinds().iter() {
        let content = starter(kind);
        let values = kind.values(&Default::default(), &content);
        let has = |column| match column {
            Column::Text(slot) => values.texts.iter().any(|(at, _)| *at == slot),
            Column::Number(slot) => values.numbers.iter().any(|(at, _)| *at == slot),
            _ => true,
        };
        let empty: Vec<&str> = kind
            .fields
            .iter()
            .filter(|field| matches!(field.source, Source::Pointers(_)) && !has(field.column))
            .map(|field| &*field.name)
            .collect();
        let expected = absent.iter().find(|(name, _)| **name == *kind.name).map(|(_, fields)| fields.clone());
        assert_eq!(empty, expected.unwrap_or_default(), "{}: fields without a value", kind.name);
    }
}

#[test]
fn paths_of_the_contracts_are_claimed() {
    let kinds = kinds();
    let id = "5f0c2a1b9d3e4f5a6b7c8d9e";
    let shard = shard_of(id);
    let claimed = |path: &str| kinds.claim(path).map(|(kind, _)| kind.name.to_string());
    for (path, kind) in [
        ("projects/p/project.yml", Some("project")),
        ("projects/p/sources/nsd/a.yml", Some("service")),
        ("projects/p/sources/nsd/deep/er/a.yml", Some("service")),
        ("projects/p/sources/nsd/a.yaml", Some("service")),
        ("projects/p/sources/nsd/deep/a.yaml", Some("service")),
        ("services/a.yml", Some("service")),
        ("catalogues/ns_catalogue/v/n/1/descriptor.yml", Some("service")),
        ("ns/v/n/1/descriptor.yml", Some("service")),
        ("projects/p/sources/vnf/n/a.yml", Some("function")),
        ("projects/p/sources/vnf/n/a.yaml", Some("function")),
        ("functions/a.yml", Some("function")),
        ("catalogues/vnf_catalogue/v/n/1/descriptor.yml", Some("function")),
        ("vnf/v/n/1/descriptor.yml", Some("function")),
        (&format!("componenttypes/{shard}/{id}.yml"), Some("componenttype")),
        (&format!("components/{shard}/{id}.yml"), Some("component")),
        (&format!("dmps/{shard}/{id}.json"), Some("dmp")),
        (&format!("madmps/{shard}/{id}.json"), Some("madmp")),
        ("catalog/web-cache-0a1b2c3d/product.yaml", Some("product")),
        // Files of others, and side files.
        ("workspace.yml", None),
        ("projects/p/q/project.yml", None),
        ("projects/p/sources/nsd/a.json", None),
        ("projects/p/sources/vnf/a.yml", None),
        ("projects/p/sources/vnf/n/fsm/a.yml", None),
        ("projects/p/sources/ssm/sample/ssm.yml", None),
        ("projects/p/.workleaf/meta/a.json", None),
        (&format!("dmps/{id}.json"), None),
        ("catalogues/personal.yml", None),
    ] {
        assert_eq!(claimed(path).as_deref(), kind, "{path}");
    }
}

#[test]
fn new_documents_have_a_place() {
    let kinds = kinds();
    let place = |kind: &str, given: &[(&str, &str)], content: Value| {
        let given = given.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        kinds.by_name(kind).expect("it is built in").place(&given, &content, || "i".into()).map(|path| path.to_string())
    };
    let shard = shard_of("i");
    let triple = json!({"vendor": "v", "name": "n", "version": "0.1"});
    let in_project = [("project", "p")];
    for (kind, given, content, path) in [
        ("project", &in_project[..], json!({}), "projects/p/project.yml"),
        ("service", &in_project, triple.clone(), "projects/p/sources/nsd/v-n-0.1.yml"),
        ("service", &[], triple.clone(), "services/v-n-0.1.yml"),
        ("service", &[("project", "p"), ("file", "f")], triple.clone(), "projects/p/sources/nsd/f.yml"),
        ("function", &in_project, triple.clone(), "projects/p/sources/vnf/n/v-n-0.1.yml"),
        ("function", &[], triple.clone(), "functions/v-n-0.1.yml"),
        ("componenttype", &[], json!({"name": "n"}), &format!("componenttypes/{shard}/i.yml")),
        ("component", &[], json!({"name": "n"}), &format!("components/{shard}/i.yml")),
        ("dmp", &[], json!({}), &format!("dmps/{shard}/i.json")),
        ("madmp", &[], json!({}), &format!("madmps/{shard}/i.json")),
    ] {
        assert_eq!(place(kind, given, content).as_deref(), Ok(path), "{kind} {given:?}");
    }
    assert!(place("project", &[], json!({"name": "n"})).is_err(), "a project needs the name of its folder");
    let product = place("product", &[], json!({"name": "Web Cache"})).expect("a product is placed by its name");
    assert!(product.starts_with("catalog/web-cache-") && product.ends_with("/product.yaml"), "{product}");
}

#[test]
fn component_types_take_their_components_along() {
    let kinds = kinds();
    let links: Vec<String> = kinds
        .referrers_of("componenttype")
        .map(|(from, link)| format!("{} {} {:?}", from.name, link.name, link.on_delete))
        .collect();
    assert_eq!(links, ["component componenttype Cascade"]);
    let unique = &kinds.by_name("componenttype").expect("it is built in").unique;
    assert_eq!(unique.iter().map(|unique| &*unique.fields[0].name).collect::<Vec<_>>(), ["name"]);
}

#[test]
fn starters_belong_together() {
    let kinds = kinds();
    let kind = |name: &str| kinds.by_name(name).expect("it is built in");
    let (service, function) = (kind("service"), kind("function"));
    let row_at = |path: &str| {
        let captures = function.captures_of(path).expect("the path is a function's");
        let values = function.values(&captures, &starter(function));
        Row {
            kind: function.name.clone(),
            workspace: "ann/lab".into(),
            path: path.into(),
            id: "n1".into(),
            etag: Etag([0; 20]),
            created: Moment::default(),
            updated: Moment::default(),
            violations: 0,
            texts: values.texts,
            numbers: values.numbers,
        }
    };
    let here = service.captures_of("projects/p/sources/nsd/a.yml").expect("the path is a service's");
    let link = service.link("functions").expect("services link to functions");
    let keys = link.keys(&here, &starter(service));
    assert_eq!(keys.len(), 1);
    assert!(link.admits(&keys[0].meaning, &row_at("projects/p/sources/vnf/web-cache/a.yml")));
    assert!(!link.admits(&keys[0].meaning, &row_at("projects/q/sources/vnf/web-cache/a.yml")), "another project");
}
