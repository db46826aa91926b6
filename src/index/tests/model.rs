//! The law of the recent layer: an answer is what the definition in `resource::query` says, however
//! much of it is committed.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::index::Page;
use crate::resource::query::{Place, SortKey};

/// Rows by workspace and path, with their texts: what the index should know.
type Model = BTreeMap<(String, String), (Row, String)>;

const WORKSPACES: [&str; 3] = ["a/a", "a/b", "b/a"];
const TEXTS: [&str; 8] = ["", "a", "ab", "abc", "b", "ß", "\u{10ffff}", "\u{d7ff}x"];
const WORDS: [&str; 4] = ["fire", "wall", "firewall", "router"];

#[derive(Debug, Clone)]
enum Step {
    Apply { workspace: &'static str, reset: bool, upserts: Vec<(Row, String)>, removes: Vec<Arc<str>> },
    Forget(&'static str),
    Flush,
    Search(Query),
}

fn path() -> impl Strategy<Value = String> {
    (0..6u8, select(vec!["p", "q/p"])).prop_map(|(number, folder)| format!("{folder}{number}"))
}

fn moment() -> impl Strategy<Value = Moment> {
    (0..3i64, 0..3u32).prop_map(|(seconds, generation)| Moment { seconds, generation })
}

fn any_row() -> impl Strategy<Value = (Row, String)> {
    let texts = vec((0..3u8, select(TEXTS.to_vec())), 0..4);
    let numbers = vec((0..2u8, prop_oneof![0..4u64, Just(u64::MAX)]), 0..3);
    let words = vec(select(WORDS.to_vec()), 0..4);
    (select(vec!["k", "l"]), path(), 0..3u8, moment(), moment(), 0..3u32, texts, numbers, words).prop_map(
        |(kind, path, id, created, updated, violations, texts, numbers, words)| {
            let row = Row {
                kind: kind.into(),
                workspace: "".into(),
                path: path.into(),
                id: format!("t{id}").into(),
                etag: Etag([id; 20]),
                created,
                updated,
                violations,
                texts: texts.into_iter().map(|(slot, text)| (slot, text.into())).collect(),
                numbers,
            };
            (row, words.join(" "))
        },
    )
}

fn column() -> impl Strategy<Value = Column> {
    prop_oneof![
        select(vec![
            Column::Kind,
            Column::Workspace,
            Column::Path,
            Column::Id,
            Column::Etag,
            Column::Created,
            Column::Updated,
            Column::Violations,
        ]),
        (0..4u8).prop_map(Column::Text),
        (0..3u8).prop_map(Column::Number),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let etag = Etag([1; 20]).to_string();
    prop_oneof![
        select(TEXTS.to_vec()).prop_map(text),
        select(vec!["k", "l", "a/a", "a/b", "b/b", "p3", "q/p1", "t1", "t2"]).prop_map(text),
        Just(text(&etag)),
        (0..4u64).prop_map(Value::Number),
        moment().prop_map(|moment| Value::Number(moment.encoded())),
        Just(Value::Number(u64::MAX)),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        3 => (column(), vec(value(), 0..4)).prop_map(|(column, values)| Filter::In(column, values)),
        1 => (column(), select(vec!["", "a", "ab", "p", "q/", "t", "\u{10ffff}"]))
            .prop_map(|(column, prefix)| Filter::Prefix(column, prefix.to_owned())),
        2 => (column(), option::of(value()), option::of(value()))
            .prop_map(|(column, low, high)| Filter::Between(column, low, high)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Filter::All),
            vec(inner.clone(), 0..3).prop_map(Filter::Any),
            inner.prop_map(|part| Filter::Not(Box::new(part))),
        ]
    })
}

fn query() -> impl Strategy<Value = Query> {
    let filter = prop_oneof![2 => Just(Filter::All(Vec::new())), 5 => filter()];
    let sort = vec((column(), any::<bool>()).prop_map(|(column, descending)| SortKey { column, descending }), 0..3);
    let after = option::weighted(0.3, vec(option::of(value()), 0..5));
    let words = option::weighted(0.15, vec(select(WORDS.to_vec()), 1..3));
    (filter, sort, 0..8usize, 0..4usize, after, vec(column(), 0..3), words).prop_map(
        |(filter, mut sort, limit, offset, after, facets, words)| {
            if words.is_some() && sort.is_empty() {
                sort.push(SortKey::ascending(Column::Path));
            }
            Query {
                filter,
                text: words.map(|words| words.join(" ")),
                sort,
                limit,
                offset,
                after: after.map(Place),
                facets,
            }
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let workspace = || select(WORKSPACES.to_vec());
    let paths = vec(path().prop_map(Arc::from), 0..3);
    prop_oneof![
        6 => (workspace(), prop::bool::weighted(0.1), vec(any_row(), 0..6), paths)
            .prop_map(|(workspace, reset, mut upserts, removes)| {
                upserts.iter_mut().for_each(|(row, _)| row.workspace = workspace.into());
                Step::Apply { workspace, reset, upserts, removes }
            }),
        1 => workspace().prop_map(Step::Forget),
        3 => Just(Step::Flush),
        8 => query().prop_map(Step::Search),
    ]
}

/// The answer by definition.
fn expected(model: &Model, query: &Query) -> Page {
    let order = query.order();
    let has_words = |words: &str| {
        query.text.iter().flat_map(|text| text.split(' ')).all(|wanted| words.split(' ').any(|word| word == wanted))
    };
    let mut rows: Vec<(Place, &Row)> = model
        .values()
        .filter(|(row, words)| query.filter.matches(row) && has_words(words))
        .map(|(row, _)| (Query::place(&order, row), row))
        .collect();
    rows.sort_by(|(a, _), (b, _)| Query::compare(&order, a, b));
    let count = rows.len();
    let facets = query.facets.iter().map(|column| {
        let mut counts: BTreeMap<Value, usize> = BTreeMap::new();
        for (_, row) in &rows {
            let mut values = Vec::new();
            row.any_value(*column, |value| {
                values.push(value.to_owned());
                false
            });
            values.sort();
            values.dedup();
            values.into_iter().for_each(|value| *counts.entry(value).or_default() += 1);
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    });
    let facets = facets.collect();
    if let Some(after) = &query.after {
        rows.retain(|(place, _)| Query::compare(&order, place, after).is_gt());
    }
    let page: Vec<_> = rows.iter().skip(query.offset).take(query.limit).collect();
    let more = rows.len() > query.offset.saturating_add(query.limit);
    let next = page.last().filter(|_| more).map(|(place, _)| place.clone());
    Page { rows: page.into_iter().map(|(_, row)| Arc::new((*row).clone())).collect(), count, facets, next }
}

fn check_rows(index: &Index, model: &Model) {
    for workspace in WORKSPACES {
        for number in 0..6 {
            let path = format!("p{number}");
            let known = model.get(&(workspace.to_owned(), path.clone())).map(|(row, _)| row);
            assert_eq!(index.row(workspace, &path).unwrap().as_deref(), known);
        }
    }
    let mut by_id: Vec<&Row> = model.values().map(|(row, _)| row).filter(|row| &*row.id == "t1").collect();
    by_id.retain(|row| &*row.kind == "k");
    let found = index.rows_by_id("k", "t1").unwrap();
    assert_eq!(found.iter().map(|row| &**row).collect::<Vec<_>>(), by_id);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn answers_follow_the_definition(steps in vec(step(), 1..30)) {
        let index = in_memory();
        let mut model = Model::new();
        let mut queries = Vec::new();
        for (generation, step) in (1..).zip(steps) {
            match step {
                Step::Apply { workspace, reset, upserts, removes } => {
                    if reset {
                        model.retain(|(owner, _), _| owner != workspace);
                    }
                    for path in &removes {
                        model.remove(&(workspace.to_owned(), path.to_string()));
                    }
                    for (row, words) in &upserts {
                        model.insert((workspace.to_owned(), row.path.to_string()), (row.clone(), words.clone()));
                    }
                    index.apply(Batch { reset, upserts, removes, ..batch(workspace, generation) }).unwrap();
                    prop_assert_eq!(&index.heads()[workspace], &head(generation));
                }
                Step::Forget(workspace) => {
                    model.retain(|(owner, _), _| owner != workspace);
                    index.forget(workspace).unwrap();
                    prop_assert!(!index.heads().contains_key(workspace));
                }
                Step::Flush => index.flush().unwrap(),
                Step::Search(query) => {
                    prop_assert_eq!(index.search(&query).unwrap(), expected(&model, &query), "{:?}", query);
                    queries.push(query);
                }
            }
        }
        check_rows(&index, &model);
        index.flush().unwrap();
        check_rows(&index, &model);
        for query in queries {
            prop_assert_eq!(index.search(&query).unwrap(), expected(&model, &query), "committed: {:?}", query);
        }
    }
}
