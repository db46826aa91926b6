//! The server's secret and the keys that are derived from it (HKDF, RFC 5869), one per purpose.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::random;

/// Keys for signing and sealing.
pub struct Keys {
    /// HS256 over access and refresh tokens.
    pub(super) tokens: [u8; 32],
    attempts: hmac::Key,
    seal: LessSafeKey,
}

impl Keys {
    /// From the configured secret, or from the file, which is made at the first start.
    pub fn open(file: &Path, configured: &str) -> io::Result<Self> {
        if !configured.is_empty() {
            return Ok(Self::derived(configured.as_bytes()));
        }
        match fs::read(file) {
            Ok(secret) if secret.len() >= 32 => Ok(Self::derived(&secret)),
            Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "the secret is too short: restore or remove it")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let secret = random::bytes::<32>();
                store(file, &secret)?;
                Ok(Self::derived(&secret))
            }
            Err(error) => Err(error),
        }
    }

    fn derived(secret: &[u8]) -> Self {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"workleaf").extract(secret);
        let key = |purpose: &[u8]| {
            let mut out = [0; 32];
            let purpose = [purpose];
            let filled = root.expand(&purpose, hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut out));
            filled.expect("HKDF gives 32 bytes");
            out
        };
        let seal = UnboundKey::new(&AES_256_GCM, &key(b"seal")).expect("the key has the cipher's length");
        Keys {
            tokens: key(b"tokens"),
            attempts: hmac::Key::new(hmac::HMAC_SHA256, &key(b"attempts")),
            seal: LessSafeKey::new(seal),
        }
    }

    /// A tag over what a login attempt says of itself.
    pub fn sign(&self, text: &str) -> Vec<u8> {
        hmac::sign(&self.attempts, text.as_bytes()).as_ref().to_vec()
    }

    /// Whether a tag is [`Keys::sign`]'s, compared in constant time.
    pub fn is_signed(&self, text: &str, tag: &[u8]) -> bool {
        hmac::verify(&self.attempts, text.as_bytes(), tag).is_ok()
    }

    /// Encrypts what is kept in the state database (AES-256-GCM, a random nonce each).
    /// `purpose` has to be the same when it is opened.
    pub fn seal(&self, text: &str, purpose: &str) -> String {
        let nonce = random::bytes::<NONCE_LEN>();
        let mut sealed = text.as_bytes().to_vec();
        self.seal
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(purpose.as_bytes()), &mut sealed)
            .expect("a short text can be sealed");
        STANDARD.encode([&nonce[..], &sealed].concat())
    }

    /// Decrypts; `None` when it was sealed with another secret or damaged.
    pub fn unseal(&self, sealed: &str, purpose: &str) -> Option<String> {
        let mut bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, text) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = self.seal.open_in_place(nonce, Aad::from(purpose.as_bytes()), text).ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }
}

/// Writes the whole file or none of it, for this user alone.
fn store(file: &Path, secret: &[u8]) -> io::Result<()> {
    let unfinished = file.with_extension("new");
    let _ = fs::remove_file(&unfinished);
    let mut out = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    out.write_all(secret)?;
    out.sync_all()?;
    fs::rename(&unfinished, file)?;
    file.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_secret_is_made_once_and_is_nobody_elses() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        let first = Keys::open(&file, "").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let second = Keys::open(&file, "").unwrap();
        assert_eq!(first.tokens, second.tokens);
        assert_ne!(first.tokens, Keys::open(&file, "chosen").unwrap().tokens);
        fs::write(&file, "short").unwrap();
        assert!(Keys::open(&file, "").is_err());
    }

    #[test]
    fn what_is_sealed_opens_only_with_its_key_and_purpose() {
        let keys = Keys::derived(b"a");
        let sealed = keys.seal("gho_x", "github");
        assert!(!sealed.contains("gho"));
        assert_ne!(sealed, keys.seal("gho_x", "github"));
        assert_eq!(keys.unseal(&sealed, "github").as_deref(), Some("gho_x"));
        assert_eq!(keys.unseal(&sealed, "other"), None);
        assert_eq!(Keys::derived(b"b").unseal(&sealed, "github"), None);
        assert_eq!(keys.unseal("AAAA", "github"), None);
    }
}
