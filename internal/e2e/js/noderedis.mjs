// node-redis as its users use it. In RESP3 subscriptions and commands share a connection, which RESP2 does not allow.
import { createClient, WatchError } from 'redis'
import { bytes, deliver, host, name, port, protocol, serve } from './serve.mjs'

const AS_BUFFER = true

let opened = []
let commands, subscriber, watcher

async function open() {
  const client = createClient({ socket: { host, port: Number(port) }, RESP: protocol, name })
  client.on('error', error => console.error(error))
  opened.push(client)
  return client.connect()
}

await serve({
  async dial() {
    for (const client of opened) client.destroy()
    opened = []
    commands = await open()
    subscriber = protocol === 3 ? commands : await open()
  },
  async subscribe(kind, names) {
    const method = { channels: 'subscribe', patterns: 'pSubscribe', shards: 'sSubscribe' }[kind]
    const subscribe = name => {
      // A listener is not told the pattern; it belongs to one.
      const pattern = kind === 'patterns' ? name : ''
      return subscriber[method](name, (text, channel) => deliver(pattern, channel, text), AS_BUFFER)
    }
    await Promise.all(names.map(subscribe))
  },
  publish: (channel, text) => commands.publish(channel, bytes(text)),
  shardPublish: (channel, text) => commands.sPublish(channel, bytes(text)),
  pipeline(channel, texts) {
    const pipeline = commands.multi()
    for (const text of texts) pipeline.publish(channel, bytes(text))
    return pipeline.execAsPipeline()
  },
  async transaction(key, value, channel) {
    const replies = await commands.multi().set(key, value).get(key).publish(channel, value).exec()
    return replies.slice(1)
  },
  async watch(key) {
    watcher = await open()
    await watcher.watch(key)
  },
  async commit(key) {
    try {
      await watcher.multi().set(key, 'mine').exec()
      return true
    } catch (error) {
      if (error instanceof WatchError) return false
      throw error
    }
  },
  async scan(MATCH, COUNT, TYPE) {
    const keys = []
    for await (const page of commands.scanIterator({ MATCH, COUNT, TYPE })) keys.push(...page)
    return keys
  },
  unknown: () => commands.sendCommand(['NOSUCHTHING', 'a', 'b']),
})
