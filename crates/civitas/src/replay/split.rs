//! Cutting a stream of JSON into its objects, whatever lies around them: one document, a list of them, one per line,
//! lists per line (as the bodies of a reindex were written down), or one after the other.

use std::io::{self, Read};

/// A document of an office has kilobytes. Whatever is longer than this is no document, and is not kept in memory.
const LARGEST: usize = 64 << 20;
const CHUNK: usize = 256 << 10;

/// What was found at a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// An object, from brace to brace; not checked further.
    Object {
        /// The line on which it begins, from 1.
        line: u64,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Something else; reading goes on at the next line.
    Fault {
        /// The line, from 1.
        line: u64,
        /// What is wrong there.
        what: &'static str,
    },
}

/// Cuts a stream.
pub(super) struct Splitter<R> {
    reader: R,
    buffer: Vec<u8>,
    at: usize,
    line: u64,
    ended: bool,
}

impl<R: Read> Splitter<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), at: 0, line: 1, ended: false }
    }

    /// More bytes behind those that are there; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let had = self.buffer.len();
        self.buffer.resize(had + CHUNK, 0);
        let read = loop {
            match self.reader.read(&mut self.buffer[had..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(had + *read.as_ref().unwrap_or(&0));
        Ok(read? > 0)
    }

    fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        if self.ended {
            return Ok(None);
        }
        loop {
            let Some(byte) = self.buffer.get(self.at).copied() else {
                if self.fill()? {
                    continue;
                }
                self.ended = true;
                return Ok(None);
            };
            match byte {
                b'{' => return self.object().map(Some),
                b'\n' => self.line += 1,
                // The mark that some programs write before UTF-8.
                b' ' | b'\t' | b'\r' | b',' | b'[' | b']' | 0xEF | 0xBB | 0xBF => {}
                _ => return self.skip_line().map(Some),
            }
            self.at += 1;
        }
    }

    fn object(&mut self) -> io::Result<Piece> {
        let line = self.line;
        let mut scan = Scan::default();
        let mut length = 0;
        loop {
            if let Some(end) = scan.end(&self.buffer[self.at + length..]) {
                let bytes = self.buffer[self.at..self.at + length + end].to_vec();
                self.at += bytes.len();
                self.line += lines(&bytes);
                return Ok(Piece::Object { line, bytes });
            }
            length = self.buffer.len() - self.at;
            if length > LARGEST {
                self.ended = true;
                let what = "an object of more than 64 MiB begins here; the rest is not read";
                return Ok(Piece::Fault { line, what });
            }
            if !self.fill()? {
                self.ended = true;
                return Ok(Piece::Fault { line, what: "the document that begins here does not end" });
            }
        }
    }

    fn skip_line(&mut self) -> io::Result<Piece> {
        let fault = Piece::Fault { line: self.line, what: "this is not a JSON object" };
        loop {
            if let Some(end) = self.buffer[self.at..].iter().position(|byte| *byte == b'\n') {
                self.at += end;
                return Ok(fault);
            }
            self.at = self.buffer.len();
            if !self.fill()? {
                self.ended = true;
                return Ok(fault);
            }
        }
    }
}

impl<R: Read> Iterator for Splitter<R> {
    type Item = io::Result<Piece>;

    fn next(&mut self) -> Option<Self::Item> {
        let piece = self.next_piece();
        if piece.is_err() {
            self.ended = true;
        }
        piece.transpose()
    }
}

fn lines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

/// Where an object ends: braces counted, those in strings left out.
#[derive(Default)]
struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    /// Goes on; the length up to and with the closing brace, if it is in these bytes.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.in_string {
                if self.escaped {
                    self.escaped = false;
                    at += 1;
                    continue;
                }
                match bytes[at..].iter().position(|byte| matches!(byte, b'"' | b'\\')) {
                    None => return None,
                    Some(found) => {
                        at += found;
                        if bytes[at] == b'"' { self.in_string = false } else { self.escaped = true }
                    }
                }
            } else {
                match bytes[at] {
                    b'"' => self.in_string = true,
                    b'{' => self.depth += 1,
                    b'}' => {
                        self.depth -= 1;
                        if self.depth == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {}
                }
            }
            at += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that gives a byte at a time, the worst that a pipe may do.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            to[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn pieces(text: &str) -> Vec<String> {
        let show = |piece: io::Result<Piece>| match piece.unwrap() {
            Piece::Object { line, bytes } => format!("{line}: {}", String::from_utf8(bytes).unwrap()),
            Piece::Fault { line, what } => format!("{line}! {what}"),
        };
        let whole: Vec<String> = Splitter::new(text.as_bytes()).map(show).collect();
        assert_eq!(Splitter::new(Drip(text.as_bytes())).map(show).collect::<Vec<_>>(), whole);
        whole
    }

    #[test]
    fn every_layout_gives_its_documents() {
        let two = ["1: {\"a\":1}", "1: {\"b\":[{}]}"];
        assert_eq!(pieces(r#"[{"a":1},{"b":[{}]}]"#), two);
        assert_eq!(pieces(r#"{"a":1}{"b":[{}]}"#), two);
        assert_eq!(pieces("\u{feff}{\"a\":1}\n{\"b\":[{}]}\n"), ["1: {\"a\":1}", "2: {\"b\":[{}]}"]);
        assert_eq!(pieces("[{\"a\":1}]\r\n[\n{\"b\":[{}]}]"), ["1: {\"a\":1}", "3: {\"b\":[{}]}"]);
        assert_eq!(pieces("{\n\"a\":1\n}\n{}"), ["1: {\n\"a\":1\n}", "4: {}"]);
        assert!(pieces("").is_empty() && pieces("[]\n").is_empty());
    }

    #[test]
    fn braces_in_strings_are_text() {
        let text = r#"{"a":"}{\"}\\","b":"\u007b"}"#;
        assert_eq!(pieces(&format!("{text},{{}}")), [format!("1: {text}"), "1: {}".to_owned()]);
    }

    #[test]
    fn what_is_no_document_is_named_and_the_rest_is_read() {
        assert_eq!(pieces("event_id,type\n{}"), ["1! this is not a JSON object", "2: {}"]);
        assert_eq!(pieces("{}\n{\"a\":"), ["1: {}", "2! the document that begins here does not end"]);
    }
}
