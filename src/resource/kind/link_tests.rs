//! Links between rows made of documents.

use std::sync::Arc;

use serde_json::{Value, json};

use super::tests::{FUNCTION, SERVICE, build};
use super::*;
use crate::resource::etag::Etag;
use crate::resource::key::DocumentId;
use crate::resource::row::{Moment, Row};

const COMPONENTTYPE: &str = "kind: componenttype\nplural: componenttypes\nfile: 'types/{id}.yml'\nschema: schema.json\nindex: { name: keyword }";

const COMPONENT: &str = "
kind: component
plural: components
file: 'components/{shard}/{id}.yml'
schema: schema.json
links:
  type: { to: componenttype, match: { id: type_id }, on_delete: cascade }
  others: { to: component, match: { id: other_ids } }
  services: { to: service, match: { id: service_id } }
";

fn kinds() -> Kinds {
    build(&[SERVICE, FUNCTION, COMPONENT, COMPONENTTYPE]).expect("kinds")
}

fn row(kind: &Kind, path: &str, content: &Value) -> Row {
    let captures = kind.captures_of(path).expect("the path is the kind's");
    let id = captures.get("id").map_or(DocumentId::Number(42), |id| DocumentId::Text(id.into()));
    let values = kind.values(&captures, content);
    Row {
        kind: kind.name.clone(),
        workspace: "ann/w".into(),
        path: path.into(),
        id: id.stored(),
        etag: Etag([0; 20]),
        created: Moment::default(),
        updated: Moment::default(),
        violations: 0,
        texts: values.texts,
        numbers: values.numbers,
    }
}

fn kind<'k>(kinds: &'k Kinds, name: &str) -> &'k Arc<Kind> {
    kinds.by_name(name).expect("a kind")
}

/// Whether the first occurrence of the link in the source means the target, as both directions
/// of the question answer it.
fn points_at(kinds: &Kinds, link: &str, source: (&str, &str, &Value), target: (&str, &str, &Value)) -> bool {
    let from = kind(kinds, source.0);
    let to = kind(kinds, target.0);
    let link = from.link(link).expect("a link");
    let target_row = row(to, target.1, target.2);
    let source_row = row(from, source.1, source.2);
    let keys = link.keys(&from.captures_of(source.1).expect("captures"), source.2);
    let admitted = keys.first().is_some_and(|key| link.admits(&key.meaning, &target_row));
    if admitted {
        assert!(link.target_filter(&keys[0].meaning).matches(&target_row), "the filter must find what is admitted");
        assert!(link.referrer_filter(&target_row).matches(&source_row), "so must the one of referrers");
    }
    admitted
}

#[test]
fn services_name_functions_by_several_fields() {
    let kinds = kinds();
    let function = json!({"vendor": "v", "name": "fw", "version": "0.10"});
    let at = |version: &str, project: &str| {
        let service = json!({"network_functions": [{"vnf_vendor": "v", "vnf_name": "fw", "vnf_version": version}]});
        let path = format!("projects/{project}/sources/nsd/s.yml");
        points_at(
            &kinds,
            "functions",
            ("service", &path, &service),
            ("function", "projects/p/sources/vnf/fw/f.yml", &function),
        )
    };
    assert!(at("0.10", "p"));
    assert!(!at("0.10", "q"), "links stay within the project");
    assert!(!at("0.1", "p"));
    assert!(at(">= 0.9", "p") && at(">=0.10", "p") && !at(">= 0.11", "p"));
    assert!(at("<= 0.11", "p") && at("== 0.10", "p") && at("!= 0.9", "p") && !at("!= 0.10", "p"));
}

