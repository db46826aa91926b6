//! kind.yaml, read strictly: an unknown key is an error that names the known one it resembles.

use serde_json::{Map, Value};

use crate::base::nearest::nearest;
use crate::resource::key::FilePath;
use crate::resource::kind::catalogue::RESERVED_PLURALS;
use crate::resource::kind::fields::FieldType;
use crate::resource::kind::links::OnDelete;
use crate::resource::kind::pattern::Pattern;
use crate::resource::kind::pointer::Pointer;

/// What a kind.yaml says, before it is held against its folder and the other kinds.
pub(super) struct Declaration {
    pub(super) kind: String,
    pub(super) plural: String,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) patterns: Vec<Pattern>,
    /// Name and file of each generation.
    pub(super) schemas: Vec<(String, String)>,
    pub(super) select: Option<SelectDeclaration>,
    pub(super) starter: Option<String>,
    pub(super) index: Vec<IndexDeclaration>,
    pub(super) unique: Vec<Vec<String>>,
    pub(super) label: Option<String>,
    pub(super) links: Vec<LinkDeclaration>,
    pub(super) repository: Option<String>,
    /// Everything that changes what is indexed or judged, apart from the schemas.
    pub(super) essence: String,
}

pub(super) struct SelectDeclaration {
    pub(super) file: FilePath,
    pub(super) key: Pointer,
    pub(super) default: Value,
}

pub(super) struct IndexDeclaration {
    pub(super) name: String,
    pub(super) field_type: FieldType,
    pub(super) pointers: Vec<Pointer>,
}

pub(super) struct LinkDeclaration {
    pub(super) name: String,
    pub(super) to: String,
    pub(super) within: Option<String>,
    pub(super) each: Option<Pointer>,
    /// The target's field, and where its value stands here.
    pub(super) matches: Vec<(String, Pointer)>,
    pub(super) on_delete: OnDelete,
}

impl Declaration {
    /// Reads the parsed kind.yaml; the text says what is wrong where.
    pub(super) fn read(content: &Value) -> Result<Self, String> {
        let top = Section::of(content, "")?;
        top.only(&[
            "kind",
            "plural",
            "title",
            "description",
            "file",
            "schema",
            "schemas",
            "select",
            "starter",
            "index",
            "unique",
            "label",
            "links",
            "repository",
        ])?;
        let kind = top.word("kind")?;
        let plural = top.word("plural")?;
        if RESERVED_PLURALS.contains(&plural.as_str()) {
            return Err(format!("plural: {plural:?} is a route of the server; choose another word"));
        }
        let patterns = top.texts("file")?;
        if patterns.is_empty() {
            return Err("file: at least one pattern is needed".into());
        }
        Ok(Declaration {
            kind,
            plural,
            title: top.optional_text("title")?,
            description: top.optional_text("description")?,
            patterns: patterns
                .iter()
                .map(|text| Pattern::parse(text))
                .collect::<Result<_, _>>()
                .map_err(|why| format!("file: {why}"))?,
            schemas: schemas(&top)?,
            select: top.section("select")?.map(|section| select(&section)).transpose()?,
            starter: top.optional_text("starter")?,
            index: top.section("index")?.map_or(Ok(Vec::new()), |section| index(&section))?,
            unique: unique(&top)?,
            label: top.optional_text("label")?,
            links: top.section("links")?.map_or(Ok(Vec::new()), |section| links(&section))?,
            repository: top.optional_text("repository")?,
            essence: essence(top.map),
        })
    }
}

fn schemas(top: &Section<'_>) -> Result<Vec<(String, String)>, String> {
    match (top.map.get("schema"), top.map.get("schemas")) {
        (Some(_), None) => Ok(vec![("default".into(), top.text("schema")?)]),
        (None, Some(Value::Array(items))) if !items.is_empty() => {
            let mut out: Vec<(String, String)> = Vec::new();
            for (at, item) in items.iter().enumerate() {
                let section = Section::of(item, &format!("schemas[{at}]"))?;
                section.only(&["name", "file"])?;
                let name = section.text("name")?;
                if out.iter().any(|(known, _)| *known == name) {
                    return Err(format!("schemas: two are named {name:?}"));
                }
                out.push((name, section.text("file")?));
            }
            if out.len() > 1 && !top.map.contains_key("select") {
                return Err("schemas: with several, select must say which applies".into());
            }
            Ok(out)
        }
        (None, Some(_)) => Err("schemas: must be a list of {name, file}".into()),
        (Some(_), Some(_)) => Err("schema and schemas: give one of them".into()),
        (None, None) => Err("schema: is missing".into()),
    }
}

fn select(section: &Section<'_>) -> Result<SelectDeclaration, String> {
    section.only(&["file", "key", "default"])?;
    let file = section.text("file")?;
    Ok(SelectDeclaration {
        file: FilePath::parse(&file).map_err(|error| format!("select.file: {error}"))?,
        key: Pointer::parse(&section.text("key")?).map_err(|why| format!("select.key: {why}"))?,
        default: section.map.get("default").cloned().ok_or("select.default: is missing")?,
    })
}

