//! What a new pack is made from, as flags say it or as people answer.

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;

/// The flags of `civitas country new`; each is the answer to one question.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Flags {
    /// The country's code as the forms use it: `FAR`
    #[arg(long)]
    pub(super) code: Option<String>,
    /// The country's name; with a language before it, the name in that language: `fr=Farajaland`
    #[arg(long)]
    pub(super) name: Vec<String>,
    /// A language of the country and MOSIP's code for it, the country's own first: `en=eng` [default: en=eng]
    #[arg(long, value_name = "CODE=MOSIP")]
    pub(super) language: Vec<String>,
    /// IANA time zone in which ages are reckoned: `Africa/Lusaka` [default: UTC]
    #[arg(long)]
    pub(super) time_zone: Option<String>,
    /// The OpenCRVS version that is deployed: 1.9, 2.0 or 2.1 [default: 2.0]
    #[arg(long, value_name = "VERSION")]
    pub(super) opencrvs: Option<String>,
    /// What MOSIP is told of: birth, correction, death [default: all three]
    #[arg(long, value_name = "OPERATION", value_delimiter = ',')]
    pub(super) operation: Vec<String>,
    /// Up to which age a child gets an identity from a registration: `10 years` [default: 10 years]
    #[arg(long, value_name = "AGE")]
    pub(super) age_limit: Option<String>,
    /// Who must be known for a child to get an identity [default: a-parent]
    #[arg(long, value_name = "WHO")]
    pub(super) known: Option<Known>,
}

/// Who must be known for a child to get an identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Known {
    /// The mother or the father
    #[default]
    AParent,
    /// The mother and the father
    BothParents,
    /// The mother
    TheMother,
    /// Whoever registers the birth
    TheInformant,
    /// Nobody
    Nobody,
}

/// What MOSIP is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operations {
    pub(super) birth: bool,
    pub(super) correction: bool,
    pub(super) death: bool,
}

/// A whole number of one unit of the calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AgeLimit {
    pub(super) count: i32,
    /// `day`, `week`, `month` or `year`
    pub(super) unit: &'static str,
}

/// Everything that a new pack is made from.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub(super) code: String,
    /// The name, and the language it is in where it is in one only.
    pub(super) names: Vec<(Option<String>, String)>,
    /// ISO 639-1 and MOSIP's code.
    pub(super) languages: Vec<(String, String)>,
    pub(super) time_zone: TimeZone,
    pub(super) opencrvs: String,
    pub(super) operations: Operations,
    pub(super) age_limit: AgeLimit,
    pub(super) known: Known,
}

impl Flags {
    /// The answers when nobody is asked.
    pub(super) fn answers(&self) -> anyhow::Result<Answers> {
        let absent: Vec<&str> = [("--code", self.code.is_none()), ("--name", self.name.is_empty())]
            .into_iter()
            .filter_map(|(flag, absent)| absent.then_some(flag))
            .collect();
        if !absent.is_empty() {
            bail!("{} missing: nobody is asked, and there is no default", absent.join(" and "));
        }
        let given = |text: &Option<String>, default: &str| text.clone().unwrap_or_else(|| default.to_owned());
        let listed = |texts: &[String], default: &str| {
            if texts.is_empty() { default.to_owned() } else { texts.join(",") }
        };
        let languages = languages(&listed(&self.language, "en=eng")).context("--language")?;
        Ok(Answers {
            code: code(&given(&self.code, "")).context("--code")?,
            names: names(&self.name, &languages).context("--name")?,
            languages,
            time_zone: time_zone(&given(&self.time_zone, "UTC")).context("--time-zone")?,
            opencrvs: opencrvs(&given(&self.opencrvs, "2.0")).context("--opencrvs")?,
            operations: operations(&listed(&self.operation, "birth,correction,death"))
                .context("--operation")?,
            age_limit: age_limit(&given(&self.age_limit, "10 years")).context("--age-limit")?,
            known: self.known.unwrap_or_default(),
        })
    }
}

pub(super) fn code(text: &str) -> anyhow::Result<String> {
    let code = text.trim().to_uppercase();
    if !(2..=3).contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        bail!("`{text}` is not a country code; it has two or three letters: FAR");
    }
    Ok(code)
}

