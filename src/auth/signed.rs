//! Signed access and refresh tokens (JWT, RFC 7519) as the DMP tool's front end takes them
//! (contracts/dmp.md 1.2). Those of one login form a family, which the state database knows.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, errors::ErrorKind};
use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::base::{clock, random};
use crate::resource::actor::Account;
use crate::state::logins::Rotation;
use crate::state::{self, State};

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Use {
    Access,
    Refresh,
}

/// What a token says; times in seconds since 1970.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    iat: i64,
    nbf: i64,
    pub exp: i64,
    jti: String,
    /// The account's name.
    identity: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fresh: Option<bool>,
    #[serde(rename = "type")]
    purpose: Use,
    /// Of which login it is.
    pub family: String,
}

/// Both tokens of a login.
#[derive(Debug, Clone)]
pub struct Pair {
    pub access: String,
    pub refresh: String,
}

/// How long tokens are good, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lifetimes {
    pub access: i64,
    pub refresh: i64,
}

/// Makes tokens and reads them.
pub(super) struct Signer {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Signer {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        // The algorithm is ours to say, whatever a token's header claims.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "nbf"]);
        Signer { encoding: EncodingKey::from_secret(key), decoding: DecodingKey::from_secret(key), validation }
    }

    /// Tokens of a new login.
    pub(super) async fn login(
        &self,
        state: &State,
        account: &Account,
        lifetimes: Lifetimes,
    ) -> Result<Pair, state::Error> {
        let family = random::uuid();
        let (pair, jti, until) = self.pair(&account.name, &family, lifetimes);
        state.create_login(account, &family, &jti, until).await?;
        Ok(pair)
    }

    /// Exchanges a refresh token for new tokens. One that was used already ends the login: either
    /// its owner or a thief has a copy.
    pub(super) async fn refresh(
        &self,
        state: &State,
        token: &str,
        lifetimes: Lifetimes,
    ) -> Result<(Account, Pair), Refusal> {
        let claims = self.read(token, Use::Refresh)?;
        let (pair, jti, until) = self.pair(&claims.identity, &claims.family, lifetimes);
        match state.rotate_login(&claims.family, &claims.jti, &jti, until).await? {
            Rotation::Rotated(account) if account.name == claims.identity => Ok((account, pair)),
            Rotation::Reused(account) => Err(Refusal::Reused(account)),
            Rotation::Rotated(_) | Rotation::Revoked => Err(Refusal::Revoked),
        }
    }

    /// Whose access token this is.
    pub(super) async fn account(&self, state: &State, token: &str) -> Result<(Account, Claims), Refusal> {
        let claims = self.read(token, Use::Access)?;
        match state.login(&claims.family).await? {
            Some(account) if account.name == claims.identity => Ok((account, claims)),
            _ => Err(Refusal::Revoked),
        }
    }

    fn pair(&self, identity: &str, family: &str, lifetimes: Lifetimes) -> (Pair, String, i64) {
        let now = clock::now();
        let claims = |purpose, lifetime: i64| Claims {
            iat: now,
            nbf: now,
            exp: now.saturating_add(lifetime),
            jti: random::uuid(),
            identity: identity.to_owned(),
            fresh: (purpose == Use::Access).then_some(false),
            purpose,
            family: family.to_owned(),
        };
        let access = claims(Use::Access, lifetimes.access);
        let refresh = claims(Use::Refresh, lifetimes.refresh);
        let signed = |claims: &Claims| {
            encode(&Header::new(Algorithm::HS256), claims, &self.encoding).expect("claims can be signed")
        };
        // The family lives as long as anything in it.
        let until = access.exp.max(refresh.exp);
        (Pair { access: signed(&access), refresh: signed(&refresh) }, refresh.jti, until)
    }

