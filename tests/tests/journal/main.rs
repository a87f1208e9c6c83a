//! The journal on both databases: what is listed in `both!` runs on a SQLite file and on a
//! PostgreSQL server.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod place;
mod rows;

mod audit;
mod durability;
mod lanes;
mod once;
mod sealing;
mod work;

/// Runs each named test on both databases.
macro_rules! both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(&crate::place::Place::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(&crate::place::Place::postgres()).await;
            })+
        }
    };
}
pub(crate) use both;
