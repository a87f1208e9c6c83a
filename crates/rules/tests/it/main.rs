//! The pack from outside: what loads, what is refused and how that reads, what is promised.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod common;
#[cfg(test)]
mod compare;
#[cfg(test)]
mod diagnostics;
#[cfg(test)]
mod farajaland;
#[cfg(test)]
mod import;
#[cfg(test)]
mod language;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod louloua;
#[cfg(test)]
mod mapped;
#[cfg(test)]
mod mutation;
#[cfg(test)]
mod packs;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod reasoning;
#[cfg(test)]
mod schemas;
#[cfg(test)]
mod shipped;
#[cfg(test)]
mod slips;
#[cfg(test)]
mod writes;
