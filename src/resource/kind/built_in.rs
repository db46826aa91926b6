//! The kinds that come with the server: `templates/kinds/`, embedded when it was built.

use include_dir::{Dir, include_dir};

use crate::resource::kind::catalogue::KindSource;

static FOLDERS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/templates/kinds");

/// The embedded folders, for [`super::Kinds::build`]; a server's own come after them.
///
/// Cargo sees a change of an embedded file, not a new one: touch this file after adding one.
pub fn built_in() -> Vec<KindSource> {
    FOLDERS.dirs().map(source).collect()
}

fn source(folder: &Dir<'static>) -> KindSource {
    KindSource {
        folder: last_segment(folder.path()),
        files: folder.files().map(|file| (last_segment(file.path()), file.contents().to_vec())).collect(),
    }
}

fn last_segment(path: &std::path::Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
