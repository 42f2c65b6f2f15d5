// What a client does when its connection ends: coming back, continuing, joining again.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Socket, chat, dial, keep, live, open, pass, reopen, settle, socket, without } from './fake_broker.js'

// --- coming back ---

test('attempts wait twice as long each time, up to the limit, less a random part', () => {
  dial({ backoff: { min: 100, max: 1000 } })
  const waits = []
  chat.on('state', (state, { wait }) => state === 'waiting' && waits.push(wait))
  for (let i = 0; i < 6; i++) {
    socket().cut()
    pass(waits.at(-1) - 1)
    assert.equal(Socket.all.length, i + 1, 'not before its time')
    pass(1)
    assert.equal(Socket.all.length, i + 2)
  }
  assert.deepEqual(waits, [100, 200, 400, 800, 1000, 1000])
  Math.random.mock.mockImplementation(() => 0)
  socket().cut()
  assert.equal(waits.at(-1), 500)
})

test('only a connection that lasted starts the waits anew', () => {
  dial({ backoff: { min: 100, max: 1000 } })
  const waits = []
  chat.on('state', (state, { wait }) => state === 'waiting' && waits.push(wait))
  for (const lasted of [0, 1000, 1001]) {
    socket().welcome()
    pass(lasted)
    socket().cut(4507, 'too slow')
    pass(waits.at(-1))
  }
  assert.deepEqual(waits, [100, 200, 100])
})

test('retry starts them anew too', () => {
  dial({ backoff: { min: 100, max: 1000 } })
  const waits = []
  chat.on('state', (state, { wait }) => state === 'waiting' && waits.push(wait))
  for (const again of [() => pass(100), () => pass(200), () => chat.retry(), () => pass(100)]) {
    socket().cut()
    again()
  }
  socket().cut()
  assert.deepEqual(waits, [100, 200, 400, 100, 200])
})

for (const [code, again] of [[1001, true], [1006, true], [1011, true], [4429, true], [4503, true], [4507, true], [4400, false], [4403, false], [4413, false]]) {
  test(`close code ${code} is ${again ? 'followed by another attempt' : 'final'}`, async () => {
    const ws = open()
    const closes = keep(chat, 'close')
    const states = []
    chat.on('state', (state, detail) => states.push([state, detail.code, detail.reason]))
    const queued = chat.publish('c', 1, { key: 'k' })
    queued.catch(() => {})
    ws.cut(code, 'why')
    assert.deepEqual(closes, [['close', { code, reason: 'why' }]])
    assert.deepEqual(states, [[again ? 'waiting' : 'closed', code, 'why']])
    pass(600_000)
    assert.equal(Socket.all.length > 1, again)
    if (!again) await assert.rejects(queued, { code: 'closed' })
  })
}

test('35 s without a word are a dead broker, a word in time is not', () => {
  const ws = open()
  pass(30_000)
  ws.say({ ping: 1_700_000_030 })
  pass(35_000)
  assert.equal(chat.state, 'open')
  pass(5_000)
  assert.equal(chat.state, 'waiting')
  assert.equal(ws.closed, 3000)
  pass(500)
  socket().welcome()
  ws.cut() // the dead socket's own end comes late and means nothing
  assert.equal(chat.state, 'open')
  assert.equal(Socket.all.length, 2)
})

test('an attempt that hangs is given up after 10 s', () => {
  dial()
  pass(10_000)
  assert.equal(Socket.all.length, 1)
  pass(6_000)
  assert.equal(Socket.all.length, 2)
})

