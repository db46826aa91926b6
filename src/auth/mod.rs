//! Who is asking: from the request's credentials to an [`Actor`](crate::resource::actor::Actor).

mod extract;
mod password;
mod throttle;

pub use extract::{Authenticator, Caller, Refusal, Required, Unwelcome};
pub use password::{hash, random};
