//! Text differences.

use std::path::Path;

use git2::{DiffOptions, Patch};

use super::error::Error;

/// The unified diff of two versions of one file, with git's headers and three lines of context;
/// empty where they are equal. Binary content is only named, as git does.
pub fn unified(old: Option<&[u8]>, new: Option<&[u8]>, path: &str) -> Result<String, Error> {
    let mut options = DiffOptions::new();
    let name = Path::new(path);
    let mut diff = || {
        let (old_name, new_name) = (old.map(|_| name), new.map(|_| name));
        let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
        Patch::from_buffers(old, old_name, new, new_name, Some(&mut options))?.to_buf().map(|text| text.to_vec())
    };
    let text = diff().map_err(Error::git("compare two versions"))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_changed_line_is_shown() {
        let text = super::unified(Some(b"a\nb\n"), Some(b"a\nc\n"), "x.yml").unwrap();
        assert!(text.contains("--- a/x.yml\n+++ b/x.yml") && text.contains("-b\n+c\n"), "{text}");
        assert!(super::unified(None, Some(b"a\n"), "x.yml").unwrap().contains("+a"));
        assert_eq!(super::unified(Some(b"a"), Some(b"a"), "x.yml").unwrap(), "");
    }
}
