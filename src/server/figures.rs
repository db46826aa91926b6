//! How many requests were answered how, and how fast.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{Counter, Histogram};

/// The figures of one route, looked up by name once per method and status: the recorder's own
/// lookup costs as much as routing a request.
#[derive(Default)]
pub(super) struct Figures {
    routes: RwLock<HashMap<String, Answers>>,
}

/// The figures of one route by method and status.
type Answers = HashMap<(&'static str, u16), Figure>;

#[derive(Clone)]
struct Figure {
    answers: Counter,
    seconds: Histogram,
}

impl Figures {
    pub(super) fn count(&self, method: &Method, route: &str, status: StatusCode, taken: Duration) {
        let key = (name(method), status.as_u16());
        let known = {
            let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
            routes.get(route).and_then(|figures| figures.get(&key)).cloned()
        };
        let figure = known.unwrap_or_else(|| {
            let figure = Figure {
                answers: metrics::counter!(
                    "http_requests_total",
                    "method" => key.0, "route" => route.to_owned(), "status" => key.1.to_string()
                ),
                seconds: metrics::histogram!("http_request_duration_seconds", "route" => route.to_owned()),
            };
            let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
            routes.entry(route.to_owned()).or_default().insert(key, figure.clone());
            figure
        });
        figure.answers.increment(1);
        figure.seconds.record(taken.as_secs_f64());
    }
}

/// Clients may make up methods; those share one name, so that figures stay bounded.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
