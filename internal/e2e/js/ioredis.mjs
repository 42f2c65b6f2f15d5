// ioredis as its users use it. In RESP3 subscriptions and commands share a connection, which RESP2 does not allow.
import { Redis } from 'ioredis'
import { bytes, deliver, host, name, port, protocol, serve } from './serve.mjs'

let opened = []
let commands, subscriber, watcher

function open() {
  const redis = new Redis({ host, port, protocol, connectionName: name })
  redis.on('error', error => console.error(error))
  opened.push(redis)
  return redis
}

await serve({
  async dial() {
    for (const redis of opened) redis.disconnect()
    opened = []
    commands = open()
    subscriber = protocol === 3 ? commands : open()
    subscriber.on('messageBuffer', (channel, text) => deliver('', channel, text))
    subscriber.on('smessageBuffer', (channel, text) => deliver('', channel, text))
    subscriber.on('pmessageBuffer', deliver)
  },
  subscribe: (kind, names) =>
    subscriber[{ channels: 'subscribe', patterns: 'psubscribe', shards: 'ssubscribe' }[kind]](...names),
  publish: (channel, text) => commands.publish(channel, bytes(text)),
  shardPublish: (channel, text) => commands.spublish(channel, bytes(text)),
  async pipeline(channel, texts) {
    const pipeline = commands.pipeline()
    for (const text of texts) pipeline.publish(channel, bytes(text))
    return counted(await pipeline.exec())
  },
  async transaction(key, value, channel) {
    const replies = await commands.multi().set(key, value).get(key).publish(channel, value).exec()
    return counted(replies).slice(1)
  },
  watch(key) {
    watcher = open()
    return watcher.watch(key)
  },
  commit: async key => (await watcher.multi().set(key, 'mine').exec()) !== null,
  async scan(match, count, type) {
    const keys = []
    for await (const page of commands.scanStream({ match, count, type })) keys.push(...page)
    return keys
  },
  unknown: () => commands.call('NOSUCHTHING', 'a', 'b'),
})

function counted(replies) {
  return replies.map(([error, reply]) => {
    if (error) throw error
    return reply
  })
}
