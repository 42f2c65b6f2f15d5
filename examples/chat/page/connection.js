// One WebSocket to the broker that comes back by itself.
//
// The wire protocol is JSON objects separated by line feeds; the package comment of protocol/ws tells the
// rest. This file is all of a client that a page needs: subscribe to one pattern, publish with an answer,
// reconnect.

const silence = 35_000 // ms; the broker sends something at least every 25 s, so this much means it is gone
const longestWait = 15_000 // ms between two attempts

// Close codes are 4000 + an HTTP-like error. After these the same attempt would fail again.
const final = {
  4400: 'The broker did not understand this page.',
  4403: 'The broker does not let this page in.',
  4413: 'A message was too big for the broker.',
}

// connect keeps a subscription to pattern alive. It calls
//   on.state('connecting' | 'open' | 'waiting' | 'refused', detail)   detail: ms until the next attempt, or a text
//   on.message({channel, data | b64, time, from})                     everything published on matching channels
// and returns {publish, retry}. publish answers a promise: it fulfils when the broker has taken the
// message, and rejects with an Error when it has not, or when nobody can know.
export function connect(url, pattern, on) {
  let ws // the current socket
  let heard = 0 // when it last said something
  let attempts = 0 // since the last success
  let timer // of the next attempt
  let lastId = 0
  const unanswered = new Map() // id of a request → its promise's ends

  function open() {
    clearTimeout(timer)
    on.state('connecting')
    heard = Date.now()
    ws = new WebSocket(url)
    ws.onopen = () => ws.send(JSON.stringify({ psub: pattern }))
    ws.onmessage = (event) => {
      heard = Date.now()
      for (const line of event.data.split('\n')) receive(JSON.parse(line))
    }
    ws.onclose = (event) => lost(event.code)
  }

  function receive(m) {
    if ('msg' in m) on.message({ channel: m.msg, data: m.data, b64: m.b64, time: m.time, from: m.from })
    else if ('psubbed' in m) opened()
    else if ('id' in m || 'ok' in m) answered(m)
    else if ('psub' in m) on.state('refused', m.text)
    else if ('err' in m) console.warn('the broker says', m)
  }

  function opened() {
    attempts = 0
    on.state('open')
  }

  function answered(m) {
    const id = m.id ?? m.ok
    const request = unanswered.get(id)
    if (!request) return
    unanswered.delete(id)
    if ('err' in m) request.reject(new Error(m.text || `error ${m.err}`))
    else request.resolve(m)
  }

  // lost ends the current socket, whoever ended it, and plans the next attempt.
  function lost(code) {
    ws.onopen = ws.onmessage = ws.onclose = null
    ws.close()
    for (const { reject } of unanswered.values()) reject(new Error('the connection broke; it may or may not have arrived'))
    unanswered.clear()
    if (final[code]) return on.state('refused', final[code])
    // Doubling spares a broker that is down; the random half keeps a thousand pages from returning in step.
    const wait = Math.min(longestWait, 500 * 2 ** attempts++) * (0.5 + Math.random() / 2)
    timer = setTimeout(open, wait)
    on.state('waiting', wait)
  }

  function retry() {
    if (ws.readyState === WebSocket.CLOSED || ws.readyState === WebSocket.CLOSING) open()
  }

  function publish(channel, data) {
    if (ws.readyState !== WebSocket.OPEN) return Promise.reject(new Error('not connected'))
    const id = ++lastId
    ws.send(JSON.stringify({ pub: channel, data, id }))
    return new Promise((resolve, reject) => unanswered.set(id, { resolve, reject }))
  }

  // A peer that vanished without a word (a lifted network cable, a sleeping laptop) never closes.
  setInterval(() => {
    if (ws.readyState <= WebSocket.OPEN && Date.now() - heard > silence) lost(0)
  }, 5_000)
  window.addEventListener('online', retry)
  open()
  return { publish, retry }
}
