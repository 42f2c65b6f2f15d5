// What this page knows: rooms and what was said in them since it was opened. No DOM here.

export const prefix = 'chat:' // a room's channel is prefix + its name

const keptMessages = 300 // per room
const keptRooms = 60 // without this, somebody who publishes to ever new channels would fill the tab

// Rooms in the order in which they appeared. A room is {name, messages, unread}; a message is
// {name, text, time}, with terminal: true if no page wrote it, or {note} for a line that nobody said.
export class Rooms {
  #rooms = new Map()

  get(name) {
    let room = this.#rooms.get(name)
    if (!room) {
      room = { name, messages: [], unread: 0 }
      this.#rooms.set(name, room)
    }
    return room
  }

  has(name) {
    return this.#rooms.has(name)
  }

  full() {
    return this.#rooms.size >= keptRooms
  }

  all() {
    return [...this.#rooms.values()]
  }

  unread() {
    return this.all().reduce((sum, room) => sum + room.unread, 0)
  }
}

// add keeps a room's newest messages.
export function add(room, message) {
  room.messages.push(message)
  if (room.messages.length > keptMessages) room.messages.shift()
}

// read turns what arrived into a message. A page publishes {"name", "text"}; anything else was published
// by a Redis client.
export function read({ data, b64, time }) {
  const when = new Date(time ?? Date.now())
  if (typeof data?.name === 'string' && typeof data.text === 'string') {
    return { name: data.name.slice(0, 32) || 'nobody', text: data.text, time: when }
  }
  let text = data
  if (b64 !== undefined) text = `${atob(b64).length} bytes that are not text`
  else if (typeof data !== 'string') text = JSON.stringify(data)
  return { name: 'redis-cli', text, time: when, terminal: true }
}

// hue gives every name a colour of its own, the same in every browser: FNV-1a, stirred once more because
// the remainder below looks at the low bits only.
export function hue(name) {
  let h = 2166136261
  for (const c of name) h = Math.imul(h ^ c.codePointAt(0), 16777619)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return ((h ^ (h >>> 12)) >>> 0) % 360
}

const calm = ['Quiet', 'Amber', 'Brisk', 'Clever', 'Gentle', 'Lucky', 'Merry', 'Nimble', 'Sunny', 'Velvet']
const birds = ['Heron', 'Finch', 'Wren', 'Curlew', 'Plover', 'Robin', 'Starling', 'Lapwing', 'Swift', 'Owl']
const pick = (list) => list[Math.floor(Math.random() * list.length)]

// someName is for those who have not chosen one.
export const someName = () => `${pick(calm)} ${pick(birds)}`
