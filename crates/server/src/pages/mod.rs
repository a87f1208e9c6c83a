//! Two read-only pages for people: server-rendered, no script, no personal data.

pub(crate) mod overview;
pub(crate) mod record;
pub(crate) mod style;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::Timestamp;

use crate::auth::{self, Act, Carrier};
use crate::operators::Role;
use crate::reply::Refusal;
use crate::state::App;

/// What surrounds each page.
pub(crate) struct Frame {
    instance: String,
    version: &'static str,
    now: Timestamp,
    shown_now: String,
}

impl Frame {
    fn new(app: &App, now: Timestamp) -> Self {
        Self {
            instance: app.options.instance.clone(),
            version: env!("CARGO_PKG_VERSION"),
            now,
            shown_now: shown(now),
        }
    }
}

/// An instant as people read it.
pub(crate) fn shown(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A time between two instants as people say it: its largest unit and the next.
fn ago(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// Lets a viewer in, or makes the browser ask who it is.
async fn admit(app: &App, headers: &HeaderMap, name: &'static str) -> Result<(), Response> {
    let act = Act { name, needs: Role::Viewer, record: None, carrier: Carrier::BearerOrBasic };
    match auth::admit(app, headers, act).await {
        Ok(_) => Ok(()),
        Err(refusal) => {
            let mut response = refused(app, &refusal);
            let challenge = HeaderValue::from_static(
                "Basic realm=\"Civitas: operator name and token\", charset=\"UTF-8\"",
            );
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            Err(response)
        }
    }
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedPage<'a> {
    frame: Frame,
    refusal: &'a Refusal,
}

/// The same as the operator API says, as a page.
fn refused(app: &App, refusal: &Refusal) -> Response {
    let page = RefusedPage { frame: Frame::new(app, (app.clock)()), refusal };
    (refusal.status(), render(&page)).into_response()
}

fn render(page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a page could not be rendered");
            let advice = "the operator API shows the same";
            Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal_error",
                "the page cannot be shown",
                advice,
            )
            .into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_by_their_largest_units() {
        let from: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let of = |seconds: i64| ago(from, Timestamp::from_second(from.as_second() + seconds).unwrap());
        assert_eq!(of(-5), "0 s");
        assert_eq!(of(59), "59 s");
        assert_eq!(of(60), "1 min");
        assert_eq!(of(3 * 3600 + 120), "3 h 2 min");
        assert_eq!(of(14 * 86_400 + 3600), "14 d 1 h");
        assert_eq!(shown(from), "2026-06-01 00:00:00 UTC");
    }
}
