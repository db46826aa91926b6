//! A workspace's one writer: takes what waits, makes commits of it, syncs once, applies, answers.
//!
//! There is no thread per workspace. Whoever queues the first item starts the writer on the
//! blocking pool; it leaves when the queue is empty. What comes while a group is being synced is
//! the next group.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};

use tokio::sync::oneshot;

use super::apply::apply;
use super::commit::{Committed, Intent};
use super::error::{Error, WriteError};
use super::heads;
use super::pack::Builder;
use super::reconcile;
use super::tip::Tip;
use super::workspace::Workspace;
use crate::base::blocking;

/// Most jobs in one group, and bytes of pack after which no more are taken in.
const GROUP_JOBS: usize = 64;
const GROUP_BYTES: usize = 8 << 20;
/// Work for a workspace's writer.
pub trait Job: Send {
    /// Looks at the newest state, stages changes and says what to commit; `None` drops what was
    /// staged. Runs once, in the writer's thread.
    fn run(&mut self, tip: &mut Tip<'_>) -> Option<Intent>;

    /// Whether everything before it has to be published first: it asks elsewhere about the state
    /// that those commits make.
    fn starts_group(&self) -> bool {
        false
    }

    /// Told once the commit is durable and published (`None`: nothing was committed), or why it
    /// is not.
    fn done(self: Box<Self>, outcome: Result<Option<Arc<Committed>>, Error>);
}

/// Work that runs alone; told first whether the workspace is in order.
type Alone = Box<dyn FnOnce(&Arc<Workspace>, Result<(), Error>) + Send>;

/// A job's value and its commit.
type Written<T, E> = Result<(T, Option<Arc<Committed>>), WriteError<E>>;

/// What waits for the writer.
pub(super) enum Item {
    Job(Box<dyn Job>),
    /// Runs with nothing locked.
    Alone {
        checkpoint: bool,
        work: Alone,
    },
}

#[derive(Default)]
pub(super) struct Queue {
    items: VecDeque<Item>,
    running: bool,
}

impl Queue {
    pub(super) fn is_running(&self) -> bool {
        self.running
    }
}

pub(super) fn enqueue(workspace: &Arc<Workspace>, item: Item) {
    let mut queue = workspace.queue.lock().unwrap_or_else(PoisonError::into_inner);
    queue.items.push_back(item);
    if !std::mem::replace(&mut queue.running, true) {
        drop(queue);
        let workspace = workspace.clone();
        blocking::start(move || drain(&workspace));
    }
}

/// [`Workspace::write`].
pub(super) async fn write<T, E, F>(workspace: &Arc<Workspace>, starts_group: bool, work: F) -> Written<T, E>
where
    T: Send + 'static,
    E: Send + 'static,
    F: FnOnce(&mut Tip<'_>) -> Result<(T, Option<Intent>), E> + Send + 'static,
{
    struct Call<T, E, F> {
        work: Option<F>,
        starts_group: bool,
        result: Option<Result<T, E>>,
        answer: oneshot::Sender<Written<T, E>>,
    }
    impl<T, E, F> Job for Call<T, E, F>
    where
        T: Send,
        E: Send,
        F: FnOnce(&mut Tip<'_>) -> Result<(T, Option<Intent>), E> + Send,
    {
        fn run(&mut self, tip: &mut Tip<'_>) -> Option<Intent> {
            let (result, intent) = match self.work.take()?(tip) {
                Ok((value, intent)) => (Ok(value), intent),
                Err(refusal) => (Err(refusal), None),
            };
            self.result = Some(result);
            intent
        }

        fn starts_group(&self) -> bool {
            self.starts_group
        }

        fn done(self: Box<Self>, outcome: Result<Option<Arc<Committed>>, Error>) {
            let answer = match (self.result, outcome) {
                (Some(Err(_)), Err(error @ Error::NoWorkspace(_))) => Err(WriteError::Store(error)),
                (Some(Err(refusal)), _) => Err(WriteError::Refused(refusal)),
                (_, Err(error)) => Err(WriteError::Store(error)),
                (Some(Ok(value)), Ok(committed)) => Ok((value, committed)),
                (None, Ok(_)) => Err(WriteError::Store(Error::Panicked)),
            };
            // Nobody waits any more when the client has gone.
            drop(self.answer.send(answer));
        }
    }
    let (answer, told) = oneshot::channel();
    enqueue(workspace, Item::Job(Box::new(Call { work: Some(work), starts_group, result: None, answer })));
    told.await.unwrap_or(Err(WriteError::Store(Error::Panicked)))
}

/// [`Workspace::exclusive`] and [`Workspace::refresh`].
pub(super) async fn exclusive<T, F>(workspace: &Arc<Workspace>, checkpoint: bool, work: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce(&Arc<Workspace>) -> T + Send + 'static,
{
    let (answer, told) = oneshot::channel();
    let work = Box::new(move |workspace: &Arc<Workspace>, ready: Result<(), Error>| {
        let value = ready.map(|()| work(workspace));
        // Unless the work moved it away.
        let taken_in = if workspace.is_removed() { Ok(()) } else { take_in(workspace, checkpoint) };
        drop(answer.send(value.and_then(|value| taken_in.map(|()| value))));
    });
    enqueue(workspace, Item::Alone { checkpoint, work });
    told.await.unwrap_or(Err(Error::Panicked))
}

/// Works until the queue is empty.
fn drain(workspace: &Arc<Workspace>) {
    /// Lets the next item start a writer again, should this one panic.
    struct Leave<'a>(&'a Arc<Workspace>);
    impl Drop for Leave<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
                queue.running = false;
                // Dropped, they tell their callers.
                queue.items.clear();
            }
        }
    }
    let leave = Leave(workspace);
    let mut builder = workspace.core.builder();
    loop {
        let mut queue = workspace.queue.lock().unwrap_or_else(PoisonError::into_inner);
        match queue.items.pop_front() {
            Some(Item::Alone { checkpoint, work }) => {
                drop(queue);
                alone(workspace, checkpoint, work);
            }
            Some(Item::Job(job)) => {
                let mut jobs = vec![job];
                while jobs.len() < GROUP_JOBS
                    && let Some(Item::Job(next)) = queue.items.front()
                    && !next.starts_group()
                    && let Some(Item::Job(job)) = queue.items.pop_front()
                {
                    jobs.push(job);
                }
                drop(queue);
                let left = group(workspace, jobs, &mut builder);
                if !left.is_empty() {
                    let mut queue = workspace.queue.lock().unwrap_or_else(PoisonError::into_inner);
                    for job in left.into_iter().rev() {
                        queue.items.push_front(Item::Job(job));
                    }
                }
            }
            None => {
                queue.running = false;
                break;
            }
        }
    }
    if workspace.index.is_lagging() {
        workspace.core.upkeep.wake();
    }
    workspace.core.return_builder(builder);
    std::mem::forget(leave);
}

