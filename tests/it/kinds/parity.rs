//! Our schemas against those of the formats' authors: the same verdict on every real file, on
//! documents with every key of the format, and on thousands of variants of both.
//!
//! One difference is outside the comparison: draft 4, in which the SONATA schemas are written,
//! takes 1.0 for no integer, draft 2020-12 takes it for one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::Value;

use workleaf::resource::check::check;
use workleaf::resource::document::{Format, parse};

use crate::kinds::built::{compile, kinds, validator};
use crate::kinds::variants::{codes, complete, recoded, variants};
use crate::reference;

/// How many differences are worth reading.
const SHOWN: usize = 10;

struct Comparison {
    theirs: Validator,
    ours: Validator,
    tried: usize,
    taken: usize,
    differences: Vec<String>,
}

impl Comparison {
    fn new(theirs: &Value, kind: &str, generation: usize) -> Self {
        let ours = validator(kinds().by_name(kind).expect("it is built in"), generation);
        Comparison { theirs: compile(theirs), ours, tried: 0, taken: 0, differences: Vec::new() }
    }

    fn try_variants(&mut self, name: &str, content: &mut Value) {
        variants(content, &mut |what, variant| self.compare(name, what, variant));
    }

    /// Every code of either schema wherever one stands: neither list has one more.
    fn try_codes(&mut self, content: &mut Value, codes: &BTreeSet<String>) {
        recoded(content, codes, &mut |what, variant| self.compare("a complete document", what, variant));
    }

    fn compare(&mut self, name: &str, what: &str, variant: &Value) {
        let (theirs, ours) = (self.theirs.is_valid(variant), self.ours.is_valid(variant));
        self.tried += 1;
        self.taken += usize::from(theirs);
        if theirs != ours {
            let stricter = if theirs { &self.ours } else { &self.theirs };
            let why = stricter.iter_errors(variant).next().map(|error| format!("{}: {error}", error.instance_path()));
            let verdict = if theirs { "theirs takes, ours refuses" } else { "ours takes, theirs refuses" };
            self.differences.push(format!("{name}: {what}: {verdict}: {}", why.unwrap_or_default()));
        }
    }

    #[expect(clippy::print_stdout, reason = "how much was compared")]
    fn finish(self, what: &str) {
        println!("{what}: {} variants, {} of them valid", self.tried, self.taken);
        assert!(self.taken > 0 && self.taken < self.tried, "{what}: one verdict for everything proves nothing");
        let shown = &self.differences[..self.differences.len().min(SHOWN)];
        assert!(shown.is_empty(), "{what}: {} differences, the first: {shown:#?}", self.differences.len());
    }
}

/// Compares over `files`, each of which must be valid, and over documents made from the schema.
fn compare(schema: &Path, kind: &str, generation: usize, files: &[PathBuf]) {
    let theirs = reference::load(schema);
    let mut comparison = Comparison::new(&theirs, kind, generation);
    let mut all_codes = BTreeSet::new();
    for schema in [&theirs, kinds().by_name(kind).expect("it is built in").schema_json(generation)] {
        codes(schema, &mut all_codes);
    }
    for mut content in complete(&theirs) {
        comparison.try_variants("a complete document", &mut content);
        comparison.try_codes(&mut content, &all_codes);
    }
    assert!(!files.is_empty(), "{kind}: no reference files found");
    for file in files {
        let mut content = accepted(kind, generation, file);
        comparison.try_variants(&file.display().to_string(), &mut content);
    }
    comparison.finish(kind);
}

/// The content of a real file, which must be without violations.
fn accepted(kind: &str, generation: usize, file: &Path) -> Value {
    let text = std::fs::read_to_string(file).expect("the file can be read");
    let format = Format::of(&file.to_string_lossy()).expect("the file is YAML or JSON");
    let content = parse(format, text.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let wrong = check(kinds().by_name(kind).expect("it is built in"), generation, format, &text, &content);
    assert!(wrong.is_empty(), "{}: {wrong:#?}", file.display());
    content
}

fn sonata(kind: &str, schema: &str, folder: &str) {
    let Some(data) = reference::folder() else { return };
    let wanted =
        |path: &Path| path.to_string_lossy().contains(folder) && path.extension().is_some_and(|end| end == "yml");
    let files = reference::files(&data.join("sonata/projects"), &wanted);
    compare(&data.join("sonata/schema").join(schema), kind, 1, &files);
}

#[test]
fn services_agree_with_sonata() {
    sonata("service", "nsd-schema.yml", "/sources/nsd/");
}

#[test]
fn functions_agree_with_sonata() {
    sonata("function", "vnfd-schema.yml", "/sources/vnf/");
}

#[test]
fn plans_agree_with_the_rda_standard() {
    let Some(data) = reference::folder() else { return };
    let files = reference::files(&data.join("madmp/examples"), &|_| true);
    assert_eq!(files.len(), 10);
    compare(&data.join("madmp/schema/maDMP-schema-1.2.json"), "madmp", 0, &files);
}

#[test]
fn real_projects_are_valid() {
    let Some(data) = reference::folder() else { return };
    let files = reference::files(&data.join("sonata/projects"), &|path| path.ends_with("project.yml"));
    assert_eq!(files.len(), 10);
    for file in files {
        accepted("project", 0, &file);
    }
}
