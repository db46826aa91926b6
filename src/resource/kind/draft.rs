//! One kind from its folder, and its links to the others.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::base::nearest::nearest;
use crate::resource::document::{self, Format};
use crate::resource::kind::catalogue::KindSource;
use crate::resource::kind::declaration::{Declaration, LinkDeclaration};
use crate::resource::kind::error::KindError;
use crate::resource::kind::fields::{Field, FieldType, Source};
use crate::resource::kind::links::{Link, LinkMatch, Within};
use crate::resource::kind::model::{Kind, LabelPart, Unique};
use crate::resource::kind::pattern::{DERIVED_CAPTURES, Pattern};
use crate::resource::kind::schema::{Schema, Select, generation};
use crate::resource::row::{Column, SLOTS};

/// A kind without its links.
pub(super) struct Draft {
    folder: String,
    pub(super) declaration: Declaration,
    pub(super) kind: Kind,
    /// Text slots in use.
    texts: u8,
}

impl Draft {
    /// Reads a folder's files and holds the declaration against them.
    pub(super) fn read(source: &KindSource) -> Result<Self, KindError> {
        let content = parse(source, "kind.yaml")?;
        let wrong = |problem| KindError::Declaration { folder: source.folder.clone(), problem };
        let declaration = Declaration::read(&content).map_err(wrong)?;

        let mut schemas = Vec::new();
        for (name, file) in &declaration.schemas {
            let json = parse(source, file)?;
            schemas.push(Schema::compile(name.clone(), json).map_err(|problem| KindError::Schema {
                folder: source.folder.clone(),
                file: file.clone(),
                problem,
            })?);
        }
        let given_id = given_id(&declaration).map_err(wrong)?;
        let mut slots = Slots::default();
        let fields = fields(&declaration, given_id, &mut slots).map_err(wrong)?;
        let label = label(declaration.label.as_deref().unwrap_or_default(), &fields).map_err(wrong)?;
        let unique = unique(&declaration.unique, &fields).map_err(wrong)?;
        repository(&declaration).map_err(wrong)?;
        let (starter_format, starter) = starter(source, declaration.starter.as_deref())?;
        let kind = Kind {
            name: declaration.kind.as_str().into(),
            plural: declaration.plural.as_str().into(),
            title: declaration.title.clone(),
            description: declaration.description.clone(),
            patterns: declaration.patterns.clone(),
            select: select(&declaration).map_err(wrong)?,
            schemas,
            starter,
            starter_format,
            fields,
            links: Vec::new(),
            unique,
            repository: declaration.repository.clone(),
            label,
            given_id,
        };
        Ok(Draft { folder: source.folder.clone(), declaration, kind, texts: slots.texts })
    }

    /// Resolves the links, now that every kind's fields are known.
    pub(super) fn join(&mut self, targets: &BTreeMap<String, Vec<Field>>) -> Result<(), KindError> {
        let mut slots = Slots { texts: self.texts, numbers: 0 };
        for declared in std::mem::take(&mut self.declaration.links) {
            let link = link(&self.kind, declared, targets, &mut slots)
                .map_err(|problem| KindError::Declaration { folder: self.folder.clone(), problem })?;
            self.kind.links.push(link);
        }
        Ok(())
    }
}

/// Reads a file of the folder.
fn parse(source: &KindSource, file: &str) -> Result<Value, KindError> {
    let bytes = source
        .files
        .get(file)
        .ok_or_else(|| KindError::Missing { folder: source.folder.clone(), file: file.to_owned() })?;
    let wrong = |reason| KindError::Unreadable { folder: source.folder.clone(), file: file.to_owned(), reason };
    let format = Format::of(file).ok_or_else(|| wrong("its name must end in .yml, .yaml or .json".into()))?;
    document::parse(format, bytes).map_err(|error| wrong(error.to_string()))
}

