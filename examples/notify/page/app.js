// The page of one person's browser, and beside it what the service does. Everything that comes from others
// enters the document as textContent, so it cannot be markup.

const $ = (id) => document.getElementById(id)
const meta = (name) => document.querySelector(`meta[name=${name}]`).content
const { connect } = await import(meta('client')).catch((error) => {
  $('state').dataset.state = 'closed'
  $('state').textContent = 'The broker is not there. Reload to try again'
  throw error
})

const broker = connect(meta('broker'))
const cards = [...document.querySelectorAll('[data-person]')]
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const called = (person) => person.charAt(0).toUpperCase() + person.slice(1)

let mine // the subscription to the person's own channel
let unread = 0

// --- the connection ---

const words = { connecting: 'Connecting…', open: 'Connected', closed: 'The broker does not let this page in.' }

broker.on('state', (state, { wait = 0 }) => {
  $('state').dataset.state = state
  $('state').textContent = words[state] ?? `Not connected. Next attempt in ${Math.ceil(wait / 1000)} s`
})

// --- who is here: the service retains it ---

broker.subscribe('notify:here', ({ data }) => {
  for (const card of cards.filter((c) => c.dataset.person)) {
    const here = data[card.dataset.person] === true
    card.classList.toggle('here', here)
    card.querySelector('small').textContent = here ? 'in a browser' : 'away'
  }
})

// --- what is for this person ---

// The person is in the address (…/#ada), so every window can be somebody else's.
function become() {
  const person = cards.find((c) => c.dataset.person === location.hash.slice(1))?.dataset.person ?? ''
  for (const card of cards) card.toggleAttribute('aria-current', card.dataset.person === person)
  $('inbox-title').textContent = person ? `For ${called(person)}` : 'For nobody'
  $('inbox-empty').textContent = person ? 'Nothing yet.' : 'Choose whose browser this is.'
  $('command').textContent = `redis-cli PUBLISH user:${person} hello`
  $('hint').hidden = !person
  $('to').value = person || 'ada'
  mine?.unsubscribe()
  clear('inbox')
  mine = person ? follow('user:' + person, 'inbox', 20, (m) => entry(m, m.recovered ? 'while you were away' : '')) : undefined
  read()
}

// follow shows what a channel remembers, then what comes. Where something was missed for good, what is
// still remembered comes once more.
function follow(channel, id, last, show) {
  const subscription = broker.subscribe(channel, (m) => {
    $(id + '-empty').hidden = true
    $(id).prepend(show(m))
    if (!m.recovered && document.hidden) unread++
    showUnread()
  }, { last })
  subscription.on('gap', () => clear(id))
  return subscription
}

function clear(id) {
  $(id).replaceChildren()
  $(id + '-empty').hidden = false
}

// The service publishes {"text"}; anything else comes from a terminal.
const textOf = (data) => String(typeof data === 'string' ? data : data?.text ?? JSON.stringify(data))

function entry(m, note) {
  const when = make('time', '', clock.format(m.time))
  when.dateTime = new Date(m.time).toISOString()
  return make('li', m.recovered ? '' : 'new', make('p', '', textOf(m.data)), make('small', '', when, note && ' · ' + note))
}

follow('notify:outbox', 'outbox', 50, (m) => entry(m, 'to ' + called(String(m.data?.to))))

function showUnread() {
  document.title = `${unread ? `(${unread}) ` : ''}Fanfare notify`
}

function read() {
  if (!document.hidden) unread = 0
  showUnread()
}

function make(tag, className, ...children) {
  const element = document.createElement(tag)
  if (className) element.className = className
  element.append(...children) // strings become text nodes
  return element
}

// --- telling somebody ---

async function notify(event) {
  event.preventDefault()
  const to = $('to').value
  const text = $('text').value.trim()
  if (!text) return
  $('text').value = ''
  try {
    const answer = await fetch('notify', { method: 'POST', body: JSON.stringify({ to, text }) })
    const way = await answer.text()
    if (!answer.ok) throw new Error(way)
    $('way').textContent = way === 'browser'
      ? `${called(to)} has it in the browser.`
      : `${called(to)} is away: a mail goes out unless ${called(to)} is back within ${meta('wait')}.`
  } catch (error) {
    $('way').textContent = `Not sent: ${error.message}`
    $('text').value ||= text
  }
}

for (const card of cards) {
  card.querySelector('.face').textContent ||= card.dataset.person.charAt(0).toUpperCase()
  if (card.dataset.person) card.style.setProperty('--hue', (card.dataset.person.charCodeAt(0) * 83) % 360)
}
$('notify').addEventListener('submit', notify)
window.addEventListener('hashchange', become)
document.addEventListener('visibilitychange', read)
become()
