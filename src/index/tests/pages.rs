//! Paging, sorting and counting beyond what the model covers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::resource::query::SortKey;

#[test]
fn paging_while_others_write_shows_each_stable_row_once() {
    let index = in_memory();
    let name = |number: usize| slot_text(row("a/b", &format!("stable{number:03}")), 0, &format!("v{:02}", number % 40));
    put(&index, "a/b", 1, (0..300).map(name));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut generation = 2;
            while !done.load(Ordering::Relaxed) {
                let fleeting =
                    |at: u32| slot_text(row("a/b", &format!("fleeting{at}")), 0, &format!("v{:02}", at % 40));
                let upserts = vec![(fleeting(generation % 50), String::new())];
                let removes = vec![format!("fleeting{}", (generation + 25) % 50).into()];
                // A stable row that is written again stays where it is.
                let again = (name(generation as usize % 300), String::new());
                let upserts = upserts.into_iter().chain([again]).collect();
                index.apply(Batch { upserts, removes, ..batch("a/b", generation) }).unwrap();
                generation += 1;
                if generation.is_multiple_of(40) {
                    index.flush().unwrap();
                }
                std::thread::sleep(std::time::Duration::from_micros(200));
            }
        });
        for round in 0..12 {
            let sort = vec![SortKey { column: Column::Text(0), descending: round % 2 == 1 }];
            let mut query = Query { sort, limit: 7, ..Query::default() };
            let mut seen: HashMap<String, usize> = HashMap::new();
            loop {
                let page = index.search(&query).unwrap();
                for row in page.rows.iter().filter(|row| row.path.starts_with("stable")) {
                    *seen.entry(row.path.to_string()).or_default() += 1;
                }
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => break,
                }
            }
            assert_eq!(seen.len(), 300);
            assert!(seen.values().all(|count| *count == 1), "{seen:?}");
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn ten_thousand_rows_are_filtered_sorted_and_counted() {
    let index = in_memory();
    let make = |at: u32| {
        let mut row = slot_text(row("a/b", &format!("d/{at:05}")), 0, &format!("type{}", at % 50));
        row.created = Moment { seconds: 5, generation: at };
        row.numbers.push((0, u64::from(at / 1000)));
        row
    };
    put(&index, "a/b", 1, (0..10_000).map(make));
    let query = Query {
        filter: Filter::All(vec![is(Column::Kind, "thing"), is(Column::Text(0), "type7")]),
        sort: vec![SortKey { column: Column::Created, descending: true }],
        limit: 20,
        offset: 20,
        facets: vec![Column::Number(0), Column::Text(0)],
        ..Query::default()
    };
    let page = index.search(&query).unwrap();
    assert_eq!(page.count, 200);
    let paths: Vec<u32> = page.rows.iter().map(|row| row.path[2..].parse().unwrap()).collect();
    assert_eq!(paths, (0..20).map(|at| 9957 - 50 * (at + 20)).collect::<Vec<_>>());
    assert_eq!(page.facets[0], (0..10).map(|n| (Value::Number(n), 20)).collect::<Vec<_>>());
    assert_eq!(page.facets[1], [(text("type7"), 200)]);
    let all = index.search(&Query { limit: 3, offset: 9_998, ..Query::default() }).unwrap();
    assert_eq!((all.count, all.rows.len(), all.next), (10_000, 2, None));
    assert_eq!(index.search(&Query { offset: usize::MAX, ..Query::default() }).unwrap().rows.len(), 0);
}

