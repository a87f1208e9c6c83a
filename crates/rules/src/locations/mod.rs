//! The country's places: from the id that a form holds to the name or code that MOSIP wants.
//!
//! `locations.csv` is the one file of a pack that is a table: a country has up to some ten thousands of
//! places, they come out of OpenCRVS or a spreadsheet, and a row is what changes. They are read once,
//! names lie in one text, and the compiled pack is shared.

pub(crate) mod import;
mod read;
mod table;

use std::collections::HashMap;

pub(crate) use read::compile;

/// The file's name in a pack.
pub(crate) const FILE: &str = "locations.csv";

/// Levels that every country has below its own: places that are no areas.
pub(crate) const BUILDINGS: [&str; 2] = ["facility", "office"];

/// No place.
const NOWHERE: u32 = u32::MAX;

/// A stretch of [`Locations::text`].
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    from: u32,
    to: u32,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    level: u8,
    part_of: u32,
}

/// What is asked of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Its code.
    Code,
    /// Its name in the language with this index in country.yaml.
    Name(usize),
}

/// The list of a pack, as packets are compiled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum List<'a> {
    /// The pack has no such file.
    Missing,
    /// The file cannot be read, which was reported.
    Broken,
    /// The places.
    Of(&'a Locations),
}

/// Why a place gives nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// The list does not have the id.
    Unknown,
    /// The place lies in nothing of the level that is asked for.
    NoSuchLevel,
    /// It has no code.
    NoCode,
}

/// Every place of the country.
#[derive(Debug, Default)]
pub(crate) struct Locations {
    levels: Vec<String>,
    languages: usize,
    ids: HashMap<Box<str>, u32>,
    places: Vec<Place>,
    /// Per place: its code, then its name in each language.
    cells: Vec<Cell>,
    text: String,
    /// The table with its rows and columns in order: what the digest is taken of and the archive keeps.
    pub(crate) canonical: String,
}

impl Locations {
    /// Number of places.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// The levels from the top, those for buildings included.
    pub(crate) fn levels(&self) -> impl Iterator<Item = &str> {
        self.levels.iter().map(String::as_str)
    }

    pub(crate) fn level(&self, name: &str) -> Option<u8> {
        let index = self.levels.iter().position(|level| level == name)?;
        u8::try_from(index).ok()
    }

    /// Name or code of the place of `level` that the place `id` is or lies in.
    pub(crate) fn find(&self, id: &str, level: u8, wanted: Wanted) -> Result<&str, NoPlace> {
        let mut index = *self.ids.get(id).ok_or(NoPlace::Unknown)?;
        loop {
            let place = self.at(index).ok_or(NoPlace::NoSuchLevel)?;
            if place.level == level {
                break;
            }
            // A parent always stands above, so that this ends.
            index = place.part_of;
        }
        let offset = match wanted {
            Wanted::Code => 0,
            Wanted::Name(language) => 1 + language,
        };
        let text = self.cell(index, offset).unwrap_or_default();
        if text.is_empty() { Err(NoPlace::NoCode) } else { Ok(text) }
    }

    /// How many places of `level` have no code.
    pub(crate) fn without_code(&self, level: u8) -> usize {
        (0..)
            .zip(&self.places)
            .filter(|(index, place)| place.level == level && self.cell(*index, 0).is_none_or(str::is_empty))
            .count()
    }

    fn at(&self, index: u32) -> Option<&Place> {
        self.places.get(usize::try_from(index).ok()?)
    }

    fn cell(&self, index: u32, offset: usize) -> Option<&str> {
        let row = usize::try_from(index).ok()? * (1 + self.languages);
        let cell = self.cells.get(row + offset)?;
        self.text.get(usize::try_from(cell.from).ok()?..usize::try_from(cell.to).ok()?)
    }
}
