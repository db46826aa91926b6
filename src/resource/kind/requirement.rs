//! Versions as documents ask for them: `0.2`, `== 1.0`, `>=0.2` (SONATA's REQVER).

use std::cmp::Ordering;

use crate::resource::row::encode_version;

/// What a version must be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Requirement {
    /// Spelt exactly so.
    Exactly(String),
    Compared(Operator, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    AtLeast,
    AtMost,
}

impl Requirement {
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim();
        let operators =
            [("==", Operator::Equal), ("!=", Operator::NotEqual), (">=", Operator::AtLeast), ("<=", Operator::AtMost)];
        for (sign, operator) in operators {
            if let Some(version) = text.strip_prefix(sign) {
                return Requirement::Compared(operator, version.trim_start().into());
            }
        }
        Requirement::Exactly(text.into())
    }

    /// Whether a version, encoded as rows hold it, is one of those asked for.
    pub(super) fn admits(&self, encoded: &str) -> bool {
        match self {
            Requirement::Exactly(version) => *encode_version(version) == *encoded,
            Requirement::Compared(operator, version) => {
                let order = significant(encoded).cmp(significant(&encode_version(version)));
                match operator {
                    Operator::Equal => order == Ordering::Equal,
                    Operator::NotEqual => order != Ordering::Equal,
                    Operator::AtLeast => order != Ordering::Less,
                    Operator::AtMost => order != Ordering::Greater,
                }
            }
        }
    }
}

/// Whether a version is one that `required` asks for, a version with an operator or without.
pub fn version_fits(required: &str, version: &str) -> bool {
    Requirement::parse(required).admits(&encode_version(version))
}

/// The part that orders; what follows the zero is the spelling.
fn significant(encoded: &str) -> &str {
    encoded.split_once('\u{0}').map_or(encoded, |(significant, _)| significant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_compare_by_number() {
        assert!(version_fits("0.2", "0.2") && version_fits("== 0.2", "0.02") && !version_fits("0.2", "0.02"));
        assert!(version_fits(">= 0.9", "0.10") && version_fits(">=0.9", "0.9") && !version_fits(">= 0.10", "0.9"));
        assert!(version_fits("<= 0.10", "0.9") && !version_fits("<= 0.9", "0.10"));
        assert!(version_fits("!= 1", "2") && !version_fits("!= 1", "1"));
        assert!(version_fits(" 1.0 ", "1.0"));
    }
}
