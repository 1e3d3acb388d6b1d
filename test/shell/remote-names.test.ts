import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type NameQuery, RemoteNames } from '../../src/shell/remote-names.ts'

let now: number
let names: RemoteNames

beforeEach(() => {
  now = 0
  names = new RemoteNames({ now: () => now, deadlineMs: 50 })
})

/** A registry that answers when it is told to. */
function slowRegistry() {
  const answers: Array<(rows: readonly unknown[]) => void> = []
  const signals: AbortSignal[] = []
  const query: NameQuery = {
    key: 'repositories',
    ask: (signal) => {
      signals.push(signal)
      return new Promise((resolve) => answers.push(resolve))
    },
  }
  return { query, answers, signals }
}

describe('names of the registry', () => {
  test('come from one question for all who ask meanwhile', async () => {
    const { query, answers } = slowRegistry()
    const both = Promise.all([names.names(query), names.names(query)])
    expect(answers).toHaveLength(1)
    answers[0]?.([{ name: 'a' }, { repository: 'b' }, 'c', { tag: 'd' }, 7])
    expect(await both).toEqual([
      ['a', 'b', 'c', 'd'],
      ['a', 'b', 'c', 'd'],
    ])
  })

  test('are asked for again after a minute, and not before', async () => {
    const { query, answers } = slowRegistry()
    const first = names.names(query)
    answers[0]?.(['old'])
    await first
    now = 59_000
    expect(await names.names(query)).toEqual(['old'])
    now = 60_000
    const second = names.names(query)
    answers[1]?.(['new'])
    expect(await second).toEqual(['new'])
  })

  test('that come late are there for the next who asks', async () => {
    const { query, answers } = slowRegistry()
    expect(await names.names(query)).toEqual([])
    answers[0]?.(['late'])
    await turn()
    expect(await names.names(query)).toEqual(['late'])
    expect(answers).toHaveLength(1)
  })

  test('that come late are told to whoever got nothing, and only then', async () => {
    const { query, answers } = slowRegistry()
    const told: string[] = []
    const asked = { ...query, onLate: () => told.push('late') }
    expect(await names.names(asked)).toEqual([])
    expect(told).toEqual([])
    answers[0]?.(['late'])
    await turn()
    expect(told).toEqual(['late'])
    now = 60_000 // now there are old names to answer with
    expect(await names.names(asked)).toEqual(['late'])
    answers[1]?.(['later'])
    await turn()
    expect(told).toEqual(['late'])
  })

  test('that come late and are none are not told', async () => {
    const { query, answers } = slowRegistry()
    const told: string[] = []
    await names.names({ ...query, onLate: () => told.push('late') })
    answers[0]?.([])
    await turn()
    expect(told).toEqual([])
  })

  test('of a registry that one has left come neither late nor at all', async () => {
    const { query, answers } = slowRegistry()
    const told: string[] = []
    await names.names({ ...query, onLate: () => told.push('late') })
    names.clear()
    answers[0]?.(['of the other'])
    await turn()
    expect(told).toEqual([])
    expect(await names.names(query)).toEqual([])
    expect(answers).toHaveLength(2)
  })

  test('that change at once are asked for each time', async () => {
    const { query, answers } = slowRegistry()
    const first = names.names({ ...query, freshMs: 0 })
    answers[0]?.(['one'])
    expect(await first).toEqual(['one'])
    const second = names.names({ ...query, freshMs: 0 })
    answers[1]?.(['one', 'two'])
    expect(await second).toEqual(['one', 'two'])
  })

  test('stay silent when the registry refuses', async () => {
    const refused: NameQuery = { key: 'x', ask: () => Promise.reject(new Error('403')) }
    expect(await names.names(refused)).toEqual([])
  })

  test('of an image of this machine have their tag', async () => {
    const local: NameQuery = {
      key: 'images',
      ask: async () => [{ name: 'library/busybox', tag: '1.37', path: '/x.simg' }],
    }
    expect(await names.names(local)).toEqual(['library/busybox:1.37'])
  })

  test('are read page by page, a thousand at most', async () => {
    let read = 0
    const endless: NameQuery = {
      key: 'endless',
      ask: () =>
        (async function* pages() {
          for (;;) yield `name-${read++}`
        })(),
    }
    expect(await names.names(endless)).toHaveLength(1000)
    expect(read).toBe(1000)
  })
})

describe('a server that takes the question and never answers', () => {
  let server: Server
  let url: string

  beforeEach(async () => {
    server = createServer(() => undefined)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  test('costs the deadline once and leaves nothing to wait for', async () => {
    const stop = new AbortController()
    const query: NameQuery = {
      key: 'tags',
      ask: (signal) => fetch(url, { signal: AbortSignal.any([signal, stop.signal]) }),
    }
    const startedAt = performance.now()
    expect(await names.names(query)).toEqual([])
    expect(performance.now() - startedAt).toBeLessThan(300)
    stop.abort()
  })
})
