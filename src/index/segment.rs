//! One segment of tantivy as searches use it, and a consistent set of them.
//!
//! A segment's documents never change, so what was once opened or looked up stays true for as long
//! as the segment lives, also over later commits; only which documents are alive changes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tantivy::columnar::{self, StrColumn, TermOrdHit};
use tantivy::fastfield::AliveBitSet;
use tantivy::index::{InvertedIndexReader, SegmentId, SegmentReader};
use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;
use tantivy::schema::document::{
    DeserializeError, DocumentDeserialize, DocumentDeserializer, ValueDeserialize, ValueDeserializer,
};
use tantivy::store::StoreReader;
use tantivy::{DocId, Searcher};

use super::recent::Hidden;
use super::schema::{self, Fields};
use super::{Error, codec};
use crate::resource::row::{Column, Row, Touch};

/// Decompressed blocks of stored rows that each segment keeps.
const STORE_BLOCKS: usize = 8;
/// Dictionary look-ups that each segment remembers, of each sort.
const LOOKUPS: usize = 1024;
/// What the rows in memory may weigh together, in bytes.
const ROWS_WEIGHT: u64 = 48 << 20;

/// Rows in memory, by segment and document.
pub(super) type RowCache = Cache<(u32, DocId), Arc<Row>, RowWeight>;

pub(super) fn row_cache() -> RowCache {
    Cache::with_weighter(50_000, ROWS_WEIGHT, RowWeight)
}

/// Weighs a row by the memory it takes, about.
#[derive(Debug, Clone)]
pub(super) struct RowWeight;

impl Weighter<(u32, DocId), Arc<Row>> for RowWeight {
    fn weight(&self, _: &(u32, DocId), row: &Arc<Row>) -> u64 {
        let texts: usize = row.texts.iter().map(|(_, text)| text.len() + 48).sum();
        (400 + row.workspace.len() + row.path.len() + row.id.len() + texts + row.numbers.len() * 16) as u64
    }
}

/// The values of one column in one segment: numbers as they are, texts as ordinals in the
/// segment's sorted dictionary of the column.
pub(super) struct Values {
    pub(super) numbers: columnar::Column<u64>,
    pub(super) texts: Option<StrColumn>,
}

/// Where a text stands in a dictionary: at `ordinal` when `exact`, otherwise right before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) ordinal: u64,
    pub(super) exact: bool,
}

/// One segment, without its deletions.
pub(super) struct Segment {
    id: SegmentId,
    /// Tells segments apart in the row cache.
    serial: u32,
    pub(super) documents: u32,
    reader: SegmentReader,
    terms: Arc<InvertedIndexReader>,
    store: StoreReader,
    columns: Vec<OnceLock<Option<Arc<Values>>>>,
    standings: Cache<Box<[u8]>, Standing>,
    infos: Cache<Box<[u8]>, Option<TermInfo>>,
}

impl Segment {
    fn open(reader: &SegmentReader, fields: &Fields) -> Result<Self, Error> {
        static SERIALS: AtomicU32 = AtomicU32::new(0);
        Ok(Segment {
            id: reader.segment_id(),
            serial: SERIALS.fetch_add(1, Ordering::Relaxed),
            documents: reader.max_doc(),
            reader: reader.clone(),
            terms: reader.inverted_index(fields.terms())?,
            store: reader.get_store_reader(STORE_BLOCKS)?,
            columns: (0..schema::COLUMNS).map(|_| OnceLock::new()).collect(),
            standings: Cache::new(LOOKUPS),
            infos: Cache::new(LOOKUPS),
        })
    }

