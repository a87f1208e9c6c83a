//! Procedure names.

/// What a procedure does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Request,
    Accept,
    Reject,
}

/// A known procedure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Procedure {
    /// `event.actions.<…>.<verb>` with the action type it is about.
    Action(&'static str, Verb),
    Get,
    Search,
}

const ACTIONS: [(&str, &str); 12] = [
    // 1.9 alone.
    ("validate", "VALIDATE"),
    ("notify", "NOTIFY"),
    ("declare", "DECLARE"),
    ("edit", "EDIT"),
    ("reject", "REJECT"),
    ("archive", "ARCHIVE"),
    ("register", "REGISTER"),
    ("printCertificate", "PRINT_CERTIFICATE"),
    ("custom", "CUSTOM"),
    ("correction.request", "REQUEST_CORRECTION"),
    ("correction.approve", "APPROVE_CORRECTION"),
    ("correction.reject", "REJECT_CORRECTION"),
];

/// Action types that core asks the country config about.
pub(crate) fn is_confirmable(kind: &str) -> bool {
    ACTIONS.iter().any(|(_, confirmable)| *confirmable == kind)
}

impl Procedure {
    pub(crate) fn parse(path: &str) -> Option<Self> {
        match path {
            "event.get" => return Some(Self::Get),
            "event.search" => return Some(Self::Search),
            _ => {}
        }
        let (name, verb) = path.strip_prefix("event.actions.")?.rsplit_once('.')?;
        let verb = match verb {
            "request" => Verb::Request,
            "accept" => Verb::Accept,
            "reject" => Verb::Reject,
            _ => return None,
        };
        ACTIONS.iter().find(|(known, _)| *known == name).map(|(_, kind)| Self::Action(kind, verb))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_two_verbs_are_told_apart() {
        let parse = Procedure::parse;
        assert_eq!(
            parse("event.actions.correction.approve.accept"),
            Some(Procedure::Action("APPROVE_CORRECTION", Verb::Accept))
        );
        assert_eq!(parse("event.actions.reject.request"), Some(Procedure::Action("REJECT", Verb::Request)));
        assert_eq!(parse("event.actions.register.confirm"), None);
        assert_eq!(parse("event.get"), Some(Procedure::Get));
    }
}