#[test]
fn documents_outside_of_projects_are_together() {
    let kinds = kinds();
    let service = kind(&kinds, "service");
    let content = json!({"network_functions": [{"vnf_vendor": "v", "vnf_name": "fw", "vnf_version": "1"}]});
    let link = service.link("functions").expect("functions");
    let keys = link.keys(&service.captures_of("services/s.yml").expect("captures"), &content);
    let function = row(
        kind(&kinds, "function"),
        "projects/p/sources/vnf/fw/f.yml",
        &json!({"vendor": "v", "name": "fw", "version": "1"}),
    );
    assert!(!link.admits(&keys[0].meaning, &function) && !link.target_filter(&keys[0].meaning).matches(&function));
    let loose = Row { texts: function.texts.iter().filter(|(_, v)| **v != *"p").cloned().collect(), ..function };
    assert!(link.admits(&keys[0].meaning, &loose) && link.target_filter(&keys[0].meaning).matches(&loose));
    assert!(link.referrer_filter(&loose).matches(&row(service, "services/s.yml", &content)));
}

#[test]
fn ids_are_matched_in_their_stored_form() {
    let kinds = kinds();
    let path = "components/2c/b.yml".replace("2c", &crate::resource::key::shard("b"));
    let component = |content: &Value, link: &str, target: (&str, &str, &Value)| {
        points_at(&kinds, link, ("component", &path, content), target)
    };
    let empty = json!({});
    assert!(component(&json!({"type_id": "t1"}), "type", ("componenttype", "types/t1.yml", &empty)));
    assert!(component(&json!({"type_id": 17}), "type", ("componenttype", "types/17.yml", &empty)));
    assert!(!component(&json!({"type_id": "t2"}), "type", ("componenttype", "types/t1.yml", &empty)));
    assert!(component(&json!({"service_id": 42}), "services", ("service", "services/s.yml", &empty)));
    assert!(component(&json!({"service_id": "42"}), "services", ("service", "services/s.yml", &empty)));
    assert!(!component(&json!({"service_id": null}), "services", ("service", "services/s.yml", &empty)));
}

#[test]
fn occurrences_are_in_document_order_with_their_places() {
    let kinds = kinds();
    let component = kind(&kinds, "component");
    let keys = component.link("others").expect("others").keys(&Captures::default(), &json!({"other_ids": ["b", "a"]}));
    let shown: Vec<String> = keys.iter().map(|key| format!("{} {key}", key.pointer)).collect();
    assert_eq!(shown, ["/other_ids/0 b", "/other_ids/1 a"]);
    let service = kind(&kinds, "service");
    let functions = json!({"network_functions": [7, {"vnf_vendor": "v", "vnf_name": "n", "vnf_version": ">= 1"}]});
    let keys = service.link("functions").expect("functions").keys(&Captures::default(), &functions);
    assert_eq!(format!("{} {}", keys[0].pointer, keys[0]), "/network_functions/1 v/n/>= 1");
    assert_eq!(keys.len(), 1);
}

#[test]
fn referrers_are_the_links_that_point_here() {
    let kinds = kinds();
    let names = |kind: &str| -> Vec<String> {
        kinds.referrers_of(kind).map(|(from, link)| format!("{}.{}", from.name, link.name)).collect()
    };
    assert_eq!(names("componenttype"), ["component.type"]);
    assert_eq!(names("component"), ["component.others"]);
    assert_eq!(names("service"), ["component.services"]);
    let cascade = kind(&kinds, "component").link("type").map(|link| link.on_delete);
    assert_eq!(cascade, Some(OnDelete::Cascade));
}

#[test]
fn twins_share_every_unique_value() {
    let kinds = kinds();
    let service = kind(&kinds, "service");
    let path = "projects/p/sources/nsd/s.yml";
    let content = json!({"vendor": "v", "name": "n", "version": "1"});
    let captures = service.captures_of(path).expect("captures");
    let filter = service.twin_filter(&service.unique[0], &captures, &content).expect("complete");
    assert!(filter.matches(&row(service, "projects/p/sources/nsd/other.yml", &content)));
    assert!(!filter.matches(&row(service, "projects/q/sources/nsd/s.yml", &content)));
    assert!(service.twin_filter(&service.unique[0], &captures, &json!({"vendor": "v"})).is_none());
}
