// The kit against the contracts of both sides. Run by `npm test`, and by `make test`.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { resolve } from 'node:path'

const load = (name) => import(pathToFileURL(resolve(process.env.KIT, `${name}.js`)).href)
const { triggerHandler, reindexHandler } = await load('trigger')
const { inExternalValidation } = await load('workqueue')
const { register, scopesFor } = await load('integration')
const { nationalIdNote, NOTE_FIELD } = await load('note')
const { mosipFields } = await load('mosip-fields')

/** A server that answers by a function, and remembers what it was sent. */
async function server(answer) {
  const seen = []
  const listening = createServer((request, response) => {
    let body = ''
    request.on('data', (part) => (body += part))
    request.on('end', () => {
      const call = { method: request.method, url: request.url, headers: request.headers, body }
      seen.push(call)
      answer(call, response)
    })
  })
  await new Promise((ready) => listening.listen(0, '127.0.0.1', ready))
  const url = `http://127.0.0.1:${listening.address().port}`
  const stop = () => {
    listening.closeAllConnections?.()
    listening.close()
  }
  return { seen, url, stop }
}

const says = (status, body) => (_, response) => {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

const h = { response: (body) => ({ code: (status) => ({ status, body }) }) }
const request = {
  params: { event: 'birth', action: 'REGISTER' },
  headers: { authorization: 'Bearer t0ken' },
  payload: { id: 'an-event', actions: [] }
}

for (const [status, body] of [
  [200, { registrationNumber: 'B26ABC' }],
  [202, {}],
  [400, { reason: 'the mother is not known' }]
]) {
  test(`a ${status} of Civitas goes back as it came`, async () => {
    const civitas = await server(says(status, body))
    const answer = await triggerHandler({ url: `${civitas.url}/` })(request, h)
    assert.deepEqual(answer, { status, body })
    const [call] = civitas.seen
    assert.equal(`${call.method} ${call.url}`, 'POST /trigger/events/birth/actions/REGISTER')
    assert.equal(call.headers.authorization, 'Bearer t0ken')
    assert.equal(call.headers['content-type'], 'application/json')
    assert.deepEqual(JSON.parse(call.body), request.payload)
    civitas.stop()
  })
}

for (const [what, answer] of [
  ['a 401', says(401, { error: { code: 'token_invalid' } })],
  ['a 500', says(500, { error: {} })],
  ['a 204', (_, response) => response.writeHead(204).end()],
  ['a page', says(200, '<html>')],
  ['a number', says(200, '7')],
  ['a closed connection', (_, response) => response.destroy()],
  ['silence', () => {}]
]) {
  test(`${what} freezes no record: it is a 400`, async () => {
    const civitas = await server(answer)
    const { status, body } = await triggerHandler({ url: civitas.url, timeout: 300 })(request, h)
    assert.equal(status, 400)
    assert.match(body.reason, /Civitas/)
    assert.ok(!JSON.stringify(body).includes('t0ken'))
    civitas.stop()
  })
}

test('nobody listening is a 400 as well', async () => {
  const { status } = await triggerHandler({ url: 'http://127.0.0.1:1' })(request, h)
  assert.equal(status, 400)
})

test('a reindex batch is passed on, and one that was not kept is not answered well', async () => {
  const civitas = await server(says(200, { documents: 1, unreadable: 0 }))
  const batch = { ...request, params: {}, payload: [{ id: 'an-event' }] }
  assert.equal((await reindexHandler({ url: civitas.url })(batch, h)).status, 200)
  assert.equal(civitas.seen[0].url, '/reindex')
  assert.equal(civitas.seen[0].headers.authorization, 'Bearer t0ken')
  civitas.stop()
  assert.equal((await reindexHandler({ url: 'http://127.0.0.1:1' })(batch, h)).status, 502)
})

test('the workqueue shows registrations and corrections that wait', () => {
  const queue = inExternalValidation({ type: 'within', location: 'office' })
  assert.equal(queue.slug, 'in-external-validation')
  const [clause] = queue.query.clauses
  assert.deepEqual(clause.flags.anyOf, ['register:requested', 'approve_correction:requested'])
  assert.deepEqual(clause.updatedAtLocation, { type: 'within', location: 'office' })
})

test('the client is registered once, and kept before anything else', async () => {
  const opencrvs = await server(says(200, { clientId: 'c', clientSecret: 's', shaSecret: 'x' }))
  const kept = []
  const registration = {
    eventsUrl: `${opencrvs.url}/events`,
    events: ['birth', 'death'],
    isKept: async () => kept.length > 0,
    keep: async (client) => void kept.push(client)
  }
  assert.equal(await register(registration, 'Bearer ready'), 'registered')
  assert.equal(await register(registration, 'Bearer ready'), 'kept before')
  assert.deepEqual(kept, [{ clientId: 'c', clientSecret: 's' }])
  assert.equal(opencrvs.seen.length, 1)
  const [call] = opencrvs.seen
  assert.equal(`${call.method} ${call.url} ${call.headers.authorization}`, 'POST /events/integrations Bearer ready')
  assert.deepEqual(JSON.parse(call.body), { name: 'Civitas', scopes: scopesFor(['birth', 'death']) })
  assert.equal(scopesFor(['birth', 'death'])[0], 'type=record.register&event=birth,death')
  opencrvs.stop()
})

test('notes are defined and permitted under the name that the pack gives them', () => {
  const scope = 'type=record.custom-action&event=birth,death&customActionTypes=NATIONAL_ID_NOTE'
  assert.equal(scopesFor(['birth', 'death'], 'NATIONAL_ID_NOTE').at(-1), scope)
  assert.ok(scopesFor(['birth']).every((scope) => !scope.includes('custom-action')), 'only where there are notes')
  const note = nationalIdNote('NATIONAL_ID_NOTE')
  assert.deepEqual([note.type, note.customActionType, note.form[0].id], ['CUSTOM', 'NATIONAL_ID_NOTE', NOTE_FIELD])
})

test('a client that is not made, or not told, is an error', async () => {
  for (const answer of [says(403, {}), says(200, { clientId: 'c' })]) {
    const opencrvs = await server(answer)
    const keep = async () => assert.fail('nothing is to be kept')
    const registration = { eventsUrl: opencrvs.url, events: [], isKept: async () => false, keep }
    await assert.rejects(register(registration, 'Bearer ready'), /integration client/)
    opencrvs.stop()
  }
})

test('the form fields of a person fit together', () => {
  const read = (id) => ({ get: (path) => `${id}:${path}` })
  const settings = {
    userInfoUrl: 'https://civitas.example/esignet/get-oidp-user-info',
    authorizeUrl: 'https://esignet.example/authorize',
    clientId: 'crvs',
    page: 'the page',
    authorization: 'Bearer t0ken'
  }
  const fields = mosipFields(read, settings)
  for (const [event, persons] of Object.entries(fields)) {
    for (const [person, list] of Object.entries(persons)) {
      const ids = list.map((field) => field.id)
      assert.deepEqual([...new Set(ids)], ids, `${event}: each id once`)
      assert.ok(ids.every((id) => id.startsWith(`${person}.`)))
      const of = (type) => list.find((field) => field.type === type)
      assert.deepEqual(of('VERIFICATION_STATUS').value, [
        `${person}.verify-nid-http-fetch:data.verificationStatus`,
        `${person}.id-reader:data.verificationStatus`
      ])
      const fetch = of('HTTP').configuration
      assert.deepEqual([fetch.method, fetch.timeout, fetch.errorValue], ['POST', 5000, { verificationStatus: 'failed' }])
      assert.equal(fetch.trigger.get('x'), `${person}.query-params:x`)
      const link = new URL(of('LINK_BUTTON').configuration.url)
      assert.equal(link.searchParams.get('client_id'), 'crvs')
      assert.ok(link.searchParams.get('scope').split(' ').includes('openid'))
      const claims = JSON.parse(link.searchParams.get('claims'))
      assert.ok('name' in claims.userinfo && !('individual_id' in claims.userinfo))
      assert.ok(!link.searchParams.has('redirect_uri'), 'OpenCRVS adds the page itself')
    }
  }
  assert.deepEqual(Object.keys(fields.birth), ['mother', 'father', 'informant'])
})
