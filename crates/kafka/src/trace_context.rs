//! W3C trace context: carried when well formed, dropped when not. It never decides anything.

/// Header and CloudEvents attribute (the distributed-tracing extension) of the trace context.
pub(crate) const TRACEPARENT: &str = "traceparent";

/// The value if it is a well-formed `traceparent` of version 00 (`00-<32 hex>-<16 hex>-<2 hex>`, ids not zero).
pub(crate) fn accept(value: &str) -> Option<String> {
    let mut parts = value.trim().split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let some = |part: &str| part.bytes().any(|byte| byte != b'0');
    let valid = version == "00"
        && hex(trace, 32)
        && some(trace)
        && hex(parent, 16)
        && some(parent)
        && hex(flags, 2)
        && parts.next().is_none();
    valid.then(|| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::accept;

    #[test]
    fn well_formed_is_kept_and_the_rest_is_dropped() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(accept(good).as_deref(), Some(good));
        for bad in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(accept(bad), None, "{bad}");
        }
    }
}
