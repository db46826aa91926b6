//! Passwords: argon2id, off the async threads and bounded, remembered for minutes once verified.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::PasswordHasher as _;
use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use sha2::{Digest, Sha256};
use tokio::sync::{OnceCell, Semaphore};

use crate::base::blocking;
use crate::resource::actor::Account;
use crate::state::{self, State};

/// How long a verified password needs no argon2.
const REMEMBERED: Duration = Duration::from_secs(300);
/// How many verified credentials are remembered at most.
const REMEMBERED_MOST: usize = 10_000;
/// How many passwords are verified at once at most: argon2 takes 19 MiB and a core.
const HASHING_MOST: usize = 4;

/// Hashes a password into a PHC string; half a second of CPU is the point.
pub async fn hash(password: String) -> String {
    blocking::run(move || {
        Argon2::default()
            .hash_password(password.as_bytes())
            .expect("argon2's default parameters take any password")
            .to_string()
    })
    .await
}

/// A random password of 120 bits in letters and digits that are not mistaken for each other.
pub fn random() -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).expect("the system has a random source");
    bytes.iter().map(|b| char::from(ALPHABET[usize::from(b & 31)])).collect()
}

/// SHA-256 over this process's key and a header with credentials.
type Digest256 = [u8; 32];

/// Checks names and passwords against the state database.
pub(super) struct Passwords {
    state: State,
    /// Random for this process, so that remembered digests are worth nothing outside it.
    key: [u8; 32],
    remembered: Mutex<HashMap<Digest256, (Arc<Account>, Instant)>>,
    hashing: Semaphore,
    /// argon2's memory, one entry per verification at once. Kept, because the allocator would keep
    /// what is freed too, and once per thread that ever verified.
    memory: Arc<Mutex<Vec<Vec<Block>>>>,
    /// Verified for unknown names, so that they take as long as a wrong password.
    decoy: OnceCell<String>,
}

impl Passwords {
    pub(super) fn new(state: State) -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the system has a random source");
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Passwords {
            state,
            key,
            remembered: Mutex::default(),
            hashing: Semaphore::new(cores.min(HASHING_MOST)),
            memory: Arc::default(),
            decoy: OnceCell::new(),
        }
    }

    /// The account, when a header of these very bytes was verified a short while ago. Microseconds.
    pub(super) fn remembered(&self, header: &[u8]) -> Option<Arc<Account>> {
        let digest = self.digest(header);
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let (account, until) = remembered.get(&digest)?;
        (*until > Instant::now()).then(|| account.clone())
    }

    /// The account, when the name and password of a header are right; `None` takes as long for an
    /// unknown name.
    pub(super) async fn verify(
        &self,
        header: &[u8],
        name: &str,
        password: &str,
    ) -> Result<Option<Arc<Account>>, state::Error> {
        let found = self.state.account(name).await?;
        let (account, stored) = match found {
            Some((account, Some(stored))) => (Some(account), stored),
            _ => (None, self.decoy.get_or_init(|| hash(random())).await.clone()),
        };
        let candidate = password.to_owned();
        let right = {
            let _permit = self.hashing.acquire().await;
            // Requests that come together carry the same credentials: the first verifies for all.
            if let Some(account) = self.remembered(header) {
                return Ok(Some(account));
            }
            let memory = self.memory.clone();
            blocking::run(move || {
                let kept = memory.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut blocks = kept.unwrap_or_default();
                let right = is_right(&candidate, &stored, &mut blocks).unwrap_or(false);
                memory.lock().unwrap_or_else(PoisonError::into_inner).push(blocks);
                right
            })
            .await
        };
        let Some(account) = account.filter(|_| right).map(Arc::new) else { return Ok(None) };
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_MOST {
            let now = Instant::now();
            remembered.retain(|_, (_, until)| *until > now);
            if remembered.len() >= REMEMBERED_MOST {
                remembered.clear();
            }
        }
        remembered.insert(self.digest(header), (account.clone(), Instant::now() + REMEMBERED));
        Ok(Some(account))
    }

    /// Forgets what was remembered: some account changed.
    pub(super) fn forget(&self) {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn digest(&self, header: &[u8]) -> Digest256 {
        Sha256::new().chain_update(self.key).chain_update(header).finalize().into()
    }
}

/// Whether a PHC string was made of this password; `None` when it is no PHC string of argon2.
fn is_right(password: &str, stored: &str, blocks: &mut Vec<Block>) -> Option<bool> {
    let stored = PasswordHash::new(stored).ok()?;
    let (salt, expected) = (stored.salt.as_ref()?, stored.hash.as_ref()?);
    let algorithm = Algorithm::try_from(stored.algorithm.as_str()).ok()?;
    let version = stored.version.map(Version::try_from).transpose().ok()?.unwrap_or_default();
    let params = Params::try_from(&stored).ok()?;
    blocks.resize(params.block_count(), Block::new());
    let mut output = vec![0; expected.len()];
    Argon2::new(algorithm, version, params)
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut output, blocks)
        .ok()?;
    // Compared in constant time.
    Some(Output::new(&output).ok()? == *expected)
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::PasswordVerifier as _;

    use super::*;

    #[test]
    fn passwords_are_right_as_the_library_says() {
        let cheap = Argon2::from(Params::new(64, 1, 1, None).expect("parameters"));
        let stored = cheap.hash_password("päss".as_bytes()).expect("hashed").to_string();
        let mut blocks = Vec::new();
        for password in ["päss", "pass", "", "päss"] {
            let library = Argon2::default().verify_password(password.as_bytes(), &*stored).is_ok();
            assert_eq!(is_right(password, &stored, &mut blocks), Some(library), "{password}");
        }
        assert_eq!(blocks.len(), 64);
        assert_eq!(is_right("päss", &stored, &mut blocks), Some(true));
        assert_eq!(is_right("päss", "no PHC string", &mut blocks), None);
    }
}
