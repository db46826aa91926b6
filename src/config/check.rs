//! What a configuration says that cannot be meant, and what is risky about it.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::origin::origin_of;
use super::{Config, Error, GITHUB, SameSite};

/// Shown instead of a secret; posted back, it leaves the secret as it is.
pub const MASK: &str = "********";

/// Where secrets are in the configuration.
pub const SECRETS: [&str; 3] =
    ["/authentication/ClientSecret", "/authentication/provider/ClientSecret", "/session/secretKey"];

impl Config {
    /// Everything as JSON, paths relative to the file where they lie below it, as they are written
    /// there.
    pub fn shown(&self) -> Value {
        let folder = self.file.as_deref().and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
        let relative = |path: &PathBuf| {
            folder.and_then(|folder| path.strip_prefix(folder).ok()).map_or_else(|| path.clone(), Path::to_owned)
        };
        let mut config = self.clone();
        config.workspaces_location = relative(&self.workspaces_location);
        config.templates = self.templates.iter().map(relative).collect();
        config.outside.ca_file = self.outside.ca_file.as_ref().map(relative);
        serde_json::to_value(config).unwrap_or_default()
    }

    /// As [`Config::shown`], with a mask for each secret that is set.
    pub fn masked(&self) -> Value {
        let mut shown = self.shown();
        for secret in SECRETS {
            if let Some(value) = shown.pointer_mut(secret).filter(|value| value.as_str() != Some("")) {
                *value = MASK.into();
            }
        }
        shown
    }

    /// The folder of everything that is nobody's workspace.
    pub fn state_folder(&self) -> PathBuf {
        self.workspaces_location.join(".state")
    }

    pub(super) fn refuse_senseless(&self, origin: &str) -> Result<(), Error> {
        let refuse = |key, value: &dyn ToString, wanted| {
            Err(Error::Senseless { origin: origin.to_owned(), key, value: value.to_string(), wanted })
        };
        let limits = &self.limits;
        if limits.body == 0 {
            return refuse(
                "limits.body",
                &limits.body,
                "no document could be written; give the bytes of the largest one",
            );
        }
        if limits.request_timeout == 0 {
            return refuse(
                "limits.request-timeout",
                &limits.request_timeout,
                "no request could be answered; give seconds",
            );
        }
        if limits.changes == 0 {
            return refuse("limits.changes", &limits.changes, "no commit could be made; give a number of changes");
        }
        if !(50..=60_000).contains(&self.watch.quiet) {
            return refuse("watch.quiet", &self.watch.quiet, "give milliseconds, 50 to 60000");
        }
        let git = &self.git;
        for (key, value, wanted) in [
            ("git.push-limit", git.push_limit, "nothing could be pushed; give bytes"),
            ("git.processes", git.processes as u64, "nothing could be fetched; give a number of processes"),
            ("git.idle-timeout", git.idle_timeout, "every client would be given up; give seconds"),
        ] {
            if value == 0 {
                return refuse(key, &value, wanted);
            }
        }
        if git.processes > 10_000 {
            return refuse("git.processes", &git.processes, "no machine runs so many; give fewer");
        }
        if !(1..=600).contains(&self.outside.timeout) {
            return refuse("outside.timeout", &self.outside.timeout, "give seconds, 1 to 600");
        }
        for (key, schemes, known) in [
            ("outside.schemes", &self.outside.schemes, &["https", "http"][..]),
            ("outside.git-schemes", &self.outside.git_schemes, &["https", "http", "file"][..]),
        ] {
            if let Some(scheme) = schemes.iter().find(|scheme| !known.contains(&scheme.as_str())) {
                return refuse(key, scheme, "give schemes among https, http and, for repositories, file");
            }
        }
        for schemas in &self.schemas {
            let is_known = ["https://", "http://", "file:///"].iter().any(|scheme| schemas.url.starts_with(scheme));
            if !is_known || !schemas.url.ends_with('/') {
                return refuse("schemas", &schemas.url, "give a URL of https, http or file that ends in a slash");
            }
        }
        let authentication = &self.authentication;
        for (key, seconds) in [
            ("authentication.access-lifetime", authentication.access_lifetime),
            ("authentication.refresh-lifetime", authentication.refresh_lifetime),
            ("session.lifetime", self.session.lifetime),
        ] {
            if !(1..=10_000_000_000).contains(&seconds) {
                return refuse(key, &seconds, "give seconds, at least one");
            }
        }
        if authentication.provider.name == GITHUB {
            return refuse("authentication.provider.name", &GITHUB, "that is the first one's: give another name");
        }
        if !self.session.secret_key.is_empty() && self.session.secret_key.len() < 16 {
            return refuse("session.secretKey", &MASK, "it can be guessed: give at least 16 characters, or none");
        }
        let provider = &authentication.provider;
        for (key, url) in [
            ("public-url", &self.public_url),
            ("frontend-host", &self.frontend_host),
            // Browsers are sent there, and secrets.
            ("authentication.authorize-url", &authentication.authorize_url),
            ("authentication.token-url", &authentication.token_url),
            ("authentication.api-url", &authentication.api_url),
            ("authentication.provider.authorize-url", &provider.authorize_url),
            ("authentication.provider.token-url", &provider.token_url),
            ("authentication.provider.user-url", &provider.user_url),
        ] {
            let is_url = url.starts_with("http://") || url.starts_with("https://");
            if !(url.is_empty() || is_url) {
                return refuse(key, url, "give a URL that starts with http:// or https://");
            }
        }
        if origin_of(&self.frontend_host).is_some_and(|only| only != self.frontend_host.trim_end_matches('/')) {
            return refuse(
                "frontend-host",
                &self.frontend_host,
                "give scheme, host and port; the path is frontend-redirect",
            );
        }
        if !self.frontend_redirect.is_empty()
            && (!self.frontend_redirect.starts_with('/') || self.frontend_redirect.starts_with("//"))
        {
            return refuse("frontend-redirect", &self.frontend_redirect, "give a path that starts with one slash");
        }
        if self.session.same_site == SameSite::None && self.public_url.starts_with("http://") {
            return refuse("session.same-site", &"none", "browsers take it over https only: set public-url to https");
        }
        Ok(())
    }

