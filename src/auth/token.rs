//! Access tokens of scripts and of git: `wl_`, 36 random characters, 6 of checksum, so that
//! scanners find leaked ones without asking us.

use sha2::{Digest as _, Sha256};

use crate::base::{hex, random};

const PREFIX: &str = "wl_";
const RANDOM: usize = 36;
const CHECKSUM: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A new token of 214 random bits.
pub(super) fn make() -> String {
    let mut token = PREFIX.to_owned();
    while token.len() < PREFIX.len() + RANDOM {
        // Bytes above would favour the first letters.
        let fair = random::bytes::<64>().into_iter().filter(|byte| *byte < 248);
        let letters = fair.map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
        token.extend(letters.take(PREFIX.len() + RANDOM - token.len()));
    }
    let checksum = checksum(&token);
    token + &checksum
}

/// Whether a text has the form of a token, by its checksum.
pub(super) fn is_token(text: &str) -> bool {
    text.len() == PREFIX.len() + RANDOM + CHECKSUM
        && text.starts_with(PREFIX)
        && text.is_ascii()
        && checksum(&text[..PREFIX.len() + RANDOM]) == text[PREFIX.len() + RANDOM..]
}

/// What is stored instead of the token. One round is enough: nobody can guess the input.
pub(super) fn digest(token: &str) -> String {
    hex::encode(&Sha256::digest(token.as_bytes()))
}

/// CRC-32 in base 62.
fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes()) as usize;
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[rest % ALPHABET.len()];
        rest /= ALPHABET.len();
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_a_form_that_typing_does_not_hit() {
        let token = make();
        assert!(is_token(&token), "{token}");
        assert_ne!(token, make());
        let mut other = token.clone().into_bytes();
        other[10] = if other[10] == b'a' { b'b' } else { b'a' };
        assert!(!is_token(&String::from_utf8(other).unwrap()));
        assert!(!is_token("wl_"));
        assert!(!is_token(&"ü".repeat(23)));
    }
}
