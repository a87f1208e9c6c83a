/**
 * Registers Civitas as an integration client of OpenCRVS (2.0 and later), when the system says that it is ready.
 *
 * The secret is shown once and never again: whoever keeps it must have it before this returns. Where it is kept
 * already, nothing is asked, so that the hook may come any number of times.
 */

/** What OpenCRVS makes. */
export interface Client {
  readonly clientId: string
  readonly clientSecret: string
}

/** Where OpenCRVS is, and where the client is kept. */
export interface Registration {
  /** Base of the events service: `http://events:5555`, or `http://gateway:7070/events`. */
  readonly eventsUrl: string
  /** Event types whose records Civitas answers. */
  readonly events: ReadonlyArray<string>
  /** The custom action by which histories are noted (`note.ts`), where the pack names one. */
  readonly noteAction?: string
  /** Whether a client is kept already. */
  isKept(): Promise<boolean>
  /** Keeps it, durably: a file of mode 0600, a secret of the orchestrator. */
  keep(client: Client): Promise<void>
  readonly fetch?: typeof fetch
}

/** What Civitas does with records: answers registrations and corrections, reads, searches. */
export const SCOPES = ['record.register', 'record.correct', 'record.read', 'record.search'] as const

/** Scopes in the form of 2.0. */
export function scopesFor(events: ReadonlyArray<string>, noteAction?: string): string[] {
  const scopes = SCOPES.map((scope) => `type=${scope}&event=${events.join(',')}`)
  if (noteAction !== undefined) {
    scopes.push(`type=record.custom-action&event=${events.join(',')}&customActionTypes=${noteAction}`)
  }
  return scopes
}

/** Registers the client once. `authorization` is the header of `GET /triggers/system/ready`. */
export async function register(
  { eventsUrl, events, noteAction, isKept, keep, fetch: send = fetch }: Registration,
  authorization: string
): Promise<'kept before' | 'registered'> {
  if (await isKept()) {
    return 'kept before'
  }
  const response = await send(`${eventsUrl.replace(/\/+$/, '')}/integrations`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: authorization },
    body: JSON.stringify({ name: 'Civitas', scopes: scopesFor(events, noteAction) })
  })
  if (!response.ok) {
    throw new Error(`OpenCRVS did not make the integration client: ${response.status}`)
  }
  const made: Partial<Client> = await response.json()
  if (typeof made.clientId !== 'string' || typeof made.clientSecret !== 'string') {
    throw new Error('OpenCRVS made an integration client and did not tell its id and secret')
  }
  await keep({ clientId: made.clientId, clientSecret: made.clientSecret })
  return 'registered'
}
