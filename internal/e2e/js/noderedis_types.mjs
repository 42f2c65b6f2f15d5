// node-redis with hashes, lists, sets and sorted sets, as its users use them.
import { createClient } from 'redis'
import { host, name, port, protocol, serve } from './serve.mjs'

let client

const flat = scores => scores.flatMap(({ value, score }) => [value, String(score)])

async function collect(pages) {
  const all = []
  for await (const page of pages) all.push(...page)
  return all
}

await serve({
  async dial() {
    client?.destroy()
    client = createClient({ socket: { host, port: Number(port) }, RESP: protocol, name })
    client.on('error', error => console.error(error))
    await client.connect()
  },
  hashSet: (key, hash) => client.hSet(key, hash),
  hashAll: key => client.hGetAll(key),
  hashSome: (key, names) => client.hmGet(key, names),
  async hashScan(key, MATCH, COUNT) {
    const entries = await collect(client.hScanIterator(key, { MATCH, COUNT }))
    return Object.fromEntries(entries.map(({ field, value }) => [field, value]))
  },
  push: (key, values) => client.rPush(key, values),
  listAll: key => client.lRange(key, 0, -1),
  move: (from, to) => client.lMove(from, to, 'RIGHT', 'LEFT'),
  async waitPop(keys) {
    const popped = await client.blPop(keys, 1)
    return popped ? [popped.key, popped.element] : []
  },
  waitMove: (from, to) => client.blMove(from, to, 'RIGHT', 'LEFT', 1),
  setAdd: (key, members) => client.sAdd(key, members),
  setAll: async key => [...(await client.sMembers(key))],
  combine: async (how, keys) => [...(await client[{ inter: 'sInter', union: 'sUnion', diff: 'sDiff' }[how]](keys))],
  setHas: async (key, members) => (await client.smIsMember(key, members)).map(Boolean),
  setScan: (key, MATCH, COUNT) => collect(client.sScanIterator(key, { MATCH, COUNT })),
  scoreSet(key, scores) {
    const list = []
    for (let i = 0; i < scores.length; i += 2) list.push({ value: scores[i], score: Number(scores[i + 1].replace('Inf', 'Infinity')) })
    return client.zAdd(key, list)
  },
  scoreAdd: async (key, by, member) => String(await client.zIncrBy(key, by, member)),
  top: async (key, n) => flat(await client.zRangeWithScores(key, 0, n - 1, { REV: true })),
  async place(key, member) {
    const score = await client.zScore(key, member)
    return [score === null ? null : String(score), await client.zRevRank(key, member)]
  },
  async popLowest(key) {
    const lowest = await client.zPopMin(key)
    return lowest ? flat([lowest]) : []
  },
  async waitLowest(keys) {
    const lowest = await client.bzPopMin(keys, 1)
    return lowest ? flat([lowest]) : []
  },
  scoreScan: async (key, MATCH, COUNT) => flat(await collect(client.zScanIterator(key, { MATCH, COUNT }))),
  async together(hash, set, scores) {
    const [all, members, top] = await client
      .multi()
      .hGetAll(hash)
      .sMembers(set)
      .zRangeWithScores(scores, 0, -1, { REV: true })
      .exec()
    return [all, [...members], flat(top)]
  },
})
