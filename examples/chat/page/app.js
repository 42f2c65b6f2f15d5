// The page: shows rooms and messages, and sends what is written. Everything that comes from others enters
// the document as textContent, so it cannot be markup.

import { connect } from './connection.js'
import { Rooms, add, hue, prefix, read, someName } from './rooms.js'

const $ = (id) => document.getElementById(id)
const rooms = new Rooms()
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const together = 5 * 60_000 // ms within which one person's messages stand under one name

let room // the one shown
let wasOpen = false // the connection worked before
let online = false

// --- rooms ---

// The room is in the address (…/#lobby), so the back button, bookmarks and links work.
function roomOfAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1)).slice(0, 60) || 'lobby'
  } catch {
    return 'lobby' // a half-written % sign
  }
}

function enter() {
  room = rooms.get(roomOfAddress())
  room.unread = 0
  const channel = prefix + room.name
  $('title').textContent = '#' + room.name
  $('command').textContent = `redis-cli PUBLISH ${quoted(channel)} hi`
  $('text').placeholder = `Message #${room.name}`
  $('text-label').textContent = `Message to ${room.name}`
  $('messages').replaceChildren()
  $('empty').hidden = room.messages.length > 0
  let before
  for (const message of room.messages) {
    $('messages').append(line(message, before))
    before = message
  }
  toEnd()
  showRooms()
}

function showRooms() {
  for (const r of rooms.all()) showEntry(r)
  const unread = rooms.unread()
  document.title = `${unread ? `(${unread}) ` : ''}#${room.name} · Fanfare chat`
}

// showEntry changes a room's link in place: replacing it would take the keyboard's focus away.
function showEntry(r) {
  r.link ??= newEntry(r)
  if (r === room) r.link.setAttribute('aria-current', 'page')
  else r.link.removeAttribute('aria-current')
  const badge = r.link.querySelector('.badge')
  badge.hidden = r.unread === 0
  badge.firstChild.textContent = r.unread
}

function newEntry(r) {
  const badge = make('span', 'badge', make('span', ''), make('span', 'hidden', ' unread'))
  const link = make('a', '', make('span', 'hash', '#'), make('span', 'room-name', r.name), badge)
  link.href = '#' + encodeURIComponent(r.name)
  $('rooms').append(make('li', '', link))
  return link
}

// quoted writes a channel so that a shell passes it on unchanged.
const quoted = (s) => (/^[\w:.-]+$/.test(s) ? s : `'${s.replaceAll("'", "'\\''")}'`)

// --- messages ---

function arrived(m) {
  const name = m.channel.slice(prefix.length)
  if (!rooms.has(name) && rooms.full()) return
  const to = rooms.get(name)
  const message = read(m)
  const before = to.messages.at(-1)
  add(to, message)
  if (to === room) show(message, before)
  if (to !== room || document.hidden) to.unread++
  showRooms()
}

// show appends to the room on screen, and follows only a reader who is at the end.
function show(message, before) {
  const paper = $('paper')
  const following = paper.scrollHeight - paper.scrollTop - paper.clientHeight < 80
  const list = $('messages')
  $('empty').hidden = true
  list.append(line(message, before))
  while (list.children.length > room.messages.length) list.firstChild.remove()
  if (following) toEnd()
  else $('newer').hidden = false
}

function line(m, before) {
  if (m.note) return make('li', 'note', m.note)
  const same = before && before.name === m.name && m.time - before.time < together && !before.note
  const item = make('li', same ? 'message same' : 'message')
  item.style.setProperty('--hue', hue(m.name))
  item.classList.toggle('mine', m.name === myName() && !m.terminal)
  item.classList.toggle('terminal', Boolean(m.terminal))
  const face = make('span', 'face', m.terminal ? '>_' : initials(m.name))
  face.setAttribute('aria-hidden', 'true')
  const when = make('time', '', clock.format(m.time))
  when.dateTime = m.time.toISOString()
  const who = make('p', same ? 'who hidden' : 'who', make('b', '', m.name), ' ', when)
  item.append(face, make('div', 'said', who, make('p', 'text', m.text)))
  item.title = m.time.toLocaleString()
  return item
}

const initials = (name) => name.split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? '').join('').toUpperCase()

function make(tag, className, ...children) {
  const element = document.createElement(tag)
  if (className) element.className = className
  element.append(...children) // strings become text nodes
  return element
}

function toEnd() {
  $('paper').scrollTop = $('paper').scrollHeight
  $('newer').hidden = true
}

// --- writing ---

const myName = () => $('name').value.trim() || 'nobody'

function showMe() {
  const face = $('my-face')
  face.textContent = initials(myName())
  face.style.setProperty('--hue', hue(myName()))
}

async function say(event) {
  event.preventDefault()
  const input = $('text')
  const text = input.value.trim()
  if (!text || !online) return
  input.value = ''
  $('problem').textContent = ''
  grow()
  try {
    await connection.publish(prefix + room.name, { name: myName(), text })
  } catch (error) {
    $('problem').textContent = `Not sent: ${error.message}.`
    if (!input.value) input.value = text
  }
  grow()
}

// grow makes the field as high as its text, up to the style's max-height.
function grow() {
  $('text').style.height = 'auto'
  $('text').style.height = `${$('text').scrollHeight + 2}px`
  $('send').disabled = !online || !$('text').value.trim()
}

// --- connection ---

function showState(state, detail) {
  online = state === 'open'
  $('state').dataset.state = state
  $('state-text').textContent = {
    connecting: wasOpen ? 'Reconnecting…' : 'Connecting…',
    open: 'Connected',
    waiting: `Offline, next try in ${Math.ceil(detail / 1000)} s`,
    refused: detail,
  }[state]
  $('retry').hidden = state !== 'waiting' && state !== 'refused'
  if (online && wasOpen) gap()
  wasOpen ||= online
  grow()
}

// gap marks every room: plain channels have no history, so what was said meanwhile is not here.
function gap() {
  const message = { note: `Reconnected at ${clock.format(new Date())}. What was said in between is not shown.` }
  for (const r of rooms.all()) if (r.messages.length) add(r, message)
  if (room.messages.length) show(message)
}

// --- start ---

rooms.get('lobby')
// Of this tab, not of the browser: two windows of one browser are two people.
$('name').value = sessionStorage.getItem('name') || someName()
showMe()
enter()
const connection = connect(document.querySelector('meta[name=broker]').content, prefix + '*', {
  state: showState,
  message: arrived,
})

window.addEventListener('hashchange', () => {
  enter()
  if (matchMedia('(pointer: fine)').matches) $('text').focus()
})
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return
  room.unread = 0
  showRooms()
})
$('name').addEventListener('input', () => {
  sessionStorage.setItem('name', myName())
  showMe()
})
$('join').addEventListener('submit', (event) => {
  event.preventDefault()
  const name = $('room').value.trim().replace(/^#/, '')
  if (name) location.hash = encodeURIComponent(name)
  event.target.reset()
})
$('say').addEventListener('submit', say)
$('text').addEventListener('input', grow)
$('text').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
  event.preventDefault()
  $('say').requestSubmit()
})
$('skip').addEventListener('click', (event) => {
  event.preventDefault() // the hash is the room
  $('text').focus()
})
$('paper').addEventListener('scroll', () => {
  if ($('paper').scrollHeight - $('paper').scrollTop - $('paper').clientHeight < 10) $('newer').hidden = true
})
$('newer').addEventListener('click', toEnd)
$('retry').addEventListener('click', () => connection.retry())
$('copy').addEventListener('click', () => navigator.clipboard?.writeText($('command').textContent))
