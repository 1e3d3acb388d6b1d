/** How long Ctrl-C takes, from the key to the end of the statement: within 200 ms, whatever runs. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ShellOutput } from '../../src/shell/output.ts'
import { Session } from '../../src/shell/session.ts'
import type { ShellClient } from '../../src/shell/shell-client.ts'
import { makeImage, ociManifestType } from '../fakes/oci-image.ts'
import { type Home, PullWorld } from '../fakes/pull-world.ts'
import { file } from '../fakes/tar-layer.ts'

const limitMs = 200
/** A machine that is busy elsewhere may spoil a try; what is slow by itself is slow in each. */
const tries = 3

let world: PullWorld
/** Takes every request and answers none. */
let silent: Server
/** @param at When the key is pressed; default: now. */
let reached: (at?: number) => void

beforeAll(async () => {
  world = await PullWorld.start()
  // random halves and long runs, so that there is much to compress and to write
  const content = Buffer.concat(
    Array.from({ length: 24 }, () => Buffer.concat([randomBytes(1 << 20), Buffer.alloc(1 << 20)])),
  )
  await world.push('team/big', makeImage([[file('data', content)]]))
  // so many that merging them and encoding their tables takes its time
  const many = Array.from({ length: 120_000 }, (_, i) => file(`d${i % 100}/f${i}`, `content ${i}`))
  await world.push('team/many', makeImage([many]))
  silent = createServer(() => reached())
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
})

afterAll(async () => {
  silent.closeAllConnections()
  silent.close()
  await world[Symbol.asyncDispose]()
})

beforeEach(() => {
  reached = () => undefined
})

afterEach(() => {
  world.local.ecr.faults.clear()
  Reflect.deleteProperty(globalThis, 'reached')
})

function silentHost(): string {
  return `127.0.0.1:${(silent.address() as AddressInfo).port}`
}

async function sessionAt(home: Home): Promise<Session> {
  const client = (await world.client(home)) as unknown as ShellClient
  const [stdout, stderr] = [new PassThrough().resume(), new PassThrough().resume()]
  const modes = { json: false, quiet: false, time: false, debug: false }
  const output = new ShellOutput({ stdout, stderr, env: home.env, bars: stdout, modes })
  const createClient = (): ShellClient => client
  const session = new Session({ client, createClient, output, now: Date.now })
  Object.defineProperty(globalThis, 'client', { configurable: true, value: session.sessionClient })
  return session
}

/** The milliseconds from the interrupt, once the work has reached its place, to the end. */
async function cancelOnce(text: string, env: Readonly<Record<string, string>>): Promise<number> {
  const home = world.home(env)
  const session = await sessionAt(home)
  const isThere = new Promise<number>((resolve) => {
    reached = (at = performance.now()) => resolve(at)
  })
  Object.defineProperty(globalThis, 'reached', { configurable: true, value: reached })
  const outcome = session.run({ text, filename: 'cancelled' })
  const pressedAt = await isThere
  expect(session.interrupt()).toBe('cancelling')
  expect(await outcome).toBe('cancelled')
  const elapsedMs = performance.now() - pressedAt
  expect(home.images()).toEqual([])
  expect(home.leftovers()).toEqual([])
  return elapsedMs
}

const pressLater = (ms: number): string => `setTimeout(reached, ${ms}, performance.now() + ${ms})`

const pullUntil = (event: string, image = 'big', then = 'reached()'): string =>
  `client.pull('team/${image}', { onProgress: ({ type }) => { if (type === '${event}') ${then} } })`

test.each([
  ['a download that is slow', pullUntil('layer-start'), { kind: 'slow', bytesPerSecond: 50_000 }],
  ['a download that stands still', pullUntil('layer-start'), { kind: 'stall', afterBytes: 1000 }],
  ['the compression of a layer', pullUntil('layer-progress'), undefined],
  ['the merge', pullUntil('layer-done', 'many'), undefined],
  // a key that is pressed while the thread is busy has waited by the time it is seen
  ['the merge, well begun', pullUntil('layer-done', 'many', pressLater(50)), undefined],
  ['the encoding of the tables', pullUntil('layer-done', 'many', pressLater(100)), undefined],
  ['the writing of many files', pullUntil('write-progress', 'many'), undefined],
  ['the writing of large ones', pullUntil('write-progress'), undefined],
] as const)('Ctrl-C ends %s within 200 ms', async (_, text, fault) => {
  if (fault !== undefined) world.local.ecr.faults.add({ fault, operation: 'Download' })
  const times: number[] = []
  for (let i = 0; i < tries; i++) times.push(await cancelOnce(text, {}))
  expect(Math.min(...times)).toBeLessThan(limitMs)
})

describe('a large image', () => {
  // so large that threads compose and copy it, and that a new tag is copied ahead
  const many = Array.from({ length: 40_000 }, (_, i) => file(`d${i >> 7}/f${i}`, `${i}`))
  const lowest = [file('data', randomBytes(70_000_000)), ...many]
  const env = { SINGULARITY_CACHEDIR: '' }
  const text = (event: string, tag: string) =>
    `client.pull('team/large:${tag}', { compression: 'none', onProgress: ({ type }) => {
      if (type === '${event}') reached()
    } })`

  beforeAll(async () => {
    const form = { layerForm: 'none' } as const
    await world.push('team/large', makeImage([lowest], form), 'first')
    const next = makeImage([lowest, many.slice(0, 5000)], form)
    for (const bytes of [next.layers[1]?.bytes ?? next.config, next.config]) {
      await world.pushBlob('team/large', bytes)
    }
    await world.pushManifest('team/large', 'next', next.manifest, ociManifestType)
    const home = world.home()
    env.SINGULARITY_CACHEDIR = home.in('cache')
    await (await world.client(home)).pull('team/large:first', { compression: 'none' })
    expect(home.layouts()).toHaveLength(1)
  })

  test.each([
    ['before a layer is packed', 'layer-start', 'first', {}],
    ['when its layers are packed', 'layer-done', 'first', {}],
    ['while it is written', 'write-progress', 'first', {}],
    ['while it is copied ahead', 'resolved', 'next', env],
    ['while what is copied ahead is merged', 'layer-reuse', 'next', env],
    ['when what was copied ahead is confirmed', 'write-progress', 'next', env],
  ])('is left within 200 ms %s', async (_, event, tag, more) => {
    const times: number[] = []
    for (let i = 0; i < tries; i++) times.push(await cancelOnce(text(event, tag), more))
    expect(Math.min(...times)).toBeLessThan(limitMs)
  })
})

test.each([
  ['a call of the AWS SDK', 'client.repositories()', 'AWS_ENDPOINT_URL_ECR', 'http://'],
  [
    'a list that streams',
    'for await (const one of client.tags("a/b")) {}',
    'AWS_ENDPOINT_URL_ECR',
    'http://',
  ],
  ['a question to the registry', 'client.layers("team/big")', 'SREGISTRY_AWS_BASE', ''],
])('Ctrl-C ends %s within 200 ms', async (_, text, variable, scheme) => {
  const times: number[] = []
  for (let i = 0; i < tries; i++) {
    times.push(await cancelOnce(text, { [variable]: `${scheme}${silentHost()}` }))
  }
  expect(Math.min(...times)).toBeLessThan(limitMs)
})
