/**
 * The workqueue of records that wait for MOSIP. The one that OpenCRVS's reference ships lists registrations only, so
 * that a UIN which a correction asked for waits unseen.
 */

/** The flags of a record that waits for an answer. */
export const WAITING_FLAGS = ['register:requested', 'approve_correction:requested'] as const

/**
 * The definition, as `defineWorkqueues` takes one. `location` is the country's own term for "of the user's office",
 * `{ type: 'within', location: user('primaryOfficeId') }` in the reference. Roles see it whose `workqueue` scope lists
 * the slug.
 */
export function inExternalValidation<Location>(location: Location) {
  return {
    slug: 'in-external-validation',
    icon: 'FileClock',
    name: {
      id: 'workqueues.inExternalValidation.title',
      defaultMessage: 'In external validation',
      description: 'Title of the workqueue of records that wait for the national ID system'
    },
    query: {
      type: 'or',
      clauses: [{ flags: { anyOf: [...WAITING_FLAGS] }, updatedAtLocation: location }]
    },
    actions: [{ type: 'DEFAULT', conditionals: [] }]
  } as const
}
