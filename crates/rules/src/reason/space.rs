//! Conditions as sets of cells, so that contradiction and implication can be computed.
//!
//! A *cube* says of some fields in which cells their values lie; a condition is true where one of
//! its cubes holds. In three values a condition has four faces, which are all needed: *not true*
//! is more than *false*.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;

use super::domain::{Cell, Domain};
use super::set::Set;
use crate::files::country::LeapBirthday;
use crate::reference::FieldRef;
use crate::term::{Term, Test};

/// A condition with more cubes than this is not reasoned about.
const MOST_CUBES: usize = 1024;

/// Which outcome of a condition is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    True,
    False,
    NotTrue,
    NotFalse,
}

impl Face {
    /// The face of a term whose negation has this one.
    fn negated(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::NotTrue => Self::NotFalse,
            Self::NotFalse => Self::NotTrue,
        }
    }
}

/// What is known about a record: the variables that are restricted, in order, and to which cells.
pub(super) type Cube = Vec<(usize, Set)>;

/// There are too many cubes; nothing is concluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// What a variable stands for.
#[derive(Clone, Debug)]
pub(super) enum Variable<'t> {
    /// The value that a field will have.
    Value(&'t FieldRef, Domain),
    /// Whether the action changes the field: cell 0 no, cell 1 yes.
    Change(&'t FieldRef),
}

/// If the value of `part` is there, `whole` is an object; if `part` changes, so does `whole`.
#[derive(Clone, Debug)]
struct Relation {
    part: usize,
    whole: usize,
    /// Cells of the part that say nothing about the whole.
    free: Set,
    /// Cells of the whole that the part needs otherwise.
    needed: Set,
}

/// The variables of the conditions of one event.
///
/// Tests and changed fields are known by their address: the same conditions are asked about very often.
#[derive(Debug)]
pub(super) struct Space<'t> {
    pub(super) variables: Vec<Variable<'t>>,
    /// Test → its variable, and the cells of each face.
    tests: HashMap<*const Test, (usize, Rc<[Set; 4]>)>,
    /// Changed field → its variable.
    changes: HashMap<*const FieldRef, usize>,
    relations: Vec<Relation>,
}

impl<'t> Space<'t> {
    /// The space of these conditions.
    pub(super) fn of(terms: impl IntoIterator<Item = &'t Term>, leap: LeapBirthday) -> Self {
        let mut asked = Asked::default();
        for term in terms {
            asked.collect(term);
        }
        let mut space = Self {
            variables: Vec::new(),
            tests: HashMap::new(),
            changes: HashMap::new(),
            relations: Vec::new(),
        };
        for (field, tests) in asked.tests {
            let number = space.variables.len();
            let domain = Domain::of(&tests, leap);
            let mut faces: HashMap<String, Rc<[Set; 4]>> = HashMap::new();
            for test in tests {
                // The same test may be written in many rules.
                let faces =
                    faces.entry(format!("{test:?}")).or_insert_with(|| Rc::new(faces_of(&domain, test)));
                space.tests.insert(std::ptr::from_ref(test), (number, Rc::clone(faces)));
            }
            space.variables.push(Variable::Value(field, domain));
        }
        for fields in asked.changed {
            let number = space.variables.len();
            space.changes.extend(fields.iter().map(|field| (std::ptr::from_ref(*field), number)));
            space.variables.extend(fields.first().map(|field| Variable::Change(field)));
        }
        space.relate();
        space
    }

    fn relate(&mut self) {
        for (part, a) in self.variables.iter().enumerate() {
            for (whole, b) in self.variables.iter().enumerate() {
                let relation = match (a, b) {
                    (Variable::Value(inner, cells), Variable::Value(outer, of)) if is_part(inner, outer) => {
                        Relation {
                            part,
                            whole,
                            free: Set::of(cells.cells.len(), |cell| {
                                matches!(cells.cells[cell], Cell::Absent)
                            }),
                            needed: Set::of(of.cells.len(), |cell| match &of.cells[cell] {
                                Cell::Anything => true,
                                Cell::Value(value) => value.is_object(),
                                _ => false,
                            }),
                        }
                    }
                    (Variable::Change(inner), Variable::Change(outer)) if is_part(inner, outer) => Relation {
                        part,
                        whole,
                        free: Set::of(2, |cell| cell == 0),
                        needed: Set::of(2, |cell| cell == 1),
                    },
                    _ => continue,
                };
                self.relations.push(relation);
            }
        }
    }

