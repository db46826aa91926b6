//! Full text.

use super::*;
use crate::resource::query::SortKey;

fn index() -> Index {
    let index = in_memory();
    let texts = [
        ("both", "A fire wall is a wall against fire"),
        ("joined", "Firewall rules: näive and <strict>"),
        ("fire", "fire"),
        ("long", "fire and a great many other words that make this one less about it than others are"),
        ("none", ""),
    ];
    let upserts = texts.map(|(path, text)| (row("a/b", path), text.to_owned())).to_vec();
    let touches = (0..20).map(|generation| touch("a/b", "tboth", generation)).collect();
    index.apply(Batch { upserts, touches, ..batch("a/b", 1) }).unwrap();
    index
}

fn found(index: &Index, words: &str) -> Vec<String> {
    paths(index, &Query { text: Some(words.to_owned()), ..everything() })
}

#[test]
fn words_phrases_beginnings_and_exclusions() {
    let index = index();
    assert_eq!(found(&index, "wall"), ["both"]);
    assert_eq!(found(&index, "WALL Fire"), ["both"]);
    assert_eq!(found(&index, "\"fire wall\""), ["both"]);
    assert_eq!(found(&index, "\"wall fire\""), [""; 0]);
    assert_eq!(found(&index, "fire-wall"), ["both"]);
    assert_eq!(found(&index, "firew*"), ["joined"]);
    assert_eq!(found(&index, "\"rules\" na*"), ["joined"]);
    assert_eq!(found(&index, "rules:nai*"), ["joined"]);
    assert_eq!(found(&index, "NAIVE strict"), ["joined"]);
    assert_eq!(found(&index, "fire -wall -words"), ["fire"]);
    assert_eq!(found(&index, "-fire"), ["joined", "none"]);
    assert_eq!(found(&index, "absent"), [""; 0]);
    assert_eq!(found(&index, "?!"), ["both", "fire", "joined", "long", "none"]);
    assert_eq!(found(&index, ""), ["both", "fire", "joined", "long", "none"]);
}

#[test]
fn relevance_orders_unless_a_sort_is_given() {
    let index = index();
    assert_eq!(found(&index, "fire"), ["fire", "both", "long"]);
    let sort = vec![SortKey { column: Column::Path, descending: true }];
    let query = Query { text: Some("fire".to_owned()), sort, limit: 2, ..Query::default() };
    let page = index.search(&query).unwrap();
    assert_eq!(page.count, 3);
    assert_eq!(page.rows.iter().map(|row| &*row.path).collect::<Vec<_>>(), ["long", "fire"]);
    let rest = index.search(&Query { after: page.next, ..query }).unwrap();
    assert_eq!(rest.rows.iter().map(|row| &*row.path).collect::<Vec<_>>(), ["both"]);
    let filtered = Query { filter: is(Column::Id, "tlong"), text: Some("fire".to_owned()), ..Query::default() };
    assert_eq!(paths(&index, &filtered), ["long"]);
}

#[test]
fn a_word_written_just_now_is_found_and_a_replaced_one_is_not() {
    let index = index();
    index.flush().unwrap();
    let upserts = vec![(row("a/b", "fire"), "water".to_owned())];
    index.apply(Batch { upserts, removes: vec!["both".into()], ..batch("a/b", 2) }).unwrap();
    assert_eq!(found(&index, "water"), ["fire"]);
    assert_eq!(found(&index, "fire"), ["long"]);
}

#[test]
fn equal_scores_are_ordered_by_id_across_segments() {
    let index = in_memory();
    for (generation, path) in (1..).zip(["c", "a", "d", "b"]) {
        let upserts = vec![(row("a/b", path), "same words".to_owned())];
        index.apply(Batch { upserts, ..batch("a/b", generation) }).unwrap();
        index.flush().unwrap();
    }
    assert_eq!(found(&index, "words"), ["a", "b", "c", "d"]);
    let page = Query { text: Some("same".to_owned()), limit: 2, offset: 1, ..Query::default() };
    let page = index.search(&page).unwrap();
    assert_eq!(page.rows.iter().map(|row| &*row.path).collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!((page.count, page.next), (4, None));
}