test('online ends the wait, and makes an open connection prove itself', () => {
  const listeners = {}
  globalThis.addEventListener = (event, f) => (listeners[event] = f)
  globalThis.removeEventListener = (event) => delete listeners[event]
  try {
    dial({ backoff: { min: 60_000, max: 60_000 } })
    socket().cut()
    listeners.online({ type: 'online' })
    assert.equal(Socket.all.length, 2)
    listeners.online({ type: 'online' })
    assert.equal(Socket.all.length, 2, 'an attempt runs already')
    socket().welcome()
    socket().sent.length = 0
    listeners.online({ type: 'online' })
    assert.equal(socket().sent.length, 1)
    const { ping } = socket().sent[0]
    pass(9_000)
    socket().say({ pong: ping })
    pass(11_000)
    assert.equal(chat.state, 'open')
    listeners.online({ type: 'online' })
    pass(15_000)
    assert.equal(chat.state, 'waiting')
    chat.close()
    assert.deepEqual(listeners, {})
  } finally {
    delete globalThis.addEventListener
    delete globalThis.removeEventListener
  }
})

test('a page that is put aside is cut off, and comes back when it goes on', () => {
  const listeners = {}
  globalThis.addEventListener = (event, f) => (listeners[event] = f)
  try {
    const ws = open()
    const closes = keep(chat, 'close')
    listeners.pagehide({ type: 'pagehide' })
    assert.equal(ws.closed, 3000, 'neither 1000 nor none, which are a goodbye')
    listeners.pagehide({ type: 'pagehide' })
    assert.equal(closes.length, 1)
    pass(500)
    assert.equal(Socket.all.length, 2)
  } finally {
    delete globalThis.addEventListener
  }
})

test('states are told in order', () => {
  dial()
  const got = []
  chat.on('state', (state) => got.push(state))
  chat.on('open', () => got.push('event open'))
  chat.on('close', () => got.push('event close'))
  socket().welcome()
  reopen()
  assert.deepEqual(got, ['open', 'event open', 'event close', 'waiting', 'connecting', 'open', 'event open'])
})

// --- recovery ---

test('a subscription continues behind the last message it got', () => {
  const ws = open()
  const got = []
  const room = chat.subscribe('c', (m) => got.push([m.data, m.recovered]), { last: 5 })
  const events = keep(room, 'gap')
  ws.answer('c', { offset: 10 }, live('c', 'a', 8))
  ws.say(live('c', 'b', 12))
  const next = reopen()
  assert.deepEqual(without(next.sent[0]), { sub: 'c', epoch: 'e1', offset: 12 })
  next.answer('c', { offset: 20, recovered: true, missed: 0 }, live('c', 'c', 15), live('c', 'd', 20))
  next.say(live('c', 'e', 21))
  assert.deepEqual(got, [['a', true], ['b', false], ['c', true], ['d', true], ['e', false]])
  assert.deepEqual(events, [])
})

test('a pattern continues with one number for all its channels', () => {
  const ws = open()
  chat.psubscribe('c*', () => {})
  ws.answer('c*', { offset: 10 })
  ws.say({ via: 'c*', ...live('c1', 'a', 12) }, { via: 'c*', ...live('c2', 'b', 13) })
  assert.deepEqual(without(reopen().sent[0]), { psub: 'c*', epoch: 'e1', offset: 13 })
})

test('an empty replay moves the cursor to the head, a cut before its end does not', () => {
  let ws = open()
  chat.subscribe('c', () => {}, { last: 5 })
  ws.answer('c', { offset: 10 })
  ws = reopen()
  assert.deepEqual(without(ws.sent[0]), { sub: 'c', epoch: 'e1', offset: 10 })
  ws.say({ subbed: 'c', offset: 90, recovered: true, missed: 0, id: ws.sent[0].id })
  ws = reopen()
  assert.deepEqual(without(ws.sent[0]), { sub: 'c', epoch: 'e1', offset: 10 }, 'nothing of the replay came')
  ws.say({ subbed: 'c', offset: 95, recovered: true, missed: 0, id: ws.sent[0].id }, live('c', 'a', 40))
  ws = reopen()
  assert.deepEqual(without(ws.sent[0]), { sub: 'c', epoch: 'e1', offset: 40 }, 'a part of it came')
})

test('a broker to which nothing was published yet gives a cursor too', () => {
  const ws = open()
  chat.subscribe('c', () => {})
  ws.answer('c', { offset: 0 })
  assert.deepEqual(without(reopen().sent[0]), { sub: 'c', epoch: 'e1', offset: 0 })
})

