//! The one way off the async threads.

use tracing::Span;

/// Runs blocking work on tokio's blocking pool, inside the caller's tracing span.
///
/// A panic of the work is resumed in the caller, where the request's panic catch counts it.
pub async fn run<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let span = Span::current();
    #[expect(clippy::disallowed_methods, reason = "this is the wrapper that the ban points to")]
    let joined = tokio::task::spawn_blocking(move || span.in_scope(work)).await;
    match joined {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(payload) => std::panic::resume_unwind(payload),
            Err(error) => panic!("blocking work was cancelled: {error}"),
        },
    }
}

/// Starts blocking work that nobody waits for, on the same pool, in the caller's span.
pub fn start<F>(work: F)
where
    F: FnOnce() + Send + 'static,
{
    let span = Span::current();
    #[expect(clippy::disallowed_methods, reason = "this is the wrapper that the ban points to")]
    drop(tokio::task::spawn_blocking(move || span.in_scope(work)));
}
