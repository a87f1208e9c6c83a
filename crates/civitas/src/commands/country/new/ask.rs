//! Questions on a terminal, for what no flag says.

use std::io::{BufRead, Write};

use anyhow::{Context as _, bail};

use super::answers::{self, Answers, Flags};

/// Asks what the flags leave open. An answer that cannot be used is asked for again, with the reason.
pub(super) fn ask(flags: &Flags, input: &mut dyn BufRead, output: &mut dyn Write) -> anyhow::Result<Answers> {
    let mut questions = Questions { input, output };
    questions.say("A few questions; Enter takes what stands in brackets.\n")?;
    let code = questions.answer(
        "Country code as the forms use it, for example FAR",
        None,
        flags.code.clone(),
        answers::code,
    )?;
    let languages = questions.answer(
        "Languages, each with MOSIP's code, the country's own first",
        Some("en=eng"),
        given(&flags.language),
        answers::languages,
    )?;
    let names = if flags.name.is_empty() {
        let mut names = Vec::new();
        for (language, _) in &languages {
            let question = format!("Name of the country in `{language}`");
            let prefixed = |text: &str| answers::names(&[format!("{language}={text}")], &languages);
            names.extend(questions.answer(&question, None, None, prefixed)?);
        }
        names
    } else {
        answers::names(&flags.name, &languages).context("--name")?
    };
    let time_zone =
        questions.answer("Time zone", Some("UTC"), flags.time_zone.clone(), answers::time_zone)?;
    let opencrvs = questions.answer(
        "OpenCRVS version: 1.9, 2.0 or 2.1",
        Some("2.0"),
        flags.opencrvs.clone(),
        answers::opencrvs,
    )?;
    let operations = questions.answer(
        "What MOSIP is told of: birth, correction, death",
        Some("birth,correction,death"),
        given(&flags.operation),
        answers::operations,
    )?;
    let mut age_limit = answers::age_limit("10 years")?;
    if operations.birth || operations.correction {
        age_limit = questions.answer(
            "Up to which age a child gets an identity from a registration",
            Some("10 years"),
            flags.age_limit.clone(),
            answers::age_limit,
        )?;
    }
    let mut known = flags.known.unwrap_or_default();
    if operations.birth && flags.known.is_none() {
        known = questions.answer(
            "Who must be known: a-parent, both-parents, the-mother, the-informant or nobody",
            Some("a-parent"),
            None,
            answers::known,
        )?;
    }
    Ok(Answers { code, names, languages, time_zone, opencrvs, operations, age_limit, known })
}

fn given(texts: &[String]) -> Option<String> {
    (!texts.is_empty()).then(|| texts.join(","))
}

struct Questions<'a> {
    input: &'a mut dyn BufRead,
    output: &'a mut dyn Write,
}

impl Questions<'_> {
    fn say(&mut self, text: &str) -> anyhow::Result<()> {
        writeln!(self.output, "{text}").context("cannot write to the terminal")
    }

    fn answer<T>(
        &mut self,
        question: &str,
        default: Option<&str>,
        flag: Option<String>,
        read: impl Fn(&str) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        if let Some(flag) = flag {
            return read(&flag);
        }
        loop {
            let hint = default.map(|default| format!(" [{default}]")).unwrap_or_default();
            write!(self.output, "{question}{hint}: ")
                .and_then(|()| self.output.flush())
                .context("cannot write to the terminal")?;
            let mut line = String::new();
            if self.input.read_line(&mut line).context("cannot read the answer")? == 0 {
                bail!("no answer to “{question}”; nothing was written");
            }
            let answer = line.trim();
            match (answer.is_empty(), default) {
                (true, Some(default)) => return read(default),
                (true, None) => self.say("  this one has no default")?,
                (false, _) => match read(answer) {
                    Ok(value) => return Ok(value),
                    Err(reason) => self.say(&format!("  {reason}"))?,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk(flags: &Flags, answers: &str) -> (anyhow::Result<Answers>, String) {
        let mut said = Vec::new();
        let result = ask(flags, &mut answers.as_bytes(), &mut said);
        (result, String::from_utf8(said).unwrap())
    }

    #[test]
    fn enter_takes_the_default_and_a_wrong_answer_is_asked_again() {
        let (answers, said) = talk(
            &Flags::default(),
            "farajaland\nfar\n\nFarajaland\nAfrica/Lusaca\nAfrica/Lusaka\n\n\nten\n5 years\n\n",
        );
        let answers = answers.unwrap();
        assert_eq!(answers.code, "FAR");
        assert_eq!(answers.names, [(Some("en".to_owned()), "Farajaland".to_owned())]);
        assert_eq!(answers.time_zone.iana_name(), Some("Africa/Lusaka"));
        assert_eq!(answers.age_limit.count, 5);
        for reason in [
            "`farajaland` is not a country code",
            "`Africa/Lusaca` is not a time zone",
            "`ten` is not an age",
        ] {
            assert!(said.contains(reason), "{said}");
        }
    }

    #[test]
    fn what_a_flag_says_is_not_asked() {
        let flags = Flags {
            code: Some("FAR".into()),
            language: vec!["fr=fra".into()],
            operation: vec!["death".into()],
            ..Flags::default()
        };
        let (answers, said) = talk(&flags, "Farajaland\n\n\n");
        assert!(answers.unwrap().operations.death);
        for unasked in ["code", "Languages", "told of", "age", "known"] {
            assert!(!said.contains(unasked), "{said}");
        }
    }

    #[test]
    fn an_end_of_input_is_no_answer() {
        let (answers, _) = talk(&Flags::default(), "FAR\n");
        assert!(answers.unwrap_err().to_string().contains("nothing was written"));
    }
}
