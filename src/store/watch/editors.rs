//! Names that editors and copying programs give to files of the moment.

/// Whether a path's name is that of a swap, backup, lock or half-copied file. Nobody means such a
/// file to be a document, unless it is one already.
pub(in crate::store) fn is_scratch(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let between =
        |start: &str, end: &str| name.len() > start.len() + end.len() && name.starts_with(start) && name.ends_with(end);
    // Vim: .x.swp, then .x.swo and so on; 4913 finds out whether a folder can be written.
    let is_vim = name == "4913"
        || (name.starts_with('.')
            && name.rsplit_once('.').is_some_and(|(_, end)| end.len() == 3 && end.starts_with("sw") && end != "swf"));
    is_vim
        || name.ends_with('~')
        || between("#", "#")
        || name.starts_with(".#")
        || between(".~lock.", "#")
        || name.ends_with(".tmp")
        || name.ends_with(".kate-swp")
        || name.ends_with(".crdownload")
        || name.ends_with(".part")
        || name.contains("___jb_")
        || [".goutputstream-", ".nfs", ".fuse_hidden", ".syncthing.", ".~tmp~", ".saves-", "~$", "sed"]
            .iter()
            .any(|start| name.starts_with(start) && (*start != "sed" || is_sed(name)))
}

/// What `sed -i` writes before it renames: `sed` and six characters, without a dot.
fn is_sed(name: &str) -> bool {
    name.len() == 9
        && name.bytes().skip(3).all(|b| b.is_ascii_alphanumeric())
        && name.bytes().any(|b| b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::is_scratch;

    #[test]
    fn files_of_the_moment_are_known_by_their_names() {
        for name in [
            ".x.yml.swp",
            ".x.swo",
            "a/.swx.swx",
            "x.yml~",
            "#x.yml#",
            ".#x.yml",
            "4913",
            ".goutputstream-ABC123",
            "x.yml.tmp",
            ".~lock.x.odt#",
            "x.yml___jb_tmp___",
            "sedAbC1x9",
            ".x.kate-swp",
        ] {
            assert!(is_scratch(name), "{name}");
        }
        for name in ["x.yml", "sw.yml", "a~/x.yml", "#x", "4913.yml", "tmp", "sediments", "x.swf", "notes.swp.md"] {
            assert!(!is_scratch(name), "{name}");
        }
    }
}
