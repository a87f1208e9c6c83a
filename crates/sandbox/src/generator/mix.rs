//! In which proportions.

/// Proportions of the stream. The default is the planning figures' ratio of
/// births to deaths, and guesses for the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix {
    /// Share of births: 1,358,989 of 2,060,873 a year.
    pub births: f64,
    /// Share of births that are corrected later.
    pub corrected: f64,
    /// Share of deaths whose record has a VID.
    pub deaths_with_nid: f64,
    /// Share of births without a date of birth, and of those of unknown gender.
    pub awkward: f64,
    /// Whether some children are born within a day of the ten-year limit.
    pub edges: bool,
}

impl Default for Mix {
    fn default() -> Self {
        Self { births: 0.66, corrected: 0.15, deaths_with_nid: 0.6, awkward: 0.005, edges: true }
    }
}

impl Mix {
    /// Nothing that depends on how a pack treats the unknown: what is expected
    /// of every record is certain.
    pub fn certain() -> Self {
        Self { awkward: 0.0, edges: false, ..Self::default() }
    }

    /// Births only, for benches of the create-UIN loop.
    pub fn births() -> Self {
        Self { births: 1.0, corrected: 0.0, ..Self::certain() }
    }
}