    /// What the operator should know, each in a sentence.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut warn = |text: &str| warnings.push(text.to_owned());
        let authentication = &self.authentication;
        if !authentication.client_id.is_empty() && authentication.client_secret.is_empty() {
            warn("authentication.ClientID is set without ClientSecret: GitHub will refuse every login");
        }
        if self.public_url.starts_with("https://") && self.limits.trusted_proxies.is_empty() {
            warn(
                "behind a proxy all clients have the proxy's address, and one's wrong passwords slow down everybody: \
                 name it in limits.trusted-proxies",
            );
        }
        if self.is_loopback() {
            return warnings;
        }
        let mut warn = |text: &str| warnings.push(text.to_owned());
        if !self.public_url.starts_with("https://") {
            warn("passwords and tokens cross the network readable: put TLS in front and set public-url to https://…");
        }
        if !authentication.client_id.is_empty() && authentication.users.is_none() {
            warn("everybody with a GitHub account can log in: list those who may in authentication.users");
        }
        if !authentication.provider.name.is_empty() && authentication.provider.users.is_none() {
            warn("everybody at the second provider can log in: list those who may in authentication.provider.users");
        }
        if self.allowed_hosts.iter().any(|host| host.starts_with("http://")) {
            warn("allowed-hosts trusts pages that came without TLS: anybody on their way can change them");
        }
        if self.session.same_site == SameSite::None {
            warn(
                "session.same-site is none: other sites' pages send the cookie, and only allowed-hosts holds them off",
            );
        }
        if self.limits.address_rate == 0 {
            warn("limits.address-rate is 0: one client can keep the server busy");
        }
        if self.session.secret_key.len() < 32 && !self.session.secret_key.is_empty() {
            warn("session.secretKey is short: 32 random characters cannot be guessed, or leave it empty");
        }
        warnings
    }

    /// Whether only this machine can reach the server.
    fn is_loopback(&self) -> bool {
        let host = self.listen.rsplit_once(':').map_or(self.listen.as_str(), |(host, _)| host);
        self.listen
            .parse::<SocketAddr>()
            .map(|address| address.ip())
            .or_else(|_| host.parse::<IpAddr>())
            .map_or_else(|_| host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for text in [
            "limits: {body: 0}",
            "limits: {changes: 0}",
            "limits: {request-timeout: 0}",
            "session: {lifetime: 0}",
            "session: {lifetime: -5}",
            "session: {secretKey: short}",
            "authentication: {access-lifetime: 0}",
            "authentication: {provider: {name: github}}",
            "public-url: example.org",
            "authentication: {authorize-url: 'javascript:alert(1)'}",
            "authentication: {provider: {user-url: example.org}}",
            "frontend-host: https://a.org/page",
            "frontend-redirect: //evil.org",
            "frontend-redirect: page.html",
            "{session: {same-site: none}, public-url: 'http://a.org'}",
        ] {
            let error = Config::of_text(None, text).unwrap_err().to_string();
            assert!(!error.contains("short"), "{error}");
        }
    }

    #[test]
    fn secrets_are_masked_and_only_set_ones() {
        let text = "{session: {secretKey: 0123456789abcdef}, authentication: {ClientSecret: hidden}}";
        let shown = Config::of_text(None, text).unwrap().masked();
        assert_eq!(shown.pointer("/session/secretKey").unwrap(), MASK);
        assert_eq!(shown.pointer("/authentication/ClientSecret").unwrap(), MASK);
        assert_eq!(shown.pointer("/authentication/provider/ClientSecret").unwrap(), "");
        assert!(!shown.to_string().contains("hidden"));
    }

    #[test]
    fn risks_are_named_when_others_can_reach_the_server() {
        let warnings = |text: &str| Config::of_text(None, text).unwrap().warnings().len();
        assert_eq!(warnings(""), 0);
        assert_eq!(warnings("listen: '[::1]:5000'"), 0);
        assert_eq!(warnings("listen: localhost:5000"), 0);
        assert_eq!(warnings("listen: 0.0.0.0:5000"), 2);
        assert_eq!(
            warnings(
                "{listen: ':5000', public-url: 'https://a.org', limits: {address-rate: 50, trusted-proxies: [10.0.0.1]}}"
            ),
            0
        );
        assert_eq!(warnings("{listen: '0.0.0.0:5000', authentication: {ClientID: a, ClientSecret: b}}"), 3);
    }
}
