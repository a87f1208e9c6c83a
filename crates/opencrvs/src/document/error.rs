//! What can be wrong with a document, said by place, never by value.

/// Why bytes are not an event document. Carries places and expectations, never content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not text.
    #[error("the document is not UTF-8: the byte at offset {offset} starts no character")]
    NotUtf8 {
        /// Offset of the first wrong byte, from 0.
        offset: usize,
    },
    /// Not JSON: truncated, or a syntax error.
    #[error("the document is not JSON: it breaks at line {line}, column {column}")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1; 0 at the very start of a line.
        column: usize,
    },
    /// A key that we need is absent or null.
    #[error("the document has no `{path}`")]
    Missing {
        /// Where, `actions[3].createdAt`.
        path: String,
    },
    /// A value is of the wrong shape.
    #[error("`{path}` of the document is not {expected}")]
    Wrong {
        /// Where; `$` is the document itself.
        path: String,
        /// What was expected, with its article: `a UUID`.
        expected: &'static str,
    },
    /// A key occurs twice in an object whose keys we rely on.
    #[error("the document says the same key twice at line {line}, column {column}")]
    Twice {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
}

impl DocumentError {
    /// A short stable code for headers and metrics, `not_json`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotUtf8 { .. } => "not_utf8",
            Self::NotJson { .. } => "not_json",
            Self::Missing { .. } => "missing",
            Self::Wrong { .. } => "wrong",
            Self::Twice { .. } => "twice",
        }
    }
}
