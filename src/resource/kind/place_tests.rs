//! Paths of new documents, and that they are read back as they were made.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::tests::{FUNCTION, SERVICE, build};
use super::*;
use crate::resource::key::shard;

const PRODUCT: &str = "kind: product\nplural: products\nfile: 'catalog/{slug}/product.yaml'\nschema: schema.json\nindex: { name: keyword }";
const DMP: &str = "kind: dmp\nplural: dmps\nfile: 'dmps/{shard}/{id}.json'\nschema: schema.json";
const TWO: &str = "kind: two\nplural: twos\nfile: 'two/{a}-{b}.yml'\nschema: schema.json";

fn kinds() -> Kinds {
    build(&[SERVICE, FUNCTION, PRODUCT, DMP, TWO]).expect("kinds")
}

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn place(kind: &str, pairs: &[(&str, &str)], content: Value) -> String {
    let kinds = kinds();
    let kind = kinds.by_name(kind).expect("a kind");
    match kind.place(&given(pairs), &content, || "new".into()) {
        Ok(path) => path.to_string(),
        Err(error) => format!("! {error}"),
    }
}

#[test]
fn the_first_pattern_that_can_be_filled_wins() {
    let content = json!({"vendor": "eu.v", "name": "My NS", "version": "0.1"});
    assert_eq!(place("service", &[("project", "p")], content.clone()), "projects/p/sources/nsd/eu.v-my-ns-0.1.yml");
    assert_eq!(place("service", &[], content.clone()), "services/eu.v-my-ns-0.1.yml");
    assert_eq!(place("service", &[("file", "X"), ("other", "/")], content.clone()), "services/X.yml");
    assert_eq!(place("service", &[], json!({"title": "A plan"})), "services/a-plan.yml");
    let function = place("function", &[("project", "p")], content);
    assert_eq!(function, "projects/p/sources/vnf/my-ns/eu.v-my-ns-0.1.yml");
}

#[test]
fn ids_shards_and_slugs_are_made() {
    assert_eq!(place("dmp", &[], json!({})), format!("dmps/{}/new.json", shard("new")));
    assert_eq!(place("dmp", &[("id", "x1"), ("shard", "zz")], json!({})), format!("dmps/{}/x1.json", shard("x1")));
    assert_eq!(place("product", &[], json!({"name": "Tomcat"})), format!("catalog/{}/product.yaml", slug("Tomcat")));
}

#[test]
fn what_is_missing_or_wrong_is_said() {
    let missing = "! cannot tell where the new function goes: project, a name in the document, file missing \
                   (its files are projects/{project}/sources/vnf/*/*.yml)";
    assert_eq!(place("function", &[], json!({})), missing);
    assert!(place("service", &[("project", "p")], json!({})).contains("file missing"));
    assert!(
        place("service", &[("project", "a/b")], json!({})).starts_with("! project: \"a/b\" cannot be part of a path")
    );
    assert!(place("dmp", &[("id", "")], json!({})).starts_with("! id: \"\""));
    assert!(place("dmp", &[("id", "a:b")], json!({})).contains("U+003A"));
    assert!(place("dmp", &[("id", ".x")], json!({})).contains("would be read back differently"));
    assert_eq!(place("two", &[("a", "x"), ("b", "y-z")], json!({})), "two/x-y-z.yml");
    assert!(place("two", &[("a", "x-y"), ("b", "z")], json!({})).contains("choose other values for a, b"));
    let kinds = kinds();
    assert_eq!(kinds.by_name("dmp").map(|kind| kind.place_keys().join(" ")).as_deref(), Some("id file"));
}

proptest! {
    /// A placed document is claimed by its kind with the captures it was made of.
    #[test]
    fn a_placed_document_is_claimed_as_it_was_placed(
        which in prop::sample::select(vec!["service", "function", "product", "dmp", "two"]),
        project in "\\PC{1,12}",
        id in "[A-Za-z0-9._-]{1,20}",
        name in "\\PC{0,30}",
        file in prop::option::of("[A-Za-z0-9. _-]{1,12}"),
    ) {
        let kinds = kinds();
        let kind = kinds.by_name(which).expect("a kind");
        let mut pairs = given(&[("project", &project), ("id", &id), ("a", &id), ("b", &project)]);
        pairs.extend(file.map(|file| ("file".to_owned(), file)));
        if let Ok(path) = kind.place(&pairs, &json!({"name": name}), || "new".into()) {
            let (claimed, captures) = kinds.claim(path.as_str()).expect("claimed");
            prop_assert_eq!(&claimed.name, &kind.name);
            for (key, value) in captures.iter() {
                let meant = match key {
                    "shard" => shard(&id),
                    "slug" => slug(&name),
                    key => pairs[key].clone(),
                };
                prop_assert_eq!(value, meant);
            }
        }
    }

    /// Patterns made from one path by putting wildcards in match it, and overlap.
    #[test]
    fn patterns_that_meet_overlap(
        folders in prop::collection::vec("[ab]{1,3}", 0..4),
        a in prop::collection::vec(0..5u8, 4),
        b in prop::collection::vec(0..5u8, 4),
    ) {
        let [a, b] = [a, b].map(|choices| Pattern::parse(&loosened(&folders, &choices)).expect("a pattern"));
        let path = folders.iter().map(|folder| format!("{folder}/")).collect::<String>() + "ab.yml";
        prop_assert!(a.captures(&path).is_some() && b.captures(&path).is_some(), "{a} and {b} match {path}");
        prop_assert!(a.overlaps(&b) && b.overlaps(&a), "{a} and {b} both match {path}");
        prop_assert!(!a.overlaps(&Pattern::parse("**/*.json").expect("a pattern")));
    }

    /// Any text is a pattern or is refused, and any path is matched or not, without a panic.
    #[test]
    fn nothing_panics(pattern in "\\PC{0,24}", path in "\\PC{0,40}") {
        if let Ok(pattern) = Pattern::parse(&pattern) {
            pattern.captures(&path);
        }
    }
}

fn loosened(folders: &[String], choices: &[u8]) -> String {
    let mut out = String::new();
    for (at, (folder, choice)) in folders.iter().zip(choices).enumerate() {
        out.push_str(&match choice {
            0 => "**".to_owned(),
            1 => "*".to_owned(),
            2 => format!("{}*", &folder[..1]),
            3 => format!("{{c{at}}}"),
            _ => folder.clone(),
        });
        out.push('/');
    }
    out + ["*", "a*", "*b", "{c}", "ab"][usize::from(choices[3])] + ".yml"
}
