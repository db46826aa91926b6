//! Which browser pages may do what (contracts/editor.md 1.2, RFC 6454).

use super::{Config, GITHUB};

impl Config {
    /// Whether an `Origin` header names a page that may call with credentials: its host, or the
    /// whole origin, is in `allowed-hosts`.
    pub fn allows_origin(&self, origin: &str) -> bool {
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        if !matches!(scheme, "http" | "https") || authority.is_empty() {
            return false;
        }
        self.allowed_hosts.iter().any(|known| {
            if known.contains("://") {
                known.trim_end_matches('/').eq_ignore_ascii_case(origin)
            } else {
                known.eq_ignore_ascii_case(host(authority))
            }
        })
    }

    /// Whether an `Origin` header names this server, which the request's `Host` names too.
    pub fn is_own_origin(&self, origin: &str, host: Option<&str>) -> bool {
        if self.public_url.is_empty() {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            return authority.is_some() && authority.map(str::to_ascii_lowercase) == host.map(str::to_ascii_lowercase);
        }
        origin_of(&self.public_url).is_some_and(|own| own.eq_ignore_ascii_case(origin))
    }

    /// Whether somebody may log in by a provider under this login, which ignores case.
    pub fn lists(&self, provider: &str, login: &str) -> bool {
        let authentication = &self.authentication;
        let own = &authentication.provider;
        let users = match provider {
            GITHUB => &authentication.users,
            name if name == own.name => &own.users,
            // It was configured once.
            _ => return false,
        };
        users.as_ref().is_none_or(|users| users.iter().any(|user| user.eq_ignore_ascii_case(login)))
    }

    /// What clients call this server, without a trailing slash, by a request's `Host`.
    pub fn base_url(&self, host: Option<&str>) -> String {
        if self.public_url.is_empty() {
            format!("http://{}", host.unwrap_or("localhost"))
        } else {
            self.public_url.trim_end_matches('/').to_owned()
        }
    }

    /// Where this server is on its host as clients see it, without a trailing slash: empty, or what
    /// a proxy takes away.
    pub fn base_path(&self) -> &str {
        origin_of(&self.public_url).map_or("", |origin| self.public_url[origin.len()..].trim_end_matches('/'))
    }

    /// Whether browsers reach this server by https only, so that cookies may be kept to that.
    pub fn is_secure(&self) -> bool {
        self.public_url.starts_with("https://") || self.session.same_site == super::SameSite::None
    }
}

/// Scheme, host and port of a URL.
pub(super) fn origin_of(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    Some(&url[..scheme.len() + 3 + end])
}

/// An authority without its port.
fn host(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(allowed: &[&str], public_url: &str) -> Config {
        let mut config = Config::of_text(None, "").unwrap();
        config.allowed_hosts = allowed.iter().map(|&host| host.to_owned()).collect();
        config.public_url = public_url.to_owned();
        config
    }

    #[test]
    fn a_host_allows_its_pages_on_every_port_and_an_origin_only_itself() {
        let config = config(&["localhost", "https://editor.example.org"], "");
        for origin in ["http://localhost", "http://localhost:8080", "https://LOCALHOST:1", "https://editor.example.org"]
        {
            assert!(config.allows_origin(origin), "{origin}");
        }
        for origin in [
            "null",
            "",
            "localhost",
            "http://",
            "http://localhost.example.org",
            "http://evil.org/localhost",
            "http://localhost@evil.org",
            "file://localhost",
            "http://editor.example.org",
            "https://editor.example.org:8443",
        ] {
            assert!(!config.allows_origin(origin), "{origin}");
        }
    }

    #[test]
    fn ones_own_origin_is_the_public_one_or_that_of_the_request() {
        let plain = config(&[], "");
        assert!(plain.is_own_origin("http://a:5000", Some("a:5000")));
        assert!(!plain.is_own_origin("http://a", Some("a:5000")));
        assert!(!plain.is_own_origin("null", None));
        let public = config(&[], "https://a.org/leaf");
        assert!(public.is_own_origin("https://a.org", Some("127.0.0.1:5000")));
        assert!(!public.is_own_origin("http://a.org", Some("a.org")));
        assert_eq!((plain.base_path(), public.base_path()), ("", "/leaf"));
        assert_eq!(config(&[], "https://a.org/").base_path(), "");
    }
}
