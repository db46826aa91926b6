//! Changing `workspace.yml` in place: comments, order and keys of others stay.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::workspace::{Entry, ID, Sort, WorkspaceFile, free, path};
use crate::config::Config;
use crate::dialect::editor::fault::EditorFault;
use crate::dialect::editor::outward::tokens;
use crate::engine::{Change, Operation, Payload};
use crate::resource::document::{self, Format};
use crate::resource::etag::Expected;
use crate::resource::key::FilePath;

/// The file of a new workspace.
const TEMPLATE: &str = include_str!("../../../../templates/editor/workspace/workspace.yml");

/// Most catalogues, and most platforms, of a workspace.
const MOST: usize = 100;

/// Longest name and address, in bytes.
const NAME_BYTES: usize = 255;
const URL_BYTES: usize = 2_000;

/// An entry as somebody wants it.
#[derive(Debug, Clone)]
pub(in crate::dialect::editor) struct Wish {
    /// Of one that is there; anything else makes a new one.
    pub(in crate::dialect::editor) id: Option<u64>,
    pub(in crate::dialect::editor) name: String,
    pub(in crate::dialect::editor) url: String,
    /// The credential that it wants.
    pub(in crate::dialect::editor) token: Option<String>,
}

/// The file in change.
pub(in crate::dialect::editor) struct Draft<'f> {
    file: &'f WorkspaceFile,
    value: Value,
    /// Credentials to be written beside it.
    tokens: Vec<(FilePath, String)>,
}

impl Wish {
    /// Reads `{"name", "url", "id"?, "token"?}`.
    pub(in crate::dialect::editor) fn of(members: &Map<String, Value>) -> Result<Self, EditorFault> {
        let text = |key: &str, most: usize| {
            let value = members.get(key).ok_or_else(|| EditorFault::missing(key))?;
            let text = value.as_str().ok_or_else(|| EditorFault::bad(format!("'{key}' must be a string")))?;
            if text.trim().is_empty() || text.len() > most || text.chars().any(char::is_control) {
                let rule = format!("'{key}' must have 1 to {most} characters, no control characters among them");
                return Err(EditorFault::bad(rule));
            }
            Ok(text.to_owned())
        };
        let token = match members.get("token") {
            None | Some(Value::Null) => None,
            Some(Value::String(token)) => {
                tokens::check(token)?;
                Some(token.clone())
            }
            Some(_) => return Err(EditorFault::bad("'token' must be a string")),
        };
        let name = text("name", NAME_BYTES)?;
        // The front end shows it as HTML.
        if name.contains(['<', '>', '&', '"']) {
            return Err(EditorFault::bad("'name' must not hold < > & or double quotes"));
        }
        Ok(Wish {
            // New ones carry -1.
            id: members.get("id").and_then(Value::as_u64),
            name,
            url: text("url", URL_BYTES)?,
            token,
        })
    }
}

impl<'f> Draft<'f> {
    /// A fault when the file cannot be read: somebody has to mend it first.
    pub(in crate::dialect::editor) fn new(file: &'f WorkspaceFile) -> Result<Self, EditorFault> {
        if let Some(why) = &file.unreadable {
            let text = format!("workspace.yml cannot be read, so it cannot be changed: mend it first ({why})");
            return Err(EditorFault::conflict(text));
        }
        let mut value = file.value.clone();
        if file.stored.is_none() {
            value = document::parse(Format::Yaml, TEMPLATE.as_bytes()).unwrap_or_else(|_| json!({}));
            // What held without the file still holds.
            value["schema_index"] = json!(file.schema_index());
        }
        Ok(Draft { file, value, tokens: Vec::new() })
    }

    pub(in crate::dialect::editor) fn set_name(&mut self, name: &str) {
        self.value["name"] = json!(name);
    }

    pub(in crate::dialect::editor) fn set_schema_index(&mut self, index: usize) {
        self.value["schema_index"] = json!(index);
    }

