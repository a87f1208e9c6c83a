//! The texts of a new pack, in the languages that Civitas speaks; another language gets the English one.

use super::answers::Answers;

/// Key, English, French.
const TEXTS: &[(&str, &str, &str)] = &[
    ("birth", "birth", "naissance"),
    ("death", "death", "décès"),
    ("child", "the child", "l’enfant"),
    ("mother", "the mother", "la mère"),
    ("father", "the father", "le père"),
    ("informant", "the informant", "le déclarant"),
    ("deceased", "the deceased", "le défunt"),
    ("the_childs_id", "the child’s national id", "le numéro d’identité de l’enfant"),
    ("the_deceaseds_id", "the national id of the deceased", "le numéro d’identité du défunt"),
    ("biographic", "biographic data", "données biographiques"),
    ("a_parent_is_known", "a parent is known", "un parent est connu"),
    ("both_parents_are_known", "both parents are known", "les deux parents sont connus"),
    ("the_mother_is_known", "the mother is known", "la mère est connue"),
    ("the_informant_is_known", "the informant is known", "le déclarant est connu"),
    ("uin_at_birth", "UIN requested at birth", "UIN demandé à la naissance"),
    ("uin_on_correction", "UIN requested on correction", "UIN demandé à la correction"),
    ("update", "Biographic update sent", "Mise à jour biographique envoyée"),
    ("birth_revoked", "Birth revoked, MOSIP is not told", "Naissance annulée, MOSIP n’est pas informé"),
    ("death_reported", "Death reported", "Décès signalé"),
    ("death_revoked", "Death revoked, MOSIP is not told", "Décès annulé, MOSIP n’est pas informé"),
];

/// The text as a flow map over the country's languages: `{ en: …, fr: … }`. None if there is no such text.
pub(super) fn by_language(key: &str, answers: &Answers) -> Option<String> {
    let (_, english, french) = TEXTS.iter().find(|(known, _, _)| *known == key)?;
    let entries: Vec<String> = answers
        .languages
        .iter()
        .map(|(language, _)| format!("{language}: {}", if language == "fr" { french } else { english }))
        .map(|entry| if entry.contains(", ") { quoted(&entry) } else { entry })
        .collect();
    Some(format!("{{ {} }}", entries.join(", ")))
}

/// A comma would end an entry of a flow map.
fn quoted(entry: &str) -> String {
    let (language, text) = entry.split_once(": ").unwrap_or(("", entry));
    format!("{language}: \"{text}\"")
}

/// The country's name by language; a name without a language is the name in all that have none of their own.
pub(super) fn names(answers: &Answers) -> String {
    let entries: Vec<String> = answers
        .languages
        .iter()
        .map(|(code, _)| {
            let own = answers.names.iter().find(|(language, _)| language.as_deref() == Some(code));
            let plain = answers.names.iter().find(|(language, _)| language.is_none());
            let name = own.or(plain).or(answers.names.first()).map_or("", |(_, name)| name.as_str());
            format!("{code}: {}", serde_json::Value::from(name))
        })
        .collect();
    format!("{{ {} }}", entries.join(", "))
}

/// The languages whose words Civitas does not have.
pub(super) fn unspoken(answers: &Answers) -> impl Iterator<Item = &str> {
    answers
        .languages
        .iter()
        .map(|(code, _)| code.as_str())
        .filter(|code| civitas_rules::shipped_words(code).is_none())
}