fn alone(workspace: &Arc<Workspace>, checkpoint: bool, work: Alone) {
    let ready = || {
        if workspace.is_removed() {
            return Err(Error::NoWorkspace(workspace.name().clone()));
        }
        take_in(workspace, false)?;
        if checkpoint {
            // git may move main off what the journal says, and wants the index.
            workspace.flush_index()?;
            workspace.core.journal.checkpoint()?;
        }
        Ok(())
    };
    let ready = ready();
    if catch_unwind(AssertUnwindSafe(|| work(workspace, ready))).is_err() {
        tracing::error!(workspace.name = %workspace.name(), "exclusive work panicked");
    }
}

/// Takes in what others did to `main`, with git kept out meanwhile.
fn take_in(workspace: &Arc<Workspace>, by_server: bool) -> Result<(), Error> {
    if heads::read_main(&workspace.git_dir)? == Some(workspace.head()) {
        return Ok(());
    }
    // A group without jobs.
    let mut builder = workspace.core.builder();
    let result = commit_group(workspace, &mut VecDeque::new(), &mut Vec::new(), &mut builder, by_server);
    workspace.core.return_builder(builder);
    result
}

/// One group: from waiting jobs to answered ones. Returns the jobs that did not fit.
fn group(workspace: &Arc<Workspace>, jobs: Vec<Box<dyn Job>>, builder: &mut Builder) -> Vec<Box<dyn Job>> {
    let mut jobs = VecDeque::from(jobs);
    let mut ran = Vec::with_capacity(jobs.len());
    let outcome = commit_group(workspace, &mut jobs, &mut ran, builder, false);
    let gone = || Error::NoWorkspace(workspace.name().clone());
    for (job, result) in ran {
        let answer = match (&outcome, result) {
            (Ok(()), Ok(Some(committed))) => Ok(Some(committed)),
            // Its files went while the job looked at them, whatever that led to.
            _ if workspace.is_removed() => Err(gone()),
            (_, Err(error)) => Err(error),
            // Nothing to commit stays true whatever became of the others.
            (_, Ok(None)) => Ok(None),
            (Err(error), Ok(Some(_))) => Err(error.clone()),
        };
        tell(job, answer);
    }
    if let Err(error) = outcome {
        tracing::warn!(workspace.name = %workspace.name(), %error, "a group of writes failed");
        // None of them ran: the same would meet them again.
        for job in jobs.drain(..) {
            tell(job, Err(if workspace.is_removed() { gone() } else { error.clone() }));
        }
    }
    jobs.into()
}

