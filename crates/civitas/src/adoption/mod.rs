//! What a country brings along from the mediator before: its environment, and what each variable becomes here.

pub mod environment;
pub mod translation;
pub mod variables;
