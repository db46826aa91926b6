//! Which URLs may be called.

use std::net::{IpAddr, SocketAddr};

use reqwest::Url;

use super::address::is_public;
use crate::config::Outside;

/// What a URL is to be used for; each has schemes of its own in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Catalogues, platforms, schemas.
    Http,
    /// Repositories that projects are linked to.
    Git,
}

/// The rules, from the section `outside` of the configuration.
#[derive(Debug, Clone)]
pub struct Policy {
    schemes: Vec<String>,
    git_schemes: Vec<String>,
    hosts: Vec<String>,
}

/// Why a URL is not called. The texts are for the user who gave it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("that is no URL: give one such as https://example.org/name")]
    Url,
    #[error("the scheme {scheme:?} is not allowed: use {}", .allowed.join(" or "))]
    Scheme { scheme: String, allowed: Vec<String> },
    #[error("a URL must not hold a user name or a password")]
    Credentials,
    #[error(
        "{host} is not reached from here: its address is private. The server's operator can allow it in outside.hosts"
    )]
    Private { host: String },
    #[error("{host} is not known: no address was found for it")]
    Unknown { host: String },
}

/// A URL that may be called, with the addresses that were looked at: whoever connects must use
/// these, since the next lookup may say something else.
#[derive(Debug, Clone)]
pub struct Target {
    pub url: Url,
    /// None for `file:`.
    pub addresses: Vec<SocketAddr>,
}

impl Policy {
    pub fn new(config: &Outside) -> Self {
        let lower = |texts: &[String]| texts.iter().map(|text| text.to_ascii_lowercase()).collect();
        Policy { schemes: lower(&config.schemes), git_schemes: lower(&config.git_schemes), hosts: lower(&config.hosts) }
    }

    /// What can be said of a URL without asking for its host's addresses.
    pub fn parse(&self, url: &str, purpose: Purpose) -> Result<Url, Refused> {
        if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(Refused::Url);
        }
        let url = Url::parse(url).map_err(|_| Refused::Url)?;
        let allowed = match purpose {
            Purpose::Http => &self.schemes,
            Purpose::Git => &self.git_schemes,
        };
        if !allowed.iter().any(|scheme| scheme == url.scheme()) {
            return Err(Refused::Scheme { scheme: url.scheme().to_owned(), allowed: allowed.clone() });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        if url.scheme() == "file" {
            return if url.host_str().is_none_or(str::is_empty) { Ok(url) } else { Err(Refused::Url) };
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(Refused::Url)?;
        if let Some(address) = literal(host) {
            self.admit(host, url.port_or_known_default(), &[address])?;
        }
        Ok(url)
    }

    /// A URL with the addresses to call it at.
    pub async fn resolve(&self, url: &str, purpose: Purpose) -> Result<Target, Refused> {
        let url = self.parse(url, purpose)?;
        if url.scheme() == "file" {
            return Ok(Target { url, addresses: Vec::new() });
        }
        let host = url.host_str().ok_or(Refused::Url)?.to_owned();
        let port = url.port_or_known_default().ok_or(Refused::Url)?;
        let addresses = match literal(&host) {
            Some(address) => vec![SocketAddr::new(address, port)],
            None => self.lookup(&host, Some(port)).await?,
        };
        Ok(Target { url, addresses })
    }

    /// The addresses of a host by name, all of which may be called; without a port, those that some
    /// port of the host may be called at.
    pub(super) async fn lookup(&self, host: &str, port: Option<u16>) -> Result<Vec<SocketAddr>, Refused> {
        let unknown = || Refused::Unknown { host: host.to_owned() };
        let found = tokio::net::lookup_host((host, port.unwrap_or(0))).await.map_err(|_| unknown())?;
        let found: Vec<SocketAddr> = found.collect();
        if found.is_empty() {
            return Err(unknown());
        }
        let addresses: Vec<IpAddr> = found.iter().map(SocketAddr::ip).collect();
        self.admit(host, port, &addresses)?;
        Ok(found)
    }

    /// One private address among several is enough to refuse: which one is used would be chance.
    fn admit(&self, host: &str, port: Option<u16>, addresses: &[IpAddr]) -> Result<(), Refused> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let is_listed = self.hosts.iter().any(|listed| {
            let rest = listed.strip_prefix(&host);
            rest.is_some_and(|rest| match (rest.strip_prefix(':'), port) {
                (None, _) => rest.is_empty(),
                (Some(listed), Some(port)) => listed.parse() == Ok(port),
                (Some(listed), None) => listed.parse::<u16>().is_ok(),
            })
        });
        if is_listed || addresses.iter().all(|address| is_public(*address)) {
            return Ok(());
        }
        Err(Refused::Private { host })
    }
}

/// The address that a host is, when it is one; IPv6 stands in brackets.
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(hosts: &[&str]) -> Policy {
        Policy::new(&Outside {
            schemes: vec!["https".into(), "http".into()],
            git_schemes: vec!["https".into()],
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            timeout: 1,
            ca_file: None,
        })
    }

    #[test]
    fn only_what_was_meant_is_a_url() {
        for (url, why) in [
            ("example.org", "that is no URL"),
            ("ext::sh -c id", "that is no URL"),
            ("-uexample", "that is no URL"),
            ("https:///x", ""),
            ("http://example.org/x", "\"http\" is not allowed: use https"),
            ("file:///etc/passwd", "\"file\" is not allowed"),
            ("https://token@example.org/x", "must not hold a user name"),
            ("https://127.0.0.1/x", "is private"),
            ("https://[::1]/x", "is private"),
            ("https://2130706433/x", "is private"),
            ("https://0x7f.1/x", "is private"),
            ("https://example.org/x\n", "that is no URL"),
        ] {
            match policy(&[]).parse(url, Purpose::Git) {
                Ok(parsed) => assert!(why.is_empty() && parsed.host_str() == Some("x"), "{url}: {parsed}"),
                Err(refused) => assert!(refused.to_string().contains(why), "{url}: {refused}"),
            }
        }
    }

    #[tokio::test]
    async fn a_private_host_is_called_when_it_is_listed() {
        for (listed, port, is_allowed) in [
            ("127.0.0.1", 4002, true),
            ("127.0.0.1:4002", 4002, true),
            ("127.0.0.1:4002", 4003, false),
            ("127.0.0.2", 4002, false),
        ] {
            let url = format!("http://127.0.0.1:{port}/");
            let found = policy(&[listed]).resolve(&url, Purpose::Http).await;
            assert_eq!(found.is_ok(), is_allowed, "{listed} {port}");
        }
        let refused = policy(&[]).resolve("http://localhost/", Purpose::Http).await.expect_err("it is this machine");
        assert_eq!(refused, Refused::Private { host: "localhost".into() });
        assert!(policy(&["LOCALHOST"]).resolve("http://localhost/", Purpose::Http).await.is_ok());
    }
}
