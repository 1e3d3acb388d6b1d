/** The threads that make large images are started by a guess: they end with the pull, whatever that becomes of. */
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { layerCache } from '../../src/storage/layer-cache.ts'
import { makeImage } from '../fakes/oci-image.ts'
import { type Home, PullWorld, sha256OfFile } from '../fakes/pull-world.ts'
import { file } from '../fakes/tar-layer.ts'

const { started, refusal } = vi.hoisted(() => ({
  started: [] as Worker[],
  refusal: { isOn: false },
}))

vi.mock('../../src/image/compose/compose-thread.ts', async (original) => {
  const actual = await original<typeof import('../../src/image/compose/compose-thread.ts')>()
  const startComposing = () => {
    if (refusal.isOn) throw new Error('no more threads')
    const worker = actual.startComposing()
    started.push(worker)
    return worker
  }
  return { ...actual, startComposing }
})

vi.mock('../../src/image/layout/copy-thread.ts', async (original) => {
  const actual = await original<typeof import('../../src/image/layout/copy-thread.ts')>()
  const startCopying = () => {
    const worker = actual.startCopying()
    started.push(worker)
    return worker
  }
  return { ...actual, startCopying }
})

const image = makeImage([[file('etc/config', 'one')]])
let world: PullWorld
beforeAll(async () => {
  world = await PullWorld.start()
  await world.push('team/small', image)
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(() => {
  started.splice(0)
  refusal.isOn = false
})

/** A user who has pulled a large image of the repository before. */
function homeWithLayout(): Home {
  const home = world.home()
  const path = layerCache(home.in('cache')).layoutPath(`${world.local.ecr.registryHost}/team/small`)
  mkdirSync(home.in('cache', 'docker'), { recursive: true })
  writeFileSync(path, '{}')
  return home
}

async function allEnd(count: number): Promise<void> {
  expect(started).toHaveLength(count)
  for (const worker of started) if (worker.threadId >= 0) await once(worker, 'exit')
}

test('no thread is started where no large image of the repository was made', async () => {
  await (await world.client(world.home())).pull('team/small')
  expect(started).toEqual([])
})

test('an image that is small now is the same, and both threads end', async () => {
  const plain = await (await world.client(world.home())).pull('team/small')
  const { path } = await (await world.client(homeWithLayout())).pull('team/small')
  expect(sha256OfFile(path)).toBe(sha256OfFile(plain.path))
  await allEnd(2)
})

test('they are started while the registry is asked, and end when it has no such image', async () => {
  const home = homeWithLayout()
  const pulling = (await world.client(home)).pull('team/small:missing')
  await expect(pulling).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' })
  expect(home.leftovers()).toEqual([])
  await allEnd(2)
})

test('a pull that fails at once leaves none that would keep the program alive', async () => {
  const pulling = (await world.client(homeWithLayout())).pull('team/small', { platform: '/' })
  await expect(pulling).rejects.toMatchObject({ code: 'USAGE' })
  await delay(200)
  expect(started.filter(({ threadId }) => threadId >= 0)).toEqual([])
})

test('an unchanged image starts none', async () => {
  const home = homeWithLayout()
  const client = await world.client(home)
  const first = await client.pull('team/small')
  await allEnd(2)
  started.splice(0)
  expect((await client.pull('team/small')).path).toBe(first.path)
  expect(started).toEqual([])
})

test('a pull that replaces an image starts them when it is known to have changed', async () => {
  const home = homeWithLayout()
  const client = await world.client(home)
  await client.pull('team/small')
  started.splice(0)
  await client.pull('team/small', { force: true })
  await allEnd(2)
})

test('a pull that is cancelled before there is anything to compose ends both threads', async () => {
  const home = homeWithLayout()
  const client = await world.client(home)
  const abort = new AbortController()
  const pulling = client.pull('team/small', {
    signal: abort.signal,
    onProgress: ({ type }) => {
      if (type === 'resolved') abort.abort()
    },
  })
  await expect(pulling).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(home.leftovers()).toEqual([])
  await allEnd(2)
})

test('where only the first can be started, that ends too, and the image is made without', async () => {
  refusal.isOn = true
  const { path } = await (await world.client(homeWithLayout())).pull('team/small')
  const plain = await (await world.client(world.home())).pull('team/small')
  expect(sha256OfFile(path)).toBe(sha256OfFile(plain.path))
  await allEnd(1)
})
