// What the Node clients have in common: the Go test says what to do, one JSON object per line, so that its
// rules are written once for all languages. See program_test.go for the lines.
import { createInterface } from 'node:readline'

export const [host, port] = process.env.BROKER.split(':')
export const protocol = Number(process.env.PROTOCOL)
export const name = process.env.CLIENT_NAME

// Payloads are any bytes, so they cross JSON as base64.
export const bytes = text => Buffer.from(text, 'base64')

const say = message => process.stdout.write(JSON.stringify(message) + '\n')

export function deliver(pattern, channel, text) {
  say({ delivery: { pattern: String(pattern), channel: String(channel), text: text.toString('base64') } })
}

export async function serve(calls) {
  const answer = async ({ id, call, args }) => {
    try {
      say({ id, result: await calls[call](...args) })
    } catch (error) {
      say({ id, error: error.message })
    }
  }
  for await (const line of createInterface({ input: process.stdin })) answer(JSON.parse(line))
  process.exit() // open connections would keep it alive
}
