//! Servers of ours on this machine, beside the product.

use std::thread::JoinHandle;

use axum::Router;
use tokio::sync::oneshot;

/// Serves on a port of its own until it is dropped.
pub(crate) struct Local {
    pub(crate) port: u16,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Local {
    /// Serves what `make` gives for the port.
    pub(crate) fn open(make: impl FnOnce(u16) -> Router) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener.set_nonblocking(true).expect("the listener takes it");
        let port = listener.local_addr().expect("it has an address").port();
        let router = make(port);
        let (stop, stopped) = oneshot::channel::<()>();
        // A thread of its own serves tests with and without a runtime.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    served = axum::serve(listener, router) => served.expect("it serves"),
                    _ = stopped => {}
                }
            });
        });
        Local { port, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