pub(super) fn names(
    texts: &[String],
    languages: &[(String, String)],
) -> anyhow::Result<Vec<(Option<String>, String)>> {
    let mut names = Vec::new();
    for text in texts {
        let (language, name) = match text.split_once('=') {
            Some((language, name)) if languages.iter().any(|(code, _)| code == language.trim()) => {
                (Some(language.trim().to_owned()), name)
            }
            Some((language, _)) => {
                let known: Vec<&str> = languages.iter().map(|(code, _)| code.as_str()).collect();
                bail!("`{language}` is not a language of the country; there are {}", known.join(", "));
            }
            None => (None, text.as_str()),
        };
        let name = name.trim();
        if name.is_empty() || name.contains("${") || name.chars().any(char::is_control) {
            bail!("`{text}` is not a name");
        }
        names.push((language, name.to_owned()));
    }
    Ok(names)
}

pub(super) fn languages(text: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut languages: Vec<(String, String)> = Vec::new();
    let letters = |code: &str, length| code.len() == length && code.bytes().all(|b| b.is_ascii_lowercase());
    for pair in text.split([',', ' ']).map(str::trim).filter(|pair| !pair.is_empty()) {
        let (code, mosip) = pair.split_once('=').unwrap_or((pair, ""));
        if !letters(code, 2) || !letters(mosip, 3) {
            bail!(
                "`{pair}` is not a language; write its two letters and MOSIP's three: en=eng, fr=fra, ar=ara"
            );
        }
        if languages.iter().any(|(known, _)| known == code) {
            bail!("`{code}` is given twice");
        }
        languages.push((code.to_owned(), mosip.to_owned()));
    }
    if languages.is_empty() {
        bail!("at least one language is needed: en=eng");
    }
    Ok(languages)
}

pub(super) fn time_zone(text: &str) -> anyhow::Result<TimeZone> {
    TimeZone::get(text.trim())
        .ok()
        .filter(|zone| zone.iana_name().is_some())
        .ok_or_else(|| anyhow!("`{text}` is not a time zone; names look like Africa/Lusaka, or UTC"))
}

pub(super) fn opencrvs(text: &str) -> anyhow::Result<String> {
    match text.trim() {
        version @ ("1.9" | "2.0" | "2.1") => Ok(version.to_owned()),
        other => bail!("`{other}` is not a version that Civitas knows; it is 1.9, 2.0 or 2.1"),
    }
}

pub(super) fn operations(text: &str) -> anyhow::Result<Operations> {
    let mut operations = Operations { birth: false, correction: false, death: false };
    for word in text.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty()) {
        match word {
            "birth" => operations.birth = true,
            "correction" => operations.correction = true,
            "death" => operations.death = true,
            other => bail!("`{other}` is not one of birth, correction, death"),
        }
    }
    if !(operations.birth || operations.correction || operations.death) {
        bail!("at least one of birth, correction, death is needed");
    }
    Ok(operations)
}

pub(super) fn age_limit(text: &str) -> anyhow::Result<AgeLimit> {
    let wrong =
        || anyhow!("`{text}` is not an age; write a number and days, weeks, months or years: 10 years");
    let (count, unit) = text.trim().split_once(' ').ok_or_else(wrong)?;
    let (unit, most) = match unit.trim() {
        "day" | "days" => ("day", 9000),
        "week" | "weeks" => ("week", 7800),
        "month" | "months" => ("month", 1800),
        "year" | "years" => ("year", 150),
        _ => return Err(wrong()),
    };
    let count: i32 = count.parse().map_err(|_| wrong())?;
    if !(1..=most).contains(&count) {
        bail!("`{text}` is no age of a child");
    }
    Ok(AgeLimit { count, unit })
}

pub(super) fn known(text: &str) -> anyhow::Result<Known> {
    let words: Vec<String> = Known::value_variants()
        .iter()
        .filter_map(|known| known.to_possible_value().map(|value| value.get_name().to_owned()))
        .collect();
    Known::from_str(text.trim(), true).map_err(|_| anyhow!("`{text}` is not one of {}", words.join(", ")))
}
