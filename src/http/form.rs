//! Bodies of HTML forms: `application/x-www-form-urlencoded` and `multipart/form-data` (RFC 7578).

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use memchr::memmem;

use super::fault::Fault;

/// One field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    /// As the client says it; `None` for what is no file.
    pub file_name: Option<String>,
    pub bytes: Bytes,
}

/// Most fields of one form.
const PARTS_MOST: usize = 1_000;

/// Whether the content type says that the body is a form.
pub fn is_form(headers: &HeaderMap) -> bool {
    let essence = content_type(headers).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(&*essence, "application/x-www-form-urlencoded" | "multipart/form-data")
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The fields of a form in order; `None` when the content type says that it is none.
pub fn parts(headers: &HeaderMap, body: &Bytes) -> Result<Option<Vec<Part>>, Fault> {
    let text = content_type(headers);
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    match essence.trim().to_ascii_lowercase().as_str() {
        "application/x-www-form-urlencoded" => {
            let field = |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| Part {
                name: name.into_owned(),
                file_name: None,
                bytes: Bytes::from(value.into_owned()),
            };
            Ok(Some(form_urlencoded::parse(body).take(PARTS_MOST).map(field).collect()))
        }
        "multipart/form-data" => multipart(parameter(parameters, "boundary").as_deref(), body).map(Some),
        _ => Ok(None),
    }
}

fn multipart(boundary: Option<&str>, body: &Bytes) -> Result<Vec<Part>, Fault> {
    let bad = |why: &str| Fault::new(StatusCode::BAD_REQUEST, format!("the form cannot be read: {why}"));
    // RFC 2046, section 5.1.1.
    let boundary = boundary.filter(|boundary| (1..=70).contains(&boundary.len())).ok_or_else(|| bad("no boundary"))?;
    let first = format!("--{boundary}");
    let delimiter = format!("\r\n{first}");
    let start = match body.strip_prefix(first.as_bytes()) {
        Some(_) => first.len(),
        None => {
            memmem::find(body, delimiter.as_bytes()).ok_or_else(|| bad("the boundary is not in it"))? + delimiter.len()
        }
    };
    let finder = memmem::Finder::new(delimiter.as_bytes());
    let (mut at, mut parts) = (start, Vec::new());
    loop {
        if body[at..].starts_with(b"--") {
            return Ok(parts);
        }
        // Blanks may follow a boundary.
        at += memmem::find(&body[at..], b"\r\n").ok_or_else(|| bad("it breaks off"))?;
        let end = at + finder.find(&body[at..]).ok_or_else(|| bad("it breaks off"))?;
        if parts.len() == PARTS_MOST {
            return Err(bad("it has more than 1000 fields"));
        }
        parts.push(part(body, at, end).ok_or_else(|| bad("a field has no name"))?);
        at = end + delimiter.len();
    }
}

/// The field between the line end at `start` and `end`.
fn part(body: &Bytes, start: usize, end: usize) -> Option<Part> {
    let blank = start + memmem::find(&body[start..end], b"\r\n\r\n")?;
    let head = std::str::from_utf8(&body[start..blank]).ok()?;
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let (_, parameters) = disposition.split_once(';')?;
    Some(Part {
        name: parameter(parameters, "name")?,
        file_name: parameter(parameters, "filename"),
        bytes: body.slice(blank + 4..end),
    })
}

/// A parameter of a header's value, `name=value` or `name="value"`, where browsers write a quote
/// inside as `%22` and others as `\"`.
fn parameter(mut text: &str, wanted: &str) -> Option<String> {
    loop {
        let (name, rest) = text.split_once('=')?;
        let name = name.trim().trim_start_matches(';').trim();
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_value(quoted)?,
            None => {
                let (value, rest) = rest.split_once(';').unwrap_or((rest, ""));
                (value.trim().to_owned(), rest)
            }
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        text = rest;
    }
}

fn quoted_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value.replace("%22", "\""), &text[at + 1..])),
            // A backslash of a Windows path stays.
            '\\' if text[at + 1..].starts_with('"') => value.extend(chars.next().map(|(_, quote)| quote)),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(kind: &'static str, body: &'static [u8]) -> Result<Vec<(String, Option<String>, String)>, String> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        let parts = parts(&headers, &Bytes::from_static(body)).map_err(|fault| fault.message)?.expect("a form");
        let shown = |part: Part| (part.name, part.file_name, String::from_utf8_lossy(&part.bytes).into_owned());
        Ok(parts.into_iter().map(shown).collect())
    }

    #[test]
    fn forms_of_both_types() {
        let field = |name: &str, value: &str| (name.to_owned(), None, value.to_owned());
        assert_eq!(
            read("application/x-www-form-urlencoded; charset=utf-8", b"name=a+b&x=%C3%BC"),
            Ok(vec![field("name", "a b"), field("x", "\u{fc}")])
        );
        let body = b"preamble\r\n--xyz\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nws\r\n--xyz  \r\n\
            content-disposition: form-data; name=image; filename=\"..\\\"a%22.img\"\r\nContent-Type: image/x\r\n\r\n\
            \r\n--xy\r\n\r\n--xyz--\r\n";
        let file = ("image".to_owned(), Some("..\"a\".img".to_owned()), "\r\n--xy\r\n".to_owned());
        assert_eq!(read("multipart/form-data; boundary=\"xyz\"", body), Ok(vec![field("name", "ws"), file]));
        assert_eq!(read("Multipart/Form-Data; boundary=xyz", b"--xyz--"), Ok(Vec::new()));
    }

    #[test]
    fn broken_forms_are_refused() {
        let bodies: [&[u8]; 6] = [
            b"",
            b"--other--",
            b"--xyz",
            b"--xyz\r\n",
            b"--xyz\r\nContent-Disposition: form-data\r\n\r\nv\r\n--xyz--",
            b"--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nv",
        ];
        for body in bodies {
            assert!(read("multipart/form-data; boundary=xyz", body).is_err(), "{}", String::from_utf8_lossy(body));
        }
        assert!(read("multipart/form-data", b"--xyz--").is_err());
        assert_eq!(parts(&HeaderMap::new(), &Bytes::new()).map_err(|fault| fault.message), Ok(None));
    }
}
