//! Builds every service once; owns the order of start-up and shutdown.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use axum::Router;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::auth::{Accounts, Authenticator, Keys};
use crate::base::blocking;
use crate::config::{Config, Live, Writers};
use crate::engine::{CatalogueWriters, Engine};
use crate::git_http::Git;
use crate::http::context::{Context, Shared};
use crate::index::Index;
use crate::kinds;
use crate::outside;
use crate::server::{self, Health, Settings};
use crate::state::State;
use crate::store::{Store, WatchOptions, Watcher};

/// The folder of everything that is nobody's workspace.
pub const STATE: &str = ".state";

/// How often the figures are folded.
const UPKEEP: Duration = Duration::from_secs(5);

/// The one that watches the disk, once it was started.
type Watching = Arc<Mutex<Option<Watcher>>>;

/// All services over one data directory. Whoever holds one holds the directory's lock.
pub struct App {
    pub live: Arc<Live>,
    pub engine: Arc<Engine>,
    pub state: State,
    pub authenticator: Arc<Authenticator>,
    pub git: Arc<Git>,
    context: Context,
    router: Arc<RwLock<Router>>,
    metrics: PrometheusHandle,
    watcher: Watching,
    // Last, so that the lock outlives everything that writes.
    _lock: Lock,
}

/// The exclusive lock on a data directory, released when dropped.
pub struct Lock(#[expect(dead_code, reason = "held, not used")] std::fs::File);

impl Lock {
    /// Takes the lock; `None` when another process has it.
    pub fn take(data: &Path) -> Result<Option<Self>> {
        let folder = data.join(STATE);
        // What is in there, such as password hashes and the control socket, is this user's alone.
        std::fs::create_dir_all(data)
            .and_then(|()| std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder))
            .with_context(|| format!("cannot make the data directory {}", data.display()))?;
        let file = folder.join("lock");
        let handle = std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&file)
            .with_context(|| format!("cannot open {}", file.display()))?;
        match handle.try_lock() {
            Ok(()) => Ok(Some(Lock(handle))),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", file.display()))
            }
        }
    }
}

impl App {
    /// Opens the data directory and brings the index up to date.
    pub async fn open(config: Config, lock: Lock) -> Result<Arc<Self>> {
        let data = config.workspaces_location.clone();
        let kinds = Arc::new(kinds::load(&config.templates)?);
        let state_folder = data.join(STATE);
        let state = State::open(&state_folder.join("state.db")).await.context("cannot open the state database")?;
        let writers = match config.catalogue.writers {
            Writers::Accounts => CatalogueWriters::Accounts,
            Writers::Admins => CatalogueWriters::Admins,
        };
        let cache = config.cache.documents;
        let keys = Keys::open(&state_folder.join("secret"), &config.session.secret_key)
            .context("cannot open the server's secret")?;
        let grants = state.grants().await.context("cannot read who may do what")?;
        let rows = state.clone();
        let engine = blocking::run(move || -> Result<Arc<Engine>> {
            let store = Store::open(&data).context("cannot open the workspaces")?;
            let index = Index::open(Some(&state_folder.join("index")), &kinds.fingerprint())
                .context("cannot open the index")?;
            Engine::open(Arc::new(store), Arc::new(index), kinds, cache, writers, rows, grants)
                .map_err(|error| anyhow::anyhow!("cannot bring the index up to date: {error:?}"))
        })
        .await?;
        let git = Arc::new(Git::new(config.git.processes));
        let outside = outside::Client::new(&config.outside).context("cannot make an HTTP client")?;
        let live = Arc::new(Live::new(config));
        let authenticator = Arc::new(Authenticator::new(state.clone(), live.clone(), &keys));
        let context = Context::new(Shared {
            engine: engine.clone(),
            authenticator: authenticator.clone(),
            accounts: Accounts::new(state.clone(), engine.clone(), authenticator.clone()),
            keys,
            state: state.clone(),
            live: live.clone(),
            client: client().context("cannot make an HTTP client")?,
            outside,
        });
        let metrics = recorder();
        let app = App {
            live,
            engine,
            state,
            authenticator,
            git,
            context,
            router: Arc::default(),
            metrics,
            watcher: Arc::default(),
            _lock: lock,
        };
        app.mount();
        Ok(Arc::new(app))
    }

