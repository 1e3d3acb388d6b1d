import { expect, test } from 'vitest'
import { SingleFlight } from '../../src/storage/single-flight.ts'

/** Work that ends when it is told to. */
function controlled(): {
  work: (signal: AbortSignal) => Promise<string>
  finish: (value: string) => void
  fail: (error: Error) => void
  signals: AbortSignal[]
} {
  const signals: AbortSignal[] = []
  let finish: (value: string) => void = () => undefined
  let fail: (error: Error) => void = () => undefined
  const work = (signal: AbortSignal): Promise<string> => {
    signals.push(signal)
    return new Promise((resolve, reject) => {
      finish = resolve
      fail = reject
    })
  }
  return { work, finish: (value) => finish(value), fail: (error) => fail(error), signals }
}

test('ten who ask at once share one flight, and the next one flies anew', async () => {
  const flights = new SingleFlight<string>()
  const { work, finish, signals } = controlled()
  const all = Array.from({ length: 10 }, () => flights.run('layer', work))
  finish('done')
  expect(await Promise.all(all)).toEqual(Array(10).fill('done'))
  expect(signals).toHaveLength(1)
  expect(signals[0]?.aborted).toBe(false)
  const next = flights.run('layer', work)
  expect(signals).toHaveLength(2)
  finish('again')
  expect(await next).toBe('again')
})

test('other keys fly by themselves', async () => {
  const flights = new SingleFlight<string>()
  expect(await Promise.all(['a', 'b'].map((key) => flights.run(key, async () => key)))).toEqual([
    'a',
    'b',
  ])
})

test('a failed flight fails all who wait, and is forgotten', async () => {
  const flights = new SingleFlight<string>()
  const { work, fail } = controlled()
  const all = [flights.run('layer', work), flights.run('layer', work)]
  fail(new Error('no network'))
  for (const one of await Promise.allSettled(all)) expect(one.status).toBe('rejected')
  expect(await flights.run('layer', async () => 'better')).toBe('better')
})

test('one who leaves does not end the flight of the others; the last one does', async () => {
  const flights = new SingleFlight<string>()
  const { work, signals } = controlled()
  const [first, second] = [new AbortController(), new AbortController()]
  const one = flights.run('layer', work, first.signal).catch((error: unknown) => error)
  const two = flights.run('layer', work, second.signal).catch((error: unknown) => error)
  first.abort()
  expect(await one).toMatchObject({ code: 'CANCELLED' })
  expect(signals[0]?.aborted).toBe(false)
  second.abort()
  expect(await two).toMatchObject({ code: 'CANCELLED' })
  expect(signals[0]?.aborted).toBe(true)
})

test('who comes after all have left starts a flight of their own', async () => {
  const flights = new SingleFlight<string>()
  const { work, signals } = controlled()
  const leaving = new AbortController()
  const left = flights.run('layer', work, leaving.signal).catch((error: unknown) => error)
  leaving.abort()
  await left
  expect(await flights.run('layer', async () => 'fresh')).toBe('fresh')
  expect(signals).toHaveLength(1)
})

test('a signal that has fired already starts nothing', async () => {
  const flights = new SingleFlight<string>()
  const { work, signals } = controlled()
  const error = await flights.run('layer', work, AbortSignal.abort()).catch((e: unknown) => e)
  expect(error).toMatchObject({ code: 'CANCELLED' })
  expect(signals).toEqual([])
})
