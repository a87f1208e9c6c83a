//! What an import keeps, what it says, and what it refuses.

use proptest::prelude::*;

use super::*;

const CATALOGUE: &str = "# The forms.
version: 1
sections:
  child: { en: the child }

events:
  birth:
    label: { en: birth }
    fields:
      # --- the child ---

      child.name: { type: NAME }
      # Asked at late registrations.
      child.reason: { type: TEXT, label: { en: the reason } }
      child.sex: { type: SELECT, options: [male, female], label: { en: the sex } } # as in the law
      child.born:
        type: TEXT
        # a date since 2027
        label: { en: the day }
      # --- the mother ---

      mother.name: { type: NAME }
  # Not in the configuration.
  death:
    fields:
      deceased.nid: { type: ID }
";

fn page(fields: &[Value]) -> Value {
    json!([{ "id": "birth", "declaration": { "pages": [{ "id": "child", "fields": fields }] } }])
}

fn field(id: &str, kind: &str) -> Value {
    json!({ "id": id, "type": kind, "label": { "id": id, "defaultMessage": id, "description": "" } })
}

fn choice(id: &str, values: &[&str]) -> Value {
    let options: Vec<Value> = values.iter().map(|value| json!({ "value": value, "label": {} })).collect();
    json!({ "id": id, "type": "SELECT", "options": options })
}

fn whole() -> Vec<Value> {
    vec![
        field("child.name", "NAME"),
        field("child.reason", "TEXT"),
        choice("child.sex", &["male", "female"]),
        field("child.born", "TEXT"),
        field("mother.name", "NAME"),
    ]
}

fn import(fields: &[Value]) -> Import {
    import_fields(Some(CATALOGUE), &page(fields), &ImportOptions::default()).expect("an import")
}

#[test]
fn the_same_form_changes_nothing_not_even_a_space() {
    let import = import(&whole());
    assert_eq!(import.text, CATALOGUE);
    assert!(import.changes.is_empty(), "{:?}", import.changes);
    assert_eq!(import.missing_events, ["death"]);
}

#[test]
fn what_changed_is_written_in_its_place_and_the_rest_stays() {
    let mut fields = whole();
    fields.remove(1);
    fields[1] = choice("child.sex", &["male", "female", "NO"]);
    fields[2] = field("child.born", "DATE");
    fields.insert(0, field("child.heading", "PAGE_HEADER"));
    fields.push(field("child.secret", "ALPHA_HIDDEN"));
    fields.push(field("mother.scan", "HOLOGRAM"));
    let import = import(&fields);
    let said: Vec<String> =
        import.changes.iter().map(|change| format!("{} {}", change.field, change.what)).collect();
    assert_eq!(
        said,
        ["child.sex options +NO", "child.born TEXT → DATE", "child.secret TEXT", "child.reason TEXT"]
    );
    assert_eq!(import.left_out.len(), 1);
    assert_eq!(
        (import.left_out[0].field.as_str(), import.left_out[0].kind.as_str()),
        ("mother.scan", "HOLOGRAM")
    );
    let expected = CATALOGUE
        .replace("      # Asked at late registrations.\n      child.reason: { type: TEXT, label: { en: the reason } }\n", "")
        .replace("options: [male, female],", "options: [male, female, \"NO\"],")
        .replace(
            "      child.born:\n        type: TEXT\n        # a date since 2027\n        label: { en: the day }\n",
            "      child.born: { type: DATE, label: { en: the day } }\n      child.secret: { type: TEXT }\n",
        );
    assert_eq!(import.text, expected);
}

#[test]
fn the_order_of_options_is_nobodys_business() {
    let mut fields = whole();
    fields[2] = choice("child.sex", &["female", "male"]);
    assert_eq!(import(&fields).text, CATALOGUE);
}

#[test]
fn a_field_of_an_unknown_type_that_somebody_wrote_by_hand_stays() {
    let mut fields = whole();
    fields[1] = field("child.reason", "HOLOGRAM");
    let import = import(&fields);
    assert_eq!(import.text, CATALOGUE);
    assert_eq!(import.left_out.len(), 1);
}

#[test]
fn one_id_under_several_conditions_is_one_field_with_all_options() {
    let mut fields = whole();
    fields[2] = choice("child.sex", &["male"]);
    fields.push(choice("child.sex", &["female", "other"]));
    fields.push(field("child.sex", "NUMBER"));
    let import = import(&fields);
    assert!(import.text.contains("options: [male, female, other]"), "{}", import.text);
    assert_eq!(import.left_out[0].reason, "the form has this id with another type before");
}

#[test]
fn a_choice_without_options_is_a_text_unless_somebody_wrote_them() {
    let mut fields = whole();
    fields[2] = json!({ "id": "child.sex", "type": "SELECT" });
    assert_eq!(import(&fields).text, CATALOGUE);
    fields.push(json!({ "id": "child.kind", "type": "RADIO_GROUP", "options": [] }));
    assert!(import(&fields).text.contains("      child.kind: { type: TEXT }\n"));
}

