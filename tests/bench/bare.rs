//! The yardstick of reads: an axum handler that does nothing but answer the same bytes.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::routing::get;
use axum::serve::ListenerExt as _;
use bytes::Bytes;

use crate::client::Answer;

/// Serves a recorded answer's headers and body at every address under `/api/v1` until killed.
pub(crate) fn serve(recorded: &Path) -> Result<()> {
    let answer: Answer = serde_json::from_slice(&std::fs::read(recorded)?)?;
    let mut headers = HeaderMap::new();
    for (name, value) in &answer.headers {
        // hyper adds these by itself.
        if !matches!(name.as_str(), "content-length" | "date") {
            headers.insert(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
        }
    }
    let body = Bytes::from(answer.body);
    let handler = move || {
        let answer = (headers.clone(), body.clone());
        async move { answer }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime
        .block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            writeln!(std::io::stdout(), "listening on http://{address}")?;
            let listener = listener.tap_io(|stream| {
                let _ = stream.set_nodelay(true);
            });
            axum::serve(listener, Router::new().route("/api/v1/{*rest}", get(handler))).await
        })
        .context("cannot serve")
}
