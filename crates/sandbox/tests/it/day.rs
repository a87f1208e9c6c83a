//! A whole day against a country config that accepts everything.

use crate::stage::{Time, country_config, start};
use civitas_sandbox::SandboxOptions;
use civitas_sandbox::generator::{Day, Generator, Mix, Population, play};

#[tokio::test]
async fn a_day_of_a_hundred_records() {
    let mut options = SandboxOptions::instant(9);
    options.speed = 1e6;
    let time = Time::new();
    let sandbox = start(options, &time).await;
    // Every click waits for external validation, so every record ends frozen at its first step.
    let config = country_config(&[(202, "")]).await;
    sandbox.opencrvs().set_country_config(&config.url);
    let generator = Generator::new(9, Mix::default(), Population::new(9, 200));
    let mut day = Day::of(100);
    day.patience = 0;
    let report = play(sandbox.opencrvs(), &generator, &day).await;
    assert_eq!(report.records.len(), 100);
    assert_eq!(report.clicks["DECLARE awaiting"], 100, "{:?}", report.clicks);
    let ledger = sandbox.ledger(false);
    assert_eq!(ledger["opencrvs"]["frozen"], 100);
    assert_eq!(ledger["opencrvs"]["by_record"].as_object().unwrap().len(), 100);
    assert_eq!(ledger["opencrvs"]["trigger_replies"]["DECLARE 202"], 100);
    let text = ledger.to_string();
    for (_, record) in report.records {
        let document = sandbox.opencrvs().document(record).unwrap();
        let name =
            document.actions.iter().find_map(|action| action.declaration.get("informant.email").cloned());
        let email = name.unwrap();
        assert!(!text.contains(email.as_str().unwrap()), "the ledger holds no personal data");
    }
}

#[tokio::test]
async fn documents_can_be_imported_and_confirmed() {
    let time = Time::new();
    let sandbox = start(SandboxOptions::instant(9), &time).await;
    let generator = Generator::new(9, Mix::certain(), sandbox.population());
    let now = time.now();
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    for index in 0..200 {
        let made = generator.document(&generator.life(index, today), now, None);
        let (id, pending) = (made.document.id, made.action_id);
        assert!(sandbox.opencrvs().import(made.document));
        assert_eq!(sandbox.opencrvs().pending(id)[0].id, pending);
    }
    assert_eq!(sandbox.opencrvs().records().len(), 200);
}
