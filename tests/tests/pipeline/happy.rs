//! A day without trouble.

use civitas_sandbox::generator::{Day, Generator, Mix, play};
use civitas_tests::stack::Stack;

#[tokio::test(flavor = "multi_thread")]
async fn a_small_day_ends_with_every_record_closed_and_every_child_known() {
    let stack = Stack::start().await;
    stack.subscribed().await;
    let mut day = Day::of(40);
    day.hours = std::time::Duration::from_secs(4);
    let generator = Generator::new(stack.sandbox.seed(), Mix::default(), stack.sandbox.population());
    let report = play(stack.sandbox.opencrvs(), &generator, &day).await;
    stack.settled().await;
    println!("{report:?}");
    println!("{}", serde_json::to_string_pretty(&stack.sandbox.ledger(true)).unwrap());
    println!("{:?}", stack.engine.queue().overview(5).await.unwrap());
    assert_eq!(stack.sandbox.violations(), Vec::<String>::new());
    stack.stop().await;
}