    /// The cubes in which the condition has this face; `without` is left out of its list.
    pub(super) fn cubes(
        &self,
        term: &Term,
        face: Face,
        without: &[*const Term],
    ) -> Result<Vec<Cube>, TooMany> {
        match (term, face) {
            (Term::Not(inner), _) => self.cubes(inner, face.negated(), without),
            (Term::Named { term, .. }, _) => self.cubes(term, face, without),
            (Term::All(terms), Face::True | Face::NotFalse)
            | (Term::Any(terms), Face::False | Face::NotTrue) => {
                let mut all = vec![Cube::new()];
                for term in kept(terms, without) {
                    all = self.both(&all, &self.cubes(term, face, without)?)?;
                }
                Ok(all)
            }
            (Term::All(terms) | Term::Any(terms), _) => {
                let mut all = Vec::new();
                for term in kept(terms, without) {
                    all.extend(self.cubes(term, face, without)?);
                }
                bounded(tidy(all))
            }
            (Term::Changed { fields, .. }, Face::True | Face::NotFalse) => {
                Ok(fields.iter().filter_map(|field| self.change(field, true)).collect())
            }
            (Term::Changed { fields, .. }, Face::False | Face::NotTrue) => {
                let mut all = vec![Cube::new()];
                for cube in fields.iter().filter_map(|field| self.change(field, false)) {
                    all = self.both(&all, &[cube])?;
                }
                Ok(all)
            }
            (Term::Test { test, .. }, _) => {
                let Some((variable, faces)) = self.tests.get(&std::ptr::from_ref(test)) else {
                    return Err(TooMany);
                };
                let set = &faces[face as usize];
                Ok(if set.is_empty() { Vec::new() } else { vec![vec![(*variable, set.clone())]] })
            }
        }
    }

    fn change(&self, field: &FieldRef, changes: bool) -> Option<Cube> {
        let variable = *self.changes.get(&std::ptr::from_ref(field))?;
        Some(vec![(variable, Set::of(2, |cell| (cell == 1) == changes))])
    }

    /// The cubes that lie in one of either.
    pub(super) fn both(&self, a: &[Cube], b: &[Cube]) -> Result<Vec<Cube>, TooMany> {
        let mut all = Vec::new();
        for left in a {
            for right in b {
                if let Some(cube) = self.meet(left, right) {
                    all.push(cube);
                    if all.len() > 4 * MOST_CUBES {
                        return Err(TooMany);
                    }
                }
            }
        }
        bounded(tidy(all))
    }

    /// What is in both cubes; none if nothing is.
    pub(super) fn meet(&self, one: &Cube, other: &Cube) -> Option<Cube> {
        // Most pairs have a variable on which they differ: look before anything is copied.
        if are_apart(one, other) {
            return None;
        }
        let (mut left, mut right) = (one.iter().peekable(), other.iter().peekable());
        let mut cube = Cube::with_capacity(one.len() + other.len());
        loop {
            let order = match (left.peek(), right.peek()) {
                (Some((mine, _)), Some((theirs, _))) => mine.cmp(theirs),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            match order {
                Ordering::Less => cube.extend(left.next().cloned()),
                Ordering::Greater => cube.extend(right.next().cloned()),
                Ordering::Equal => {
                    let both = left.next().zip(right.next());
                    cube.extend(both.map(|((variable, mine), (_, theirs))| (*variable, mine.meet(theirs))));
                }
            }
        }
        self.settle(cube)
    }

    /// Draws what follows from parts about wholes and back.
    fn settle(&self, mut cube: Cube) -> Option<Cube> {
        let mut again = !self.relations.is_empty();
        while again {
            again = false;
            for relation in &self.relations {
                let place = |cube: &Cube, variable| cube.iter().position(|(other, _)| *other == variable);
                let Some(part) = place(&cube, relation.part) else { continue };
                let Some(whole) = place(&cube, relation.whole) else { continue };
                let (there, fits) =
                    (!cube[part].1.meets(&relation.free), cube[whole].1.meets(&relation.needed));
                let (spot, narrowed) = if there {
                    (whole, cube[whole].1.meet(&relation.needed))
                } else if !fits {
                    (part, cube[part].1.meet(&relation.free))
                } else {
                    continue;
                };
                if narrowed.is_empty() {
                    return None;
                }
                again |= narrowed != cube[spot].1;
                cube[spot].1 = narrowed;
            }
        }
        Some(cube)
    }
}

/// Whether there is a variable for which the two leave no cell.
fn are_apart(one: &Cube, other: &Cube) -> bool {
    let (mut left, mut right) = (one.iter().peekable(), other.iter().peekable());
    while let (Some((mine, cells)), Some((theirs, others))) = (left.peek(), right.peek()) {
        match mine.cmp(theirs) {
            Ordering::Less => _ = left.next(),
            Ordering::Greater => _ = right.next(),
            Ordering::Equal => {
                if !cells.meets(others) {
                    return true;
                }
                left.next();
                right.next();
            }
        }
    }
    false
}

fn kept<'t>(terms: &'t [Term], without: &[*const Term]) -> impl Iterator<Item = &'t Term> {
    terms.iter().filter(|term| !without.contains(&std::ptr::from_ref(*term)))
}

