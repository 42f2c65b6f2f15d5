// The page: puts rooms on the screen and takes what is written.

import { Rooms, prefix, someName } from './rooms.js'
import { Talk, load } from './talk.js'
import { $, face, line, make, marker, showPending, showPeople, showTyping, timeOfDay } from './view.js'

const rooms = new Rooms()
const broker = document.querySelector('meta[name=broker]').content
const final = {
  4400: 'The broker did not understand this page.',
  4403: 'The broker does not let this page in.',
  4413: 'A message was too big for the broker.',
}

let room // the one shown
let chat // the client, once it is loaded
let talk
let wasOpen = false // the connection worked before
let bannerTimer

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
  if (room) room.firstUnread = undefined
  room = rooms.get(roomOfAddress())
  talk?.open(room)
  $('title').textContent = '#' + room.name
  $('command').textContent = `redis-cli PUBLISH ${quoted(prefix + room.name)} hi`
  $('text').placeholder = `Message #${room.name}`
  $('text-label').textContent = `Message to ${room.name}`
  $('leave').hidden = room.name === 'lobby'
  showMessages()
  showPeople(room, me.id)
  showPending(room)
  showTyping(room)
  const mark = $('messages').querySelector('.new')
  if (mark) mark.scrollIntoView({ block: 'center' })
  else toEnd()
  room.markRead()
  showRooms()
}

