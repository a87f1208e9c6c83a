//! One record's life: what is declared, what is corrected later, and what the
//! shipped rules should make of it.

use super::people::Standing;
use crate::opencrvs::Declaration;

/// What a country with the Phase 3 rules expects of a click. Worked out here
/// from how the record was drawn, not by the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Expected {
    /// A UIN, and the record awaits it.
    CreateUin,
    /// A biographic update, if the record has got its number by then.
    UpdateBiographics,
    /// The person is flagged as deceased.
    FlagDeceased,
    /// Nothing is sent.
    Nothing,
    /// On the edge, or a field that the rule needs is missing: the pack decides.
    Unclear,
}

/// A correction.
#[derive(Debug, Clone)]
pub struct Correction {
    /// Changed fields; null erases.
    pub declaration: Declaration,
    /// The correction form.
    pub annotation: Declaration,
    /// What its approval should cause.
    pub expected: Expected,
}

/// One record from declaration to its last correction.
#[derive(Debug, Clone)]
pub struct Life {
    /// Its place in the stream.
    pub index: u64,
    /// `birth` or `death`.
    pub event: &'static str,
    /// The declaration as filled in.
    pub declaration: Declaration,
    /// The review form.
    pub annotation: Declaration,
    /// Fields that the registrar changes on registering; mostly none.
    pub on_register: Declaration,
    /// What the registration should cause.
    pub expected: Expected,
    /// A later correction, for some.
    pub correction: Option<Correction>,
    /// How the parents (birth) or spouse (death) stand.
    pub standings: Vec<Standing>,
    /// VID of the deceased, where there is one on record.
    pub subject: Option<String>,
}
