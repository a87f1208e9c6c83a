//! The report as JUnit XML, as build servers read it: a suite for each file, a test case for each case.

use std::fmt::Write as _;

use civitas_rules::CaseFailure;

use super::Outcome;

pub(super) fn report(outcome: &Outcome) -> String {
    let mut suites: Vec<Suite> = Vec::new();
    for case in &outcome.cases.cases {
        let failure = outcome.cases.failures.iter().find(|failure| failure.name == case.name);
        let failure = failure.map(|failure| (headline(failure), details(failure)));
        let test = TestCase { name: case.name.clone(), failure };
        match suites.iter_mut().find(|suite| suite.name == case.file) {
            Some(suite) => suite.cases.push(test),
            None => suites.push(Suite { name: case.file.clone(), cases: vec![test] }),
        }
    }
    if let Some(report) = &outcome.mutation {
        let mut cases: Vec<TestCase> = report
            .survived
            .iter()
            .map(|mutant| TestCase {
                name: format!("{}:{} {}", mutant.file, mutant.line, mutant.what),
                failure: Some(("no case notices this change".to_owned(), mutant.diff())),
            })
            .collect();
        cases.push(TestCase { name: format!("{} changes noticed", report.killed), failure: None });
        suites.push(Suite { name: "mutation".to_owned(), cases });
    }
    written(&suites)
}

struct Suite {
    name: String,
    cases: Vec<TestCase>,
}

impl Suite {
    fn failures(&self) -> usize {
        self.cases.iter().filter(|case| case.failure.is_some()).count()
    }
}

struct TestCase {
    name: String,
    /// In one line, and in full.
    failure: Option<(String, String)>,
}

fn headline(failure: &CaseFailure) -> String {
    let parts: Vec<String> = failure
        .differences
        .iter()
        .map(|one| format!("{}: expected {}, found {}", one.what, one.expected, one.found))
        .collect();
    parts.join("; ")
}

fn details(failure: &CaseFailure) -> String {
    let mut text = format!("{}:{}\n", failure.file, failure.line);
    for one in &failure.differences {
        let _ = writeln!(text, "{}\n  expected  {}\n  found     {}", one.what, one.expected, one.found);
    }
    let _ = writeln!(text, "because: {}", failure.sentence);
    text
}

fn written(suites: &[Suite]) -> String {
    let tests: usize = suites.iter().map(|suite| suite.cases.len()).sum();
    let failures: usize = suites.iter().map(Suite::failures).sum();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        xml,
        "<testsuites name=\"civitas country test\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">"
    );
    for suite in suites {
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\">",
            escaped(&suite.name),
            suite.cases.len(),
            suite.failures()
        );
        let class = escaped(suite.name.trim_end_matches(".yaml"));
        for case in &suite.cases {
            let name = escaped(&case.name);
            match &case.failure {
                None => {
                    let _ = writeln!(xml, "    <testcase name=\"{name}\" classname=\"{class}\"/>");
                }
                Some((message, details)) => {
                    let _ = writeln!(
                        xml,
                        "    <testcase name=\"{name}\" classname=\"{class}\">\n      \
                         <failure message=\"{}\" type=\"difference\">{}</failure>\n    </testcase>",
                        escaped(message),
                        body(details)
                    );
                }
            }
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// A text for an attribute.
fn escaped(text: &str) -> String {
    body(text).replace('\n', "&#10;").replace('\t', "&#9;")
}

/// A text between tags; characters that XML 1.0 does not have become U+FFFD.
fn body(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' | '\t' => out.push(c),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_or_value_can_break_the_file() {
        let odd = "a <b> & \"c\" 'd'\n\u{1}]]>\t\u{ffff}é";
        let suite = Suite {
            name: odd.to_owned(),
            cases: vec![
                TestCase { name: odd.to_owned(), failure: Some((odd.to_owned(), odd.to_owned())) },
                TestCase { name: "fine".to_owned(), failure: None },
            ],
        };
        let odd = "a &lt;b&gt; &amp; &quot;c&quot; &apos;d&apos;&#10;\u{fffd}]]&gt;&#9;\u{fffd}é";
        let text = odd.replace("&#10;", "\n").replace("&#9;", "\t");
        let xml = written(&[suite]);
        let lines = [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_owned(),
            "<testsuites name=\"civitas country test\" tests=\"2\" failures=\"1\" errors=\"0\">".to_owned(),
            format!("  <testsuite name=\"{odd}\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\">"),
            format!("    <testcase name=\"{odd}\" classname=\"{odd}\">"),
            format!("      <failure message=\"{odd}\" type=\"difference\">{text}</failure>"),
            "    </testcase>".to_owned(),
            format!("    <testcase name=\"fine\" classname=\"{odd}\"/>"),
            "  </testsuite>\n</testsuites>\n".to_owned(),
        ];
        assert_eq!(xml, lines.join("\n"));
    }
}
