// The pieces of docs/javascript.md that can be tested without a browser.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const page = readFileSync(new URL('../../../docs/javascript.md', import.meta.url), 'utf8')

// block is the first fenced block of a language that contains text.
function block(language, text) {
  const blocks = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
  const found = blocks.find((b) => b[1] === language && b[2].includes(text))
  assert.ok(found, `docs/javascript.md has no block ${language} with ${text}`)
  return found[2]
}

const local = (name) => fileURLToPath(new URL(name, import.meta.url))

test('the React hook subscribes per channel and cleans up before it does so again', async () => {
  // A stand-in for React: state in order of the calls, effects that run when a dependency has changed.
  const react = `
    let state = [], at = 0, cleanup, before
    export const render = (f) => { at = 0; return f() }
    export const useState = (first) => { const i = at++; state[i] ??= first; return [state[i], (v) => { state[i] = typeof v === 'function' ? v(state[i]) : v }] }
    export const useEffect = (effect, now) => { if (before?.every((d, i) => d === now[i])) return; cleanup?.(); before = now; cleanup = effect() }`
  const client = `
    export const log = [], rooms = {}
    export const connect = () => ({
      subscribe: (channel, handler, options) => { log.push(['subscribe', channel, options.last]); rooms[channel] = handler; return { unsubscribe: () => log.push(['unsubscribe', channel]) } },
      publish: (...args) => log.push(['publish', ...args]),
    })`
  const url = (source) => 'data:text/javascript,' + encodeURIComponent(source).replaceAll("'", '%27')
  const source = block('js', 'useRoom').replace("'react'", `'${url(react)}'`).replace("'./client.js'", `'${url(client)}'`)
  const [{ useRoom }, { render }, { log, rooms }] = await Promise.all([import(url(source)), import(url(react)), import(url(client))])

  const show = (...args) => render(() => useRoom(...args))
  assert.deepEqual(show('a', 2).messages, [])
  for (const m of [1, 2, 3]) rooms.a(m)
  assert.deepEqual(show('a', 2).messages, [2, 3])
  show('b', 2).publish('hi', { echo: false })
  assert.deepEqual(show('b', 2).messages, [])
  assert.deepEqual(log, [['subscribe', 'a', 2], ['unsubscribe', 'a'], ['subscribe', 'b', 2], ['publish', 'b', 'hi', { echo: false }]])
})

test('the TypeScript of the page fits the client’s types', (t) => {
  const tsc = ['../../../internal/e2e/js/node_modules/typescript/bin/tsc', './node_modules/typescript/bin/tsc'].map(local).find(existsSync)
  if (!tsc) return t.skip('no TypeScript: npm install --no-save typescript in protocol/ws/client')
  const dir = mkdtempSync(join(tmpdir(), 'fanfare-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const types = readFileSync(local('client.d.ts'))
  const env = 'interface ImportMeta { readonly env?: Record<string, string> }\n' // what vite/client declares
  const files = { 'client.d.ts': types, 'env.d.ts': env, 'main.ts': block('ts', './client.js') }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  const options = '--noEmit --strict --target es2022 --module esnext --moduleResolution bundler --lib es2022,dom'.split(' ')
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...options, 'main.ts', 'env.d.ts'], { cwd: dir, encoding: 'utf8' })
  assert.equal(status, 0, stdout)
})
