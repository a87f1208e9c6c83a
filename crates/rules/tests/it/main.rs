//! The pack from outside: what loads, what is refused and how that reads, what is promised.

#[cfg(test)]
mod common;
#[cfg(test)]
mod compare;
#[cfg(test)]
mod diagnostics;
#[cfg(test)]
mod farajaland;
#[cfg(test)]
mod packs;
