//! The HTTP surface, request by request, before an engine that can be made to fail.

mod api;
mod callback;
mod pages;
mod stage;
mod trigger;