/// What a new document starts from: the declared file, else the usual ones, else an empty mapping.
fn starter(source: &KindSource, declared: Option<&str>) -> Result<(Format, String), KindError> {
    let usual = ["starter.yml", "starter.yaml", "starter.json"];
    let Some(file) = declared.or_else(|| usual.into_iter().find(|file| source.files.contains_key(*file))) else {
        return Ok((Format::Json, "{}\n".into()));
    };
    parse(source, file)?;
    let text = source.files.get(file).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    Ok((Format::of(file).unwrap_or(Format::Yaml), text.unwrap_or_default()))
}

/// All patterns capture the id, or none does.
fn given_id(declaration: &Declaration) -> Result<bool, String> {
    let given = |pattern: &Pattern| pattern.capture_names().any(|name| name == "id");
    let all = declaration.patterns.iter().all(given);
    if all || !declaration.patterns.iter().any(given) {
        Ok(all)
    } else {
        Err("file: either every pattern captures {id} or none does".into())
    }
}

/// A folder that can be linked has one document of the kind, always under the same name.
fn repository(declaration: &Declaration) -> Result<(), String> {
    let Some(member) = &declaration.repository else { return Ok(()) };
    if member.is_empty() {
        return Err("repository: name the member that holds the address".into());
    }
    let is_folders =
        |pattern: &Pattern| pattern.as_str().rsplit_once('/').is_some_and(|(_, file)| !file.contains(['{', '*']));
    match declaration.patterns.iter().find(|pattern| !is_folders(pattern)) {
        None => Ok(()),
        Some(pattern) => Err(format!(
            "repository: every pattern must name one file of a folder, as in things/{{thing}}/thing.yml, and {} does not",
            pattern.as_str()
        )),
    }
}

fn select(declaration: &Declaration) -> Result<Option<Select>, String> {
    let Some(declared) = &declaration.select else { return Ok(None) };
    let names: Vec<&str> = declaration.schemas.iter().map(|(name, _)| name.as_str()).collect();
    let default = generation(&names, &declared.default)
        .ok_or_else(|| format!("select.default: {} is none of the schemas {}", declared.default, names.join(", ")))?;
    Ok(Some(Select { file: declared.file.clone(), key: declared.key.clone(), default }))
}

/// Slots handed out so far.
#[derive(Default)]
struct Slots {
    texts: u8,
    numbers: u8,
}

impl Slots {
    fn next(&mut self, number: bool) -> Result<Column, String> {
        let (used, column): (&mut u8, fn(u8) -> Column) =
            if number { (&mut self.numbers, Column::Number) } else { (&mut self.texts, Column::Text) };
        if *used >= SLOTS {
            let sort = if number { "numbers, dates and booleans" } else { "texts, captures and links" };
            return Err(format!("index: more than {SLOTS} {sort}"));
        }
        *used += 1;
        Ok(column(*used - 1))
    }
}

fn fields(declaration: &Declaration, given_id: bool, slots: &mut Slots) -> Result<Vec<Field>, String> {
    let mut fields = Field::built_in(given_id);
    let built_in = |name: &str, fields: &[Field]| {
        fields.iter().any(|field| *field.name == *name && matches!(field.source, Source::BuiltIn | Source::Id { .. }))
    };
    for name in declaration.patterns.iter().flat_map(Pattern::capture_names) {
        if DERIVED_CAPTURES.contains(&name) || fields.iter().any(|f| *f.name == *name && f.source == Source::Capture) {
            continue;
        }
        if built_in(name, &fields) {
            return Err(format!("file: {{{name}}} is the name of a built-in field; choose another"));
        }
        fields.push(Field {
            name: name.into(),
            field_type: FieldType::Keyword,
            column: slots.next(false)?,
            source: Source::Capture,
        });
    }
    for declared in &declaration.index {
        if built_in(&declared.name, &fields) {
            continue;
        }
        if fields.iter().any(|field| *field.name == *declared.name) {
            return Err(format!("index.{0}: the path's {{{0}}} is a field already", declared.name));
        }
        fields.push(Field {
            name: declared.name.as_str().into(),
            field_type: declared.field_type,
            column: slots.next(declared.field_type.is_number())?,
            source: Source::Pointers(declared.pointers.clone()),
        });
    }
    Ok(fields)
}