fn bounded(cubes: Vec<Cube>) -> Result<Vec<Cube>, TooMany> {
    if cubes.len() > MOST_CUBES { Err(TooMany) } else { Ok(cubes) }
}

/// Repeated cubes and those that lie in another one say nothing more.
fn tidy(mut cubes: Vec<Cube>) -> Vec<Cube> {
    if cubes.len() > 256 {
        return cubes;
    }
    cubes.sort_by_key(Vec::len);
    let mut kept: Vec<Cube> = Vec::with_capacity(cubes.len());
    for cube in cubes {
        if !kept.iter().any(|wider| lies_in(&cube, wider)) {
            kept.push(cube);
        }
    }
    kept
}

fn lies_in(cube: &Cube, wider: &Cube) -> bool {
    wider.iter().all(|(variable, set)| {
        cube.iter().any(|(other, inner)| other == variable && inner.meet(set) == *inner)
    })
}

fn is_part(inner: &FieldRef, outer: &FieldRef) -> bool {
    inner.field == outer.field
        && inner.parts.len() > outer.parts.len()
        && inner.parts.starts_with(&outer.parts)
}

fn faces_of(domain: &Domain, test: &Test) -> [Set; 4] {
    let outcomes: Vec<_> = domain.cells.iter().map(|cell| domain.outcomes(cell, test)).collect();
    [
        Set::of(outcomes.len(), |cell| outcomes[cell].holds),
        Set::of(outcomes.len(), |cell| outcomes[cell].fails),
        Set::of(outcomes.len(), |cell| outcomes[cell].fails || outcomes[cell].unknown),
        Set::of(outcomes.len(), |cell| outcomes[cell].holds || outcomes[cell].unknown),
    ]
}

/// What conditions ask about: each field once, in the order of its first use.
#[derive(Default)]
struct Asked<'t> {
    tests: Vec<(&'t FieldRef, Vec<&'t Test>)>,
    changed: Vec<Vec<&'t FieldRef>>,
    /// Name of a field → its place in the list above.
    tested: HashMap<String, usize>,
}

impl<'t> Asked<'t> {
    fn collect(&mut self, term: &'t Term) {
        match term {
            Term::All(terms) | Term::Any(terms) => terms.iter().for_each(|term| self.collect(term)),
            Term::Not(term) | Term::Named { term, .. } => self.collect(term),
            Term::Changed { fields, .. } => {
                for field in fields {
                    let known =
                        self.changed.iter_mut().find(|known| known.iter().all(|known| *known == field));
                    match known {
                        Some(known) => known.push(field),
                        None => self.changed.push(vec![field]),
                    }
                }
            }
            Term::Test { field, test } => {
                let place = *self.tested.entry(field.to_string()).or_insert(self.tests.len());
                match self.tests.get_mut(place) {
                    Some((_, known)) => known.push(test),
                    None => self.tests.push((field, vec![test])),
                }
            }
        }
    }
}