test('any later answer says that a replay is complete', () => {
  const ws = open()
  chat.subscribe('c', () => {}, { presence: true })
  ws.say({ subbed: 'c', offset: 10, id: ws.sent.find((o) => o.sub).id }, { ok: ws.sent.find((o) => o.join).id })
  assert.equal(reopen().sent[0].offset, 10)
})

test('a retained message does not move the cursor', () => {
  const ws = open()
  chat.subscribe('c', () => {})
  ws.say({ subbed: 'c', offset: 10, id: ws.sent.find((o) => o.sub).id }, { msg: 'c', data: 1, offset: 4, retained: true })
  assert.equal(reopen().sent[0].offset, undefined)
})

test('what could not be recovered is a gap, told before what follows', () => {
  const ws = open()
  const got = []
  const room = chat.subscribe('c', (m) => got.push(m.data))
  room.on('gap', (e) => got.push(e))
  ws.answer('c', { offset: 10 })
  reopen('e2').answer('c', { offset: 3, recovered: false, missed: 7 }, live('c', 'kept', 2))
  assert.deepEqual(got, [{ missed: 7 }, 'kept'])
  assert.deepEqual(without(reopen('e2').sent[0]), { sub: 'c', epoch: 'e2', offset: 3 }, 'offsets begin anew with an epoch')
})

test('after a gap with nothing left, the next cut recovers', () => {
  const ws = open()
  chat.subscribe('c', () => {})
  ws.answer('c', { offset: 10 })
  reopen('e2').answer('c', { offset: 3, recovered: false, missed: -1 })
  assert.deepEqual(without(reopen('e2').sent[0]), { sub: 'c', epoch: 'e2', offset: 3 })
})

test('without history every cut is a gap of unknown size', () => {
  const ws = open()
  const room = chat.subscribe('c', () => {}, { last: 5 })
  const got = keep(room, 'gap', 'subscribed')
  ws.answer('c')
  ws.say({ msg: 'c', data: 1 })
  assert.deepEqual(got.map(([event]) => event), ['subscribed'])
  const next = reopen()
  assert.deepEqual(without(next.sent[0]), { sub: 'c', last: 5 })
  next.answer('c')
  assert.deepEqual(got.slice(1).map(([event, e]) => [event, e.missed]), [['subscribed', undefined], ['gap', -1]])
})

test('a member joins again with its newest data, after leave no more', async () => {
  open()
  const room = chat.subscribe('c', () => {}, { presence: { name: 'Ada' } })
  room.join({ name: 'Bob' }).catch(() => {})
  let ws = reopen()
  assert.deepEqual(ws.take().map(without), [{ sub: 'c' }, { join: 'c', data: { name: 'Bob' } }], 'once, though its answer is missing')
  ws = reopen()
  const requests = ws.take()
  assert.deepEqual(requests.map(without), [{ sub: 'c' }, { join: 'c', data: { name: 'Bob' } }])
  ws.say({ ok: requests[1].id })
  await settle()
  ws = reopen()
  assert.deepEqual(ws.take().map(without), [{ sub: 'c' }, { join: 'c', data: { name: 'Bob' } }], 'also where nothing was open')
  const left = room.leave()
  ws.say({ ok: ws.take()[0].id })
  await left
  assert.deepEqual(reopen().take().map(without), [{ sub: 'c' }])
})

test('many subscriptions come back at a pace that the rate limit allows, before new requests', () => {
  open()
  for (let i = 0; i < 128; i++) chat.subscribe('c' + i, () => {})
  const ws = reopen()
  chat.publish('c0', 1).catch(() => {})
  assert.equal(ws.sent.length, 50)
  pass(1_000)
  assert.equal(ws.sent.length, 100)
  pass(1_000)
  assert.deepEqual(ws.sent.map((o) => Object.keys(o)[0]), [...Array(128).fill('sub'), 'ping', 'pub'])
  const next = reopen()
  assert.equal(next.sent.length, 50)
  next.take()
  const last = reopen() // in the midst of it: nothing is sent twice
  pass(10_000)
  assert.equal(last.take().length, 128)
})