    /// The entries as they are wished, with numbers; those of the file that nobody wishes are left
    /// out. Nothing is set yet.
    pub(in crate::dialect::editor) fn granted(&self, sort: Sort, wishes: &[Wish]) -> Result<Vec<Entry>, EditorFault> {
        if wishes.len() > MOST {
            return Err(EditorFault::bad(format!("a workspace has at most {MOST} of them")));
        }
        let known = self.file.entries(sort);
        let mut taken: Vec<u64> = known.iter().map(|entry| entry.id).collect();
        let mut entries: Vec<Entry> = Vec::with_capacity(wishes.len());
        for wish in wishes {
            if entries.iter().any(|entry| entry.name == wish.name) {
                return Err(sort.exists(&wish.name));
            }
            let old = known.iter().find(|entry| Some(entry.id) == wish.id);
            if old.is_some_and(|old| entries.iter().any(|entry| entry.id == old.id)) {
                return Err(EditorFault::bad(format!("the id of '{}' is listed twice", wish.name)));
            }
            let id = old.map_or_else(|| free(self.file.workspace, sort, &wish.name, &taken), |old| old.id);
            taken.push(id);
            let more = old.map_or_else(|| sort.fresh(), |old| old.more.clone());
            entries.push(Entry { id, name: wish.name.clone(), url: wish.url.clone(), more });
        }
        // In the file's order, new ones behind.
        let place = |entry: &Entry| known.iter().position(|old| old.id == entry.id).unwrap_or(usize::MAX);
        entries.sort_by_key(place);
        Ok(entries)
    }

    /// Replaces all entries of a sort, and keeps the credentials that some of them bring.
    pub(in crate::dialect::editor) fn set(
        &mut self,
        sort: Sort,
        mut entries: Vec<Entry>,
        wishes: &[Wish],
    ) -> Result<(), EditorFault> {
        for entry in &mut entries {
            entry.more.insert("url".into(), json!(entry.url));
            if sort.number(self.file.workspace, &entry.name, 0) == entry.id {
                entry.more.shift_remove(ID);
            } else {
                entry.more.insert(ID.into(), json!(entry.id));
            }
            let token = wishes.iter().find(|wish| wish.name == entry.name).and_then(|wish| wish.token.clone());
            if let (Some(token), Sort::Platform) = (token, sort) {
                let name = token_file(entry.id);
                self.tokens.push((FilePath::parse(&format!("platforms/{name}"))?, token));
                entry.more.insert("credentials".into(), json!({ "token_file": name }));
            }
        }
        self.value[sort.key()] = match sort {
            Sort::Catalogue => {
                let item = |entry: Entry| {
                    let mut members = Map::from_iter([("id".to_owned(), json!(entry.name))]);
                    members.extend(entry.more.into_iter().filter(|(key, _)| key != "id"));
                    Value::Object(members)
                };
                entries.into_iter().map(item).collect()
            }
            Sort::Platform => {
                self.set_default(&entries);
                let member = |entry: Entry| (entry.name, Value::Object(entry.more));
                Value::Object(Map::from_iter(entries.into_iter().map(member)))
            }
        };
        Ok(())
    }

    /// The default platform follows its name; where there is none, the first is it.
    fn set_default(&mut self, entries: &[Entry]) {
        let now = self.value["default_service_platform"].as_str().unwrap_or_default();
        let id = self.file.entries(Sort::Platform).into_iter().find(|old| old.name == now).map(|old| old.id);
        let still = entries.iter().find(|entry| Some(entry.id) == id).or(entries.first());
        self.value["default_service_platform"] = json!(still.map_or("", |entry| &*entry.name));
    }

    /// What has to be written, when the file is to be as it was expected; nothing if it says so
    /// already.
    pub(in crate::dialect::editor) fn changes(
        mut self,
        config: &Config,
        expected: Expected,
    ) -> Result<Vec<Change>, EditorFault> {
        let index = self.value["schema_index"].as_u64().and_then(|index| usize::try_from(index).ok());
        if let Some(schemas) = index.and_then(|index| config.schemas.get(index)) {
            self.value["schemas_remote_master"] = json!(schemas.url);
        }
        let stored = self.file.stored.as_ref().and_then(|(_, bytes)| std::str::from_utf8(bytes).ok());
        let text = rewritten(stored.unwrap_or(TEMPLATE), &self.value)?;
        let payload = Payload::Text(Format::Yaml, Bytes::from(text));
        let mut changes = vec![Change { path: path()?, expected, operation: Operation::Put(payload) }];
        changes.extend(self.tokens.into_iter().map(|(path, token)| Change {
            path,
            expected: Expected::Any,
            operation: Operation::Put(Payload::Raw(Bytes::from(token))),
        }));
        Ok(changes)
    }
}

