//! The configuration as it is now: `POST /config` exchanges it.

use std::sync::{Arc, PoisonError, RwLock};

use super::Config;

/// Shared by everything that has to see changes; each use takes what holds at that moment.
#[derive(Debug)]
pub struct Live(RwLock<Arc<Config>>);

impl Live {
    pub fn new(config: Config) -> Self {
        Live(RwLock::new(Arc::new(config)))
    }

    pub fn get(&self) -> Arc<Config> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set(&self, config: Config) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }
}
