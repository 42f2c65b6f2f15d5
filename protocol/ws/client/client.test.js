// Messages, events and requests on one connection.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mock, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Socket, chat, dial, keep, live, open, pass, reopen, socket, without } from './fake_broker.js'

// --- messages ---

test('a handler gets replay, retained and live messages and can tell them apart', () => {
  const ws = open()
  const got = []
  chat.subscribe('room', (m) => got.push(m), { last: 2 })
  assert.deepEqual(ws.sent.find((o) => o.sub), { sub: 'room', last: 2, id: 2 })
  ws.answer('room', { offset: 40 }, live('room', 'old', 30), { msg: 'room', data: 'kept', offset: 20, retained: true })
  ws.say({ ...live('room', { n: 1 }, 41), from: 'u1', skipped: 3 })
  assert.deepEqual(got.map((m) => [m.data, m.offset, m.recovered, m.retained, m.skipped]), [
    ['old', 30, true, false, 0], ['kept', 20, false, true, 0], [{ n: 1 }, 41, false, false, 3],
  ])
  assert.deepEqual(got[2], {
    channel: 'room', pattern: undefined, data: { n: 1 }, time: 1, from: 'u1', offset: 41, retained: false, recovered: false, skipped: 3,
  })
})

test('a pattern gets its own deliveries, a channel of the same name the others', () => {
  const ws = open()
  const got = []
  chat.psubscribe('a*', (m) => got.push(['pattern', m.channel, m.pattern]))
  chat.subscribe('a*', (m) => got.push(['channel', m.channel, m.pattern]))
  const [psub, sub] = ws.take()
  ws.say({ psubbed: 'a*', id: psub.id }, { subbed: 'a*', id: sub.id }, { via: 'a*', msg: 'ab', data: 1 }, { msg: 'a*', data: 1 })
  assert.deepEqual(got, [['pattern', 'ab', 'a*'], ['channel', 'a*', undefined]])
})

test('bytes arrive as bytes and leave as base64', async () => {
  const ws = open()
  const got = []
  const room = chat.subscribe('room', (m) => got.push(m.data))
  ws.answer('room', {}, { msg: 'room', b64: '/wBB' })
  assert.deepEqual(got, [Uint8Array.of(255, 0, 65)])
  ws.take()
  const all = Uint8Array.of(9, 255, 0, 65, 9)
  for (const data of [all.subarray(1, 4), all.slice(1, 4).buffer, new DataView(all.buffer, 1, 3)]) room.publish(data).catch(() => {})
  assert.deepEqual(ws.take().map(without), Array(3).fill({ pub: 'room', b64: '/wBB' }))
})

test('a handler that throws takes neither the connection nor the rest of the frame along', () => {
  const shown = mock.method(console, 'error', () => {})
  const ws = open()
  const got = []
  chat.subscribe('room', (m) => {
    got.push(m.data)
    if (m.data === 1) throw new Error('mistake of the page')
  })
  ws.answer('room', {}, live('room', 1), live('room', 2))
  assert.deepEqual(got, [1, 2])
  assert.equal(shown.mock.calls[0].arguments[0].message, 'mistake of the page')
})

test('after unsubscribe nothing more reaches the handler, and the name can be subscribed again', () => {
  const ws = open()
  const got = []
  const first = chat.subscribe('room', () => got.push('first'), { presence: true })
  ws.answer('room')
  assert.throws(() => chat.subscribe('room', () => {}), /already subscribed to room/)
  ws.take()
  first.unsubscribe()
  first.unsubscribe()
  assert.deepEqual(ws.take().map(without), [{ leave: 'room' }, { unsub: 'room' }])
  chat.subscribe('room', () => got.push('second'))
  ws.say(live('room', 'of the first')) // published before the broker had read unsub
  ws.answer('room')
  ws.say(live('room', 'of the second'))
  first.unsubscribe() // is not that of the second
  ws.say(live('room', 'of the second'))
  assert.deepEqual(got, ['second', 'second'])
})

// --- events ---

