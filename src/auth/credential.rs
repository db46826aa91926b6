//! What a request carries to say who asks.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tower_sessions::session::Id;

use super::{Refusal, session};
use crate::config::{Config, Live};

/// One of the ways to say who asks. `Debug` is left out: these are secrets.
pub(super) enum Credential {
    /// RFC 7617.
    Basic {
        name: String,
        password: String,
    },
    /// RFC 6750.
    Bearer(String),
    Session(Id),
}

impl Credential {
    /// The one header that says it; `None`: it is a cookie.
    pub(super) fn header(&self) -> Option<String> {
        match self {
            Credential::Basic { name, password } => {
                Some(format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))
            }
            Credential::Bearer(text) => Some(format!("Bearer {text}")),
            Credential::Session(_) => None,
        }
    }
}

/// The request's credential; a header beats a cookie (decisions.md 18).
pub(super) fn credential(headers: &HeaderMap) -> Result<Option<Credential>, Refusal> {
    let Some(header) = headers.get(AUTHORIZATION) else {
        return Ok(cookie(headers, session::COOKIE).and_then(|id| id.parse().ok()).map(Credential::Session));
    };
    let header = header.to_str().map_err(|_| Refusal::Malformed)?;
    let (scheme, rest) = header.split_once(' ').ok_or(Refusal::Malformed)?;
    if scheme.eq_ignore_ascii_case("basic") {
        let (name, password) = basic(rest).ok_or(Refusal::Malformed)?;
        Ok(Some(Credential::Basic { name, password }))
    } else if scheme.eq_ignore_ascii_case("bearer") {
        Ok(Some(Credential::Bearer(rest.trim().to_owned())))
    } else {
        Err(Refusal::Malformed)
    }
}

/// Reads base64 of `name:password` in UTF-8.
fn basic(encoded: &str) -> Option<(String, String)> {
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// A cookie's value.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Where the request comes from: the peer, or who a trusted proxy says it speaks for.
pub(super) fn address(parts: &Parts, config: &Config) -> Option<IpAddr> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip().to_canonical();
    let is_trusted = |address: &IpAddr| config.limits.trusted_proxies.contains(address);
    if !is_trusted(&peer) {
        return Some(peer);
    }
    let lines = parts.headers.get_all("x-forwarded-for").into_iter().filter_map(|line| line.to_str().ok());
    let named: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    // Each proxy appends whom it speaks for; what stands before our own ones, or before what cannot
    // be read, is the client's claim.
    for text in named.into_iter().rev() {
        let address = text.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
        match address {
            Ok(address) if is_trusted(&address) => {}
            Ok(address) => return Some(address.to_canonical()),
            Err(_) => return Some(peer),
        }
    }
    Some(peer)
}

/// Refuses what another site's page made a browser send with credentials that it had of its own
/// accord (CSRF): a cookie needs an `Origin` that may; a password that the browser remembered for
/// the challenge needs one only where a page can send without asking first.
pub(super) fn refuse_forged(parts: &Parts, config: &Live) -> Result<(), Refusal> {
    if matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let header = parts.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let is_cookie = header.is_none();
    // No browser sends a token of its own accord.
    if header.is_some_and(|header| !header.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic"))) {
        return Ok(());
    }
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let may = parts.headers.get(ORIGIN).map(|origin| {
        let config = config.get();
        origin.to_str().is_ok_and(|origin| config.allows_origin(origin) || config.is_own_origin(origin, host))
    });
    match may {
        Some(true) => Ok(()),
        Some(false) if is_cookie || is_simple(parts) => Err(Refusal::Foreign),
        None if is_cookie => Err(Refusal::Foreign),
        _ => Ok(()),
    }
}

/// Whether a page of any site can make this request without a preflight (Fetch standard, 2.2.2).
fn is_simple(parts: &Parts) -> bool {
    if parts.method != Method::POST {
        return false;
    }
    let Some(kind) = parts.headers.get(CONTENT_TYPE) else { return true };
    let essence = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(&*essence, "application/x-www-form-urlencoded" | "multipart/form-data" | "text/plain")
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(peer: &str, forwarded: &[&'static str]) -> Parts {
        let mut request = Request::new(());
        let peer: SocketAddr = peer.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        for line in forwarded {
            request.headers_mut().append("x-forwarded-for", HeaderValue::from_static(line));
        }
        request.into_parts().0
    }

    #[test]
    fn only_trusted_proxies_say_where_a_request_comes_from() {
        let mut config = Config::of_text(None, "").unwrap();
        let shown = |config: &Config, peer, forwarded: &[&'static str]| {
            address(&parts(peer, forwarded), config).unwrap().to_string()
        };
        assert_eq!(shown(&config, "10.0.0.1:1", &["1.2.3.4"]), "10.0.0.1");
        config.limits.trusted_proxies = vec!["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        assert_eq!(shown(&config, "10.0.0.1:1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(shown(&config, "10.0.0.1:1", &["6.6.6.6, 1.2.3.4", "10.0.0.2"]), "1.2.3.4");
        assert_eq!(shown(&config, "10.0.0.1:1", &["6.6.6.6, 1.2.3.4:4711"]), "1.2.3.4");
        assert_eq!(shown(&config, "10.0.0.1:1", &["6.6.6.6, unknown"]), "10.0.0.1");
        assert_eq!(shown(&config, "10.0.0.1:1", &[]), "10.0.0.1");
        assert_eq!(shown(&config, "[::ffff:10.0.0.1]:1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(shown(&config, "9.9.9.9:1", &["1.2.3.4"]), "9.9.9.9");
    }

    #[test]
    fn cookies_are_found_among_others() {
        let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_static("a=1; session=x=y;sessions=2"))]);
        assert_eq!(cookie(&headers, "session"), Some("x=y"));
        assert_eq!(cookie(&headers, "sess"), None);
    }
}
