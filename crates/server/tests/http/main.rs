//! The HTTP surface, request by request, before an engine that can be made to fail.

#[cfg(test)]
mod api;
#[cfg(test)]
mod callback;
#[cfg(test)]
mod compat;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod pack;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod reindex;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod trigger;