/// A field, or a text that names the one that was meant.
fn find<'f>(fields: &'f [Field], at: &str, name: &str) -> Result<&'f Field, String> {
    fields.iter().find(|field| *field.name == *name).ok_or_else(|| {
        let known: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
        match nearest(name, known.iter().copied()) {
            Some(meant) => format!("{at}: {name:?} is not an indexed field; did you mean {meant}?"),
            None => format!("{at}: {name:?} is not an indexed field; there are {}", known.join(", ")),
        }
    })
}

fn unique(declared: &[Vec<String>], fields: &[Field]) -> Result<Vec<Unique>, String> {
    let one = |name: &String| {
        let field = find(fields, "unique", name)?;
        match field.source {
            Source::Capture | Source::Pointers(_) => Ok(field.clone()),
            Source::BuiltIn | Source::Id { .. } => Err(format!("unique: {name} is not part of the document")),
        }
    };
    declared.iter().map(|names| Ok(Unique { fields: names.iter().map(one).collect::<Result<_, String>>()? })).collect()
}

fn label(template: &str, fields: &[Field]) -> Result<Vec<LabelPart>, String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let close = rest[open..].find('}').ok_or("label: has a { without }")? + open;
        if open > 0 {
            parts.push(LabelPart::Literal(rest[..open].into()));
        }
        let name = &rest[open + 1..close];
        let field = find(fields, "label", name)?;
        parts.push(match field.source {
            Source::Id { .. } => LabelPart::Id,
            Source::Pointers(_) => LabelPart::Field(field.clone()),
            Source::Capture | Source::BuiltIn => return Err(format!("label: {name} is not part of the document")),
        });
        rest = &rest[close + 1..];
    }
    if !rest.is_empty() {
        parts.push(LabelPart::Literal(rest.into()));
    }
    Ok(parts)
}

fn link(
    from: &Kind,
    declared: LinkDeclaration,
    targets: &BTreeMap<String, Vec<Field>>,
    slots: &mut Slots,
) -> Result<Link, String> {
    let at = format!("links.{}", declared.name);
    let target = targets.get(&declared.to).ok_or_else(|| {
        let hint = nearest(&declared.to, targets.keys().map(String::as_str));
        let hint = hint.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
        format!("{at}.to: there is no kind {:?}{hint}", declared.to)
    })?;
    let mut matches = Vec::new();
    for (name, pointer) in declared.matches {
        let field = find(target, &format!("{at}.match, kind {}", declared.to), &name)?;
        match field.source {
            Source::BuiltIn => return Err(format!("{at}.match: {name} cannot be matched; use id or an indexed field")),
            Source::Id { .. } | Source::Capture | Source::Pointers(_) => {}
        }
        matches.push(LinkMatch { target: field.clone(), pointer });
    }
    if matches.iter().all(|matched| matched.target.field_type == FieldType::Version) {
        return Err(format!("{at}.match: needs a field besides versions, which are only compared"));
    }
    let within = declared.within.map(|name| {
        let at = format!("{at}.within");
        let source = find(&from.fields, &at, &name)?.clone();
        let target = find(target, &format!("{at}, kind {}", declared.to), &name)?.clone();
        let own = |field: &Field| matches!(field.source, Source::Capture | Source::Pointers(_));
        if !own(&source) || !own(&target) {
            return Err(format!("{at}: {name} is not part of the documents"));
        }
        if source.field_type != target.field_type {
            return Err(format!("{at}: {name} has another type in kind {}", declared.to));
        }
        Ok(Within { source, target })
    });
    Ok(Link {
        name: declared.name.as_str().into(),
        from: from.name.clone(),
        to: declared.to.as_str().into(),
        within: within.transpose()?,
        each: declared.each,
        matches,
        on_delete: declared.on_delete,
        column: slots.next(false)?,
    })
}
