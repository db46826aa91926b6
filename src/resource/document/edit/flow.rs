//! Entries of flow collections, which all of JSON is made of.

use serde_json::{Map, Value};

use crate::resource::document::emit;
use crate::resource::document::tree::{Member, Node};

use super::align::{Op, align};
use super::changes::{Anew, Changes, Slot};

/// What becomes of an entry.
enum Entry {
    Keep(usize),
    Delete(usize),
    Insert(String),
}

impl<'a> Changes<'a> {
    pub(super) fn flow_mapping(
        &mut self,
        node: &Node,
        members: &[Member],
        old: &Map<String, Value>,
        new: &'a Map<String, Value>,
        depth: usize,
    ) -> Result<(), Anew> {
        let spans: Vec<_> = members.iter().map(|member| (member.start, member.value.place.end)).collect();
        let separator = self.separator(node, &spans)?;
        let inline = !separator.contains('\n');
        let mut entries = Vec::new();
        for (at, member) in members.iter().enumerate() {
            let Some(value) = new.get(&member.name) else {
                entries.push(Entry::Delete(at));
                continue;
            };
            let before = old.get(&member.name).ok_or(Anew)?;
            self.change(Slot::Flow { inline }, &member.value, before, value, depth + 1)?;
            entries.push(Entry::Keep(at));
        }
        let base = self.base(spans[0].0, inline);
        for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
            let mut text = String::new();
            emit::flow_key(&mut text, key, &self.style);
            emit::flow_value(&mut text, value, base, inline, &self.style);
            entries.push(Entry::Insert(text));
        }
        self.flow_entries(&spans, entries, &separator)
    }

    pub(super) fn flow_sequence(
        &mut self,
        node: &Node,
        items: &[Node],
        old: &[Value],
        new: &'a [Value],
        depth: usize,
    ) -> Result<(), Anew> {
        let spans: Vec<_> = items.iter().map(|item| (item.place.start, item.place.end)).collect();
        let separator = self.separator(node, &spans)?;
        let inline = !separator.contains('\n');
        let base = self.base(spans[0].0, inline);
        let mut entries = Vec::new();
        for op in align(old, new) {
            entries.push(match op {
                Op::Keep(at, to) => {
                    self.change(Slot::Flow { inline }, &items[at], &old[at], &new[to], depth + 1)?;
                    Entry::Keep(at)
                }
                Op::Delete(at) => Entry::Delete(at),
                Op::Insert(to) => {
                    let mut text = String::new();
                    emit::flow_value(&mut text, &new[to], base, inline, &self.style);
                    Entry::Insert(text)
                }
            });
        }
        self.flow_entries(&spans, entries, &separator)
    }

    /// What stands between two entries.
    fn separator(&self, node: &Node, spans: &[(usize, usize)]) -> Result<String, Anew> {
        let open = node.place.content;
        let first = spans.first().ok_or(Anew)?;
        if !self.text[open..].starts_with(['[', '{']) {
            // A pair that is a mapping without braces.
            return Err(Anew);
        }
        let is_plain = |text: &str| text.chars().all(|c| c == ',' || c.is_ascii_whitespace());
        if let Some(second) = spans.get(1) {
            let between = &self.text[first.1..second.0];
            if is_plain(between) && between.starts_with(',') {
                return Ok(between.to_owned());
            }
        }
        let before = &self.text[open + 1..first.0];
        if before.contains('\n') {
            let newline = self.style.newline;
            return Ok(format!(",{newline}{}", self.indentation(first.0)));
        }
        Ok(self.style.json.as_ref().map_or_else(|| ", ".to_owned(), |json| json.comma.clone()))
    }

    /// Patches around the entries that stay. Those before one go with the comma behind them, those
    /// behind the last with the comma before them.
    fn flow_entries(&mut self, spans: &[(usize, usize)], entries: Vec<Entry>, separator: &str) -> Result<(), Anew> {
        let (mut deleted, mut inserted) = (Vec::new(), Vec::new());
        let mut last = None;
        for entry in entries {
            match entry {
                Entry::Delete(at) => deleted.push(at),
                Entry::Insert(text) => inserted.push(text),
                Entry::Keep(at) => {
                    if let (Some(first), Some(end)) = (deleted.first(), deleted.last()) {
                        let end = self.behind_comma(spans[*end].1);
                        self.patch(spans[*first].0, end, "");
                    }
                    let start = spans[at].0;
                    for text in inserted.drain(..) {
                        self.patch(start, start, format!("{text}{separator}"));
                    }
                    deleted.clear();
                    last = Some(at);
                }
            }
        }
        let end = spans[last.ok_or(Anew)?].1;
        for text in inserted {
            self.patch(end, end, format!("{separator}{text}"));
        }
        if let Some(at) = deleted.last() {
            self.patch(end, spans[*at].1, "");
        }
        Ok(())
    }

    /// Where what follows an entry's comma starts; a comment on the line is the entry's.
    fn behind_comma(&self, end: usize) -> usize {
        let mut rest = &self.text[end..];
        loop {
            rest = rest.trim_start();
            match rest.as_bytes().first() {
                Some(b'#') => rest = rest.find('\n').map_or("", |at| &rest[at..]),
                Some(b',') => break,
                _ => return self.text.len() - rest.len(),
            }
        }
        rest = rest[1..].trim_start_matches([' ', '\t']);
        if rest.starts_with('#') {
            rest = rest.find('\n').map_or("", |at| &rest[at..]);
        }
        self.text.len() - rest.trim_start().len()
    }
}
