//! The one file of an upload.

/// Name and content of the part named `file`.
pub(super) fn file<'a>(content_type: &str, body: &'a [u8]) -> Option<(String, &'a [u8])> {
    let boundary = content_type.split("boundary=").nth(1)?.split(';').next()?.trim_matches('"');
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(format!("--{boundary}").as_bytes())?;
    loop {
        rest = rest.strip_prefix(b"\r\n")?;
        let head_end = find(rest, b"\r\n\r\n")?;
        let head = std::str::from_utf8(&rest[..head_end]).ok()?;
        let content = &rest[head_end + 4..];
        let end = find(content, delimiter.as_bytes())?;
        if head.contains("name=\"file\"") {
            let name = head.split("filename=\"").nth(1)?.split('"').next()?;
            return Some((name.to_owned(), &content[..end]));
        }
        rest = &content[end + delimiter.len()..];
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_named_file_is_found_among_others() {
        let body = b"--B\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--B\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"10001.zip\"\r\n\r\nPK\r\n\0\r\n--B--\r\n";
        assert_eq!(
            file("multipart/form-data; boundary=B", body),
            Some(("10001.zip".to_owned(), &b"PK\r\n\0"[..]))
        );
        assert_eq!(file("multipart/form-data; boundary=C", body), None);
        assert_eq!(file("application/json", body), None);
    }
}
