//! The real git against a real port: what a day with nothing but git asks for, and what hostile
//! clients try.

mod access;
mod client;
mod disconnect;
mod fetch;
mod kill;
mod linked;
mod paths;
mod push;
mod races;
