// Two socket.io servers that know each other only through their Redis adapter: what one emits reaches the
// clients of the other. ADAPTER and CLIENT choose; every rule that holds is printed, the first that does not throws.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { Server } from 'socket.io'
import { io as connect } from 'socket.io-client'

const [host, port] = process.env.BROKER.split(':')

// The adapter's documentation asks for two connections, whatever the protocol.
const clients = {
  ioredis: async () => new Redis({ host, port }),
  'node-redis': () => createClient({ socket: { host, port: Number(port) } }).connect(),
}
const adapters = { classic: createAdapter, sharded: createShardedAdapter }

async function server() {
  const open = clients[process.env.CLIENT]
  const adapter = adapters[process.env.ADAPTER](await open(), await open())
  const listener = createServer()
  const io = new Server(listener, { adapter })
  io.on('connection', socket => {
    socket.on('join', async (room, done) => { await socket.join(room); done() })
    socket.on('leave', async (room, done) => { await socket.leave(room); done() })
  })
  io.on('add', (a, b, answer) => answer(a + b)) // asked for by the other server
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return { io, url: `http://127.0.0.1:${listener.address().port}` }
}

async function client(url) {
  const socket = connect(url, { transports: ['websocket'], forceNew: true })
  socket.got = []
  socket.on('said', what => socket.got.push(what))
  await once(socket, 'connect')
  return socket
}

// The adapter subscribes in the background; only what has come through says that it is done.
async function eventually(what, holds) {
  for (const end = Date.now() + 20_000; Date.now() < end; await pause(5)) if (await holds()) return
  throw new Error(`never: ${what}`)
}

const ok = name => console.log('ok', name)

const a = await server()
const b = await server()
await eventually('both servers count both', async () => {
  const counts = await Promise.all([a, b].map(({ io }) => io.of('/').adapter.serverCount()))
  return counts[0] === 2 && counts[1] === 2
})
ok('serverCount counts the subscribed servers')

const member = await client(a.url)
const stranger = await client(a.url)
const native = await client(b.url)
await member.emitWithAck('join', 'room')
await native.emitWithAck('join', 'room')

// The sharded adapter subscribes to a room when its first client joins, so the first emits may miss A.
let sent = 0
await eventually('an emit on B reaches the room on A', async () => {
  b.io.to('room').emit('said', ++sent)
  await pause(5)
  return member.got.length > 0
})
await eventually('the last of them has arrived', () => [member, native].every(s => s.got.at(-1) === sent))
for (const socket of [member, stranger, native]) socket.got = []

b.io.to('room').emit('said', 'from B')
a.io.to('room').emit('said', { bytes: Buffer.from([0, 13, 10, 255]) })
b.io.emit('said', 'last')
await eventually('everybody has the last', () => [member, stranger, native].every(s => s.got.includes('last')))
await eventually('both have all three', () => [member, native].every(s => s.got.length >= 3))
for (const socket of [member, native]) {
  assert.equal(socket.got.length, 3)
  assert.ok(socket.got.includes('from B'))
  assert.ok(socket.got.some(what => what.bytes && Buffer.from([0, 13, 10, 255]).equals(what.bytes)))
}
ok('a room spans both servers and gets each emit once')
assert.deepEqual(stranger.got, ['last'])
ok('who is not in the room gets nothing of it')

const ids = (await b.io.in('room').fetchSockets()).map(socket => socket.id)
assert.deepEqual(ids.sort(), [member.id, native.id].sort())
ok('a server can list the sockets of the other')

b.io.in(stranger.id).socketsJoin('room')
await eventually('the stranger is in the room', async () => (await b.io.in('room').fetchSockets()).length === 3)
ok('a server can move a client of the other')

assert.deepEqual(await b.io.serverSideEmitWithAck('add', 2, 3), [5])
ok('a server can ask the other')

await member.emitWithAck('leave', 'room')
member.got = []
stranger.got = []
b.io.to('room').emit('said', 'without member')
await eventually('the room gets it', () => stranger.got.length === 1)
await member.emitWithAck('leave', 'room') // its answer follows whatever was on its way
assert.deepEqual(member.got, [])
ok('who has left the room gets nothing more')
process.exit()
