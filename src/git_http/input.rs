//! A request's body as it comes: inflated where the client compressed it, bounded in bytes and in
//! how long the client may be silent.

use std::io::Write as _;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Buf as _, Bytes};
use flate2::write::GzDecoder;
use http_body_util::BodyExt as _;
use hyper::body::Frame;

use crate::http::fault::Fault;

/// Compressed bytes taken at once: a thousand times as many may come of them.
const STEP: usize = 1 << 10;

/// The fewest bytes a second, once a client was waited for as long as it may be silent: who sends
/// one byte a minute would keep others from their turn.
const SLOWEST: u128 = 1 << 10;

/// How long a client was waited for, and what that brought.
#[derive(Debug)]
pub(super) struct Pace {
    idle: Duration,
    waited: Duration,
    bytes: u128,
}

impl Pace {
    pub(super) fn new(idle: Duration) -> Self {
        Pace { idle, waited: Duration::ZERO, bytes: 0 }
    }

    /// Waits for the client; `None` where it is silent for too long, or too slow all in all.
    pub(super) async fn wait<T>(&mut self, client: impl Future<Output = T>, bytes: impl Fn(&T) -> usize) -> Option<T> {
        let began = Instant::now();
        let came = tokio::time::timeout(self.idle, client).await.ok()?;
        self.waited += began.elapsed();
        self.bytes += bytes(&came) as u128;
        let is_slow = self.waited > self.idle && self.bytes * 1_000 < self.waited.as_millis() * SLOWEST;
        (!is_slow).then_some(came)
    }

    fn stalled(&self) -> InputError {
        InputError::Stalled(self.idle.as_secs())
    }
}

/// Why there is no more.
#[derive(Debug)]
pub(super) enum InputError {
    /// More bytes than are taken; the number.
    TooLarge(u64),
    /// Nothing, or next to nothing, came for so many seconds.
    Stalled(u64),
    /// The connection ended before the request.
    Broken,
    Malformed(&'static str),
}

impl From<InputError> for Fault {
    fn from(error: InputError) -> Self {
        match error {
            InputError::TooLarge(most) => {
                Fault::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the request is larger than {most} bytes"))
            }
            InputError::Stalled(seconds) => {
                Fault::new(StatusCode::BAD_REQUEST, format!("hardly anything came for {seconds} seconds"))
            }
            InputError::Broken => Fault::new(StatusCode::BAD_REQUEST, "the body broke off"),
            InputError::Malformed(why) => Fault::new(StatusCode::BAD_REQUEST, format!("this is no git request: {why}")),
        }
    }
}

/// Whether the body is compressed. Git compresses requests by itself.
pub(super) fn is_compressed(headers: &HeaderMap) -> Result<bool, Fault> {
    match headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase()) {
        None => Ok(false),
        Some(coding) => match &coding[..] {
            b"identity" => Ok(false),
            b"gzip" | b"x-gzip" => Ok(true),
            _ => Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a body is plain or compressed by gzip")),
        },
    }
}

pub(super) struct Input {
    body: Body,
    inflate: Option<GzDecoder<Vec<u8>>>,
    /// Came, and is not inflated yet.
    waiting: Bytes,
    most: u64,
    left: u64,
    pace: Pace,
}

impl Input {
    pub(super) fn new(body: Body, is_compressed: bool, most: u64, idle: Duration) -> Self {
        let inflate = is_compressed.then(|| GzDecoder::new(Vec::new()));
        Input { body, inflate, waiting: Bytes::new(), most, left: most, pace: Pace::new(idle) }
    }

    /// The next bytes; `None` at the end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, InputError> {
        loop {
            let chunk = match &mut self.inflate {
                Some(inflate) if !self.waiting.is_empty() => {
                    let step = self.waiting.split_to(self.waiting.len().min(STEP));
                    inflate.write_all(&step).map_err(|_| InputError::Malformed("its gzip is damaged"))?;
                    Bytes::from(std::mem::take(inflate.get_mut()))
                }
                _ => match self.received().await? {
                    Some(received) if self.inflate.is_some() => {
                        self.waiting = received;
                        continue;
                    }
                    Some(received) => received,
                    None => match self.inflate.take() {
                        Some(inflate) => {
                            Bytes::from(inflate.finish().map_err(|_| InputError::Malformed("its gzip is cut off"))?)
                        }
                        None => return Ok(None),
                    },
                },
            };
            if chunk.has_remaining() {
                let length = chunk.len() as u64;
                self.left = self.left.checked_sub(length).ok_or(InputError::TooLarge(self.most))?;
                return Ok(Some(chunk));
            }
        }
    }

    async fn received(&mut self) -> Result<Option<Bytes>, InputError> {
        loop {
            let length = |frame: &Option<Result<Frame<Bytes>, axum::Error>>| {
                let frame = frame.as_ref().and_then(|frame| frame.as_ref().ok());
                frame.and_then(Frame::data_ref).map_or(0, Bytes::len)
            };
            let frame = self.pace.wait(self.body.frame(), length).await;
            match frame.ok_or_else(|| self.pace.stalled())? {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data()
                        && !data.is_empty()
                    {
                        return Ok(Some(data));
                    }
                }
                Some(Err(_)) => return Err(InputError::Broken),
                None => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    async fn read(body: Vec<u8>, most: u64) -> Result<usize, InputError> {
        let mut input = Input::new(Body::from(body), true, most, Duration::from_secs(1));
        let mut length = 0;
        while let Some(chunk) = input.chunk().await? {
            assert!(chunk.len() <= 2 << 20, "{} bytes at once", chunk.len());
            length += chunk.len();
        }
        Ok(length)
    }

    #[tokio::test]
    async fn compressed_bodies_are_bounded() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![0; 8 << 20]).unwrap();
        let body = encoder.finish().unwrap();
        assert_eq!(read(body.clone(), 8 << 20).await.unwrap(), 8 << 20);
        assert!(matches!(read(body.clone(), (8 << 20) - 1).await, Err(InputError::TooLarge(_))));
        assert!(matches!(read(body[..body.len() / 2].to_vec(), 8 << 20).await, Err(InputError::Malformed(_))));
        assert!(matches!(read(b"plain".to_vec(), 8 << 20).await, Err(InputError::Malformed(_))));
    }
}