    /// The values of a column; `None` when no document here has one.
    pub(super) fn values(&self, column: Column) -> Result<Option<Arc<Values>>, Error> {
        let Some(ordinal) = schema::ordinal(column) else { return Ok(None) };
        if let Some(values) = self.columns[ordinal].get() {
            return Ok(values.clone());
        }
        let name = schema::field_name(column);
        let fast = self.reader.fast_fields();
        let values = if column.is_number() {
            fast.column_opt::<u64>(&name)?.map(|numbers| Values { numbers, texts: None })
        } else {
            fast.str(&name)?.map(|texts| Values { numbers: texts.ords().clone(), texts: Some(texts) })
        };
        Ok(self.columns[ordinal].get_or_init(|| values.map(Arc::new)).clone())
    }

    /// The generations of touches.
    pub(super) fn touch_generations(&self) -> Result<Option<columnar::Column<u64>>, Error> {
        Ok(self.reader.fast_fields().column_opt::<u64>(schema::TOUCH_GENERATION)?)
    }

    /// Where `text` stands among the values of a text column.
    pub(super) fn standing(&self, column: Column, text: &str) -> Result<Standing, Error> {
        let mut key = vec![schema::ordinal(column).map_or(u8::MAX, |ordinal| ordinal as u8)];
        key.extend_from_slice(text.as_bytes());
        if let Some(standing) = self.standings.get(key.as_slice()) {
            return Ok(standing);
        }
        let hit = match self.values(column)?.as_deref() {
            Some(Values { texts: Some(texts), .. }) => texts.dictionary().term_ord_or_next(text.as_bytes())?,
            _ => TermOrdHit::Next(u64::MAX),
        };
        let standing = match hit {
            TermOrdHit::Exact(ordinal) => Standing { ordinal, exact: true },
            TermOrdHit::Next(ordinal) => Standing { ordinal, exact: false },
        };
        self.standings.insert(key.into(), standing);
        Ok(standing)
    }

    /// The postings of a term, dead documents included.
    pub(super) fn term_info(&self, term: &[u8]) -> Result<Option<TermInfo>, Error> {
        if let Some(info) = self.infos.get(term) {
            return Ok(info);
        }
        let info = self.terms.terms().get(term)?;
        self.infos.insert(term.into(), info.clone());
        Ok(info)
    }

    /// The postings of all terms from `low` up to `high` (not included), unless they are more than
    /// `most`.
    pub(super) fn term_range(&self, low: &[u8], high: &[u8], most: usize) -> Result<Option<Vec<TermInfo>>, Error> {
        let mut stream = self.terms.terms().range().ge(low).lt(high).into_stream()?;
        let mut infos = Vec::new();
        while stream.advance() {
            if infos.len() == most {
                return Ok(None);
            }
            infos.push(stream.value().clone());
        }
        Ok(Some(infos))
    }

    /// Calls `each` with the documents of a term, block by block, ascending.
    pub(super) fn postings(&self, info: &TermInfo, mut each: impl FnMut(&[DocId])) -> Result<(), Error> {
        let mut blocks = self.terms.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
        loop {
            let documents = blocks.docs();
            if documents.is_empty() {
                return Ok(());
            }
            each(documents);
            blocks.advance();
        }
    }

    /// The documents of a term, dead ones included; not remembered, for terms that few documents
    /// have and few ask for.
    pub(super) fn documents_of(&self, term: &[u8]) -> Result<Vec<DocId>, Error> {
        let mut found = Vec::new();
        if let Some(info) = self.terms.terms().get(term)? {
            self.postings(&info, |documents| found.extend_from_slice(documents))?;
        }
        Ok(found)
    }

    /// One row, from memory or from the store.
    pub(super) fn row(&self, document: DocId, cache: &RowCache) -> Result<Arc<Row>, Error> {
        let key = (self.serial, document);
        if let Some(row) = cache.get(&key) {
            return Ok(row);
        }
        let stored: Stored = self.store.get(document)?;
        let row = codec::decode_row(&stored.0).ok_or_else(undecodable)?;
        let row = Arc::new(row);
        cache.insert(key, row.clone());
        Ok(row)
    }