function showRooms() {
  for (const r of rooms.all()) showEntry(r)
  const unread = rooms.unread()
  document.title = `${unread ? `(${unread}) ` : ''}#${room.name} · Fanfare chat`
  remember()
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

function leave() {
  talk?.leave(room)
  room.link.parentNode.remove()
  location.hash = encodeURIComponent(rooms.all()[0].name)
}

// togglePeople is for narrow windows, where people are shown over the messages.
function togglePeople(open) {
  if (document.body.classList.contains('people-open') === open) return
  document.body.classList.toggle('people-open', open)
  $('show-people').setAttribute('aria-expanded', open)
  $(open ? 'hide-people' : 'show-people').focus()
}

// quoted writes a channel so that a shell passes it on unchanged.
const quoted = (s) => (/^[\w:.-]+$/.test(s) ? s : `'${s.replaceAll("'", "'\\''")}'`)

// --- messages ---

function showMessages() {
  const lines = []
  let before
  for (const message of room.messages) {
    if (message === room.firstUnread) lines.push(marker())
    lines.push(line(message, before, me.name))
    before = message
  }
  $('messages').replaceChildren(...lines)
  $('empty').hidden = room.messages.length > 0
  $('earlier').hidden = !room.keeps || room.complete || room.messages.length < 50
}

const atEnd = (slack) => $('paper').scrollHeight - $('paper').scrollTop - $('paper').clientHeight < slack

// said shows a new message, and follows only a reader who is at the end.
function said(r, message, isNew) {
  const unread = isNew && (r !== room || document.hidden)
  if (unread) r.markUnread(message)
  if (r === room) {
    const following = atEnd(80)
    $('empty').hidden = true
    if (r.firstUnread === message) $('messages').append(marker())
    $('messages').append(line(message, r.messages.at(-2), me.name))
    if (!document.hidden) r.markRead()
    if (following) toEnd()
    else $('newer').hidden = false
    showTyping(r)
  }
  showRooms()
}

function changed(r, what) {
  if (r !== room) return
  const following = atEnd(80)
  const show = { messages: showMessages, people: () => showPeople(r, me.id), typing: () => showTyping(r), pending: () => showPending(r) }
  show[what]()
  if (following && what !== 'people') toEnd()
}

async function earlier() {
  const height = $('paper').scrollHeight
  await talk.earlier(room).catch(problem)
  $('paper').scrollTop += $('paper').scrollHeight - height // what was read stays where it is
}

function toEnd() {
  $('paper').scrollTop = $('paper').scrollHeight
  $('newer').hidden = true
}

// --- writing ---

// Of this tab, not of the browser: two windows of one browser are two people.
const me = {
  id: sessionStorage.getItem('id') || crypto.randomUUID?.() || String(Math.random()),
  name: sessionStorage.getItem('name') || someName(),
}

// remember keeps what a reload needs.
function remember() {
  sessionStorage.setItem('id', me.id)
  sessionStorage.setItem('rooms', JSON.stringify(rooms.all().filter((r) => r.subscription).map(({ name, seen }) => ({ name, seen }))))
}

function recall() {
  for (const { name, seen } of JSON.parse(sessionStorage.getItem('rooms') || '[]')) rooms.get(name).seen = seen
}

function showMe() {
  $('my-face').replaceWith(Object.assign(face(me.name), { id: 'my-face' }))
}

let renaming
function rename() {
  me.name = $('name').value.trim() || 'nobody'
  sessionStorage.setItem('name', me.name)
  showMe()
  clearTimeout(renaming)
  renaming = setTimeout(() => talk?.rename(me.name), 400) // the others need not see every letter
}

async function say(event) {
  event.preventDefault()
  const input = $('text')
  const text = input.value.trim()
  if (!text || !talk) return
  input.value = ''
  $('problem').textContent = ''
  grow()
  try {
    await talk.say(room, text)
  } catch (error) {
    problem(error)
    if (!input.value) input.value = text
  }
  grow()
}

function problem(error) {
  const unsure = error.code === 'lost'
  $('problem').textContent = unsure ? 'The connection broke. It may or may not have been sent.' : `Not sent: ${error.message}.`
}

// grow makes the field as high as its text, up to the style's max-height.
function grow() {
  $('text').style.height = 'auto'
  $('text').style.height = `${$('text').scrollHeight + 2}px`
  $('send').disabled = !talk || chat.state === 'closed' || !$('text').value.trim()
}

// --- connection ---

function showState(state, { wait, code } = {}) {
  $('state').dataset.state = state
  $('state-text').textContent = {
    connecting: wasOpen ? 'Reconnecting…' : 'Connecting…',
    open: 'Connected',
    waiting: `Offline, next try in ${Math.ceil(wait / 1000)} s`,
    closed: final[code] ?? 'Closed',
  }[state]
  $('retry').hidden = state !== 'waiting'
  wasOpen ||= state === 'open'
  if (wasOpen && state === 'waiting') banner('No connection. What you write waits here and is sent when it is back.', 'away')
  if (state === 'open' && !$('banner').hidden) banner(`Connected again at ${timeOfDay(new Date())}.`, 'back')
  grow()
}

// back says what became of a cut, for the room on screen.
function back(r, missed) {
  if (r !== room) return
  if (missed === undefined) banner('Connected again. Nothing was missed.', 'back')
  else banner(missed > 0 ? `Connected again, but ${missed} messages are missing.` : 'Connected again, but messages may be missing.', 'gap')
}

function banner(text, kind) {
  clearTimeout(bannerTimer)
  Object.assign($('banner'), { textContent: text, hidden: false })
  $('banner').dataset.kind = kind
  if (kind !== 'away') bannerTimer = setTimeout(() => ($('banner').hidden = true), 6_000)
}

async function start() {
  const { connect } = await load(broker, (wait) => {
    showState('waiting', { wait })
    return new Promise((resolve) => {
      $('retry').onclick = resolve
      setTimeout(resolve, wait)
    })
  })
  chat = connect(broker)
  $('retry').onclick = () => chat.retry()
  chat.on('state', showState)
  chat.on('error', problem)
  talk = new Talk(chat, rooms, me, { said, changed, back })
  for (const r of rooms.all()) talk.open(r)
  grow()
}

rooms.get('lobby')
recall()
$('name').value = me.name
showMe()
enter()
start()

// --- the page's own events ---

addEventListener('hashchange', () => {
  enter()
  if (matchMedia('(pointer: fine)').matches) $('text').focus()
})
document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    room.firstUnread = undefined // the marker has been seen
    $('messages').querySelector('.new')?.remove()
    return
  }
  room.markRead()
  showRooms()
})
setInterval(() => room.typing.size && showTyping(room), 1_000)
$('name').addEventListener('input', rename)
$('join').addEventListener('submit', (event) => {
  event.preventDefault()
  const name = $('room').value.trim().replace(/^#/, '')
  if (name) location.hash = encodeURIComponent(name)
  event.target.reset()
})
$('leave').addEventListener('click', leave)
$('show-people').addEventListener('click', () => togglePeople(true))
$('hide-people').addEventListener('click', () => togglePeople(false))
addEventListener('keydown', (event) => event.key === 'Escape' && togglePeople(false))
$('say').addEventListener('submit', say)
$('text').addEventListener('input', () => {
  grow()
  if ($('text').value.trim()) talk?.typing(room)
})
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
  if (atEnd(10)) $('newer').hidden = true
})
$('earlier').addEventListener('click', earlier)
$('newer').addEventListener('click', toEnd)
$('copy').addEventListener('click', () => navigator.clipboard?.writeText($('command').textContent))