    fn read(&self, token: &str, wanted: Use) -> Result<Claims, Refusal> {
        let claims = decode::<Claims>(token, &self.decoding, &self.validation).map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => Refusal::Expired,
            _ => Refusal::Malformed,
        })?;
        let claims = claims.claims;
        // "On or after" (RFC 7519, 4.1.4); the library lets the last second pass.
        if claims.exp <= clock::now() {
            return Err(Refusal::Expired);
        }
        if claims.purpose == wanted { Ok(claims) } else { Err(Refusal::WrongUse) }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
    use serde_json::{Value, json};

    use super::*;
    use crate::state::accounts::NewAccount;

    const LIFETIMES: Lifetimes = Lifetimes { access: 100, refresh: 100 };

    async fn account(state: &State) -> Account {
        let new = NewAccount { name: "ann", email: None, password: None, is_admin: false };
        state.create_account(new).await.unwrap()
    }

    #[tokio::test]
    async fn a_refresh_token_is_good_once_and_its_second_use_ends_the_login() {
        let state = State::in_memory().await.unwrap();
        let ann = account(&state).await;
        let signer = Signer::new(&[7; 32]);
        let first = signer.login(&state, &ann, LIFETIMES).await.unwrap();
        assert_eq!(signer.account(&state, &first.access).await.unwrap().0, ann);
        let (_, second) = signer.refresh(&state, &first.refresh, LIFETIMES).await.unwrap();
        assert!(signer.account(&state, &first.access).await.is_ok());
        assert!(signer.account(&state, &second.access).await.is_ok());
        assert_eq!(signer.refresh(&state, &first.refresh, LIFETIMES).await.unwrap_err(), Refusal::Reused(ann.id));
        assert_eq!(signer.refresh(&state, &second.refresh, LIFETIMES).await.unwrap_err(), Refusal::Revoked);
        assert_eq!(signer.account(&state, &second.access).await.unwrap_err(), Refusal::Revoked);
    }

    #[tokio::test]
    async fn tokens_are_good_for_one_use_until_they_expire() {
        let state = State::in_memory().await.unwrap();
        let ann = account(&state).await;
        let signer = Signer::new(&[7; 32]);
        let pair = signer.login(&state, &ann, Lifetimes { access: 0, refresh: 100 }).await.unwrap();
        assert_eq!(signer.account(&state, &pair.access).await.unwrap_err(), Refusal::Expired);
        assert_eq!(signer.account(&state, &pair.refresh).await.unwrap_err(), Refusal::WrongUse);
        let pair = signer.login(&state, &ann, LIFETIMES).await.unwrap();
        assert_eq!(signer.refresh(&state, &pair.access, LIFETIMES).await.unwrap_err(), Refusal::WrongUse);
        let others = Signer::new(&[8; 32]);
        assert_eq!(others.account(&state, &pair.access).await.unwrap_err(), Refusal::Malformed);
        state.set_password("ann", "new", None).await.unwrap();
        assert_eq!(signer.account(&state, &pair.access).await.unwrap_err(), Refusal::Revoked);
    }

    #[tokio::test]
    async fn the_header_does_not_choose_the_algorithm() {
        let state = State::in_memory().await.unwrap();
        let ann = account(&state).await;
        let signer = Signer::new(&[7; 32]);
        let pair = signer.login(&state, &ann, LIFETIMES).await.unwrap();
        let [_, claims, signature] = pair.access.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
        for algorithm in ["none", "None", "HS384", "HS512", "RS256", "ES256", "EdDSA"] {
            let header = BASE64.encode(json!({ "typ": "JWT", "alg": algorithm }).to_string());
            for signature in [signature, ""] {
                let forged = format!("{header}.{claims}.{signature}");
                assert_eq!(signer.account(&state, &forged).await.unwrap_err(), Refusal::Malformed, "{algorithm}");
            }
        }
        let mut other: Value = serde_json::from_slice(&BASE64.decode(claims).unwrap()).unwrap();
        other["identity"] = json!("root");
        let header = pair.access.split('.').next().unwrap();
        let forged = format!("{header}.{}.{signature}", BASE64.encode(other.to_string()));
        assert_eq!(signer.account(&state, &forged).await.unwrap_err(), Refusal::Malformed);
        assert_eq!(other["type"], "access");
        assert_eq!(other["fresh"], false);
        assert_eq!(other["nbf"], other["iat"]);
    }
}
