// Elements of the page. Everything that comes from others enters the document as text, so it cannot be markup.

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const together = 5 * 60_000 // ms within which one person's messages stand under one name

export const $ = (id) => document.getElementById(id)
export const initials = (name) => name.split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? '').join('').toUpperCase()
export const timeOfDay = (date) => clock.format(date)

export function make(tag, className, ...children) {
  const element = document.createElement(tag)
  if (className) element.className = className
  element.append(...children) // strings become text nodes
  return element
}

// line shows one message; before is the one above it, me the name of who reads.
export function line(m, before, me) {
  if (m.note) return make('li', 'note', m.note)
  const same = before && before.name === m.name && m.time - before.time < together && !before.note
  const item = make('li', same ? 'message same' : 'message')
  item.classList.toggle('mine', m.name === me && !m.terminal)
  item.classList.toggle('terminal', Boolean(m.terminal))
  const when = make('time', '', clock.format(m.time))
  when.dateTime = m.time.toISOString()
  const who = make('p', same ? 'who hidden' : 'who', make('b', '', m.name), ' ', when)
  item.append(face(m.name, m.terminal && '>_'), make('div', 'said', who, make('p', 'text', m.text)))
  item.style.setProperty('--hue', hue(m.name))
  item.title = m.time.toLocaleString()
  return item
}

// face is a coloured tile with the name's initials, or the given sign.
export function face(name, sign) {
  const tile = make('span', 'face', sign || initials(name))
  tile.style.setProperty('--hue', hue(name))
  tile.setAttribute('aria-hidden', 'true')
  return tile
}

export const marker = () => make('li', 'new', 'New')

// showPending lists what was written and is not confirmed.
export function showPending(room) {
  $('pending').replaceChildren(...room.pending.map((text) => {
    const item = make('li', 'waiting', make('p', 'text', text))
    item.title = 'On its way'
    return item
  }))
}

// showPeople lists who is in the room, if the broker tells.
export function showPeople(room, myId) {
  const people = room.people()
  const known = Boolean(room.members)
  $('people').hidden = $('show-people').hidden = !known
  $('people-count').textContent = room.count ?? people.length
  $('people-title').textContent = `Here now · ${room.count ?? people.length}`
  $('members').replaceChildren(...people.map(({ id, name }) => {
    const you = id === myId ? make('span', 'you', ' (you)') : ''
    return make('li', '', face(name), make('span', 'member-name', name, you))
  }))
}

export function showTyping(room) {
  const names = room.typists()
  const text = {
    0: '',
    1: `${names[0]} is typing…`,
    2: `${names[0]} and ${names[1]} are typing…`,
  }[names.length] ?? 'Several people are typing…'
  if ($('typing').textContent !== text) $('typing').textContent = text
}

// hue gives every name a colour of its own, the same in every browser: FNV-1a, stirred once more because
// the remainder below looks at the low bits only.
export function hue(name) {
  let h = 2166136261
  for (const c of name) h = Math.imul(h ^ c.codePointAt(0), 16777619)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return ((h ^ (h >>> 12)) >>> 0) % 360
}
