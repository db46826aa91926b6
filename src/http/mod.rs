//! HTTP without a dialect: the route table that is also the OpenAPI document, bodies by content
//! type, preconditions, the one status table.

pub mod abroad;
pub mod body;
pub mod conditions;
pub mod context;
pub mod fault;
pub mod form;
pub mod openapi;
pub mod parameters;
pub mod path;
pub mod route;
