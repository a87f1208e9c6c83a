//! The one binary.
mod config;
fn main() { let l = config::Layers::of_process(None); match config::load(&l) { Ok(c) => println!("{c:?}"), Err(e) => println!("{e}") } println!("{:?}", config::show(&l).is_ok()); }
