// Fanfare's JavaScript client. What its calls promise is in client.d.ts.

const silence = 35_000 // ms; the broker speaks every 25 s
const patience = 10_000 // ms to connect
const final = [4400, 4403, 4413] // close codes that the next attempt would meet too
const batch = 50 // requests a second after a reconnect: the broker's limit
const verbs = ['joined', 'updated', 'left', 'members', 'cleared', 'forgotten'] // of events
const pageEvents = ['online', 'pagehide'] // a hidden page may freeze, its socket open

export const connect = (url, options) => new Chat(url, options)

class Events {
  #listeners = {}

  on(event, f) {
    const all = (this.#listeners[event] ??= new Set()).add(f)
    return () => void all.delete(f)
  }

  emit(event, ...args) {
    const all = [...(this.#listeners[event] ?? [])]
    if (event === 'error' && !all.length) console.warn(...args)
    for (const f of all) call(f, ...args)
  }
}

// Subscription is what survives a connection.
class Subscription extends Events {
  live = false // on this connection
  held = false // was live before
  member // {data} while joined
  cursor // {epoch, offset}: everything up to there has arrived
  head // offset above which messages are live

  constructor(verb, name, handler, { presence, ...options } = {}) {
    super()
    Object.assign(this, { verb, name, handler, options, key: verb + ' ' + name })
    if (presence) this.member = { data: presence === true ? undefined : presence }
  }

  body() {
    const { last, retained, who } = this.options
    return { [this.verb]: this.name, retained, who, ...(this.cursor ?? { last }) }
  }

  acknowledged(m) {
    const gap = m.recovered === false || (this.held && !m.recovered)
    if (!m.recovered) this.cursor = undefined
    this.live = this.held = true
    this.head = m.offset
    this.emit('subscribed', m)
    if (gap) this.emit('gap', { missed: m.missed ?? -1 })
  }

  deliver(m, epoch) {
    if (!this.live) return // for a former one of this name
    if (m.offset && !m.retained) this.cursor = { epoch, offset: m.offset }
    call(this.handler, message(m, !m.retained && m.offset <= this.head))
  }

  // settled: the replay is complete.
  settled(epoch) {
    if (this.live && this.head > (this.cursor?.offset ?? -1)) this.cursor = { epoch, offset: this.head }
  }
}

// A request is {id, text, join, cut, resolve, reject}. When the connection ends before the answer, it is to
// 'repeat', 'fail', or 'drop' because the next one begins with the like: cut.
class Chat extends Events {
  state = 'connecting'
  #url
  #options
  #socket
  #held = new Map() // subscriptions
  #outbox = [] // requests
  #waiting = new Map() // those sent, by id
  #lastId = 0
  #epoch
  #largest // bytes in a frame
  #heardAt
  #welcomedAt
  #attempts = 0
  #attemptTimer
  #batchTimer
  #watchTimer
  #onPage = ({ type }) => (type === 'online' ? this.retry() : this.#lost(1001, type))

  constructor(url, { WebSocket = globalThis.WebSocket, backoff, queue = 100 } = {}) {
    super()
    this.#url = url
    this.#options = { WebSocket, queue, min: 500, max: 15_000, ...backoff }
    this.#open()
    this.#watchTimer = setInterval(() => this.#check(), 5_000)
    for (const event of pageEvents) globalThis.addEventListener?.(event, this.#onPage)
  }

  subscribe(channel, handler, options) {
    const s = this.#hold(new Subscription('sub', channel, handler, options))
    const ask = (body, cut = 'repeat') => this.#request(body, cut)
    const tell = (body, cut) => ask(body, cut).then(() => {})
    return {
      ...this.#handle(s),
      channel,
      publish: (data, options) => this.publish(channel, data, options),
      unretain: () => tell({ unretain: channel }, 'fail'),
      who: () => ask({ who: channel }).then((m) => m.who),
      history: (options) => ask({ ...options, history: channel })
        .then(({ history, more }) => Object.assign(history.map((m) => message({ ...m, msg: channel }, true)), { more })),
      join: (data) => {
        s.member = { data }
        return tell({ join: channel, data })
      },
      leave: () => {
        s.member = undefined
        return tell({ leave: channel })
      },
    }
  }

  psubscribe(pattern, handler, options) {
    return { ...this.#handle(this.#hold(new Subscription('psub', pattern, handler, options))), pattern }
  }

  publish(channel, data, { retain, ttl, echo, key, history } = {}) {
    const payload = data instanceof ArrayBuffer || ArrayBuffer.isView(data) ? { b64: base64(data) } : { data }
    // Only with a key is it safe to send twice.
    return this.#request({ pub: channel, ...payload, retain, ttl, echo, key, history }, key === undefined ? 'fail' : 'repeat')
      .then(({ receivers, offset }) => ({ receivers, offset }))
  }

  // Of an open connection, retry asks for a sign of life.
  retry() {
    this.#attempts = 0
    if (this.state === 'waiting') this.#open()
    if (this.state !== 'open') return
    this.#heardAt = Math.min(this.#heardAt, Date.now() - silence + patience)
    this.#ping()
  }

  close(code = 1000, reason) {
    if (this.state === 'closed') return
    this.#detach(1000)
    for (const timer of [this.#attemptTimer, this.#batchTimer, this.#watchTimer]) clearTimeout(timer)
    for (const event of pageEvents) globalThis.removeEventListener?.(event, this.#onPage)
    const left = [...this.#waiting.values(), ...this.#outbox].filter((r) => r.cut !== 'drop')
    this.#become('closed', { code, reason })
    for (const r of left) r.reject(closed())
  }

  #open() {
    clearTimeout(this.#attemptTimer)
    this.#heardAt = Date.now()
    const socket = (this.#socket = new this.#options.WebSocket(this.#url))
    socket.onmessage = ({ data }) => {
      this.#heardAt = Date.now()
      for (const line of data.split('\n')) if (this.#socket === socket) this.#receive(JSON.parse(line))
    }
    socket.onclose = ({ code, reason }) => this.#lost(code, reason)
    socket.onerror = () => {} // a close follows; Node's ws throws without this
    this.#become('connecting')
  }

  #become(state, detail = {}) {
    this.state = state
    this.emit('state', state, detail)
  }

  #check() {
    const limit = this.state === 'open' ? silence : patience
    if (Date.now() - this.#heardAt > limit) this.#lost(1006, 'silence')
  }

  #lost(code, reason) {
    if (!this.#detach(3000)) return // not a goodbye
    clearTimeout(this.#batchTimer)
    this.#batchTimer = undefined
    for (const s of this.#held.values()) s.live = false
    const unanswered = [...this.#waiting.values()]
    this.#waiting.clear()
    this.#outbox = [...unanswered.filter((r) => r.cut === 'repeat'), ...this.#outbox.filter((r) => r.cut !== 'drop')]
    for (const r of unanswered) if (r.cut === 'fail') r.reject(fault('lost', 'cut off: done or not, nobody knows'))
    this.state = 'waiting'
    this.emit('close', { code, reason })
    if (this.state !== 'waiting') return // by a listener
    if (final.includes(code)) this.close(code, reason)
    else this.#later({ code, reason })
  }

  // The random half keeps a thousand pages from returning in step.
  #later(why) {
    const { min, max } = this.#options
    if (Date.now() - this.#welcomedAt > max) this.#attempts = 0
    this.#welcomedAt = undefined
    const wait = Math.min(max, min * 2 ** this.#attempts++) * (0.5 + Math.random() / 2)
    this.#attemptTimer = setTimeout(() => this.#open(), wait)
    this.#become('waiting', { wait, ...why })
  }

  #detach(code) {
    const socket = this.#socket
    this.#socket = undefined
    if (socket) socket.onmessage = socket.onclose = null
    socket?.close(code)
    return socket
  }

  #receive(m) {
    const verb = verbs.find((v) => v in m)
    const about = this.#held.get('via' in m ? 'psub ' + m.via : 'sub ' + (m.msg ?? m[verb]))
    const request = this.#waiting.get(m.ok ?? m.pong ?? m.id)
    if ('welcome' in m) this.#welcome(m)
    else if ('msg' in m) about?.deliver(m, this.#epoch)
    else if (verb) about?.emit(verb, { ...m, channel: m[verb] })
    else if (request) this.#answer(request, m)
    else if ('err' in m) this.emit('error', fault(m.err, m.text))
  }

  #welcome(m) {
    this.#epoch = m.epoch
    this.#largest = m.max
    this.#welcomedAt = Date.now()
    this.user = m.user ?? m.welcome
    const queued = this.#outbox.splice(0)
    for (const s of this.#held.values()) this.#start(s, queued)
    this.#ping()
    this.#outbox.push(...queued)
    this.#become('open')
    this.#send()
    this.emit('open')
  }

  // Answers come in order, so every replay before this one is complete.
  #answer(request, m) {
    for (const s of this.#held.values()) s.settled(this.#epoch)
    this.#waiting.delete(request.id)
    if ('err' in m) request.reject(fault(m.err, m.text))
    else request.resolve(m)
  }

  #request(body, cut = 'fail') {
    return new Promise((resolve, reject) => {
      if (this.state === 'closed') return reject(closed())
      const queued = this.#outbox.filter((r) => r.cut !== 'drop').length
      if (queued >= this.#options.queue) return reject(fault('full', 'too many requests queued'))
      this.#push(body, cut, resolve, reject)
      this.#send()
    })
  }

  #push(body, cut, resolve = () => {}, reject = () => {}) {
    const id = ++this.#lastId
    const text = JSON.stringify(body.ping ? { ping: id } : { ...body, id })
    this.#outbox.push({ id, text, join: body.join, cut, resolve, reject })
  }

  // Behind subscriptions, its answer ends their replays.
  #ping() {
    this.#push({ ping: true }, 'drop')
    this.#send()
  }

  #send() {
    if (this.state !== 'open' || this.#batchTimer) return
    for (const r of this.#outbox.splice(0, batch)) this.#transmit(r)
    if (this.#outbox.length) this.#batchTimer = setTimeout(() => this.#send((this.#batchTimer = undefined)), 1_000)
  }

  // Too large a frame would end the connection.
  #transmit(r) {
    if (new TextEncoder().encode(r.text).length > this.#largest) return r.reject(fault(413, 'the message is too large'))
    this.#waiting.set(r.id, r)
    this.#socket.send(r.text)
  }

  #hold(s) {
    if (this.#held.has(s.key)) throw new Error(`already subscribed to ${s.name}`)
    this.#held.set(s.key, s)
    if (this.state === 'open') {
      this.#start(s, [])
      this.#ping()
    }
    return s
  }

  // start subscribes, and joins unless a queued join will.
  #start(s, queued) {
    const ifHeld = (f) => (m) => this.#held.get(s.key) === s && f(m)
    const failed = ifHeld((error) => s.emit('error', error))
    this.#push(s.body(), 'drop', ifHeld((m) => s.acknowledged(m)), failed)
    if (!s.member || queued.some((r) => r.join === s.name)) return
    this.#push({ join: s.name, data: s.member.data }, 'drop', undefined, failed)
  }

  #handle(s) {
    return { on: (event, f) => s.on(event, f), unsubscribe: () => this.#release(s) }
  }

  #release(s) {
    if (this.#held.get(s.key) !== s) return
    this.#held.delete(s.key)
    if (this.state !== 'open') return
    if (s.member) this.#push({ leave: s.name }, 'drop')
    this.#push({ ['un' + s.verb]: s.name }, 'drop')
    this.#send()
  }
}

function message({ msg: channel, via: pattern, b64, data, retained = false, skipped = 0, ...rest }, recovered) {
  if (b64 !== undefined) data = Uint8Array.from(atob(b64), (c) => c.charCodeAt(0))
  return { ...rest, channel, pattern, data, retained, recovered, skipped }
}

function base64(data) {
  const bytes = new Uint8Array(data.buffer ?? data, data.byteOffset, data.byteLength)
  return btoa(bytes.reduce((text, b) => text + String.fromCharCode(b), ''))
}

const fault = (code, text) => Object.assign(new Error(text), { code })
const closed = () => fault('closed', 'the client is closed')

// call keeps mistakes of the application away.
function call(f, ...args) {
  try {
    f(...args)
  } catch (error) {
    (globalThis.reportError ?? console.error)(error)
  }
}
