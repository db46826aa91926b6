//! Tests of the whole index; small parts are tested in their files.

mod life;
mod model;
mod pages;
mod words;

use std::sync::Arc;

use super::{Batch, Head, Index};
use crate::resource::etag::Etag;
use crate::resource::query::{Filter, Query};
use crate::resource::row::{Column, Moment, Row, Touch, Value};

fn row(workspace: &str, path: &str) -> Row {
    Row {
        kind: "thing".into(),
        workspace: workspace.into(),
        path: path.into(),
        id: format!("t{path}").into(),
        etag: Etag([1; 20]),
        created: Moment { seconds: 1_000, generation: 1 },
        updated: Moment { seconds: 1_000, generation: 1 },
        violations: 0,
        texts: Vec::new(),
        numbers: Vec::new(),
    }
}

fn head(generation: u32) -> Head {
    Head { commit: format!("{generation:040x}").into(), generation }
}

fn batch(workspace: &str, generation: u32) -> Batch {
    Batch {
        workspace: workspace.into(),
        head: head(generation),
        reset: false,
        upserts: Vec::new(),
        removes: Vec::new(),
        touches: Vec::new(),
    }
}

/// Applies rows of one workspace, without text.
fn put(index: &Index, workspace: &str, generation: u32, rows: impl IntoIterator<Item = Row>) {
    let upserts = rows.into_iter().map(|row| (row, String::new())).collect();
    index.apply(Batch { upserts, ..batch(workspace, generation) }).unwrap();
}

fn touch(workspace: &str, id: &str, generation: u32) -> Touch {
    Touch {
        id: id.into(),
        workspace: workspace.into(),
        path: "p".into(),
        commit: format!("{generation:040x}").into(),
        at: Moment { seconds: i64::from(generation), generation },
        deleted: false,
    }
}

fn in_memory() -> Index {
    Index::open(None, "kinds").unwrap()
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

fn is(column: Column, value: &str) -> Filter {
    Filter::In(column, vec![text(value)])
}

/// Everything, by path.
fn everything() -> Query {
    Query { limit: usize::MAX, ..Query::default() }
}

fn paths(index: &Index, query: &Query) -> Vec<String> {
    index.search(query).unwrap().rows.iter().map(|row| row.path.to_string()).collect()
}

fn slot_text(row: Row, slot: u8, value: &str) -> Row {
    let mut row = row;
    row.texts.push((slot, Arc::from(value)));
    row
}
