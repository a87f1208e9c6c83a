/**
 * Forwards OpenCRVS's triggers to Civitas.
 *
 * OpenCRVS posts once, inside the registrar's click, and understands 200, 202 and 400. Any other answer leaves the
 * record frozen, so that nothing else ever leaves this handler: what goes wrong on the way to Civitas is a 400, from
 * which the registrar can go on.
 */

/** What the handler reads of a request; hapi's `Request` fits. */
export interface TriggerRequest {
  readonly params: { readonly [name: string]: unknown }
  readonly headers: { readonly [name: string]: string | string[] | undefined }
  readonly payload: unknown
}

/** What the handler answers with; hapi's `ResponseToolkit` fits. */
export interface Toolkit<Reply> {
  response(body: object): { code(status: number): Reply }
}

/** The answer to a trigger. */
export interface Answer {
  readonly status: 200 | 202 | 400
  readonly body: object
}

/** Where Civitas is, and how long it is waited for. */
export interface Options {
  /** `http://civitas:7080` */
  readonly url: string
  /** Milliseconds; below the time-out of what stands before the country configuration. Default: 10 s. */
  readonly timeout?: number
  /** The HTTP client. Default: the runtime's. */
  readonly fetch?: typeof fetch
}

const UNDERSTOOD: ReadonlyArray<number> = [200, 202, 400]

/** Forwards one trigger, bytes and token as they are. */
export async function forward(
  { url, timeout = 10_000, fetch: send = fetch }: Options,
  event: string,
  action: string,
  authorization: string | undefined,
  payload: unknown
): Promise<Answer> {
  const path = `trigger/events/${encodeURIComponent(event)}/actions/${encodeURIComponent(action)}`
  const { signal, stop } = within(timeout)
  try {
    const response = await send(`${url.replace(/\/+$/, '')}/${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(authorization && { Authorization: authorization }) },
      body: typeof payload === 'string' ? payload : JSON.stringify(payload),
      signal
    })
    const body: unknown = await response.json()
    if (UNDERSTOOD.includes(response.status) && typeof body === 'object' && body !== null) {
      return { status: response.status as Answer['status'], body }
    }
    return refused(`Civitas answered ${response.status}`)
  } catch {
    // The cause may quote an address; the registrar needs none of it.
    return refused('Civitas could not be reached in time')
  } finally {
    stop()
  }
}

/** A signal that ends a call after some milliseconds, and what takes it back. */
function within(milliseconds: number) {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), milliseconds)
  return { signal: controller.signal, stop: () => clearTimeout(timer) }
}

function refused(reason: string): Answer {
  return { status: 400, body: { reason } }
}

/** The handler of `POST /trigger/events/{event}/actions/{action}`. */
export function triggerHandler(options: Options) {
  return async <Reply>(request: TriggerRequest, h: Toolkit<Reply>): Promise<Reply> => {
    const { event, action } = request.params
    const token = request.headers['authorization']
    const answer = await forward(
      options,
      String(event),
      String(action),
      typeof token === 'string' ? token : undefined,
      request.payload
    )
    return h.response(answer.body).code(answer.status)
  }
}

/**
 * The handler of `POST /reindex`, for as long as a back-fill is prepared: the batch goes to Civitas as well. OpenCRVS
 * repeats a batch that is not answered well, and gives the run up after five attempts.
 */
export function reindexHandler({ url, timeout = 60_000, fetch: send = fetch }: Options) {
  return async <Reply>(request: TriggerRequest, h: Toolkit<Reply>): Promise<Reply> => {
    const token = request.headers['authorization']
    const { signal, stop } = within(timeout)
    try {
      const response = await send(`${url.replace(/\/+$/, '')}/reindex`, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          ...(typeof token === 'string' && { Authorization: token })
        },
        body: JSON.stringify(request.payload),
        signal
      })
      return h.response({}).code(response.ok ? 200 : 502)
    } catch {
      return h.response({}).code(502)
    } finally {
      stop()
    }
  }
}
