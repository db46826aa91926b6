//! Entries of block collections: whole lines come and go.

use serde_json::{Map, Value};

use crate::resource::document::emit::{self, After};
use crate::resource::document::text::{is_first_on_line, line_start, next_line};
use crate::resource::document::tree::{Member, Node};

use super::align::{Op, align};
use super::changes::{Anew, Changes, Slot};
use super::same;

/// Longest list in which moved items are looked for.
const MOVES: usize = 1000;

/// The entries of a block collection.
struct Entries {
    /// Where each starts (key or dash) and where its value ends.
    spans: Vec<(usize, usize)>,
    column: usize,
    /// The line behind what introduces the collection; comments above it are not the entries'.
    floor: usize,
    /// The collection is the document.
    top: bool,
}

impl<'a> Changes<'a> {
    pub(super) fn block_mapping(
        &mut self,
        slot: Slot,
        node: &Node,
        members: &[Member],
        old: &Map<String, Value>,
        new: &'a Map<String, Value>,
        depth: usize,
    ) -> Result<(), Anew> {
        let spans = members.iter().map(|member| (member.start, member.value.place.end)).collect();
        let entries = self.entries(slot, node, spans);
        let inner = Slot::Block { after: After::Key, column: entries.column };
        let mut last = None;
        for (at, member) in members.iter().enumerate() {
            let Some(value) = new.get(&member.name) else { continue };
            let before = old.get(&member.name).ok_or(Anew)?;
            self.change(inner, &member.value, before, value, depth + 1)?;
            last = Some(at);
        }
        let last = last.ok_or(Anew)?;
        self.remove(&entries, |at| !new.contains_key(&members[at].name));
        for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
            let mut line = " ".repeat(entries.column);
            emit::member(&mut line, key, value, entries.column, &self.style);
            self.add_behind(entries.spans[last].1, line);
        }
        Ok(())
    }

    pub(super) fn block_sequence(
        &mut self,
        slot: Slot,
        node: &Node,
        items: &[Node],
        old: &[Value],
        new: &'a [Value],
        depth: usize,
    ) -> Result<(), Anew> {
        let spans = items.iter().map(|item| (item.place.lead, item.place.end)).collect();
        let entries = self.entries(slot, node, spans);
        let inner = Slot::Block { after: After::Dash, column: entries.column };
        let ops = align(old, new);
        let first = ops.iter().find_map(|op| if let Op::Keep(at, _) = op { Some(*at) } else { None }).ok_or(Anew)?;
        let mut gone: Vec<bool> = vec![false; items.len()];
        for op in &ops {
            match *op {
                Op::Keep(at, to) => self.change(inner, &items[at], &old[at], &new[to], depth + 1)?,
                Op::Delete(at) => gone[at] = true,
                Op::Insert(_) => {}
            }
        }
        self.remove(&entries, |at| gone[at]);
        let mut last = None;
        for op in ops {
            match op {
                Op::Keep(at, _) => last = Some(at),
                Op::Delete(_) => {}
                Op::Insert(to) => {
                    let lines = self.moved(&entries, &mut gone, old, &new[to]).unwrap_or_else(|| {
                        let mut line = format!("{}-", " ".repeat(entries.column));
                        emit::value(&mut line, &new[to], entries.column, After::Dash, &self.style);
                        line
                    });
                    match last {
                        Some(at) => self.add_behind(entries.spans[at].1, lines),
                        None => self.add_before(&entries, first, lines),
                    }
                }
            }
        }
        Ok(())
    }

    fn entries(&self, slot: Slot, node: &Node, spans: Vec<(usize, usize)>) -> Entries {
        let start = spans.first().map_or(0, |span| span.0);
        let top = matches!(slot, Slot::Root);
        let floor = if node.place.lead == 0 { 0 } else { next_line(self.text, node.place.lead) };
        Entries { spans, column: start - line_start(self.text, start), floor, top }
    }

    /// Takes entries out. One that starts behind a dash of the line leaves that dash to the next.
    fn remove(&mut self, entries: &Entries, gone: impl Fn(usize) -> bool) {
        let mut at = 0;
        while at < entries.spans.len() {
            let (start, mut end) = entries.spans[at];
            if gone(at) && is_first_on_line(self.text, start) {
                self.patch(self.with_comments(entries, at), next_line(self.text, end), "");
            } else if gone(at) {
                while at + 1 < entries.spans.len() && gone(at + 1) {
                    at += 1;
                    end = entries.spans[at].1;
                }
                let rest = &self.text[next_line(self.text, end)..];
                self.patch(start, self.text.len() - rest.trim_start().len(), "");
            }
            at += 1;
        }
    }

    /// Where an entry starts with the comments that are its own: the comment lines right above it
    /// that are indented as it is. Those at the top of the file belong to the file.
    fn with_comments(&self, entries: &Entries, at: usize) -> usize {
        let own = line_start(self.text, entries.spans[at].0);
        let floor = if at == 0 { entries.floor } else { next_line(self.text, entries.spans[at - 1].1) };
        let mut start = own;
        while start > floor {
            let above = line_start(self.text, start - 1);
            let line = &self.text[above..start];
            let column = line.len() - line.trim_start_matches(' ').len();
            if above < floor || column != entries.column || !line[column..].starts_with('#') {
                break;
            }
            start = above;
        }
        if entries.top && at == 0 && start <= floor { own } else { start }
    }

    /// The lines of a removed item that comes back elsewhere in its list, comments included. Each
    /// comes back once.
    fn moved(&self, entries: &Entries, gone: &mut [bool], old: &[Value], value: &Value) -> Option<String> {
        if self.aliases || old.len() > MOVES {
            return None;
        }
        let at = (0..old.len()).find(|at| gone[*at] && same(&old[*at], value))?;
        let (start, end) = entries.spans[at];
        if !is_first_on_line(self.text, start) {
            return None;
        }
        gone[at] = false;
        let lines = &self.text[self.with_comments(entries, at)..next_line(self.text, end)];
        Some(lines.trim_end_matches('\n').trim_end_matches('\r').to_owned())
    }

    /// Adds lines behind the line where a value ends.
    fn add_behind(&mut self, end: usize, lines: String) {
        let at = next_line(self.text, end);
        let newline = self.style.newline;
        let lines =
            if self.text[..at].ends_with('\n') { format!("{lines}{newline}") } else { format!("{newline}{lines}") };
        self.patch(at, at, lines);
    }

    /// Adds lines before an entry and its comments.
    fn add_before(&mut self, entries: &Entries, at: usize, lines: String) {
        let start = entries.spans[at].0;
        let newline = self.style.newline;
        if is_first_on_line(self.text, start) {
            let start = self.with_comments(entries, at);
            self.patch(start, start, format!("{lines}{newline}"));
        } else {
            let lines = lines.trim_start();
            self.patch(start, start, format!("{lines}{newline}{}", " ".repeat(entries.column)));
        }
    }
}
