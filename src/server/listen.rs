//! Connections: accepted, bounded in what they may keep waiting, ended in order.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

/// How long a client may take to send a request's head.
const HEAD: Duration = Duration::from_secs(30);
/// How long what was accepted may take once the server is asked to stop.
const DRAIN: Duration = Duration::from_secs(75);

/// Serves until `stop`, then finishes what was accepted, unless `hurry` cuts that short. The router
/// may be exchanged meanwhile: each request takes the one of its moment.
pub async fn serve(
    listener: TcpListener,
    router: Arc<RwLock<Router>>,
    stop: impl Future<Output = ()>,
    hurry: impl Future<Output = ()>,
) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let mut connection = http1::Builder::new();
    connection.timer(TokioTimer::new()).header_read_timeout(HEAD);
    tokio::pin!(stop);
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, or a connection that broke before it was taken.
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                }
            },
            Some(_) = connections.join_next() => continue,
            () = &mut stop => break,
        };
        // Small answers go out at once.
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service =
            hyper::service::service_fn(move |request: hyper::Request<Incoming>| answer(&router, peer, request));
        let serving = graceful.watch(connection.serve_connection(TokioIo::new(stream), service));
        connections.spawn(async move {
            if let Err(error) = serving.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    tokio::select! {
        ended = tokio::time::timeout(DRAIN, graceful.shutdown()) => if ended.is_err() {
            tracing::warn!("some connections did not end in time");
        },
        () = hurry => tracing::warn!("stopping at once: what clients are still busy with is dropped"),
    }
    // A write that the workspace's writer has taken goes on without its client.
    connections.shutdown().await;
    Ok(())
}

fn answer(
    router: &RwLock<Router>,
    peer: SocketAddr,
    request: hyper::Request<Incoming>,
) -> impl Future<Output = Result<axum::response::Response, std::convert::Infallible>> + use<> {
    let router = router.read().unwrap_or_else(PoisonError::into_inner).clone();
    let mut request = request.map(axum::body::Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    router.oneshot(request)
}