test('events reach the listeners of their channel, until these are taken away', () => {
  const ws = open()
  const room = chat.subscribe('room', () => {})
  const all = chat.psubscribe('r*', () => {})
  const got = keep(room, 'joined', 'updated', 'left', 'members', 'cleared', 'forgotten')
  const matching = keep(all, 'joined', 'cleared', 'forgotten')
  const gone = []
  const off = room.on('left', (e) => gone.push(e))
  off()
  ws.say(
    { joined: 'room', user: 'u1', data: { name: 'Ada' } }, { updated: 'room', user: 'u1' }, { left: 'room', user: 'u1' },
    { members: 'room', count: 501 }, { cleared: 'room' }, { via: 'r*', cleared: 'room' },
    { forgotten: 'room', offsets: [4] }, { joined: 'other', user: 'u1' },
  )
  assert.deepEqual(got.map(([event, { channel, user, data, count, offsets }]) => [event, channel, user ?? count ?? offsets, data]), [
    ['joined', 'room', 'u1', { name: 'Ada' }], ['updated', 'room', 'u1', undefined], ['left', 'room', 'u1', undefined],
    ['members', 'room', 501, undefined], ['cleared', 'room', undefined, undefined], ['forgotten', 'room', [4], undefined],
  ])
  assert.deepEqual(matching.map(([event, { channel }]) => [event, channel]), [['cleared', 'room']])
  assert.deepEqual(gone, [])
})

test('the broker’s acknowledgement says who is there', () => {
  const ws = open()
  const room = chat.subscribe('room', () => {}, { who: true, retained: false, presence: { name: 'Ada' } })
  const got = keep(room, 'subscribed')
  assert.deepEqual(ws.take().map(without), [{ sub: 'room', retained: false, who: true }, { join: 'room', data: { name: 'Ada' } }])
  ws.say({ subbed: 'room', offset: 7, who: { u1: {} }, id: 2 })
  assert.deepEqual(got.map(([, { offset, who, recovered }]) => [offset, who, recovered]), [[7, { u1: {} }, undefined]])
  assert.equal(chat.user, 's1')
})

test('a refused subscription is told to its listeners, or to the console', () => {
  const shown = mock.method(console, 'warn', () => {})
  const ws = open()
  chat.subscribe('secret', () => {})
  ws.say({ err: 403, sub: 'secret', text: 'no permission', id: ws.sent[0].id })
  assert.equal(shown.mock.calls[0].arguments[0].code, 403)
  const room = chat.subscribe('room', () => {}, { presence: true })
  const got = keep(room, 'error')
  const [, join] = ws.take().slice(-2)
  ws.say({ err: 404, join: 'room', text: 'presence is not enabled', id: join.id })
  assert.equal(got[0][1].code, 404)
  const general = keep(chat, 'error')
  ws.say({ err: 429, text: 'too many requests' })
  assert.equal(general[0][1].code, 429)
})

// --- requests ---

test('requests resolve to their answers in whatever order these come', async () => {
  const ws = open()
  const room = chat.subscribe('room', () => {})
  ws.answer('room')
  ws.take()
  const answers = Promise.all([
    room.publish({ text: 'hi' }, { retain: true, ttl: 5, echo: false, history: false }), room.who(), room.history({ limit: 2, before: 9 }),
    room.unretain(), room.join({ name: 'Ada' }), room.leave(), chat.publish('other', null),
  ])
  const sent = ws.take()
  const ids = sent.map((o) => o.id)
  assert.deepEqual(sent.map(without), [
    { pub: 'room', data: { text: 'hi' }, retain: true, ttl: 5, echo: false, history: false },
    { who: 'room' }, { history: 'room', limit: 2, before: 9 }, { unretain: 'room' },
    { join: 'room', data: { name: 'Ada' } }, { leave: 'room' }, { pub: 'other', data: null },
  ])
  ws.say(
    { ok: ids[6], receivers: 0 }, { ok: ids[5] }, { ok: ids[4] }, { ok: ids[3] },
    { ok: ids[2], history: [{ data: 1, offset: 7, time: 3 }, { b64: '/w==', offset: 8, time: 4, from: 'u1' }], epoch: 'e1', more: true },
    { ok: ids[1], who: { u1: { name: 'Ada' } } }, { ok: ids[0], receivers: 2, offset: 42 },
  )
  const [published, who, history, ...rest] = await answers
  assert.deepEqual(published, { receivers: 2, offset: 42 })
  assert.deepEqual(who, { u1: { name: 'Ada' } })
  assert.deepEqual(history.map((m) => [m.channel, m.data, m.offset, m.time, m.from, m.recovered]), [
    ['room', 1, 7, 3, undefined, true], ['room', Uint8Array.of(255), 8, 4, 'u1', true],
  ])
  assert.equal(history.more, true)
  assert.deepEqual(rest, [undefined, undefined, undefined, { receivers: 0, offset: undefined }])
})

