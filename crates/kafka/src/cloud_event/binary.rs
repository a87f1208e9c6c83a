//! Binary mode: attributes in headers, data in the value.

use std::borrow::Cow;

use super::{Attributes, Data, Envelope, EventError, check, is_jwe};

pub(super) fn envelope<'a>(
    headers: &Attributes<'a>,
    content_type: Option<&str>,
    value: Option<&'a [u8]>,
) -> Result<Envelope<'a>, EventError> {
    let version = headers.get("ce_specversion")?.ok_or(EventError::NotACloudEvent)?;
    let required = |header, attribute| headers.get(header)?.ok_or(EventError::Missing(attribute));
    let id = required("ce_id", "id")?;
    check(version, id, required("ce_source", "source")?, required("ce_type", "type")?)?;
    let jwe = is_jwe(content_type, headers.get("ce_dataencryption")?)?;
    let data = Cow::Borrowed(value.filter(|value| !value.is_empty()).ok_or(EventError::NoData)?);
    Ok(Envelope {
        id,
        time: headers.get("ce_time")?,
        traceparent: headers.get("ce_traceparent").ok().flatten(),
        data: if jwe { Data::Jwe(data) } else { Data::Plain(data) },
    })
}
