//! What file systems and git make of a name.

use unicode_normalization::UnicodeNormalization;

/// What two names in one folder must not share, on whatever file system they are checked out.
pub fn folded(segment: &str) -> String {
    if segment.is_ascii() {
        return segment.to_ascii_lowercase();
    }
    // Through upper case, where `ß` and `ss`, `ς` and `σ` meet; first to lower case for `ẞ`, which
    // has no other upper case than itself. Some letters have a compatible form only after that.
    let fold = |text: &str| -> String {
        let lower = text.nfkc().flat_map(char::to_lowercase);
        lower.flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect()
    };
    fold(&fold(segment))
}

/// Characters that no name may hold.
pub(super) fn forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
        || ignorable(c)
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Characters that HFS+ leaves out when it compares names (git's `core.protectHFS`).
fn ignorable(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

/// `.git`, `git~1` and git's control files, which change how git treats a tree.
pub(super) fn is_git_lookalike(segment: &str) -> bool {
    let lower = folded(segment);
    lower == ".git"
        || lower.starts_with("git~")
        || lower.starts_with("gi7eba~")
        || matches!(lower.as_str(), ".gitmodules" | ".gitattributes" | ".lfsconfig" | ".mailmap")
}

/// Whether Windows takes the name for a device's.
pub(super) fn is_device(segment: &str) -> bool {
    // Folded, Windows' superscript digits are digits.
    let stem = folded(segment.split('.').next().unwrap_or(segment));
    let stem = stem.trim_end();
    matches!(stem, "con" | "prn" | "aux" | "nul" | "conin$" | "conout$")
        || (stem.len() == 4
            && (stem.starts_with("com") || stem.starts_with("lpt"))
            && stem.as_bytes()[3].is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_some_file_system_takes_for_one_are_folded_alike() {
        for same in [
            ["straße", "STRASSE", "STRAẞE"],
            ["σίσυφος", "ΣΊΣΥΦΟΣ", "σίσυφοσ"],
            ["ﬁle", "file", "FILE"],
            ["ŉ", "ʼn", "ʼN"],
            ["ǰ", "J\u{30c}", "j\u{30c}"],
            ["\u{1fb3}", "\u{1fbc}", "αι"],
            ["K", "k", "\u{212a}"],
            ["Übung", "übung", "U\u{308}bung"],
        ] {
            for name in same {
                assert_eq!(folded(name), folded(same[0]), "{name}");
                assert_eq!(folded(&folded(name)), folded(name), "{name}");
            }
        }
        assert_ne!(folded("strase"), folded("straße"));
    }
}