fn tell(job: Box<dyn Job>, answer: Result<Option<Arc<Committed>>, Error>) {
    if catch_unwind(AssertUnwindSafe(|| job.done(answer))).is_err() {
        tracing::error!("a job panicked at its answer");
    }
}

type Ran = (Box<dyn Job>, Result<Option<Arc<Committed>>, Error>);

fn commit_group(
    workspace: &Arc<Workspace>,
    jobs: &mut VecDeque<Box<dyn Job>>,
    ran: &mut Vec<Ran>,
    builder: &mut Builder,
    by_server: bool,
) -> Result<(), Error> {
    if workspace.is_removed() {
        return Err(Error::NoWorkspace(workspace.name().clone()));
    }
    let busy = || Error::Busy(workspace.name().clone());
    // Index first, as git does. From here to the end no git command moves main.
    let hold = workspace.index.hold(workspace.head())?.ok_or_else(busy)?;
    let main = heads::lock_main(&workspace.git_dir, workspace.head())?.ok_or_else(busy)?;
    let on_main = heads::is_on_main(&workspace.git_dir);
    let dropped = reconcile::take_in(workspace, on_main, by_server)?;

    let folders = if on_main { Some(workspace.work_tree.folders()?) } else { None };
    let mut tip = Tip::new(workspace, workspace.tip(), builder, folders)?;
    if !dropped.is_empty() {
        tip.restore(&dropped)?;
    }
    while let Some(mut job) = jobs.pop_front() {
        let wanted = catch_unwind(AssertUnwindSafe(|| job.run(&mut tip)));
        let result = match wanted {
            Ok(Some(intent)) => tip.commit(&intent),
            Ok(None) => Ok(None),
            Err(_) => Err(Error::Panicked),
        };
        let failed = !matches!(result, Ok(Some(_)));
        ran.push((job, result));
        if failed {
            tip.discard()?;
        }
        if tip.bytes() > GROUP_BYTES {
            break;
        }
    }
    let Some(group) = tip.finish() else { return Ok(()) };
    let committed = apply(workspace, main, group)?;
    drop(hold);
    let publish = || (workspace.core.publisher())(workspace, &committed);
    if catch_unwind(AssertUnwindSafe(publish)).is_err() {
        tracing::error!(workspace.name = %workspace.name(), "the publisher panicked");
    }
    Ok(())
}