#[test]
fn conditions_of_every_sort_on_many_rows() {
    let index = in_memory();
    let make = |at: u32| {
        let mut row = slot_text(row("a/b", &format!("d/{at:05}")), 0, &format!("a long name with number {at:05}"));
        row = slot_text(row, 1, &format!("tag{}", at % 100));
        row = slot_text(row, 1, &format!("tag{}", at % 70));
        row.created = Moment { seconds: i64::from(at / 3), generation: at };
        row.numbers.push((0, u64::from(at % 500)));
        row
    };
    let rows: Vec<Row> = (0..3_000).map(make).collect();
    for (generation, part) in (1..).zip(rows.chunks(1_000)) {
        put(&index, "a/b", generation, part.to_vec());
        let touches = (0..200).map(|touched| touch("a/b", &format!("t{touched}"), generation)).collect();
        index.apply(Batch { touches, ..batch("a/b", generation) }).unwrap();
        index.flush().unwrap();
    }
    let (name, tags, number) = (Column::Text(0), Column::Text(1), Column::Number(0));
    let between = |column, low: &Value, high: &Value| Filter::Between(column, Some(low.clone()), Some(high.clone()));
    let rare = Filter::In(tags, vec![text("tag3"), text("tag69"), text("tag3"), text("none")]);
    let filters = [
        rare.clone(),
        Filter::In(number, vec![Value::Number(3), Value::Number(4)]),
        Filter::In(name, vec![text("a long name with number 00007"), text("a long name with number 00008")]),
        Filter::In(Column::Path, vec![text("d/00123")]),
        Filter::Prefix(name, "a long name with number 012".to_owned()),
        Filter::Prefix(name, "a".to_owned()),
        Filter::Prefix(tags, "tag1".to_owned()),
        Filter::Prefix(Column::Path, "d/001".to_owned()),
        Filter::Prefix(Column::Id, "td/0012".to_owned()),
        between(name, &text("a long name with number 00990"), &text("a long name with number 01010")),
        between(tags, &text("tag2"), &text("tag22")),
        between(number, &Value::Number(490), &Value::Number(499)),
        between(number, &Value::Number(600), &Value::Number(900)),
        between(Column::Created, &Value::Number(Moment::start_of(330)), &Value::Number(Moment::start_of(340))),
        Filter::Any(vec![rare.clone(), Filter::Prefix(tags, "tag44".to_owned())]),
        Filter::All(vec![Filter::Not(Box::new(rare.clone())), Filter::Prefix(tags, "tag3".to_owned())]),
        Filter::Not(Box::new(rare)),
        Filter::Not(Box::new(Filter::All(Vec::new()))),
    ];
    for filter in filters {
        let expected = rows.iter().filter(|row| filter.matches(row)).count();
        let page = index.search(&Query { filter: filter.clone(), limit: usize::MAX, ..Query::default() }).unwrap();
        assert_eq!((page.count, page.rows.len()), (expected, expected), "{filter:?}");
        assert!(page.rows.iter().all(|row| filter.matches(row)));
    }
}

#[test]
fn large_and_small_changes_take_turns() {
    let index = in_memory();
    let many = |from: u32, kind: &str| -> Vec<Row> {
        (from..from + 5_000).map(|at| Row { kind: kind.into(), ..row("a/b", &format!("{at}")) }).collect()
    };
    put(&index, "a/b", 1, [Row { kind: "old".into(), ..row("a/b", "17") }, row("a/b", "gone")]);
    let upserts: Vec<_> =
        many(0, "first").into_iter().chain(many(0, "second")).map(|row| (row, String::new())).collect();
    index.apply(Batch { upserts, removes: vec!["gone".into(), "17".into()], ..batch("a/b", 2) }).unwrap();
    let kinds =
        |index: &Index| index.search(&Query { facets: vec![Column::Kind], limit: 0, ..Query::default() }).unwrap();
    assert_eq!(kinds(&index).facets[0], [(text("second"), 5_000)]);
    put(&index, "a/b", 3, [Row { kind: "third".into(), ..row("a/b", "17") }]);
    put(&index, "a/b", 4, many(2_500, "fourth"));
    assert_eq!(kinds(&index).facets[0], [(text("fourth"), 5_000), (text("second"), 2_499), (text("third"), 1)]);
    let upserts = many(0, "fifth").into_iter().map(|row| (row, String::new())).collect();
    index.apply(Batch { reset: true, upserts, ..batch("a/b", 5) }).unwrap();
    assert_eq!(kinds(&index).facets[0], [(text("fifth"), 5_000)]);
    // More than may wait at once, in small batches.
    for from in 0..20 {
        put(&index, "c/d", from, (0..1_000).map(|at| row("c/d", &format!("{}", from * 1_000 + at))));
    }
    assert_eq!(
        index.search(&Query { filter: is(Column::Workspace, "c/d"), ..Query::default() }).unwrap().count,
        20_000
    );
}

#[test]
fn counts_are_per_kind() {
    let index = in_memory();
    let make = |path: &str, kind: &str, violations| Row { kind: kind.into(), violations, ..row("a/b", path) };
    put(&index, "a/b", 1, [make("1", "x", 0), make("2", "x", 2), make("3", "y", 0)]);
    put(&index, "c/d", 1, [row("c/d", "1")]);
    let expected =
        |kind: &str, documents, violating| crate::index::KindCount { kind: kind.into(), documents, violating };
    for _ in 0..2 {
        assert_eq!(index.counts("a/b").unwrap(), [expected("x", 2, 1), expected("y", 1, 0)]);
        index.flush().unwrap();
    }
}
