//! A thrifty HTTP/1.1 client: one kept connection, prepared bytes out, the least parsing in.

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The ordinary account that all requests are made by.
pub(crate) const ACCOUNT: &str = "bench";
pub(crate) const PASSWORD: &str = "a password of ordinary length";

/// An answer as read from the wire.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// One connection, used for one request after the other.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// Where an answer's parts lie in the buffer.
struct Parts {
    status: u16,
    head: usize,
    length: usize,
}

impl Client {
    pub(crate) async fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, buffer: Vec::with_capacity(64 << 10) })
    }

    /// Sends a request and reads the answer, of which only the status is looked at.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<u16> {
        Ok(self.exchange(request).await?.status)
    }

    /// Sends a request and takes the answer apart.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Answer> {
        let parts = self.exchange(request).await?;
        let head = std::str::from_utf8(&self.buffer[..parts.head]).context("the answer's head is not text")?;
        let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        Ok(Answer {
            status: parts.status,
            headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
            body: String::from_utf8_lossy(&self.buffer[parts.head..parts.head + parts.length]).into_owned(),
        })
    }

    /// As [`Client::ask`], of JSON, for an answer that must be a success.
    pub(crate) async fn json(&mut self, request: &[u8]) -> Result<Value> {
        let answer = self.ask(request).await?;
        ensure!((200..300).contains(&answer.status), "answered {}: {}", answer.status, answer.body);
        if answer.body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&answer.body)?) }
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<Parts> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut parts = None;
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the server closed the connection");
            if parts.is_none() {
                parts = head(&self.buffer)?;
            }
            if let Some(found) = parts.take() {
                let whole = found.head + found.length;
                if self.buffer.len() >= whole {
                    ensure!(self.buffer.len() == whole, "more came than was asked for");
                    return Ok(found);
                }
                self.buffer.reserve(whole - self.buffer.len());
                parts = Some(found);
            }
        }
    }
}

/// Reads the status line and the body's length once the head is complete.
fn head(buffer: &[u8]) -> Result<Option<Parts>> {
    let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let status = buffer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|s| s.parse().ok());
    let Some(status) = status else { bail!("the answer has no status line") };
    // hyper writes names in lower case.
    let name = b"\r\ncontent-length: ";
    let length = match buffer[..end].windows(name.len()).position(|window| window == name) {
        Some(at) => {
            let digits = buffer[at + name.len()..end].iter().take_while(|byte| byte.is_ascii_digit());
            digits.fold(0, |length, byte| length * 10 + usize::from(byte - b'0'))
        }
        None if matches!(status, 204 | 304) => 0,
        None => bail!("an answer of unknown length"),
    };
    Ok(Some(Parts { status, head: end + 4, length }))
}

/// The header that says who asks.
pub(crate) fn authorization() -> String {
    format!("Authorization: Basic {}", STANDARD.encode(format!("{ACCOUNT}:{PASSWORD}")))
}

/// The bytes of a request by the ordinary account.
pub(crate) fn request(method: &str, target: &str, headers: &str, body: &str) -> Vec<u8> {
    let mut text = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", authorization());
    text.push_str(headers);
    if !body.is_empty() {
        text.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

pub(crate) fn get(target: &str) -> Vec<u8> {
    request("GET", target, "", "")
}

pub(crate) fn post(target: &str, body: &Value) -> Vec<u8> {
    request("POST", target, "", &body.to_string())
}
