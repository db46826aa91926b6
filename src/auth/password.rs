//! Passwords: argon2id, off the async threads and bounded.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use argon2::password_hash::PasswordHasher as _;
use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::{OnceCell, Semaphore};

use crate::base::blocking;
use crate::resource::actor::Account;
use crate::state::{self, State};

/// How many passwords are verified at once at most: argon2 takes 19 MiB and a core.
const HASHING_MOST: usize = 4;

/// Turns for argon2, which takes memory and a core, whoever asks for it.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    Semaphore::new(cores.min(HASHING_MOST))
});

/// Hashes a password into a PHC string; that it takes so long is the point.
pub async fn hash(password: String) -> String {
    let _turn = TURNS.acquire().await;
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
    crate::base::random::bytes::<24>().iter().map(|b| char::from(ALPHABET[usize::from(b & 31)])).collect()
}

/// Checks names and passwords against the state database.
pub(super) struct Passwords {
    state: State,
    /// argon2's memory, one entry per verification at once. Kept, because the allocator would keep
    /// what is freed too, and once per thread that ever verified.
    memory: Arc<Mutex<Vec<Vec<Block>>>>,
    /// Verified for unknown names, so that they take as long as a wrong password.
    decoy: OnceCell<String>,
}

impl Passwords {
    pub(super) fn new(state: State) -> Self {
        Passwords { state, memory: Arc::default(), decoy: OnceCell::new() }
    }

    /// The account, when name and password are right; `None` takes as long for an unknown name.
    pub(super) async fn verify(&self, name: &str, password: &str) -> Result<Option<Account>, state::Error> {
        let found = self.state.account(name).await?;
        let (account, stored) = match found {
            Some((account, Some(stored))) => (Some(account), stored),
            _ => (None, self.decoy.get_or_init(|| hash(random())).await.clone()),
        };
        let candidate = password.to_owned();
        let right = {
            let _turn = TURNS.acquire().await;
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
        Ok(account.filter(|_| right))
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