#[test]
fn a_declaration_may_stand_at_its_action() {
    let configuration = json!([{
        "id": "birth",
        "actions": [
            { "type": "REGISTER", "form": [field("register.note", "TEXT")] },
            { "type": "DECLARE", "declaration": { "pages": [{ "id": "child", "fields": whole() }] } },
        ],
    }]);
    let import =
        import_fields(Some(CATALOGUE), &configuration, &ImportOptions::default()).expect("an import");
    assert_eq!(import.text, CATALOGUE);
}

#[test]
fn another_event_is_told_and_added_when_it_is_asked_for() {
    let mut configuration = page(&whole());
    let marriage = json!({
        "id": "marriage", "label": { "defaultMessage": "Marriage" },
        "declaration": { "pages": [{ "fields": [field("bride.name", "NAME"), choice("groom.kind", &["A B", "1"])] }] },
    });
    configuration.as_array_mut().expect("a list").push(marriage);
    let import =
        import_fields(Some(CATALOGUE), &configuration, &ImportOptions::default()).expect("an import");
    assert_eq!(import.other_events, [("marriage".to_owned(), 2)]);
    let events = ["marriage".to_owned()];
    let options = ImportOptions { events: &events, language: Some("en"), ..ImportOptions::default() };
    let import = import_fields(Some(CATALOGUE), &configuration, &options).expect("an import");
    let more = "\n  marriage:\n    label: { en: Marriage }\n    fields:\n      bride.name: { type: NAME }\n      groom.kind: { type: SELECT, options: [A B, \"1\"] }\n";
    assert_eq!(import.text, format!("{CATALOGUE}{more}"));
    let events = ["divorce".to_owned()];
    let options = ImportOptions { events: &events, ..ImportOptions::default() };
    let error = import_fields(Some(CATALOGUE), &configuration, &options).expect_err("refused").to_string();
    assert!(error.contains("no event `divorce`; it has birth, marriage"), "{error}");
}

#[test]
fn a_catalogue_that_is_not_in_lines_is_not_guessed_at() {
    let flow = "version: 1\nevents: { birth: { fields: { child.name: { type: TEXT } } } }\n";
    let error = import_fields(Some(flow), &page(&whole()), &ImportOptions::default()).expect_err("refused");
    assert_eq!(error, ImportError::Layout("birth".to_owned()));
    let options = ImportOptions { rewrite: true, ..ImportOptions::default() };
    let import = import_fields(Some(flow), &page(&whole()), &options).expect("an import");
    assert!(import.text.contains("      child.name: { type: NAME }\n"), "{}", import.text);
}

#[test]
fn without_a_catalogue_everything_is_new() {
    let import = import_fields(None, &page(&whole()), &ImportOptions::default()).expect("an import");
    assert_eq!(import.changes.len(), 5);
    assert!(import.text.starts_with("# The fields of the forms"), "{}", import.text);
    for wrong in [json!([]), json!("text"), json!([{ "id": "birth" }]), json!({ "error": "no" }), page(&[])] {
        assert_eq!(
            import_fields(None, &wrong, &ImportOptions::default()),
            Err(ImportError::NoConfiguration),
            "{wrong}"
        );
    }
}

fn form() -> impl Strategy<Value = Vec<Value>> {
    let id = prop::sample::select(vec![
        "child.name",
        "child.reason",
        "child.sex",
        "child.born",
        "mother.name",
        "mother.x-y",
        "new.field",
        "odd id",
    ]);
    let kind =
        prop::sample::select(vec!["NAME", "TEXT", "DATE", "ALPHA_HIDDEN", "DIVIDER", "HOLOGRAM", "NUMBER"]);
    let options = prop::collection::vec("[A-Za-z0-9 :#'\"{}éنور-]{1,8}", 0..5);
    let plain = (id.clone(), kind).prop_map(|(id, kind)| field(id, kind));
    let choice = (id, options)
        .prop_map(|(id, options)| choice(id, &options.iter().map(String::as_str).collect::<Vec<_>>()));
    prop::collection::vec(prop_oneof![plain, choice], 0..10).prop_map(|mut fields| {
        fields.push(field("child.weight", "NUMBER"));
        fields
    })
}

proptest! {
    /// Whatever a form becomes, importing it is done once: the second time there is nothing to do.
    #[test]
    fn a_second_import_finds_nothing(fields in form()) {
        let first = import(&fields);
        let second = import_fields(Some(&first.text), &page(&fields), &ImportOptions::default()).expect("an import");
        prop_assert_eq!(&second.text, &first.text);
        prop_assert!(second.changes.is_empty(), "{:?}", second.changes);
        let options = ImportOptions { rewrite: true, ..ImportOptions::default() };
        let anew = import_fields(Some(&first.text), &page(&fields), &options).expect("an import");
        let values = |text: &str| serde_saphyr::from_str::<Value>(text).expect("YAML");
        prop_assert_eq!(values(&anew.text), values(&first.text));
        // What nobody touched is still there, comments and all.
        prop_assert!(first.text.contains("  # Not in the configuration.\n  death:\n"));
    }
}
