import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { currentStatement, Statement } from '../../src/shell/interrupt.ts'
import { ClientCalls, createSessionClient } from '../../src/shell/session-client.ts'
import type { CallEvent, CallOptions, ShellClient } from '../../src/shell/shell-client.ts'

type Call = { readonly method: string; readonly args: readonly unknown[] }

/** A client with a few methods that remember how they were called. */
function openClient() {
  const received: Call[] = []
  const client = {
    name: 'aws',
    place: 'us-east-1',
    async pull(...args: readonly unknown[]) {
      received.push({ method: 'pull', args })
      const options = args[1] as CallOptions
      options.onProgress?.({ type: 'line', text: 'Exploding' })
      return { name: args[0] }
    },
    async images(...args: readonly unknown[]) {
      received.push({ method: 'images', args })
      return []
    },
    tags(...args: readonly unknown[]) {
      received.push({ method: 'tags', args })
      const list = ['1.0', '1.1']
      return {
        async *[Symbol.asyncIterator]() {
          yield* list
        },
        // biome-ignore lint/suspicious/noThenProperty: the lists of the library are thenable
        then: (resolve: (value: unknown) => unknown) => Promise.resolve(list).then(resolve),
      }
    },
    use: (settings: object) => ({ ...client, settings }),
  }
  const calls = new ClientCalls()
  const session = createSessionClient(client as unknown as ShellClient, calls)
  return { session: session as unknown as typeof client, calls, received }
}

function openStatement() {
  const events: CallEvent[] = []
  let closed = 0
  const statement = new Statement({
    follow: () => ({
      onProgress: (event) => events.push(event),
      done: () => {
        closed += 1
      },
    }),
    pause: () => () => undefined,
    detach: () => undefined,
  })
  return { statement, events, closed: () => closed }
}

describe('the client of a session', () => {
  test("gives each call the statement's signal, at the place of the options", async () => {
    const { session, received } = openClient()
    const { statement } = openStatement()
    await currentStatement.run(statement, () => session.images())
    const [query, options] = received[0]?.args ?? []
    expect(query).toBeUndefined()
    statement.interrupt()
    expect((options as CallOptions).signal?.aborted).toBe(true)
  })

  test("keeps the user's own signal and listener beside the statement's", async () => {
    const { session, received } = openClient()
    const { statement, events, closed } = openStatement()
    const own = new AbortController()
    const heard: unknown[] = []
    const options = { signal: own.signal, onProgress: (event: unknown) => heard.push(event) }
    await currentStatement.run(statement, () => session.pull('x', options))
    const given = received[0]?.args[1] as CallOptions
    expect(given.signal?.aborted).toBe(false)
    own.abort()
    expect(given.signal?.aborted).toBe(true)
    expect(heard).toEqual([{ type: 'line', text: 'Exploding' }])
    expect(events).toEqual(heard)
    expect(closed()).toBe(1)
  })

  test('ends every call when asked to, also of a statement that is over', async () => {
    const { session, calls, received } = openClient()
    const { statement } = openStatement()
    await currentStatement.run(statement, () => session.images())
    calls.cancel()
    expect(received[0]?.args[1]).toMatchObject({ signal: { aborted: true } })
    expect(statement.signal.aborted).toBe(false)
  })

  test('refuses every call of a statement that was cancelled', async () => {
    const { session, received } = openClient()
    const { statement } = openStatement()
    statement.interrupt()
    await currentStatement.run(statement, async () => {
      await expect(session.pull('x')).rejects.toMatchObject({ code: 'CANCELLED' })
      const next = session.tags('x')[Symbol.asyncIterator]().next()
      await expect(next).rejects.toMatchObject({ code: 'CANCELLED' })
    })
    expect(received).toEqual([])
  })

  test('asks for a list only when it is awaited or iterated, and knows what it is', async () => {
    const { session, calls } = openClient()
    const list = session.tags('science/hello')
    expect(calls.pendingCount).toBe(0)
    expect(inspect([list])).toBe('[ client.tags() { <not awaited> } ]')
    expect(calls.pendingCount).toBe(0)
    const awaited = await (list as unknown as PromiseLike<string[]>)
    expect(awaited).toEqual(['1.0', '1.1'])
    expect(calls.kindOf(awaited)).toBe('tags')
    const streamed: string[] = []
    for await (const tag of session.tags('science/hello')) streamed.push(tag)
    expect(streamed).toEqual(['1.0', '1.1'])
  })

  test('counts the calls in flight until the last has ended', async () => {
    const { session, calls } = openClient()
    const pulls = [session.pull('a', {}), session.pull('b', {})]
    expect(calls.pendingCount).toBe(2)
    await Promise.all([calls.settled(), ...pulls])
    expect(calls.pendingCount).toBe(0)
  })

  test('has plain properties that completion can walk without running anything', () => {
    const { session } = openClient()
    const descriptor = Object.getOwnPropertyDescriptor(session, 'pull')
    expect(descriptor).toMatchObject({ enumerable: false })
    expect(descriptor && 'value' in descriptor && typeof descriptor.value).toBe('function')
    expect(session.pull.name).toBe('pull')
  })

  test('another client of `use` belongs to the session too', () => {
    const { session, calls } = openClient()
    const eu = session.use({ region: 'eu-west-1' })
    expect(calls.kindOf(eu)).toBe('client')
    expect(calls.methodOf(eu.pull)).toBe('pull')
  })

  test('knows the client behind it, for completion', () => {
    const client = {} as ShellClient
    const calls = new ClientCalls()
    expect(calls.clientBehind(createSessionClient(client, calls))).toBe(client)
    expect(calls.clientBehind(client)).toBeUndefined()
    expect(calls.clientBehind('client')).toBeUndefined()
  })

  test('a result is fresh once: what was told on the way is not told again', async () => {
    const { session, calls } = openClient()
    const images = await session.images()
    expect([calls.takeFresh(images), calls.takeFresh(images)]).toEqual([true, false])
  })
})
