//! Moves of different operations, recorded together.

use std::{collections::HashSet, sync::Arc};

use civitas_journal::{JournalError, Tx, operations::Operation};

use crate::{
    Engine,
    moves::{self, Move},
    together::Batched,
};

/// An operation that is to be moved.
pub(crate) struct Moving {
    pub(crate) operation: Operation,
    pub(crate) step: Move,
}

impl Batched for Moving {
    /// The operation after its move; `None`: somebody else moved it meanwhile.
    type Outcome = Option<Operation>;

    async fn record(
        engine: &Engine,
        tx: &mut Tx,
        work: &[Arc<Self>],
    ) -> Result<Vec<Self::Outcome>, JournalError> {
        let mut named = HashSet::new();
        let mut steps = Vec::with_capacity(work.len());
        for moving in work {
            let Moving { operation, step } = &**moving;
            // A second move of the same operation comes too late: the first is in this transaction.
            let step = if named.insert(operation.key) {
                Some(engine.worded(tx, operation, step.clone()).await?)
            } else {
                None
            };
            steps.push((operation, step));
        }
        let first: Vec<(&Operation, &Move)> =
            steps.iter().filter_map(|(operation, step)| Some((*operation, step.as_ref()?))).collect();
        let mut moved = moves::apply_all(tx, &first, engine.now()).await?.into_iter();
        Ok(steps.iter().map(|(_, step)| step.as_ref().and_then(|_| moved.next().flatten())).collect())
    }
}
