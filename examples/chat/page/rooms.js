// What this page knows: rooms, what was said in them, who is there. No DOM here.

export const prefix = 'chat:' // a room's channel is prefix + its name

const keptMessages = 500 // per room
const keptRooms = 60 // without this, somebody who publishes to ever new channels would fill the tab
const typingLasts = 5_000 // ms after the last sign of it

// Rooms in the order in which they appeared.
export class Rooms {
  #rooms = new Map()

  get(name) {
    let room = this.#rooms.get(name)
    if (!room) this.#rooms.set(name, (room = new Room(name)))
    return room
  }

  has(name) {
    return this.#rooms.has(name)
  }

  full() {
    return this.#rooms.size >= keptRooms
  }

  drop(room) {
    this.#rooms.delete(room.name)
  }

  all() {
    return [...this.#rooms.values()]
  }

  unread() {
    return this.all().reduce((sum, room) => sum + room.unread, 0)
  }
}

// A message is {name, text, time, offset}, with terminal: true if no page wrote it, or {note} for a line
// that nobody said.
class Room {
  messages = []
  pending = [] // written here and not confirmed
  unread = 0
  firstUnread // message above which the marker stands
  top = 0 // highest offset seen
  keeps = false // the broker keeps a history of it
  complete = false // the first message of the history is here
  members // user → {id, name}; undefined where the broker tells nobody who is there
  count // of members, where they are too many to be named
  typing = new Map() // name → until when
  subscription // of the client, once this room was opened
  live = false // the subscription has been confirmed

  constructor(name) {
    this.name = name
    this.seen = Date.now() // time of the newest message that was on screen; what is older is not unread
  }

  // add keeps a message, unless it came before by another way.
  add(message) {
    if (message.offset && message.offset <= this.top) return false
    if (message.offset) this.top = message.offset
    this.messages.push(message)
    if (this.messages.length > keptMessages) this.messages.shift()
    this.typing.delete(message.name)
    return true
  }

  addEarlier(messages) {
    this.messages.unshift(...messages)
    this.complete = messages.length === 0
  }

  forget(offsets) {
    this.messages = this.messages.filter((m) => !offsets.includes(m.offset))
  }

  clear() {
    this.messages = []
    this.complete = true
  }

  markUnread(message) {
    this.unread++
    this.firstUnread ??= message
  }

  markRead() {
    this.unread = 0
    const last = this.messages.findLast((m) => m.time)
    if (last) this.seen = Number(last.time)
  }

  // people are the members without doubles: who has come back after a cut is a second member until the
  // broker gives up the first.
  people() {
    const byId = new Map()
    for (const [user, data] of this.members ?? []) {
      const id = data?.id ?? user
      byId.set(id, { id, name: String(data?.name ?? 'somebody').slice(0, 32) })
    }
    return [...byId.values()].sort((a, b) => a.name.localeCompare(b.name))
  }

  types(name) {
    this.typing.set(name, Date.now() + typingLasts)
  }

  typists() {
    for (const [name, until] of this.typing) if (until < Date.now()) this.typing.delete(name)
    return [...this.typing.keys()]
  }
}

// read turns what arrived into a message. A page publishes {"name", "text"}; anything else was published
// by a Redis client.
export function read({ data, time, offset }) {
  const when = new Date(time ?? Date.now())
  if (typeof data?.name === 'string' && typeof data.text === 'string') {
    return { name: data.name.slice(0, 32) || 'nobody', text: data.text, time: when, offset }
  }
  let text = data
  if (data instanceof Uint8Array) text = `${data.length} bytes that are not text`
  else if (typeof data !== 'string') text = JSON.stringify(data)
  return { name: 'redis-cli', text, time: when, offset, terminal: true }
}

// isTyping tells the signal {"name", "typing": true} from messages.
export const isTyping = (data) => data?.typing === true && typeof data.name === 'string'

const calm = ['Quiet', 'Amber', 'Brisk', 'Clever', 'Gentle', 'Lucky', 'Merry', 'Nimble', 'Sunny', 'Velvet']
const birds = ['Heron', 'Finch', 'Wren', 'Curlew', 'Plover', 'Robin', 'Starling', 'Lapwing', 'Swift', 'Owl']
const pick = (list) => list[Math.floor(Math.random() * list.length)]

// someName is for those who have not chosen one.
export const someName = () => `${pick(calm)} ${pick(birds)}`
