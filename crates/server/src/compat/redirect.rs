//! The page that e-Signet sent a person back to.

use http::Uri;
use uuid::Uuid;

use super::userinfo::record_in;

/// A page of OpenCRVS's client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    /// Its address without query and fragment: what e-Signet was told, since OpenCRVS tells it so.
    pub(super) address: String,
    /// The record, if the address names one.
    pub(super) event_id: Option<Uuid>,
    /// The page of the form.
    pub(super) section: Option<String>,
}

impl Page {
    /// The page, if one of the patterns is of it.
    pub(super) fn of(given: &str, patterns: &[String]) -> Option<Self> {
        let address = given.split(['?', '#']).next().unwrap_or_default();
        let uri: Uri = address.parse().ok()?;
        let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
        // A user part would make another host look like ours; dots would leave the place that a pattern names.
        let honest = matches!(scheme, "https" | "http")
            && !authority.as_str().contains('@')
            && uri.path().split('/').all(|part| !matches!(part, "." | ".."))
            && !uri.path().contains(['\\', '%']);
        if !honest || !patterns.iter().any(|pattern| fits(pattern.as_bytes(), address.as_bytes())) {
            return None;
        }
        let (event_id, section) = record_in(uri.path());
        Some(Self { address: address.to_owned(), event_id, section })
    }
}

/// `**` stands for any text, `*` for any without a slash.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', b'*', rest @ ..] => (0..=text.len()).any(|skipped| fits(rest, &text[skipped..])),
        [b'*', rest @ ..] => {
            let most = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
            (0..=most).any(|skipped| fits(rest, &text[skipped..]))
        }
        [first, rest @ ..] => {
            text.split_first().is_some_and(|(byte, text)| byte == first && fits(rest, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = "6f1c0d4e-4f1a-4c58-9f0b-2f0a5b7f2d11";

    fn page(given: &str) -> Option<Page> {
        Page::of(given, &["https://register.example/events/**".to_owned()])
    }

    #[test]
    fn query_and_fragment_are_left_out_and_record_and_page_are_read() {
        let address = format!("https://register.example/events/declare/{EVENT}/pages/mother");
        let found = page(&format!("{address}?code=1&state=2#top")).unwrap();
        assert_eq!((found.address.as_str(), found.section.as_deref()), (address.as_str(), Some("mother")));
        assert_eq!(found.event_id.unwrap().to_string(), EVENT);
        assert_eq!(page(&format!("{address}#x?y")).unwrap().address, address);
        let draft = page("https://register.example/events/declare/tmp-1/pages/father").unwrap();
        assert_eq!((draft.event_id, draft.section.as_deref()), (None, Some("father")));
        let odd = page(&format!("https://register.example/events/declare/{EVENT}/pages/a%20b"));
        assert_eq!(odd, None);
    }

    #[test]
    fn only_pages_of_a_pattern_are_taken() {
        for other in [
            "https://elsewhere.example/events/declare/1/pages/mother",
            "http://register.example/events/x",
            "https://register.example.elsewhere.example/events/x",
            "https://register.example@elsewhere.example/events/x",
            "https://register.example/events/../admin",
            "https://register.example/other",
            "javascript:alert(1)",
            "",
        ] {
            assert_eq!(page(other), None, "{other}");
        }
    }

    #[test]
    fn stars_stand_for_what_they_say() {
        let fits = |pattern: &str, text: &str| super::fits(pattern.as_bytes(), text.as_bytes());
        assert!(fits("a/*/c", "a/b/c") && !fits("a/*/c", "a/b/b/c"));
        assert!(fits("a/**/c", "a/b/b/c") && fits("a/**", "a/") && !fits("a/**", "b/"));
        assert!(fits("a", "a") && !fits("a", "ab"));
    }
}
