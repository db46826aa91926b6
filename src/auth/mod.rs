//! Who is asking: from a request's credentials to an [`Actor`](crate::resource::actor::Actor), and
//! the management of accounts.

mod accounts;
mod attempt;
mod authenticator;
mod credential;
mod extract;
mod keys;
mod password;
mod rate;
mod refusal;
mod remembered;
mod session;
mod signed;
mod throttle;
mod token;

pub use accounts::{Accounts, By, NewUser};
pub use attempt::{Attempt, AttemptError};
pub use authenticator::Authenticator;
pub use credential::cookie;
pub use extract::{Address, Caller, Required, Unwelcome};
pub use keys::Keys;
pub use password::{hash, random};
pub use refusal::Refusal;
pub use session::{COOKIE, Sessions, same_site};
pub use signed::{Claims, Pair};
