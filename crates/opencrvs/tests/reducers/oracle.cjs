// What OpenCRVS's own reducers say about action logs.
//
//   node oracle.cjs reducers.cjs 2.0 < logs.jsonl > 2.0.bin      four bytes of SHA-256 per log
//   node oracle.cjs reducers.cjs 2.0 --text < logs.jsonl         the lines themselves
//
// `reducers.cjs` is @opencrvs/commons/events as one module, which is not part of this project: see README.md.
const { createHash } = require('node:crypto')
const readline = require('node:readline')
const path = require('node:path')

const [bundle, version, ...flags] = process.argv.slice(2)
const reducers = require(path.resolve(bundle))
const configuration = { id: 'birth', actions: [], flags: [] }

function sorted(value) {
  if (Array.isArray(value)) return `[${value.map(sorted).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  // By code point, as UTF-8 sorts; the keys here are ASCII.
  const members = Object.keys(value).sort((a, b) => (a < b ? -1 : 1))
  return `{${members.map((key) => `${JSON.stringify(key)}:${sorted(value[key])}`).join(',')}}`
}

const declarationOf = (event) => reducers.deepDropNulls(reducers.aggregateActionDeclarations(event))

function pendingOf(actions) {
  try {
    return reducers.getPendingAction(actions)
  } catch (error) {
    return error.message.endsWith('but found ') ? 'none' : 'several'
  }
}

// The record once the pending action is accepted as it stands.
function accepted(event, pending) {
  const answer = {
    ...pending,
    id: '00000000-0000-4000-8000-000000000000',
    status: 'Accepted',
    createdAt: '2099-01-01T00:00:00.000Z',
    declaration: {},
    originalActionId: pending.id
  }
  return { ...event, actions: [...event.actions, answer] }
}

function said(event) {
  const index = reducers.getCurrentEventState(event, configuration)
  const pending = pendingOf(event.actions)
  const single = typeof pending === 'object'
  let flags = index.flags
  if (version === '1.9') flags = flags.filter((flag) => flag.includes(':'))
  return sorted({
    after: single ? declarationOf(accepted(event, pending)) : null,
    before: declarationOf(event),
    flags,
    pending: single ? pending.id : pending,
    status: index.status
  })
}

async function main() {
  const lines = readline.createInterface({ input: process.stdin, crlfDelay: Infinity })
  for await (const line of lines) {
    const text = said(JSON.parse(line))
    if (flags.includes('--text')) process.stdout.write(text + '\n')
    else process.stdout.write(createHash('sha256').update(text).digest().subarray(0, 4))
  }
}

main()
