use rdkafka::message::Headers;

use super::*;

fn row(topic: OutboxTopic, value: Option<&str>) -> OutboxRow {
    OutboxRow {
        id: 42,
        topic,
        key: "0b36bb44-6f6c-4ad9-a5c0-4d4b1ab0d8a1".into(),
        kind: "decided".into(),
        value: value.map(|value| value.as_bytes().to_vec()),
        headers: vec![(TRACEPARENT.into(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into())],
        at: Some("2026-01-02T03:04:05Z".parse().unwrap()),
    }
}

fn laid_out(encoding: Encoding, row: &OutboxRow) -> (Vec<(String, String)>, Option<Vec<u8>>) {
    let publisher = Publisher::new(&KafkaConfig::new("localhost:9")).unwrap().with_audit_encoding(encoding);
    let (headers, value) = publisher.lay_out(row);
    let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap().to_vec()).unwrap();
    (headers.iter().map(|header| (header.key.to_owned(), text(header.value))).collect(), value)
}

#[test]
fn a_binary_audit_record_keeps_its_bytes() {
    // The odd spacing shows that nothing re-serialises them.
    let (headers, value) = laid_out(Encoding::Binary, &row(OutboxTopic::Audit, Some("{\"index\" : 7}")));
    assert_eq!(value.as_deref(), Some(&b"{\"index\" : 7}"[..]));
    let expected = [
        ("content-type", "application/json"),
        ("ce_specversion", "1.0"),
        ("ce_id", "42"),
        ("ce_source", "/civitas"),
        ("ce_type", "org.civitas.audit.decided"),
        ("ce_subject", "0b36bb44-6f6c-4ad9-a5c0-4d4b1ab0d8a1"),
        ("ce_time", "2026-01-02T03:04:05Z"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ];
    assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn a_structured_audit_record_is_one_object() {
    let (headers, value) = laid_out(Encoding::Structured, &row(OutboxTopic::Audit, Some("{\"index\" : 7}")));
    assert_eq!(headers[0], ("content-type".into(), "application/cloudevents+json".into()));
    assert_eq!(
        String::from_utf8(value.unwrap()).unwrap(),
        "{\"specversion\":\"1.0\",\"id\":\"42\",\"source\":\"/civitas\",\"type\":\"org.civitas.audit.decided\",\
         \"subject\":\"0b36bb44-6f6c-4ad9-a5c0-4d4b1ab0d8a1\",\"time\":\"2026-01-02T03:04:05Z\",\
         \"datacontenttype\":\"application/json\",\
         \"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\",\"data\":{\"index\" : 7}}"
    );
}

#[test]
fn a_queue_entry_is_plain_json_and_a_tombstone_is_nothing() {
    let (headers, value) = laid_out(Encoding::Binary, &row(OutboxTopic::Awaiting, Some("{}")));
    assert_eq!(headers[0], ("content-type".into(), "application/json".into()));
    assert_eq!((headers.len(), value.as_deref()), (2, Some(&b"{}"[..])));
    let (headers, value) = laid_out(Encoding::Structured, &row(OutboxTopic::Awaiting, None));
    assert_eq!((headers.len(), value), (1, None));
}

#[test]
fn the_rows_own_headers_win() {
    let mut row = row(OutboxTopic::Audit, Some("{}"));
    row.headers.push(("ce_id".into(), "leaf-7".into()));
    let (headers, _) = laid_out(Encoding::Binary, &row);
    let ids: Vec<_> = headers.iter().filter(|(name, _)| name == "ce_id").collect();
    assert_eq!(ids, [&("ce_id".to_owned(), "leaf-7".to_owned())]);
}
