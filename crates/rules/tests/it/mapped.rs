//! Packets of fields that somebody else has mapped.

use civitas_rules::{Mapped, Operation, Pack, PacketError};

use crate::common::farajaland;

fn mapped(fields: &[(&str, &str)]) -> Mapped {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    Mapped { fields: fields.iter().map(owned).collect(), ..Mapped::default() }
}

fn pack() -> Pack {
    Pack::load(&farajaland()).expect("the shipped pack")
}

#[test]
fn what_fits_goes_on_as_it_came_and_what_does_not_is_brought_into_form() {
    let name = "[ {\n  \"language\" : \"eng\",\n  \"value\" : \"Anna \\\"Ann\\\" O'Neil \\\\ Person\"\n}]";
    let fields = [("fullName", name), ("dateOfBirth", "2025-11-01"), ("gender", "female"), ("nonsense", "x")];
    let fitted = pack().packet_of_mapped(Operation::CreateUin, "birth", &mapped(&fields)).unwrap();
    assert_eq!(fitted.packet.fields["fullName"], name);
    assert_eq!(fitted.packet.fields["dateOfBirth"], "2025/11/01");
    assert_eq!(fitted.packet.fields["gender"], r#"[{"language":"eng","value":"Female"}]"#);
    assert_eq!((fitted.adapted.len(), fitted.dropped.as_slice()), (2, &["nonsense".to_owned()][..]));
    assert_eq!((fitted.packet.process.as_str(), fitted.packet.source.as_str()), ("CRVS_NEW", "CRVS1"));
}

#[test]
fn what_cannot_fit_and_what_is_missing_is_named_without_its_value() {
    let fields = [("fullName", "Anna"), ("dateOfBirth", "yesterday")];
    let error = pack().packet_of_mapped(Operation::CreateUin, "birth", &mapped(&fields)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("dateOfBirth") && text.contains("gender: mandatory"), "{text}");
    assert!(!text.contains("yesterday"), "{text}");
}

#[test]
fn a_packet_about_somebody_names_the_person_as_the_packs_own_does() {
    let mut about = mapped(&[("declaredAsDeceased", "Y")]);
    about.subject = Some("6372819405".to_owned());
    let fitted = pack().packet_of_mapped(Operation::FlagDeceased, "death", &about).unwrap();
    assert_eq!(
        (fitted.packet.fields["UIN"].as_str(), fitted.packet.process.as_str()),
        ("6372819405", "CRVS_DEATH")
    );
    let error = pack().packet_of_mapped(Operation::VerifyIdentity, "death", &about).unwrap_err();
    assert!(matches!(error, PacketError::Unknown(_)));
}