test('a request that the broker refuses rejects with its code and text', async () => {
  const ws = open()
  const refused = chat.publish('room', 1, { ttl: 5 })
  ws.say({ err: 400, pub: 'room', text: 'ttl without retain', id: ws.take()[0].id })
  await assert.rejects(refused, { code: 400, message: 'ttl without retain' })
})

test('a message above the broker’s limit is rejected before it ends the connection', async () => {
  const ws = open()
  ws.take()
  const fits = 65536 - '{"pub":"c","data":"","id":2}'.length
  chat.publish('c', 'é'.repeat(fits / 2)).catch(() => {})
  assert.equal(ws.take().length, 1)
  await assert.rejects(chat.publish('c', 'é'.repeat(fits / 2 + 1)), { code: 413 })
  assert.equal(ws.take().length, 0)
})

test('what is published without a connection waits for one, up to a limit', async () => {
  dial({ queue: 2 })
  const sent = [chat.publish('c', 1), chat.publish('c', 2)]
  await assert.rejects(chat.publish('c', 3), { code: 'full' })
  assert.equal(socket().sent.length, 0)
  chat.subscribe('c', () => {})
  socket().welcome()
  const requests = socket().take()
  assert.deepEqual(requests.map(without), [{ sub: 'c' }, { pub: 'c', data: 1 }, { pub: 'c', data: 2 }], 'subscriptions come first')
  for (const { id } of requests.slice(1)) socket().say({ ok: id, receivers: 1 })
  assert.deepEqual(await Promise.all(sent), Array(2).fill({ receivers: 1, offset: undefined }))
})

test('what waits for a connection outlives attempts that fail', () => {
  dial()
  chat.publish('c', 1).catch(() => {})
  socket().cut()
  pass(500)
  assert.deepEqual(reopen().take().map(without), [{ pub: 'c', data: 1 }])
})

test('a publish cut before its answer is lost without a key and repeated with one', async () => {
  const ws = open()
  const lost = chat.publish('c', 1)
  const kept = chat.publish('c', 2, { key: 'k1' })
  assert.equal(ws.take().length, 2)
  ws.cut()
  await assert.rejects(lost, { code: 'lost' })
  pass(500)
  socket().welcome()
  const again = socket().take()
  assert.deepEqual(again.map(without), [{ pub: 'c', data: 2, key: 'k1' }])
  socket().say({ ok: again[0].id, receivers: 0, offset: 9 })
  assert.deepEqual(await kept, { receivers: 0, offset: 9 })
})

test('questions cut before their answer are asked again', async () => {
  open()
  const room = chat.subscribe('c', () => {})
  socket().answer('c')
  const who = room.who()
  const requests = reopen().take()
  assert.deepEqual(requests.map(without), [{ sub: 'c' }, { who: 'c' }])
  socket().say({ ok: requests[1].id, who: {} })
  assert.deepEqual(await who, {})
})

test('close ends at once, as a goodbye, and rejects what is open', async () => {
  const ws = open()
  const got = []
  const room = chat.subscribe('c', (m) => got.push(m), { presence: true })
  const errors = keep(room, 'error')
  const states = []
  chat.on('state', (s) => states.push(s))
  const open1 = room.who()
  chat.close()
  chat.close()
  assert.equal(ws.closed, 1000)
  assert.deepEqual(states, ['closed'])
  await assert.rejects(open1, { code: 'closed' })
  await assert.rejects(room.publish(1), { code: 'closed' })
  ws.say(live('c', 1))
  pass(120_000)
  assert.equal(Socket.all.length, 1)
  assert.deepEqual(errors, [])
  assert.deepEqual(got, [])
})

test('a listener that closes stops the frame it is in', () => {
  const ws = open()
  const got = []
  chat.subscribe('c', (m) => {
    got.push(m.data)
    chat.close()
  })
  ws.say({ subbed: 'c', id: ws.sent.find((o) => o.sub).id }, live('c', 1), live('c', 2))
  assert.deepEqual(got, [1])
})

// --- the file ---

test('the client is a few kilobytes', (t) => {
  const source = readFileSync(new URL('client.js', import.meta.url))
  const size = gzipSync(source, { level: 9 }).length
  t.diagnostic(`client.js: ${size} bytes gzipped, ${source.length} plain`)
  assert.ok(size <= 4096, `got ${size} bytes gzipped, want at most 4096`)
})
