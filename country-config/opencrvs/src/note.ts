/**
 * The custom action by which Civitas notes in a record's history what became of an operation that the record did not
 * wait for, such as "National ID notified of death" (2.0 and later).
 */

/** The field of the dialog that shows a note; `history.annotation` of the pack's country.yaml. */
export const NOTE_FIELD = 'civitas.message'

function text(id: string, defaultMessage: string, description: string) {
  return { id, defaultMessage, description } as const
}

/**
 * The definition, for the `actions` of each event configuration whose records shall show notes. `customActionType` is
 * `history.custom_action` of the pack's country.yaml. No role needs a scope for it: only the integration client performs
 * it.
 */
export function nationalIdNote(customActionType: string) {
  const label = text('civitas.note.label', 'National ID', 'The line of the history that says what became of it')
  return {
    type: 'CUSTOM',
    customActionType,
    label,
    auditHistoryLabel: label,
    form: [{ id: NOTE_FIELD, type: 'TEXT', label: text('civitas.note.message', 'Message', 'What the pack says of it') }]
  } as const
}
