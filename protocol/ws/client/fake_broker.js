// What the tests of the client share: a broker that the test plays itself, on a clock that the test moves.
// That client and broker agree is tested elsewhere, in a browser.

import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock } from 'node:test'
import { connect } from './client.js'

// Socket is the broker's side of one connection.
export class Socket {
  static all = []
  sent = []

  constructor(url) {
    this.url = url
    Socket.all.push(this)
  }

  send(text) {
    this.sent.push(...text.split('\n').map((line) => JSON.parse(line)))
  }

  close(code) {
    this.closed = code ?? 'without a code'
  }

  // say delivers one frame.
  say(...objects) {
    this.onmessage?.({ data: objects.map((o) => JSON.stringify(o)).join('\n') })
  }

  welcome(epoch = 'e1') {
    this.say({ welcome: 's' + Socket.all.length, epoch, ping: 25, max: 65536 })
  }

  cut(code = 1006, reason = '') {
    this.onclose?.({ code, reason })
  }

  // take returns what was sent since, without pings.
  take() {
    return this.sent.splice(0).filter((o) => !('ping' in o))
  }

  // answer completes the sub or psub of name, and the ping behind it, around a replay.
  answer(name, members = {}, ...replay) {
    const at = this.sent.findIndex((o) => o.sub === name || o.psub === name)
    const request = this.sent[at]
    assert.ok(request, `no request to subscribe to ${name}`)
    this.say({ [request.sub ? 'subbed' : 'psubbed']: name, ...members, id: request.id }, ...replay)
    const ping = this.sent.findLast((o) => 'ping' in o)
    this.say({ pong: ping.ping })
  }
}

export let chat

beforeEach(() => {
  Socket.all = []
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 1_700_000_000_000 })
  mock.method(Math, 'random', () => 1) // the longest wait
})

afterEach(() => {
  chat?.close()
  mock.timers.reset()
  mock.restoreAll()
})

export const dial = (options) => (chat = connect('ws://broker/ws', { WebSocket: Socket, ...options }))
export const socket = () => Socket.all.at(-1)
export const settle = () => new Promise((resolve) => setImmediate(resolve))

export function open(options) {
  dial(options)
  socket().welcome()
  return socket()
}

// reopen cuts the connection and lets the client come back.
export function reopen(epoch) {
  const before = socket()
  before.cut()
  while (socket() === before) pass(50)
  socket().welcome(epoch)
  return socket()
}

// pass lets time go by in small steps: a timer started by another one counts from then.
export function pass(ms) {
  for (; ms > 0; ms -= 50) mock.timers.tick(Math.min(ms, 50))
}

// keep collects what a listener gets.
export function keep(from, ...events) {
  const got = []
  for (const event of events) from.on(event, (e) => got.push([event, e]))
  return got
}

export const live = (channel, data, offset) => ({ msg: channel, data, offset, time: 1 })
export const without = ({ id, ...rest }) => (assert.equal(typeof id, 'number'), rest)
