//! Opening what is on disk, or starting anew.

use std::path::Path;

use tantivy::directory::error::LockError;
use tantivy::directory::{Directory, INDEX_WRITER_LOCK, MmapDirectory};
use tantivy::index::IndexSettings;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::tokenizer::TokenizerManager;
use tantivy::{IndexReader, IndexWriter, ReloadPolicy, TantivyError};

use super::Error;
use super::schema::{self, Fields};
use super::text;
use super::writer::Payload;

/// What the indexing thread gathers before it writes a segment, in bytes.
const ARENA: usize = 32 << 20;
/// Stored rows are compressed in blocks of this size; small ones are quick to read one row from.
const STORE_BLOCK: usize = 4 << 10;

/// An open index.
pub(super) struct Opened {
    pub(super) fields: Fields,
    pub(super) reader: IndexReader,
    pub(super) writer: IndexWriter,
    pub(super) payload: Payload,
}

/// A fingerprint that also tells what this module stores.
pub(super) fn versioned(fingerprint: &str) -> String {
    format!("{}:{fingerprint}", schema::VERSION)
}

/// Opens the index in `dir`, or one in memory. An index of another fingerprint, or one that
/// cannot be read, is emptied.
pub(super) fn open(dir: Option<&Path>, fingerprint: &str) -> Result<Opened, Error> {
    let fingerprint = versioned(fingerprint);
    let Some(dir) = dir else {
        let (builder, fields) = builder();
        let index = builder.create_in_ram().map_err(opening)?;
        return start(index, fields, Payload::of(fingerprint));
    };
    std::fs::create_dir_all(dir).map_err(|error| Error::Open(error.into()))?;
    let directory = MmapDirectory::open(dir).map_err(|error| Error::Open(error.into()))?;
    // What another process uses is neither damaged nor ours to empty.
    match directory.acquire_lock(&INDEX_WRITER_LOCK) {
        Ok(lock) => drop(lock),
        Err(LockError::LockBusy) => return Err(Error::Locked),
        Err(error) => return Err(Error::Open(error.into())),
    }
    match existing(dir, &fingerprint) {
        Ok(Some(opened)) => return Ok(opened),
        Ok(None) => {}
        Err(Error::Locked) => return Err(Error::Locked),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "the index is damaged and will be rebuilt");
        }
    }
    empty(dir).map_err(|error| Error::Open(error.into()))?;
    let (builder, fields) = builder();
    let index = builder.create_in_dir(dir).map_err(opening)?;
    start(index, fields, Payload::of(fingerprint))
}

/// The intact index with this fingerprint, if there is one.
fn existing(dir: &Path, fingerprint: &str) -> Result<Option<Opened>, Error> {
    if !dir.join("meta.json").exists() {
        return Ok(None);
    }
    // Whatever a damaged file makes tantivy do, the index can be rebuilt.
    std::panic::catch_unwind(|| {
        let directory = MmapDirectory::open(dir).map_err(|error| Error::Open(error.into()))?;
        let mut index = tantivy::Index::open(directory).map_err(opening)?;
        let (schema, fields) = Fields::build();
        let payload: Option<Payload> =
            index.load_metas().map_err(opening)?.payload.and_then(|payload| serde_json::from_str(&payload).ok());
        let payload = match payload {
            Some(payload) if payload.fingerprint == fingerprint && index.schema() == schema => payload,
            // Nothing was ever committed to it.
            None => return Ok(None),
            Some(_) => {
                tracing::warn!("the index was made for other kinds or by another version and will be rebuilt");
                return Ok(None);
            }
        };
        index.set_tokenizers(tokenizers());
        let damaged = index.validate_checksum().map_err(opening)?;
        if !damaged.is_empty() {
            return Err(Error::Open(format!("{} of its files are damaged", damaged.len()).into()));
        }
        start(index, fields, payload).map(Some)
    })
    .unwrap_or_else(|_| Err(Error::Open("reading it panicked".into())))
}

fn builder() -> (tantivy::IndexBuilder, Fields) {
    let (schema, fields) = Fields::build();
    let settings = IndexSettings {
        docstore_blocksize: STORE_BLOCK,
        // Commits are small and many: a thread for each would cost more than it saves.
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    };
    (tantivy::Index::builder().schema(schema).settings(settings).tokenizers(tokenizers()), fields)
}

fn tokenizers() -> TokenizerManager {
    let tokenizers = TokenizerManager::default();
    tokenizers.register(schema::TOKENIZER, text::analyzer());
    tokenizers
}

fn start(index: tantivy::Index, fields: Fields, mut payload: Payload) -> Result<Opened, Error> {
    let options = IndexWriterOptions::builder()
        .num_worker_threads(1)
        .memory_budget_per_thread(ARENA)
        .num_merge_threads(1)
        .build();
    let mut writer: IndexWriter = index.writer_with_options(options).map_err(opening)?;
    pass_committed_stamp(&mut writer).map_err(opening)?;
    if !payload.unseen.is_empty() {
        // Rebuilds that a stop cut short: what is there is the old state and parts of the new one.
        for mark in std::mem::take(&mut payload.unseen) {
            writer.delete_term(fields.term(&schema::mark_term(mark)));
        }
        let text = serde_json::to_string(&payload).map_err(|error| Error::Open(error.into()))?;
        let mut prepared = writer.prepare_commit().map_err(opening)?;
        prepared.set_payload(&text);
        prepared.commit().map_err(opening)?;
    }
    let reader = index
        .reader_builder()
        .reload_policy(ReloadPolicy::Manual)
        .doc_store_cache_num_blocks(0)
        .try_into()
        .map_err(opening)?;
    Ok(Opened { fields, reader, writer, payload })
}

/// A new writer gives its first operation the stamp of the last commit. A merge takes what that
/// commit deleted from for up to date at this stamp, and a deletion that has it is lost. So nothing
/// has it.
pub(super) fn pass_committed_stamp(writer: &mut IndexWriter) -> Result<(), TantivyError> {
    writer.run([]).map(drop)
}

/// Few segments make fast searches; small layers keep a large segment from being merged again for
/// every handful of changes.
pub(super) fn merge_policy() -> LogMergePolicy {
    let mut policy = LogMergePolicy::default();
    policy.set_min_layer_size(1_000);
    policy.set_min_num_segments(4);
    policy.set_level_log_size(2.0);
    policy.set_del_docs_ratio_before_merge(0.3);
    policy
}

fn opening(error: TantivyError) -> Error {
    match error {
        TantivyError::LockFailure(LockError::LockBusy, _) => Error::Locked,
        error => Error::Open(error.into()),
    }
}

/// Removes what is in a folder.
fn empty(dir: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        } else {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
