/** What Ctrl-C does to a statement, without a terminal. */
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SregistryError } from '../../src/errors/sregistry-error.ts'
import { defineGlobals } from '../../src/shell/globals.ts'
import { ShellOutput } from '../../src/shell/output.ts'
import { Session } from '../../src/shell/session.ts'
import { createFakeClient } from '../fakes/shell-client.mjs'

const limitMs = 200
const before = new Map(
  Reflect.ownKeys(globalThis).map((name) => [
    name,
    Object.getOwnPropertyDescriptor(globalThis, name),
  ]),
)

let session: Session
let printed: string
let state: { cleaned: string[] }
let statements = 0

beforeEach(() => {
  printed = ''
  const stream = new PassThrough()
  stream.on('data', (text) => {
    printed += text
  })
  const modes = { json: false, quiet: false, time: false, debug: false }
  const output = new ShellOutput({ stdout: stream, stderr: stream, env: {}, bars: stream, modes })
  state = { cleaned: [] }
  const client = createFakeClient(SregistryError, 'aws', {}, state)
  session = new Session({ client, createClient: () => client, output, now: Date.now })
  defineGlobals(session, {})
})

afterEach(() => {
  for (const name of Reflect.ownKeys(globalThis)) {
    const was = before.get(name)
    if (was === undefined) Reflect.deleteProperty(globalThis, name)
    else if (was.configurable) Object.defineProperty(globalThis, name, was)
  }
})

function run(text: string): ReturnType<Session['run']> {
  statements += 1
  return session.run({ text, filename: `statement:${statements}` })
}

const turns = (ms: number) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })

/** @returns The milliseconds from the key to the end of the statement. */
async function cancel(text: string): Promise<number> {
  const outcome = run(text)
  await turns(100)
  const pressedAt = performance.now()
  session.interrupt()
  expect(await outcome).toBe('cancelled')
  return performance.now() - pressedAt
}

describe('one Ctrl-C', () => {
  test.each([
    ['a promise that never settles', 'await new Promise(() => {})'],
    ['a loop of microtasks', 'while (true) { await 0 }'],
    ['a loop that catches all', 'for (;;) try { await new Promise(() => {}) } catch {}'],
    [
      'a stream that stands still',
      'for await (const x of { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }) {}',
    ],
    [
      'a stream that is shown and stands still',
      '(async function* () { yield 1; await new Promise(() => {}) })()',
    ],
    [
      'a tangle of recovery',
      'f = async () => { try { await new Promise(() => {}) } catch { await f() } }; await f()',
    ],
    [
      'what comes in `finally`',
      'try { await new Promise(() => {}) } finally { await new Promise(() => {}) }',
    ],
  ])('ends %s within 200 ms', async (_, text) => {
    expect(await cancel(text)).toBeLessThan(limitMs)
    expect(printed).toMatch(/^cancelled/)
  })

  test('waits until what is ours has cleaned up, also where a part of it has ended', async () => {
    await cancel(
      "Promise.all([client.pull('slow60000'), client.pull('slow70000'), new Promise(() => {})])",
    )
    expect(state.cleaned).toHaveLength(2)
    expect(printed).toContain('cancelled: 1 layer is kept')
  })

  test('cancels calls of an earlier statement when the running one waits for them', async () => {
    await run("jobs = [client.pull('slow60000')]; 0")
    printed = ''
    await cancel('Promise.all(jobs)')
    expect(state.cleaned).toEqual(['pull of slow60000'])
    expect(printed).toBe('cancelled: 1 layer is kept\n')
  })

  test('leaves calls of earlier statements alone when the running one has its own', async () => {
    await run("jobs = [client.pull('slow300')]; 0")
    await cancel('sleep(60)')
    expect(await run('jobs[0]')).toBe('done')
    expect(state.cleaned).toEqual([])
  })

  test('a statement that it gave up leaves the session as it was', async () => {
    await run("x = 'before'")
    await cancel(
      'x = 1; fresh = 2; for await (const y of { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }) {}',
    )
    expect(Reflect.get(globalThis, 'x')).toBe('before')
    expect('fresh' in globalThis).toBe(false)
  })

  test('what was awaited may end as it likes: no name and no line comes of it', async () => {
    await run("x = 'before'")
    await cancel('x = new Promise((yes) => { settle = yes }); 1')
    await cancel('await new Promise((_, no) => { fail = no })')
    await run("'last'")
    printed = ''
    await run("settle(2); fail(new Error('late')); 0")
    await turns(20)
    expect(printed).toBe('0\n')
    expect(Reflect.get(globalThis, 'x')).toBe('before')
  })

  test('before the code has started starts none', async () => {
    const outcome = run('ran = true')
    session.interrupt()
    expect(await outcome).toBe('cancelled')
    expect('ran' in globalThis).toBe(false)
  })
})
