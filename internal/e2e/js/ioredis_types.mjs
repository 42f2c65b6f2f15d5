// ioredis with hashes, lists, sets and sorted sets, as its users use them.
import { Redis } from 'ioredis'
import { host, name, port, protocol, serve } from './serve.mjs'

let redis

// Members and scores in turn: RESP3 has pairs and numbers where RESP2 has a flat list of strings.
const flat = reply => reply.flat().map(String)

async function collect(stream) {
  const words = []
  for await (const page of stream) words.push(...page)
  return words
}

const fields = words => Object.fromEntries(words.flatMap((word, i) => (i % 2 ? [] : [[word, words[i + 1]]])))

await serve({
  dial() {
    redis?.disconnect()
    redis = new Redis({ host, port, protocol, connectionName: name })
    redis.on('error', error => console.error(error))
  },
  hashSet: (key, hash) => redis.hset(key, hash),
  hashAll: key => redis.hgetall(key),
  hashSome: (key, names) => redis.hmget(key, ...names),
  hashScan: async (key, match, count) => fields(await collect(redis.hscanStream(key, { match, count }))),
  push: (key, values) => redis.rpush(key, ...values),
  listAll: key => redis.lrange(key, 0, -1),
  move: (from, to) => redis.lmove(from, to, 'RIGHT', 'LEFT'),
  waitPop: async keys => (await redis.blpop(...keys, 1)) ?? [],
  waitMove: (from, to) => redis.blmove(from, to, 'RIGHT', 'LEFT', 1),
  setAdd: (key, members) => redis.sadd(key, ...members),
  setAll: async key => [...(await redis.smembers(key))],
  combine: async (how, keys) => [...(await redis[{ inter: 'sinter', union: 'sunion', diff: 'sdiff' }[how]](...keys))],
  setHas: async (key, members) => (await redis.smismember(key, ...members)).map(Boolean),
  setScan: (key, match, count) => collect(redis.sscanStream(key, { match, count })),
  scoreSet: (key, scores) => redis.zadd(key, ...scores.map((_, i) => scores[i ^ 1])),
  scoreAdd: async (key, by, member) => String(await redis.zincrby(key, by, member)),
  top: async (key, n) => flat(await redis.zrevrange(key, 0, n - 1, 'WITHSCORES')),
  async place(key, member) {
    const score = await redis.zscore(key, member)
    return [score === null ? null : String(score), await redis.zrevrank(key, member)]
  },
  popLowest: async key => flat(await redis.zpopmin(key)),
  waitLowest: async keys => flat(((await redis.bzpopmin(...keys, 1)) ?? []).slice(1)),
  scoreScan: (key, match, count) => collect(redis.zscanStream(key, { match, count })),
  async together(hash, set, scores) {
    const replies = await redis.multi().hgetall(hash).smembers(set).zrevrange(scores, 0, -1, 'WITHSCORES').exec()
    const [all, members, top] = replies.map(([error, reply]) => {
      if (error) throw error
      return reply
    })
    return [all, [...members], flat(top)]
  },
})