/// The file of a platform's credential, in the folder `platforms`.
pub(in crate::dialect::editor) fn token_file(id: u64) -> String {
    format!("token-{id}.txt")
}

/// The text, changed to say this with platforms in this order: an edit puts a new key behind the
/// others, and a renamed one is new.
fn rewritten(text: &str, value: &Value) -> Result<String, EditorFault> {
    let key = Sort::Platform.key();
    let edit = |text: &str, value: &Value| {
        document::edit(Format::Yaml, text, value).map_err(|error| EditorFault::bad(error.to_string()))
    };
    let names = |value: &Value| -> Vec<String> {
        value[key].as_object().map(|members| members.keys().cloned().collect()).unwrap_or_default()
    };
    let edited = edit(text, value)?;
    let wanted = names(value);
    let now = document::parse(Format::Yaml, edited.as_bytes()).map(|value| names(&value)).unwrap_or_default();
    let Some(first) = wanted.iter().zip(&now).position(|(wanted, now)| wanted != now) else { return Ok(edited) };
    let mut cut = value.clone();
    if let Some(members) = cut[key].as_object_mut() {
        members.retain(|name, _| wanted[..first].contains(name));
    }
    if first == 0
        && let Some(top) = cut.as_object_mut()
    {
        top.shift_remove(key);
    }
    edit(&edit(text, &cut)?, value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::resource::etag::Etag;

    fn file(text: &str) -> WorkspaceFile {
        WorkspaceFile::of(7, Some((Etag([1; 20]), Bytes::from(text.to_owned()))))
    }

    fn text(draft: Draft<'_>) -> String {
        let config = Config::of_text(None, "schemas: []").expect("a configuration");
        match &draft.changes(&config, Expected::Any).expect("changes")[0].operation {
            Operation::Put(Payload::Text(_, bytes)) => String::from_utf8(bytes.to_vec()).expect("UTF-8"),
            other => panic!("{other:?}"),
        }
    }

    fn wish(id: Option<u64>, name: &str) -> Wish {
        Wish { id, name: name.into(), url: format!("http://{name}"), token: None }
    }

    #[test]
    fn what_is_not_asked_for_stays() {
        let old = "# mine\nname: a\nextra: [1, 2]\ncatalogue_servers:\n  # the first\n  - id: one\n    url: http://one\n    publish: false\n    mine: x\nservice_platforms: {}\n";
        let file = file(old);
        let one = file.entries(Sort::Catalogue)[0].clone();
        let mut draft = Draft::new(&file).expect("readable");
        let wishes = [wish(Some(one.id), "one"), wish(None, "two")];
        let entries = draft.granted(Sort::Catalogue, &wishes).expect("entries");
        draft.set(Sort::Catalogue, entries, &wishes).expect("set");
        let two = "  - id: two\n    url: http://two\n    publish: true\n";
        assert_eq!(text(draft), old.replace("service_platforms", &format!("{two}service_platforms")));
    }

    #[test]
    fn a_renamed_platform_keeps_number_and_place() {
        let file = file(
            "service_platforms:\n  a: {url: 'http://a'}\n  b: {url: 'http://b'}\n  c: {url: 'http://c'}\ndefault_service_platform: b\n",
        );
        let ids: Vec<u64> = file.entries(Sort::Platform).iter().map(|entry| entry.id).collect();
        let mut draft = Draft::new(&file).expect("readable");
        let wishes = [wish(Some(ids[0]), "a"), wish(Some(ids[1]), "x"), wish(Some(ids[2]), "c"), wish(None, "b")];
        let entries = draft.granted(Sort::Platform, &wishes).expect("entries");
        draft.set(Sort::Platform, entries, &wishes).expect("set");
        let renamed = self::file(&text(draft));
        let now = renamed.entries(Sort::Platform);
        assert_eq!(now.iter().map(|entry| &*entry.name).collect::<Vec<_>>(), ["a", "x", "c", "b"]);
        assert_eq!(now.iter().map(|entry| entry.id).take(3).collect::<Vec<_>>(), ids);
        assert!(!ids.contains(&now[3].id), "the new one took the renamed one's number");
        assert_eq!(renamed.value["default_service_platform"], "x");
    }
}