    /// From now on edits on disk are taken in, first those from before. Call it inside the runtime.
    pub fn watch(&self) -> Result<()> {
        let watch = &self.live.get().watch;
        if !watch.enabled {
            return Ok(());
        }
        let options = WatchOptions {
            quiet: Duration::from_millis(watch.quiet),
            folders: watch.folders,
            ..WatchOptions::default()
        };
        let watcher = self.engine.watch(options).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        *self.watcher.lock().unwrap_or_else(PoisonError::into_inner) = Some(watcher);
        Ok(())
    }

    /// Asks the one that watches the disk, if there is one.
    pub fn watcher<T>(&self, ask: impl FnOnce(&Watcher) -> T) -> Option<T> {
        self.watcher.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(ask)
    }

    /// Builds the router for the kinds as they are now.
    fn mount(&self) {
        let settings = Settings::new(self.live.clone(), self.authenticator.clone());
        let health = Arc::new(Ready { engine: self.engine.clone(), watcher: self.watcher.clone() });
        let (context, metrics) = (self.context.clone(), self.metrics.clone());
        let router = server::router(context, &self.engine.kinds(), metrics, health, settings, self.git.clone());
        *self.router.write().unwrap_or_else(PoisonError::into_inner) = router;
    }

    pub fn accounts(&self) -> &Accounts {
        &self.context.accounts
    }

    /// The HTTP face; exchanged when kinds change.
    pub fn router(&self) -> Arc<RwLock<Router>> {
        self.router.clone()
    }

    /// Reads the kinds' folders again. What is wrong with them changes nothing.
    pub async fn reload(self: &Arc<Self>) -> Result<()> {
        let kinds = Arc::new(kinds::load(&self.live.get().templates)?);
        self.engine.set_kinds(kinds);
        self.mount();
        self.engine.reindex().await.map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    /// Folds what the figures collected since into their totals, for ever: without this it grows
    /// with every request until somebody asks for `/metrics`.
    pub async fn keep_figures_small(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            self.metrics.run_upkeep();
        }
    }

    /// Everything that was accepted is on disk when this returns.
    pub async fn close(self: &Arc<Self>) -> Result<()> {
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner).take();
        // It waits for its own work, which needs this thread.
        blocking::run(move || drop(watcher)).await;
        self.engine.finish_writes().await;
        let engine = self.engine.clone();
        blocking::run(move || engine.close()).await.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        self.state.close().await;
        Ok(())
    }
}

/// Calls to servers that the configuration names. Redirects are the caller's to judge.
fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .user_agent(concat!("workleaf/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(15))
        .build()
}

/// The process's recorder of figures; the first caller installs it.
fn recorder() -> PrometheusHandle {
    static RECORDER: std::sync::OnceLock<PrometheusHandle> = std::sync::OnceLock::new();
    RECORDER
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new()
                .set_buckets(&[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0])
                .map(PrometheusBuilder::build_recorder)
                .unwrap_or_else(|_| PrometheusBuilder::new().build_recorder());
            let handle = recorder.handle();
            // Somebody else's recorder stays; ours then stays empty.
            let _ = metrics::set_global_recorder(recorder);
            handle
        })
        .clone()
}

struct Ready {
    engine: Arc<Engine>,
    watcher: Watching,
}

impl Health for Ready {
    fn problems(&self) -> Vec<String> {
        self.engine.problems()
    }

    fn notes(&self) -> Vec<String> {
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        watcher.as_ref().and_then(Watcher::note).into_iter().chain(self.engine.notes()).collect()
    }
}

/// Where a data directory's control socket is.
pub fn socket(data: &Path) -> PathBuf {
    data.join(STATE).join("socket")
}

/// Refuses to go on without the lock.
pub fn lock(data: &Path) -> Result<Lock> {
    // A program that a server just started holds its lock until it has become that program.
    for _ in 0..50 {
        if let Some(lock) = Lock::take(data)? {
            return Ok(lock);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    bail!("another workleaf has the data directory {}: stop it first", data.display())
}
