//! Names in the scripts that a register really holds, the awkward ones included.

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// Given names by script, then family names; a person stays within one script.
const SCRIPTS: [(&[&str], &[&str]); 9] = [
    // Latin, with what breaks careless JSON, SQL and templates.
    (
        &[
            "Asha",
            "Jenny",
            "María José",
            "Zoë",
            "D'Angelo",
            "Anna \"Nana\"",
            "Jean\\Paul",
            "Ngọc Ánh",
            "Łukasz",
            "Siân",
        ],
        &[
            "Rao",
            "O'Brien",
            "N'Diaye",
            "Müller-Lüdenscheidt",
            "de la Cruz",
            "Portgas",
            "Kozuki",
            "Ó Súilleabháin",
            "Smith",
            "Al\\Amin",
        ],
    ),
    (
        &["Kalusha", "Mutinta", "Bwalya", "Chanda", "Thandiwe"],
        &["Bwalya", "Mwansa", "Phiri", "Zulu", "Tembo"],
    ),
    (&["রহিমা", "করিম", "ফাতেমা", "জসিম", "শিউলি"], &["খাতুন", "উদ্দিন", "বেগম", "হোসেন", "চৌধুরী"]),
    (&["فاطمة", "محمد", "عائشة", "يوسف", "مريم"], &["الأحمد", "بن علي", "حسين", "عبد الله", "النجار"]),
    (&["አበበ", "አልማዝ", "ትዕግስት", "ዮሐንስ", "ሰላም"], &["ቢቂላ", "ተስፋዬ", "ገብረ", "ኃይሌ", "ወልደ"]),
    (&["आशा", "राहुल", "सीता", "अर्जुन", "प्रिया"], &["राव", "शर्मा", "कुमारी", "थापा", "गुरुङ"]),
    (&["Олена", "Іван", "Зоря", "Тарас"], &["Шевченко", "Коваль", "Бондар'"]),
    (&["சுதா", "அருண்", "மீனா"], &["முருகன்", "செல்வம்", "ராஜா"]),
    // Decomposed accents and a zero-width joiner: equal to the eye, not to a byte.
    (&["Jose\u{301}", "Ame\u{301}lie", "ක්\u{200d}රිස්"], &["Nun\u{303}ez", "Be\u{301}rube\u{301}", "පෙරේරා"]),
];

/// A person's names, all in one script.
#[derive(Debug, Clone)]
pub(crate) struct Family {
    script: usize,
    surname: &'static str,
}

impl Family {
    pub(crate) fn draw(rng: &mut StdRng) -> Self {
        // Half of the people have plain Latin names.
        let script =
            if rng.random_bool(0.5) { rng.random_range(0..2) } else { rng.random_range(0..SCRIPTS.len()) };
        Self { script, surname: pick(rng, SCRIPTS[script].1) }
    }

    /// A NAME value. Middle names are absent, empty or there.
    pub(crate) fn member(&self, rng: &mut StdRng) -> Value {
        let given = SCRIPTS[self.script].0;
        let mut name = json!({"firstname": pick(rng, given), "surname": self.surname});
        match rng.random_range(0..4) {
            0 => name["middlename"] = json!(""),
            1 => name["middlename"] = json!(pick(rng, given)),
            _ => {}
        }
        name
    }
}

/// One of a list.
pub(crate) fn pick<'a, T: ?Sized>(rng: &mut StdRng, list: &[&'a T]) -> &'a T {
    list[rng.random_range(0..list.len())]
}
