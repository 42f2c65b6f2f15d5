// What the page knows, without a browser: node --test examples/chat/rooms.test.mjs

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mock, test } from 'node:test'

// From its text: the file has no package.json beside it that tells Node it is a module.
const source = readFileSync(new URL('page/rooms.js', import.meta.url), 'utf8')
const { Rooms, isTyping, read } = await import('data:text/javascript,' + encodeURIComponent(source))

const room = () => new Rooms().get('lobby')
const said = (text, offset, time = 1) => read({ data: { name: 'Ada', text }, offset, time })

test('a message that comes by two ways is kept once', () => {
  const r = room()
  assert.deepEqual([5, 6, 6, 5, undefined, undefined].map((offset) => r.add(said('x', offset))), [true, true, false, false, true, true])
  assert.equal(r.messages.length, 4)
})

test('who came back after a cut is one person, though the broker still has both members', () => {
  const r = room()
  r.members = new Map([['s1', { id: 'tab', name: 'Ada' }], ['s2', { id: 'tab', name: 'Ada' }], ['s3', { name: 'Bob' }], ['s4', null]])
  assert.deepEqual(r.people().map((p) => p.name), ['Ada', 'Bob', 'somebody'])
  r.members.delete('s1')
  assert.deepEqual(r.people().map((p) => p.name), ['Ada', 'Bob', 'somebody'])
})

test('unread messages are marked above the first of them until they are read', () => {
  const r = room()
  const [first, second] = [said('a', 1, 10), said('b', 2, 20)]
  for (const m of [first, second]) {
    r.add(m)
    r.markUnread(m)
  }
  assert.equal(r.unread, 2)
  assert.equal(r.firstUnread, first)
  r.markRead()
  assert.equal(r.unread, 0)
  assert.equal(r.seen, 20)
})

test('typing ends with the message, or after a while', () => {
  mock.timers.enable({ apis: ['Date'], now: 1_000 })
  const r = room()
  r.types('Ada')
  r.types('Bob')
  r.add(said('done', 1))
  assert.deepEqual(r.typists(), ['Bob'])
  mock.timers.tick(5_001)
  assert.deepEqual(r.typists(), [])
  mock.timers.reset()
})

test('what no page wrote is shown as what it is', () => {
  const shown = (m) => [read(m).name, read(m).text, Boolean(read(m).terminal)]
  assert.deepEqual(shown({ data: { name: 'Ada', text: 'hi' } }), ['Ada', 'hi', false])
  assert.deepEqual(shown({ data: 'hi' }), ['redis-cli', 'hi', true])
  assert.deepEqual(shown({ data: { name: 'Ada', text: 5 } }), ['redis-cli', '{"name":"Ada","text":5}', true])
  assert.deepEqual(shown({ data: null }), ['redis-cli', 'null', true])
  assert.deepEqual(shown({ data: Uint8Array.of(255, 254) }), ['redis-cli', '2 bytes that are not text', true])
  assert.equal(read({ data: { name: 'x'.repeat(99), text: '' } }).name.length, 32)
})

test('only a sign of typing is one', () => {
  assert.ok(isTyping({ name: 'Ada', typing: true }))
  for (const data of [null, 'typing', { typing: true }, { name: 'Ada', text: 'typing' }, { name: 1, typing: true }]) assert.ok(!isTyping(data))
})

test('rooms and messages have a limit', () => {
  const rooms = new Rooms()
  for (let i = 0; !rooms.full(); i++) rooms.get('r' + i)
  assert.equal(rooms.all().length, 60)
  const r = rooms.get('r0')
  for (let i = 1; i <= 600; i++) r.add(said('m', i))
  assert.deepEqual([r.messages.length, r.messages[0].offset], [500, 101])
})
