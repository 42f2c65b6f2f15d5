// The page's side of the broker: one connection, a pattern that hears of every room, and a subscription for
// each room that was opened. It changes rooms and says what has changed; it knows no DOM.

import { isTyping, prefix, read } from './rooms.js'

const entry = 50 // messages shown on entry, and per look further back
const typingEvery = 2_500 // ms between two signs of typing

// load gets the client from the broker. A failed import is remembered by the browser, so every attempt has
// an address of its own.
export async function load(broker, failed) {
  const address = new URL('/client.js', broker.replace(/^ws/, 'http'))
  for (let attempt = 0; ; attempt++) {
    try {
      if (attempt) address.search = `attempt=${attempt}`
      return await import(address)
    } catch {
      await failed(Math.min(15_000, 1_000 * 2 ** attempt))
    }
  }
}

// Talk calls on.said(room, message, isNew), on.changed(room, what) with what one of 'messages', 'people',
// 'typing', 'pending', and on.back(room, missed), missed being undefined when nothing is missing.
export class Talk {
  #chat
  #rooms
  #on
  #typedAt = 0

  constructor(chat, rooms, me, on) {
    this.#chat = chat
    this.#rooms = rooms
    this.me = me // {id, name}
    this.#on = on
    // Rooms that nobody opened here are heard of by pattern; an open one has a subscription of its own.
    const all = chat.psubscribe(prefix + '*', (m) => this.#heard(m), { retained: false })
    all.on('gap', ({ missed }) => {
      for (const room of rooms.all()) if (!room.live) this.#missed(room, missed)
    })
  }

  #heard(m) {
    const name = m.channel.slice(prefix.length)
    if (this.#rooms.has(name) ? this.#rooms.get(name).live : this.#rooms.full()) return
    if (!isTyping(m.data)) this.#said(this.#rooms.get(name), m)
  }

  #said(room, m) {
    if (isTyping(m.data)) {
      room.types(m.data.name.slice(0, 32))
      return this.#on.changed(room, 'typing')
    }
    const message = read(m)
    // Out of the history comes also what this tab has shown before it was reloaded.
    if (room.add(message)) this.#on.said(room, message, !m.recovered || message.time > room.seen)
  }

  #missed(room, missed) {
    room.top = 0 // offsets may begin anew
    if (!room.messages.length) return
    const note = missed > 0 ? `${missed} messages are missing here` : 'Messages may be missing here'
    room.add({ note })
    this.#on.changed(room, 'messages')
  }

  // --- rooms ---

  open(room) {
    if (room.subscription) return
    const s = this.#chat.subscribe(prefix + room.name, (m) => this.#said(room, m), { last: entry, retained: false, who: true, presence: this.me })
    room.subscription = s
    s.on('subscribed', (e) => this.#subscribed(room, e))
    s.on('gap', ({ missed }) => {
      this.#missed(room, missed)
      this.#on.back(room, missed)
    })
    for (const event of ['joined', 'updated']) s.on(event, ({ user, data }) => this.#people(room, () => room.members?.set(user, data)))
    s.on('left', ({ user }) => this.#people(room, () => room.members?.delete(user)))
    s.on('members', ({ count }) => this.#people(room, () => { room.count = count }))
    s.on('error', () => this.#people(room, () => { room.members = undefined })) // no presence here: the chat works without
    s.on('cleared', () => this.#removed(room, () => room.clear()))
    s.on('forgotten', ({ offsets }) => this.#removed(room, () => room.forget(offsets)))
  }

  async #subscribed(room, { offset, recovered, who }) {
    room.live = true
    this.#people(room, () => {
      room.count = undefined
      room.members = who && new Map(Object.entries(who))
    })
    if (recovered) this.#on.back(room)
    room.keeps = offset !== undefined || await room.subscription.history({ limit: 1 }).then(() => true, () => false)
    this.#on.changed(room, 'messages')
  }

  #people(room, change) {
    change()
    this.#on.changed(room, 'people')
  }

  #removed(room, remove) {
    remove()
    this.#on.changed(room, 'messages')
  }

  leave(room) {
    room.subscription?.unsubscribe()
    this.#rooms.drop(room)
  }

  // earlier gets what is above the first message.
  async earlier(room) {
    const before = room.messages.find((m) => m.offset)?.offset
    const older = await room.subscription.history({ limit: entry, before })
    room.addEarlier(older.filter((m) => !isTyping(m.data)).map(read))
    this.#on.changed(room, 'messages')
  }

  // --- writing ---

  // say publishes. Where there is a history a key makes it safe for the client to send it again after a cut.
  async say(room, text) {
    this.#typedAt = 0
    room.pending.push(text)
    this.#on.changed(room, 'pending')
    try {
      const options = room.keeps ? { key: crypto.randomUUID?.() ?? `${this.me.id}-${Date.now()}` } : {}
      await this.#chat.publish(prefix + room.name, { name: this.me.name, text }, options)
    } finally {
      room.pending.splice(room.pending.indexOf(text), 1)
      this.#on.changed(room, 'pending')
    }
  }

  // typing tells the others, if there are any, now and then. It is not kept, and this page needs no echo.
  typing(room) {
    const now = Date.now()
    if (now - this.#typedAt < typingEvery || this.#chat.state !== 'open' || room.people().length < 2) return
    this.#typedAt = now
    this.#chat.publish(prefix + room.name, { name: this.me.name, typing: true }, { history: false, echo: false }).catch(() => {})
  }

  rename(name) {
    this.me = { ...this.me, name }
    for (const room of this.#rooms.all()) if (room.members) room.subscription?.join(this.me).catch(() => {})
  }
}
