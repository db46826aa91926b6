//! The way to repositories elsewhere for one caller.

use super::context::Context;
use crate::config::GITHUB;
use crate::engine::{Abroad, Error};
use crate::github::GitHub;
use crate::resource::actor::Actor;

/// The token that the caller's own account has at GitHub, and their login there.
pub async fn github_token(context: &Context, actor: &Actor) -> Result<Option<(String, String)>, Error> {
    let Actor::Account(account, _) = actor else { return Ok(None) };
    let identities = context.accounts.identities(account).await?;
    let known = identities.into_iter().find(|identity| identity.provider == GITHUB);
    // Sealed with another secret it is of no use any more: who logs in again has a new one.
    Ok(known.and_then(|known| Some((context.keys.unseal(&known.token, GITHUB)?, known.login))))
}

/// What the caller may call, and how. Their token at GitHub goes to GitHub and nowhere else.
pub async fn abroad(context: &Context, actor: &Actor) -> Result<Abroad, Error> {
    let config = context.config();
    let home = GitHub::of(&config).map(|github| github.origin().to_owned());
    let token = match home {
        Some(home) => github_token(context, actor).await?.map(|(token, _)| (home, token)),
        None => None,
    };
    Ok(Abroad {
        policy: context.outside.policy().clone(),
        ca_file: config.outside.ca_file.clone(),
        pack_bytes: config.git.push_limit,
        file_bytes: config.limits.body as u64,
        token,
    })
}