fn index(section: &Section<'_>) -> Result<Vec<IndexDeclaration>, String> {
    let mut out = Vec::new();
    for (name, value) in section.map {
        let at = section.at(name);
        if !is_field_name(name) {
            return Err(format!("{at}: a field's name is made of a-z, 0-9 and _, starting with a letter"));
        }
        let (field_type, pointers) = match value {
            Value::String(word) => (field_type(&at, word)?, vec![format!("/{name}")]),
            Value::Array(_) => (FieldType::Keyword, section.texts(name)?),
            Value::Object(_) => {
                let inner = Section::of(value, &at)?;
                inner.only(&["type", "at"])?;
                (field_type(&inner.at("type"), &inner.text("type")?)?, inner.texts("at")?)
            }
            _ => return Err(format!("{at}: must be a type, a list of pointers, or {{type, at}}")),
        };
        if pointers.is_empty() {
            return Err(format!("{at}: at least one pointer is needed"));
        }
        let pointers = pointers
            .iter()
            .map(|text| Pointer::parse(text))
            .collect::<Result<_, _>>()
            .map_err(|why| format!("{at}: {why}"))?;
        out.push(IndexDeclaration { name: name.clone(), field_type, pointers });
    }
    Ok(out)
}

fn field_type(at: &str, word: &str) -> Result<FieldType, String> {
    FieldType::parse(word).ok_or_else(|| {
        let known = FieldType::ALL.map(FieldType::name);
        let hint = nearest(word, known).map(|word| format!("; did you mean {word}?")).unwrap_or_default();
        format!("{at}: {word:?} is not a type ({}){hint}", known.join(", "))
    })
}

fn unique(top: &Section<'_>) -> Result<Vec<Vec<String>>, String> {
    let Some(value) = top.map.get("unique") else { return Ok(Vec::new()) };
    let wrong = || "unique: must be a list of fields, or of lists of fields that are unique together".to_owned();
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(wrong);
    value
        .as_array()
        .ok_or_else(wrong)?
        .iter()
        .map(|entry| match entry {
            Value::Array(together) if !together.is_empty() => together.iter().map(text).collect(),
            one => Ok(vec![text(one)?]),
        })
        .collect()
}

fn links(section: &Section<'_>) -> Result<Vec<LinkDeclaration>, String> {
    let mut out = Vec::new();
    for (name, value) in section.map {
        let at = section.at(name);
        if !is_field_name(name) {
            return Err(format!("{at}: a link's name is made of a-z, 0-9 and _, starting with a letter"));
        }
        let link = Section::of(value, &at)?;
        link.only(&["to", "within", "each", "match", "on_delete"])?;
        let on_delete = match link.optional_text("on_delete")?.as_deref() {
            None | Some("refuse") => OnDelete::Refuse,
            Some("cascade") => OnDelete::Cascade,
            Some(other) => return Err(format!("{}: {other:?} is neither refuse nor cascade", link.at("on_delete"))),
        };
        let pairs = link.section("match")?.ok_or_else(|| format!("{}: is missing", link.at("match")))?;
        let mut matches = Vec::new();
        for field in pairs.map.keys() {
            let pointer = Pointer::parse(&pairs.text(field)?).map_err(|why| format!("{}: {why}", pairs.at(field)))?;
            matches.push((field.clone(), pointer));
        }
        if matches.is_empty() {
            return Err(format!("{}: at least one field is needed", link.at("match")));
        }
        let each = link.optional_text("each")?.map(|text| Pointer::parse(&text)).transpose();
        out.push(LinkDeclaration {
            name: name.clone(),
            to: link.text("to")?,
            within: link.optional_text("within")?,
            each: each.map_err(|why| format!("{}: {why}", link.at("each")))?,
            matches,
            on_delete,
        });
    }
    Ok(out)
}

fn is_field_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The declaration without what only people read.
fn essence(map: &Map<String, Value>) -> String {
    let kept: Map<String, Value> = map
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "title" | "description" | "label" | "starter" | "repository"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    Value::Object(kept).to_string()
}

/// A mapping and where it stands.
struct Section<'v> {
    place: String,
    map: &'v Map<String, Value>,
}

impl<'v> Section<'v> {
    fn of(value: &'v Value, place: &str) -> Result<Self, String> {
        let map = value.as_object().ok_or_else(|| {
            if place.is_empty() { "must be a mapping".to_owned() } else { format!("{place}: must be a mapping") }
        })?;
        Ok(Section { place: place.into(), map })
    }

    fn at(&self, key: &str) -> String {
        if self.place.is_empty() { key.into() } else { format!("{}.{key}", self.place) }
    }

    fn only(&self, known: &[&str]) -> Result<(), String> {
        let Some(unknown) = self.map.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
        Err(match nearest(unknown, known.iter().copied()) {
            Some(meant) => format!("{}: is not a known key; did you mean {meant}?", self.at(unknown)),
            None => format!("{}: is not a known key; known are {}", self.at(unknown), known.join(", ")),
        })
    }

    fn text(&self, key: &str) -> Result<String, String> {
        self.optional_text(key)?.ok_or_else(|| format!("{}: is missing", self.at(key)))
    }

    fn optional_text(&self, key: &str) -> Result<Option<String>, String> {
        match self.map.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("{}: must be a text", self.at(key))),
        }
    }

    /// `[a-z][a-z0-9]*`.
    fn word(&self, key: &str) -> Result<String, String> {
        let word = self.text(key)?;
        let ok = word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if ok {
            Ok(word)
        } else {
            Err(format!("{}: {word:?} is not made of a-z and 0-9, starting with a letter", self.at(key)))
        }
    }

    /// One text or a list of them.
    fn texts(&self, key: &str) -> Result<Vec<String>, String> {
        let wrong = || format!("{}: must be a text or a list of texts", self.at(key));
        match self.map.get(key) {
            None => Err(format!("{}: is missing", self.at(key))),
            Some(Value::String(text)) => Ok(vec![text.clone()]),
            Some(Value::Array(items)) => {
                items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
            }
            Some(_) => Err(wrong()),
        }
    }

    fn section(&self, key: &str) -> Result<Option<Section<'v>>, String> {
        self.map.get(key).map(|value| Section::of(value, &self.at(key))).transpose()
    }
}
