//! Full text: what words are, what a query asks of them, and snippets.
//!
//! A query is words, all of which must occur. `"several words"` is a phrase, `begin*` any word
//! that begins so, `-word` (or a phrase) must not occur. Nothing else has a meaning; signs that
//! are no part of words separate them.

use std::collections::BTreeMap;

use tantivy::Term;
use tantivy::query::{AllQuery, BooleanQuery, FuzzyTermQuery, Occur, PhrasePrefixQuery, PhraseQuery, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::snippet::SnippetGenerator;
use tantivy::tokenizer::{AsciiFoldingFilter, LowerCaser, RemoveLongFilter, SimpleTokenizer, TextAnalyzer};

/// Longer words are not indexed, in bytes.
const LONGEST_WORD: usize = 100;
/// More words of a query are left out.
const MOST_PIECES: usize = 64;
/// Length of a snippet, in bytes.
const SNIPPET: usize = 160;

/// Cuts texts into words: runs of letters and digits, in lower case, without accents.
pub(super) fn analyzer() -> TextAnalyzer {
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(LONGEST_WORD))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build()
}

/// Words in a row, the last of which may be only a beginning.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    words: Vec<String>,
    prefix: bool,
    excluded: bool,
}

impl Piece {
    fn query(&self, field: Field) -> Box<dyn Query> {
        let mut terms: Vec<Term> = self.words.iter().map(|word| Term::from_field_text(field, word)).collect();
        match (terms.len(), self.prefix) {
            (1, false) => Box::new(TermQuery::new(terms.remove(0), IndexRecordOption::WithFreqs)),
            (1, true) => Box::new(FuzzyTermQuery::new_prefix(terms.remove(0), 0, false)),
            (_, false) => Box::new(PhraseQuery::new(terms)),
            (_, true) => Box::new(PhrasePrefixQuery::new(terms)),
        }
    }
}

/// A query's pieces.
fn parse(text: &str) -> Vec<Piece> {
    let mut analyzer = analyzer();
    let mut pieces = Vec::new();
    let mut rest = text;
    while pieces.len() < MOST_PIECES {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { break };
        let excluded = first == '-';
        if excluded {
            rest = &rest[1..];
        }
        let (chunk, prefix);
        if let Some(quoted) = rest.strip_prefix('"') {
            // A quote that nothing closes holds to the end.
            (chunk, rest) = quoted.split_once('"').unwrap_or((quoted, ""));
            prefix = false;
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len());
            (chunk, rest) = rest.split_at(end);
            prefix = chunk.ends_with('*');
        }
        let mut words = Vec::new();
        analyzer.token_stream(chunk).process(&mut |token| words.push(token.text.clone()));
        if !words.is_empty() {
            pieces.push(Piece { words, prefix, excluded });
        }
    }
    pieces
}

/// The query for a text, over one field of words. A text without words asks for nothing, so
/// everything fulfils it.
pub(super) fn query(text: &str, field: Field) -> Box<dyn Query> {
    let pieces = parse(text);
    let mut parts: Vec<(Occur, Box<dyn Query>)> = Vec::with_capacity(pieces.len() + 1);
    if pieces.iter().all(|piece| piece.excluded) {
        parts.push((Occur::Must, Box::new(AllQuery)));
    }
    for piece in pieces {
        let occur = if piece.excluded { Occur::MustNot } else { Occur::Must };
        parts.push((occur, piece.query(field)));
    }
    Box::new(BooleanQuery::new(parts))
}

/// Whether there is anything to look for in a query.
pub(super) fn has_words(text: &str) -> bool {
    !parse(text).is_empty()
}

/// The part of `text` that answers a query best, as HTML: escaped, hits in `<b>`. `None` when no
/// word of the query occurs.
pub(super) fn snippet(query: &str, text: &str, field: Field) -> Option<String> {
    let pieces: Vec<Piece> = parse(query).into_iter().filter(|piece| !piece.excluded).collect();
    let mut words = BTreeMap::new();
    analyzer().token_stream(text).process(&mut |token| {
        let wanted = pieces.iter().any(|piece| {
            let last = piece.words.len() - 1;
            piece.words.iter().enumerate().any(|(at, word)| {
                *word == token.text || (piece.prefix && at == last && token.text.starts_with(word.as_str()))
            })
        });
        if wanted {
            words.insert(token.text.clone(), 1.0);
        }
    });
    if words.is_empty() {
        return None;
    }
    let snippet = SnippetGenerator::new(words, analyzer(), field, SNIPPET).snippet(text);
    (!snippet.is_empty()).then(|| snippet.to_html())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(words: &[&str], prefix: bool, excluded: bool) -> Piece {
        Piece { words: words.iter().map(|word| (*word).to_owned()).collect(), prefix, excluded }
    }

    #[test]
    fn queries_are_words_phrases_beginnings_and_exclusions() {
        let pieces = parse(r#"Föo "two  Words" begin* -not -"this one" net-work ** - "open end"#);
        let expected = [
            piece(&["foo"], false, false),
            piece(&["two", "words"], false, false),
            piece(&["begin"], true, false),
            piece(&["not"], false, true),
            piece(&["this", "one"], false, true),
            piece(&["net", "work"], false, false),
            piece(&["open", "end"], false, false),
        ];
        assert_eq!(pieces, expected);
        assert_eq!(
            parse("a\"b c\"d"),
            [piece(&["a"], false, false), piece(&["b", "c"], false, false), piece(&["d"], false, false)]
        );
        assert!(parse(&"x".repeat(200)).is_empty());
    }

    #[test]
    fn snippets_mark_words_and_escape() {
        let field = Field::from_field_id(0);
        let text = "name: <fire> & Wall\ntitle: the firewall";
        assert_eq!(
            snippet("firew*", text, field).as_deref(),
            Some("name: &lt;fire&gt; &amp; Wall\ntitle: the <b>firewall</b>")
        );
        assert_eq!(
            snippet("WALL", text, field).as_deref(),
            Some("name: &lt;fire&gt; &amp; <b>Wall</b>\ntitle: the firewall")
        );
        assert_eq!(snippet("-wall", text, field), None);
        assert_eq!(snippet("absent", text, field), None);
        let long = format!("{} needle {}", "hay ".repeat(500), "stack ".repeat(500));
        let cut = snippet("needle", &long, field).unwrap();
        assert!(cut.contains("<b>needle</b>") && cut.len() < 200, "{cut}");
    }
}