    pub(super) fn touch(&self, document: DocId) -> Result<Touch, Error> {
        let stored: Stored = self.store.get(document)?;
        codec::decode_touch(&stored.0).ok_or_else(undecodable)
    }
}

fn undecodable() -> Error {
    Error::Read("a stored row cannot be decoded".into())
}

/// A segment with what is alive in it.
pub(super) struct Part {
    pub(super) segment: Arc<Segment>,
    pub(super) alive: Option<AliveBitSet>,
}

impl Part {
    pub(super) fn is_alive(&self, document: DocId) -> bool {
        self.alive.as_ref().is_none_or(|alive| alive.is_alive(document))
    }
}

/// What one commit holds.
pub(super) struct View {
    pub(super) searcher: Searcher,
    /// In the order of the searcher's segments.
    pub(super) parts: Vec<Part>,
    /// How many rows there are, dead ones included as in all of tantivy's statistics.
    pub(super) rows: u64,
}

/// A document of a view: its part's position and its number there.
pub(super) type Address = (usize, DocId);

impl View {
    /// Opens what the searcher sees; segments that `before` had are taken from there.
    pub(super) fn open(searcher: Searcher, fields: &Fields, before: Option<&View>) -> Result<Self, Error> {
        let known: HashMap<SegmentId, &Arc<Segment>> = before
            .map(|view| view.parts.iter().map(|part| (part.segment.id, &part.segment)).collect())
            .unwrap_or_default();
        let parts = searcher
            .segment_readers()
            .iter()
            .map(|reader| {
                let segment = match known.get(&reader.segment_id()) {
                    Some(segment) => Arc::clone(segment),
                    None => Arc::new(Segment::open(reader, fields)?),
                };
                Ok(Part { segment, alive: reader.alive_bitset().cloned() })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let mut rows = 0;
        for part in &parts {
            rows += part.segment.values(Column::Kind)?.map_or(0, |kinds| u64::from(kinds.numbers.values.num_vals()));
        }
        Ok(View { searcher, parts, rows })
    }

    /// The segments' ids.
    pub(super) fn segments(&self) -> impl Iterator<Item = SegmentId> {
        self.parts.iter().map(|part| part.segment.id)
    }

    /// The document at an address of a workspace, unless it is among the hidden ones.
    pub(super) fn find(&self, workspace: &str, path: &str, hidden: &Hidden) -> Result<Option<Address>, Error> {
        let term = schema::key_term(workspace, path);
        for (at, part) in self.parts.iter().enumerate() {
            for document in part.segment.documents_of(&term)? {
                if part.is_alive(document) && !hidden.contains((at, document)) {
                    return Ok(Some((at, document)));
                }
            }
        }
        Ok(None)
    }

    /// Every document and touch of a workspace.
    pub(super) fn workspace(&self, workspace: &str) -> Result<Vec<Address>, Error> {
        let terms = [schema::text_term(Column::Workspace, workspace), schema::touch_workspace_term(workspace)];
        let mut found = Vec::new();
        for (at, part) in self.parts.iter().enumerate() {
            for term in &terms {
                let documents = part.segment.documents_of(term)?;
                found.extend(documents.into_iter().filter(|document| part.is_alive(*document)).map(|d| (at, d)));
            }
        }
        Ok(found)
    }
}

/// The stored bytes of a document.
struct Stored(Vec<u8>);

impl DocumentDeserialize for Stored {
    fn deserialize<'de, D: DocumentDeserializer<'de>>(mut deserializer: D) -> Result<Self, DeserializeError> {
        match deserializer.next_field::<Stored>()? {
            Some((_, stored)) => Ok(stored),
            None => Err(DeserializeError::custom("nothing is stored")),
        }
    }
}

impl ValueDeserialize for Stored {
    fn deserialize<'de, D: ValueDeserializer<'de>>(deserializer: D) -> Result<Self, DeserializeError> {
        deserializer.deserialize_bytes().map(Stored)
    }
}
